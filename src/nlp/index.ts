import type { Understander, UnderstanderOptions } from './understand.ts';

export { createUnderstandingPool } from './pool.ts';
export type { CallOptions, PoolOptions, PoolStats, UnderstandingPool } from './pool.ts';
export { checkLifeSafety } from './life-safety.ts';
export { loadCatalogue } from './load-catalogue.ts';
export { placeNeeds } from './missing.ts';
export { createPlaceSearch } from './place-search.ts';
export type { SegmenterName } from './segment.ts';
export type { Understander, UnderstanderOptions } from './understand.ts';

/**
 * Understanding in this very thread; a server uses the pool. Loaded only when called: the inference library costs a
 * process 170 MB and a second, which the thread that merely owns a pool need not pay.
 *
 * @throws AppError `model.*`, `segmenter.missing`, `gazetteer.invalid`
 */
export async function createUnderstander(options: UnderstanderOptions): Promise<Understander> {
  const room = await import('./understand.ts');
  return room.createUnderstander(options);
}
