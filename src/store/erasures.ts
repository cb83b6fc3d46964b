import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Instant, ResidentId } from '../domain/ids.ts';

export interface Erasure {
  readonly residentId: ResidentId;
  readonly at: Instant;
}

/** Beside the database, not in it: a restored database has forgotten what was erased after its backup, this file has not. */
export const erasuresFile = (dataDir: string): string => join(dataDir, 'erasures.log');

const LINE = /^(\d{1,15}) ([\w-]{1,64})$/;

/**
 * Notes, before the key is destroyed, that this resident is to be forgotten; on disk when it returns. Should the erasure then fail,
 * the note does no harm: the resident asked for it. Ids and times only, one short appended line each, so several processes may share it.
 */
export function noteErasure(dataDir: string, residentId: string, at: Instant): void {
  const path = erasuresFile(dataDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, 'a', 0o600);
  try {
    writeSync(file, `${at} ${residentId}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Each resident once, with the first time; a line cut off by a crash is not one. */
export function readErasures(path: string): readonly Erasure[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const seen = new Map<string, Erasure>();
  for (const line of text.split('\n')) {
    const [, at, residentId] = LINE.exec(line) ?? [];
    if (at !== undefined && residentId !== undefined && !seen.has(residentId)) seen.set(residentId, { residentId: residentId as ResidentId, at: Number(at) });
  }
  return [...seen.values()];
}

/** Erases anew whoever is in the ledger and still stands in the store; returns how many those were. */
export async function replayErasures(store: { residentExists(id: ResidentId): Promise<boolean>; eraseResident(id: ResidentId, now: Instant): Promise<void> }, erasures: readonly Erasure[]): Promise<number> {
  let erased = 0;
  for (const { residentId, at } of erasures) {
    if (!(await store.residentExists(residentId))) continue;
    await store.eraseResident(residentId, at);
    erased += 1;
  }
  return erased;
}
