import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findMatters } from '../../src/bot/split-matters.ts';
import type { Understander } from '../../src/nlp/index.ts';

interface Marked { readonly text: string; readonly parts: readonly string[] }

export interface MattersScores {
  readonly messages: number;
  readonly several: number;
  readonly one: number;
  readonly split: number;
  readonly right: number;
  /** Messages split exactly as a person did, among those split. */
  readonly precision: number;
  /** The same, among those that hold several matters. */
  readonly recall: number;
}

/** Half of the marked messages is for tuning, the other half only for this score; the text decides which. */
export const isKept = (text: string): boolean => (createHash('sha256').update(`matters:${text}`).digest()[0] as number) % 2 === 1;

export async function scoreMatters(understander: Understander, file: string, onWrong?: (marked: Marked, found: readonly string[], kept: boolean) => void) {
  const all = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Marked);
  const counts = { tuning: { several: 0, one: 0, split: 0, right: 0 }, kept: { several: 0, one: 0, split: 0, right: 0 } };
  for (const marked of all) {
    const kept = isKept(marked.text);
    const count = counts[kept ? 'kept' : 'tuning'];
    const found = (await findMatters(marked.text, await understander.understand(marked.text), (part) => understander.understand(part))).map(({ text }) => text);
    const right = sameCuts(marked.parts, found);
    count[marked.parts.length > 1 ? 'several' : 'one'] += 1;
    if (found.length > 1) count.split += 1;
    if (found.length > 1 && right) count.right += 1;
    if (found.length > 1 ? !right : marked.parts.length > 1) onWrong?.(marked, found, kept);
  }
  const scores = ({ several, one, split, right }: { several: number; one: number; split: number; right: number }): MattersScores =>
    ({ messages: several + one, several, one, split, right, precision: right / split, recall: right / several });
  return { tuning: scores(counts.tuning), kept: scores(counts.kept) };
}

/** Words of the turn itself (另外, 还有) may stand on either side, and what introduces the list (反映两件事) may be left out. */
const bare = (text: string): string => text.replace(/^(?:另外|还有|再有|对了|顺便|以及|然后|再就是|同时|第|[\d一二三四①②③④、.．)）])+|\P{L}/gu, '');
function sameCuts(gold: readonly string[], found: readonly string[]): boolean {
  return gold.length === found.length && gold.every((part, at) => {
    const [a, b] = [bare(part), bare(found[at] as string)];
    return Math.abs(a.length - b.length) <= (at === 0 ? 16 : 4) && (a.endsWith(b) || b.endsWith(a) || a.startsWith(b) || b.startsWith(a));
  });
}
