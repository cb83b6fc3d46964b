import { join } from 'node:path';
import type { PlaceCandidate } from '../domain/understanding.ts';
import { loadGazetteer } from './gazetteer.ts';
import { resolvePlace } from './resolve.ts';

/** Places that typed words may mean, for a person to choose from. Loads the city's gazetteer into this thread. */
export function createPlaceSearch(options: { readonly modelDir: string; readonly gazetteer?: string }): (text: string) => readonly PlaceCandidate[] {
  const gazetteer = loadGazetteer(join(options.modelDir, 'gazetteer', options.gazetteer ?? 'beijing.json'));
  return (text) => {
    const { place, label, rivals } = resolvePlace(gazetteer, [{ text, parts: [] }]);
    return place === null ? rivals : [{ place, label, score: 1 }, ...rivals];
  };
}
