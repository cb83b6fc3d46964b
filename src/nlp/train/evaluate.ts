import { HEAD_NAMES, type HeadName } from '../classify.ts';
import { matrixOf } from './features.ts';
import { logitsFor, type Corpus, type Fit } from './fit.ts';

/** One kept-back example with what a fit makes of it: probabilities in label order. */
export interface Judged {
  readonly row: number;
  readonly probability: Readonly<Partial<Record<HeadName, Float64Array>>>;
}

export type Labels = Readonly<Record<HeadName, readonly string[]>>;
export const labelsOf = (fit: Fit): Labels => Object.fromEntries(HEAD_NAMES.map((name) => [name, fit.heads[name]?.labels ?? []])) as unknown as Labels;

export function judgeRows(fit: Fit, corpus: Corpus, rows: readonly number[], heads: readonly HeadName[] = HEAD_NAMES): Judged[] {
  const matrix = matrixOf(rows.map((row) => corpus.terms[row]!), fit.vocabulary);
  const here = { vectors: { rows: rows.length, dim: corpus.vectors.dim, values: new Float64Array(rows.length * corpus.vectors.dim) } };
  rows.forEach((row, at) => here.vectors.values.set(corpus.vectors.values.subarray(row * corpus.vectors.dim, (row + 1) * corpus.vectors.dim), at * corpus.vectors.dim));
  const every = rows.map((_, at) => at);
  const logits = Object.fromEntries(heads.map((name) => [name, logitsFor(here, matrix, every, fit.heads[name])]));
  return rows.map((row, at) => ({ row, probability: Object.fromEntries(heads.map((name) => {
    const count = fit.heads[name].labels.length;
    return [name, softened(logits[name]!.subarray(at * count, (at + 1) * count))];
  })) }));
}

function softened(logits: Float64Array): Float64Array {
  const top = logits.reduce((most, each) => Math.max(most, each), -Infinity);
  const raised = logits.map((each) => Math.exp(each - top));
  const sum = raised.reduce((total, each) => total + each, 0);
  return raised.map((each) => each / sum);
}

export const bestOf = (probability: Float64Array): number => probability.reduce((best, each, at) => (each > probability[best]! ? at : best), 0);

/** The labels of the largest probabilities, surest first. */
export function topLabels(probability: Float64Array, labels: readonly string[], count: number): string[] {
  return [...probability.keys()].sort((a, b) => probability[b]! - probability[a]!).slice(0, count).map((at) => labels[at]!);
}

export const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((sum, each) => sum + each, 0) / values.length);
const four = (value: number): number => Math.round(value * 10_000) / 10_000;
const three = (value: number): number => Math.round(value * 1_000) / 1_000;

interface Guess { readonly gold: string; readonly alt: string | null; readonly guess: string; readonly top3: readonly string[]; readonly probability: number }

function guessesOf(judged: readonly Judged[], corpus: Corpus, labels: Labels, head: HeadName): Guess[] {
  return judged.flatMap(({ row, probability: all }) => {
    const { labels: gold, alt } = corpus.examples[row]!;
    const probability = all[head];
    if (gold[head] === undefined || !probability) return [];
    const best = bestOf(probability);
    return [{ gold: gold[head], alt: head === 'type' ? alt : null, guess: labels[head][best]!, top3: topLabels(probability, labels[head], 3), probability: probability[best]! }];
  });
}

/** The same names as models/training/scores.py. */
export function scoresOf(judged: readonly Judged[], corpus: Corpus, labels: Labels): Record<string, number> {
  const of = (head: HeadName) => guessesOf(judged, corpus, labels, head);
  const matter = of('type').filter(({ gold }) => gold !== 'none');
  const accuracy = (guesses: readonly Guess[]) => mean(guesses.map(({ gold, guess }) => Number(gold === guess)));
  const recall = (guesses: readonly Guess[], label: string) => mean(guesses.filter(({ gold }) => gold === label).map(({ guess }) => Number(guess === label)));
  const precision = (guesses: readonly Guess[], label: string) => mean(guesses.filter(({ guess }) => guess === label).map(({ gold }) => Number(gold === label)));
  const out: Record<string, number> = {
    count: judged.length, type_top1: accuracy(matter), type_top1_or_alt: mean(matter.map(({ gold, alt, guess }) => Number(guess === gold || guess === alt))),
    type_macro_f1: macroF1(matter), type_top3: mean(matter.map(({ gold, top3 }) => Number(top3.includes(gold)))),
  };
  const intents = of('intent');
  if (intents.length > 0) {
    out['intent_accuracy'] = accuracy(intents);
    out['intent_macro_f1'] = macroF1(intents);
    out['out_of_scope_recall'] = recall(intents, 'chat');
    out['report_taken_for_chat'] = mean(intents.filter(({ gold }) => gold !== 'chat').map(({ guess }) => Number(guess === 'chat')));
  }
  const urgency = of('urgency');
  Object.assign(out, { urgency_accuracy: accuracy(urgency), urgency_macro_f1: macroF1(urgency), h2_recall: recall(urgency, 'h2'), h2_precision: precision(urgency, 'h2') });
  const danger = urgency.filter(({ gold }) => gold === 'h2').length;
  for (const head of ['nature', 'disposition'] as const) Object.assign(out, { [`${head}_accuracy`]: accuracy(of(head)), [`${head}_macro_f1`]: macroF1(of(head)) });
  return { ...Object.fromEntries(Object.entries(out).map(([name, value]) => [name, four(value)])), h2_count: danger };
}

export function perClass(judged: readonly Judged[], corpus: Corpus, labels: Labels): Record<string, Record<string, { count: number; recall: number; precision: number | null }>> {
  return Object.fromEntries(HEAD_NAMES.flatMap((head) => {
    const guesses = guessesOf(judged, corpus, labels, head);
    if (guesses.length === 0) return [];
    return [[head, Object.fromEntries([...new Set(guesses.map(({ gold }) => gold))].sort().map((label) => {
      const gold = guesses.filter((each) => each.gold === label);
      const said = guesses.filter((each) => each.guess === label);
      const both = gold.filter((each) => each.guess === label).length;
      return [label, { count: gold.length, recall: three(both / gold.length), precision: said.length === 0 ? null : three(both / said.length) }];
    }))]];
  }));
}

function macroF1(guesses: readonly Guess[]): number {
  return mean([...new Set(guesses.map(({ gold }) => gold))].map((label) => {
    const both = guesses.filter(({ gold, guess }) => gold === label && guess === label).length;
    const wrong = guesses.filter(({ gold, guess }) => (gold === label) !== (guess === label)).length;
    return both === 0 ? 0 : (2 * both) / (2 * both + wrong);
  }));
}

/** Expected calibration error over ten bins, and the reliability diagram. */
export function calibrationOf(judged: readonly Judged[], corpus: Corpus, labels: Labels, head: HeadName) {
  const guesses = guessesOf(judged, corpus, labels, head);
  const bins = Array.from({ length: 10 }, (_, bin) => guesses.filter(({ probability }) => probability > bin / 10 && probability <= (bin + 1) / 10)).flatMap((inside, bin) => (inside.length === 0 ? [] : [{
    from: bin / 10, to: (bin + 1) / 10, count: inside.length, confidence: three(mean(inside.map(({ probability }) => probability))), accuracy: three(mean(inside.map(({ gold, guess }) => Number(gold === guess)))),
  }]));
  return { ece: four(bins.reduce((sum, { count, confidence, accuracy }) => sum + (count / guesses.length) * Math.abs(confidence - accuracy), 0)), bins };
}
