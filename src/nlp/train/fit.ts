import type { HeadName } from '../classify.ts';
import { HEAD_NAMES } from '../classify.ts';
import { countTerms, WORD_MARK } from '../lexical.ts';
import type { Example, ExampleSource } from './examples.ts';
import { keptTerms, matrixOf, vocabularyOf, type Terms, type Vocabulary } from './features.ts';
import { fitSvm, type Sparse } from './linear-svm.ts';
import { minimise } from './minimise.ts';
import { denseLogits, type Dense, type LinearModel, type Targets } from './softmax-regression.ts';
import { regressInThread } from './threads.ts';

export const NGRAMS = [1, 3] as const;
/** A term that fewer training messages hold is not looked at. */
const LEAST_MESSAGES = 3;
/** Terms kept of all: those with the largest weight anywhere; keeps lexical.json below 6 MB. */
const KEPT_TERMS = 36_000;

/** How much an example of each source counts: chat is what residents send. */
const REGRESSION_WEIGHT: Readonly<Record<ExampleSource, number>> = { chat: 1.5, written: 1.5, letters: 1, foreign: 1, city: 2, correction: 2 };
const SVM_WEIGHT: Readonly<Record<ExampleSource, number>> = { chat: 2, written: 2, letters: 1, foreign: 1, city: 2, correction: 2 };
const SVM_C = 0.5;
/** Types with fewer examples than this weigh more, by the root of what they lack. */
const BALANCED_COUNT = 150;
const LEAST_COUNT = 20;
/** Enough to see which terms matter. */
const ROUGH = { tolerance: 1, maxPasses: 6 };
/** A label that no example has: outside of every margin. */
const UNSEEN_MARGIN = -1.5;
const UNSEEN_BIAS = -12;
export const ALT_SHARE = 0.2;
const REGRESSION_C = 3;
const REGRESSION_ITERATIONS = 25;
/** Towards weights that are good already, few steps and a strong pull. */
const PRIOR_C = 1;
const PRIOR_ITERATIONS = 12;

export interface HeadFit {
  readonly labels: readonly string[];
  readonly linear: LinearModel;
  /** Row-major, labels × terms; what int8 with one scale a label leaves of it. */
  readonly lexical: LinearModel;
  /** logits = encoder · linear + margin · lexical, calibrated. */
  readonly encoder: number;
  readonly margin: number;
}
export type HeadFits = Readonly<Record<HeadName, HeadFit>>;

export interface Fit {
  readonly vocabulary: Vocabulary;
  readonly heads: HeadFits;
  /** Where the encoder's head came from, per head. */
  readonly chosen: Readonly<Record<HeadName, string>>;
}

/** Everything the fit sees: examples, and beside each its vector and its terms. */
export interface Corpus {
  readonly examples: readonly Example[];
  readonly vectors: Dense;
  readonly terms: readonly Terms[];
}

export type Labels = Readonly<Record<HeadName, readonly string[]>>;

export interface FitOptions {
  readonly labels: Labels;
  /** Encoder heads from elsewhere (fine-tuning, or those in use): taken as they are, in the mean with the regression, or not at all. */
  readonly prior?: Readonly<Record<HeadName, LinearModel>>;
  /** Heads in use that are to be continued: vocabulary, lexical weights and mixture stay or are the prior. */
  readonly continued?: Fit;
  readonly heads?: readonly HeadName[];
  readonly keptTerms?: number;
}

/** Terms of one normalised text. */
export function termsOf(text: string, words: (text: string) => readonly string[]): Terms {
  const counts = new Map<string, number>();
  countTerms([...text], words(text), NGRAMS, (term) => counts.set(term, (counts.get(term) ?? 0) + 1));
  return counts;
}

/**
 * Heads from examples: a softmax regression on the sentence vector, in a thread of its own, and one-vs-rest SVMs on TF-IDF of n-grams
 * and words; combined by two numbers a head that have the least log loss on the examples kept back (which also calibrates).
 */
export async function fitHeads(corpus: Corpus, options: FitOptions): Promise<Fit> {
  const { labels, prior, continued } = options;
  const names = options.heads ?? HEAD_NAMES;
  const rows = Object.fromEntries(names.map((name) => [name, rowsFor(corpus.examples, name, labels[name], false)])) as Record<HeadName, number[]>;
  const problems = names.map((name) => ({
    x: pickDense(corpus.vectors, rows[name]), targets: targetsOf(corpus.examples, rows[name], labels[name], name),
    options: { labels: labels[name].length, altShare: ALT_SHARE, ...(continued ? { c: PRIOR_C, maxIterations: PRIOR_ITERATIONS, prior: continued.heads[name].linear } : { c: REGRESSION_C, maxIterations: REGRESSION_ITERATIONS }) },
  }));
  const regressions = regressInThread(problems);
  const lexical = fitLexical(corpus, rows, options, names);
  const linear = await regressions;
  const kept = matrixOf(corpus.terms, lexical.vocabulary);
  const chosen: Partial<Record<HeadName, string>> = {};
  const heads = Object.fromEntries(names.map((name, at): [HeadName, HeadFit] => {
    const held = rowsFor(corpus.examples, name, labels[name], true);
    const seen = new Set(rows[name].map((row) => corpus.examples[row]!.labels[name]!));
    const regression = unseenOut(linear[at]!, labels[name], seen, continued?.heads[name]);
    const choices = [{ kind: 'regression', linear: regression }, ...(prior ? [{ kind: 'prior', linear: prior[name] }, { kind: 'mean', linear: meanOf(prior[name], regression) }] : [])];
    const combined = choices.map((choice) => ({ ...choice, ...combine(corpus, held, kept, { name, labels: labels[name], linear: choice.linear, lexical: lexical.heads[name] }, continued?.heads[name]) }));
    const best = combined.reduce((one, other) => (other.loss < one.loss ? other : one));
    chosen[name] = best.kind;
    return [name, { labels: labels[name], linear: best.linear, lexical: lexical.heads[name], encoder: best.encoder, margin: best.margin }];
  })) as Record<HeadName, HeadFit>;
  return { vocabulary: lexical.vocabulary, heads: heads, chosen: chosen as Record<HeadName, string> };
}

/** Examples that know this head's label, and of a type's examples those of the city's catalogue. */
export function rowsFor(examples: readonly Example[], head: HeadName, labels: readonly string[], keptBack: boolean): number[] {
  const known = new Set(labels);
  return examples.flatMap((example, row) => {
    const label = example.labels[head];
    return example.keptBack === keptBack && (!keptBack || example.source !== 'foreign') && label !== undefined && known.has(label) ? [row] : [];
  });
}

export function pickDense({ dim, values }: Dense, rows: readonly number[]): Dense {
  const out = new Float64Array(new SharedArrayBuffer(rows.length * dim * 8));
  rows.forEach((row, at) => out.set(values.subarray(row * dim, (row + 1) * dim), at * dim));
  return { rows: rows.length, dim, values: out };
}

export function pickSparse(x: Sparse, rows: readonly number[]): Sparse {
  const start = new Uint32Array(rows.length + 1);
  rows.forEach((row, at) => { start[at + 1] = start[at]! + x.start[row + 1]! - x.start[row]!; });
  const column = new Uint32Array(start[rows.length]!);
  const value = new Float32Array(start[rows.length]!);
  rows.forEach((row, at) => {
    column.set(x.column.subarray(x.start[row], x.start[row + 1]), start[at]);
    value.set(x.value.subarray(x.start[row], x.start[row + 1]), start[at]);
  });
  return { rows: rows.length, columns: x.columns, start, column, value };
}

export function targetsOf(examples: readonly Example[], rows: readonly number[], labels: readonly string[], head: HeadName): Targets {
  const index = new Map(labels.map((label, at) => [label, at]));
  return {
    label: Int32Array.from(rows, (row) => index.get(examples[row]!.labels[head]!)!),
    alt: Int32Array.from(rows, (row) => (head === 'type' ? (index.get(examples[row]!.alt ?? '') ?? -1) : -1)),
    weight: Float64Array.from(rows, (row) => REGRESSION_WEIGHT[examples[row]!.source]),
  };
}

/** Both brought to the same size: the fine-tuned head saw every augmented variant, the regression the quantised vectors. */
function meanOf(one: LinearModel, other: LinearModel): LinearModel {
  const size = ({ weight }: LinearModel) => Math.sqrt(weight.reduce((sum, each) => sum + each * each, 0));
  const scale = size(one) / Math.max(1e-9, size(other));
  return { weight: one.weight.map((each, at) => (each + scale * other.weight[at]!) / 2), bias: one.bias.map((each, at) => (each + scale * other.bias[at]!) / 2) };
}

/** A label without examples must not win by accident; one that was known before keeps what it had. */
function unseenOut(model: LinearModel, labels: readonly string[], seen: ReadonlySet<string>, before: HeadFit | undefined): LinearModel {
  const bias = model.bias.slice();
  labels.forEach((label, at) => { if (!seen.has(label) && !before) bias[at] = UNSEEN_BIAS; });
  return { weight: model.weight, bias };
}

function fitLexical(corpus: Corpus, rows: Readonly<Record<HeadName, number[]>>, { labels, continued, keptTerms: most = KEPT_TERMS }: FitOptions, names: readonly HeadName[]) {
  const fit = (vocabulary: Vocabulary, roughly: boolean) => {
    const matrix = matrixOf(corpus.terms, vocabulary);
    return Object.fromEntries(names.map((name) => [name, svmsOf(corpus.examples, pickSparse(matrix, rows[name]), rows[name], { head: name, labels: labels[name], before: continued?.heads[name], roughly })])) as Record<HeadName, LinearModel>;
  };
  const own = corpus.terms.filter((_, row) => !corpus.examples[row]!.keptBack);
  const vocabulary = continued?.vocabulary ?? strongest(vocabularyOf(own, LEAST_MESSAGES), most, (whole) => Object.values(fit(whole, true)));
  const models = fit(vocabulary, false);
  return { vocabulary, heads: Object.fromEntries(names.map((name) => [name, rounded(models[name])])) as Record<HeadName, LinearModel> };
}

/** The terms with the largest weight in a rough fit; n-grams first, words after them, as in the file. */
function strongest(whole: Vocabulary, most: number, roughly: (whole: Vocabulary) => readonly LinearModel[]): Vocabulary {
  const columns = whole.terms.length;
  let keep = whole.terms.map((_, at) => at);
  if (columns > most) {
    const strength = new Float64Array(columns);
    for (const { weight } of roughly(whole)) weight.forEach((each, at) => { strength[at % columns] = Math.max(strength[at % columns]!, Math.abs(each)); });
    keep = keep.sort((a, b) => strength[b]! - strength[a]!).slice(0, most).sort((a, b) => a - b);
  }
  return keptTerms(whole, [...keep.filter((at) => !whole.terms[at]!.startsWith(WORD_MARK)), ...keep.filter((at) => whole.terms[at]!.startsWith(WORD_MARK))]);
}

/** One SVM a label; a second good answer counts a little as the label, not at all against it. */
export function svmsOf(examples: readonly Example[], x: Sparse, rows: readonly number[], { head, labels, before, roughly = false }: { readonly head: HeadName; readonly labels: readonly string[]; readonly before?: HeadFit | undefined; readonly roughly?: boolean }): LinearModel {
  const { label: own, alt } = targetsOf(examples, rows, labels, head);
  const counts = new Float64Array(labels.length);
  own.forEach((label) => { counts[label]! += 1; });
  const weight = new Float64Array(labels.length * x.columns);
  const bias = new Float64Array(labels.length).fill(UNSEEN_MARGIN);
  labels.forEach((_, label) => {
    const prior = before ? { weight: before.lexical.weight.subarray(label * x.columns, (label + 1) * x.columns), bias: before.lexical.bias[label]! } : undefined;
    if (counts[label] === 0) {
      if (prior) weight.set(prior.weight, label * x.columns);
      if (prior) bias[label] = prior.bias;
      return;
    }
    const more = head !== 'type' ? 1 : Math.max(1, Math.sqrt(BALANCED_COUNT / Math.max(LEAST_COUNT, counts[label]!)));
    const sign = new Int8Array(rows.length);
    const cost = new Float64Array(rows.length);
    rows.forEach((row, at) => {
      const each = SVM_C * SVM_WEIGHT[examples[row]!.source];
      const isOwn = own[at] === label;
      const isAlt = !isOwn && alt[at] === label;
      sign[at] = isOwn || isAlt ? 1 : -1;
      cost[at] = isOwn ? each * more : isAlt ? each * ALT_SHARE : each;
    });
    const model = fitSvm(x, sign, { cost, ...(prior ? { prior } : {}), ...(roughly ? ROUGH : {}) });
    weight.set(model.weight, label * x.columns);
    bias[label] = model.bias;
  });
  return { weight, bias };
}

/** What the file will hold: int8 times one scale a label. */
export function rounded({ weight, bias }: LinearModel): LinearModel {
  const columns = weight.length / bias.length;
  const out = weight.slice();
  bias.forEach((_, label) => {
    const row = out.subarray(label * columns, (label + 1) * columns);
    const scale = scaleOf(row);
    row.forEach((each, at) => { row[at] = Math.round(each / scale) * scale; });
  });
  return { weight: out, bias };
}

export const scaleOf = (row: Float64Array): number => row.reduce((most, each) => Math.max(most, Math.abs(each)), 0) / 127 + 1e-12;

/** Margins of some rows, row-major rows × labels. */
export function marginsOf({ weight, bias }: LinearModel, x: Sparse, rows: readonly number[]): Float64Array {
  const out = new Float64Array(rows.length * bias.length);
  rows.forEach((row, at) => {
    for (let label = 0; label < bias.length; label++) {
      let sum = bias[label]!;
      const from = label * x.columns;
      for (let each = x.start[row]!; each < x.start[row + 1]!; each++) sum += weight[from + x.column[each]!]! * x.value[each]!;
      out[at * bias.length + label] = sum;
    }
  });
  return out;
}

/** Logits of both parts together for some rows of a corpus. */
export function logitsFor(corpus: Pick<Corpus, 'vectors'>, matrix: Sparse, rows: readonly number[], { linear, lexical, encoder, margin }: Omit<HeadFit, 'labels'>): Float64Array {
  const out = denseLogits(linear, pickDense(corpus.vectors, rows));
  marginsOf(lexical, matrix, rows).forEach((each, at) => { out[at] = encoder * out[at]! + margin * each; });
  return out;
}

interface Parts { readonly name: HeadName; readonly labels: readonly string[]; readonly linear: LinearModel; readonly lexical: LinearModel }

/** Chat messages and letters count alike, however many there are of each. */
export function evenShares(examples: readonly Example[], rows: readonly number[]): Float64Array {
  const letters = rows.filter((row) => examples[row]!.source === 'letters').length;
  const chats = rows.length - letters;
  return Float64Array.from(rows, (row) => (letters === 0 || chats === 0 ? 1 / rows.length : 0.5 / (examples[row]!.source === 'letters' ? letters : chats)));
}

function combine(corpus: Corpus, held: readonly number[], matrix: Sparse, { name, labels, linear, lexical }: Parts, before: HeadFit | undefined): { encoder: number; margin: number; loss: number } {
  if (before || held.length < 50) return { encoder: before?.encoder ?? 1, margin: before?.margin ?? 2, loss: 0 };
  const dense = denseLogits(linear, pickDense(corpus.vectors, held));
  const margins = marginsOf(lexical, matrix, held);
  return mixture(dense, margins, targetsOf(corpus.examples, held, labels, name).label, evenShares(corpus.examples, held));
}

/** The two positive numbers of the least weighted log loss of `encoder · dense + margin · margins`. */
export function mixture(dense: Float64Array, margins: Float64Array, label: Int32Array, share: Float64Array): { encoder: number; margin: number; loss: number } {
  const labels = dense.length / label.length;
  const probability = new Float64Array(labels);
  const tries = [[0.7, 1.5], [1, 0.3], [0.3, 3]].map(([first, second]) => minimise((x, gradient) => {
    const a = Math.exp(x[0]!);
    const c = Math.exp(x[1]!);
    gradient.fill(0);
    let loss = 0;
    label.forEach((gold, row) => {
      const from = row * labels;
      let top = -Infinity;
      for (let at = 0; at < labels; at++) top = Math.max(top, probability[at] = a * dense[from + at]! + c * margins[from + at]!);
      const right = probability[gold]!;
      let sum = 0;
      for (let at = 0; at < labels; at++) sum += probability[at] = Math.exp(probability[at]! - top);
      loss += share[row]! * (Math.log(sum) + top - right);
      let da = -dense[from + gold]!;
      let dc = -margins[from + gold]!;
      for (let at = 0; at < labels; at++) {
        da += (probability[at]! / sum) * dense[from + at]!;
        dc += (probability[at]! / sum) * margins[from + at]!;
      }
      gradient[0]! += share[row]! * da * a;
      gradient[1]! += share[row]! * dc * c;
    });
    return loss;
  }, Float64Array.of(Math.log(first!), Math.log(second!)), { tolerance: 1e-8 }));
  const best = tries.reduce((one, other) => (other.value < one.value ? other : one));
  return { encoder: Math.exp(best.x[0]!), margin: Math.exp(best.x[1]!), loss: best.value };
}
