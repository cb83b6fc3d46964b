import type { UnderstandContext } from '../domain/ports.ts';
import type { Intent, Scored } from '../domain/understanding.ts';
import type { Located } from './locate.ts';
import type { Scores } from './understand.ts';

export interface HeardAnswer {
  readonly intents: readonly Scored<Intent>[];
  /** Nothing but a place: no matter of its own. */
  readonly addressOnly: boolean;
}

interface Heard { readonly context: UnderstandContext; readonly scores: Scores; readonly located: Located; readonly length: number }

/** Intents that are never an answer to a question, when the model is this sure of them. */
const OTHERWISE: Readonly<Partial<Record<Intent, number>>> = { human: 0.5, cancel: 0.6, status: 0.6, rate: 0.7 };

/** The message as the answer to what was just asked, or null when it is something of its own. */
export function heardAsAnswer({ context, scores, located, length }: Heard): HeardAnswer | null {
  const { expecting } = context;
  const intents = scores.intent as readonly Scored<Intent>[];
  const [best] = intents;
  if (!expecting || !best || best.probability >= (OTHERWISE[best.value] ?? 2)) return null;
  const covered = located.spans.reduce((sum, { start, end }) => sum + end - start, 0);
  const placeNamed = located.spans.length > 0;
  const mostlyPlace = placeNamed && covered >= Math.min(length * 0.5, length - 6);
  const asked = expecting === 'address' || expecting === 'building';
  if (asked && placeNamed && (mostlyPlace || length <= 30)) return { intents: supplement(intents), addressOnly: mostlyPlace };
  if ((expecting === 'time' || expecting === 'party' || expecting === 'ticket') && length <= 25 && best.value !== 'report') return { intents: supplement(intents), addressOnly: false };
  return null;
}

function supplement(intents: readonly Scored<Intent>[]): readonly Scored<Intent>[] {
  const rest = intents.filter(({ value }) => value !== 'supplement');
  const own = intents.find(({ value }) => value === 'supplement')?.probability ?? 0;
  const probability = Math.max(0.9, own);
  const scale = own < 1 ? (1 - probability) / (1 - own) : 0;
  return [{ value: 'supplement', probability }, ...rest.map((one) => ({ ...one, probability: one.probability * scale }))];
}
