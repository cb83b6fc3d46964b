import type { HeadName } from '../classify.ts';
import { bestOf, type Judged, type Labels } from './evaluate.ts';
import type { Corpus } from './fit.ts';

export interface GateMeasure {
  readonly name: string;
  readonly messages: number;
  readonly before: number;
  readonly after: number;
  /** Messages that only the one or only the other judges rightly. */
  readonly lost: number;
  readonly won: number;
  readonly worse: boolean;
}

export interface GateVerdict {
  readonly passed: boolean;
  readonly rule: string;
  readonly measures: readonly GateMeasure[];
}

export const GATE_RULE = 'On the kept-back messages, for type, type with its second good answer, intent and h2 recall, chat and letters apart: refused when the messages lost '
  + 'exceed those won by more than one-sided paired noise at 5 % (exact sign test).';
const SIGNIFICANT = 0.05;

/** A head and what makes an answer right; null: this message does not count. */
type Right = (gold: Corpus['examples'][number], guess: string) => boolean | null;
const MEASURES: readonly (readonly [name: string, head: HeadName, right: Right])[] = [
  ['type', 'type', ({ labels }, guess) => (labels.type === undefined || labels.type === 'none' ? null : guess === labels.type)],
  ['type with alternative', 'type', ({ labels, alt }, guess) => (labels.type === undefined || labels.type === 'none' ? null : guess === labels.type || guess === alt)],
  ['intent', 'intent', ({ labels }, guess) => (labels.intent === undefined ? null : guess === labels.intent)],
  ['h2 recall', 'urgency', ({ labels }, guess) => (labels.urgency === 'h2' ? guess === 'h2' : null)],
];

/** May the new heads take the place of those in use? Both judged the same kept-back rows, in the same order. */
export function gate(corpus: Corpus, before: { readonly judged: readonly Judged[]; readonly labels: Labels }, after: { readonly judged: readonly Judged[]; readonly labels: Labels }): GateVerdict {
  const groups = [['chat', (source: string) => source !== 'letters'], ['letters', (source: string) => source === 'letters']] as const;
  const measures = groups.flatMap(([group, belongs]) => MEASURES.flatMap(([name, head, right]): GateMeasure[] => {
    const pairs = before.judged.flatMap((one, at) => {
      const example = corpus.examples[one.row]!;
      if (!belongs(example.source)) return [];
      const guess = ({ judged, labels }: typeof before) => labels[head][bestOf(judged[at]!.probability[head]!)]!;
      const [old, fresh] = [right(example, guess(before)), right(example, guess(after))];
      return old === null || fresh === null ? [] : [{ old, fresh }];
    });
    if (pairs.length === 0) return [];
    const lost = pairs.filter(({ old, fresh }) => old && !fresh).length;
    const won = pairs.filter(({ old, fresh }) => !old && fresh).length;
    const rate = (which: 'old' | 'fresh') => Math.round((pairs.filter((pair) => pair[which]).length / pairs.length) * 10_000) / 10_000;
    return [{ name: `${name}, ${group}`, messages: pairs.length, before: rate('old'), after: rate('fresh'), lost, won, worse: lost > won && chanceOfAtLeast(lost, lost + won) < SIGNIFICANT }];
  }));
  return { passed: measures.every(({ worse }) => !worse), rule: GATE_RULE, measures };
}

/** Probability that a fair coin shows heads at least `heads` times in `throws`. */
export function chanceOfAtLeast(heads: number, throws: number): number {
  let term = 0.5 ** throws;
  let sum = 0;
  for (let count = 0; count <= throws; count++) {
    if (count >= heads) sum += term;
    term = (term * (throws - count)) / (count + 1);
  }
  return Math.min(1, sum);
}
