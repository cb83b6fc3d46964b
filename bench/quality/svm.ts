import { existsSync, readFileSync } from 'node:fs';

type Ranked = readonly (readonly [label: string, probability: number])[];

/** The baseline's guesses for one message, most probable first. */
export interface SvmGuess {
  readonly intent: Ranked;
  readonly type: Ranked;
  readonly nature: Ranked;
  readonly disposition: Ranked;
  readonly urgency: Ranked;
  /** Probability that it is no request. */
  readonly chat: number;
}
export type Svm = Readonly<Record<'chat' | 'letters' | 'off_topic', ReadonlyMap<string, SvmGuess>>>;

/** What models/training/baseline.py wrote, by id (foreign texts by themselves); null when it was not run. */
export function loadSvm(file: string): Svm | null {
  if (!existsSync(file)) return null;
  const { guesses } = JSON.parse(readFileSync(file, 'utf8')) as { guesses: Record<'chat' | 'letters' | 'off_topic', (SvmGuess & { id: string })[]> };
  const byId = (rows: readonly (SvmGuess & { id: string })[]) => new Map(rows.map((row) => [row.id, row]));
  return { chat: byId(guesses.chat), letters: byId(guesses.letters), off_topic: byId(guesses.off_topic) };
}
