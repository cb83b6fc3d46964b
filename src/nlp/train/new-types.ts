import type { HeadFit } from './fit.ts';
import { pickDense, pickSparse, rounded } from './fit.ts';
import { fitSvm, type Sparse } from './linear-svm.ts';
import { minimise } from './minimise.ts';
import type { Dense } from './softmax-regression.ts';

/** From so many examples on a type is trained like all others. */
export const FEW = 16;

/** What the eight examples of a new type are set against: messages of all other types, with the logits of the heads as they are. */
export interface Background {
  readonly vectors: Dense;
  readonly matrix: Sparse;
  /** Row-major, rows × labels of `head`. */
  readonly logits: Float64Array;
  /** Index of the label of each row; rows that are judged rightly must stay so. */
  readonly gold: Int32Array;
}

export interface NewTypeOptions {
  /** Share of the background that may be taken over by the new type. */
  readonly mayLose?: number;
  /** Share of the examples, each judged by a row fitted without it, that are to be found. */
  readonly find?: number;
  readonly encoderShare?: number;
  readonly folds?: number;
}

/** How much each part counts in a new type's score; chosen on the leave-one-type-out bench (bench/few-shot.ts). */
const DEFAULTS = { mayLose: 0.002, find: 0.875, encoderShare: 0.7, folds: 4 } as const;

interface Row { readonly dense: Float64Array; readonly denseBias: number; readonly sparse: Float64Array; readonly sparseBias: number }

/**
 * Adds a type of which there are only a few examples to a head whose other rows stay as they are.
 *
 * Its row is fitted against everything else with both sides weighing the same: a regularised logistic regression on the vector and an SVM
 * on the terms. Its level is then set by what it may cost: examples are judged by rows that were fitted without them, messages of other
 * types by rows fitted on the other half of them. The bias is the lowest that finds the share `find` of the examples, or the highest at
 * which at most `mayLose` of the other messages that were right go over to the new type, whichever is lower.
 */
export function addNewType(head: HeadFit, label: string, positive: { readonly vectors: Dense; readonly matrix: Sparse; readonly logits: Float64Array }, background: Background, options: NewTypeOptions = {}): HeadFit {
  const { mayLose, find, encoderShare, folds } = { ...DEFAULTS, ...options };
  const count = positive.vectors.rows;
  const every = Array.from({ length: count }, (_, at) => at);
  const scale = { encoder: head.encoder * encoderShare, margin: head.margin };
  const row = fitRow(positive, every, background);
  const level = (rows: readonly number[], of: Row, x: Dense, matrix: Sparse) => rows.map((at) => scoreOf(of, x, matrix, at, scale));

  // How far each message is from going over: the best other logit minus the new type's score. A bias above that takes it.
  const heldOut = every.flatMap((at) => {
    const fold = every.filter((other) => other % folds !== at % folds);
    const [score] = level([at], fold.length > 0 ? fitRow(positive, fold, background) : row, positive.vectors, positive.matrix);
    return [bestOther(positive.logits, at, head.labels.length).value - score!];
  }).sort((a, b) => a - b);
  const all = Array.from({ length: background.vectors.rows }, (_, at) => at);
  // Each half of the background is judged by a row that was fitted on the other half.
  const scores = new Float64Array(all.length);
  for (const half of [0, 1]) {
    const judgedHalf = all.filter((at) => at % 2 === half);
    const other = fitRow(positive, every, halfOf(background, all.filter((at) => at % 2 !== half)));
    level(judgedHalf, other, background.vectors, background.matrix).forEach((score, nth) => { scores[judgedHalf[nth]!] = score; });
  }
  const others = all.flatMap((at) => {
    const best = bestOther(background.logits, at, head.labels.length);
    return best.label === background.gold[at] ? [best.value - scores[at]!] : [];
  }).sort((a, b) => a - b);
  const affordable = others[Math.floor(mayLose * others.length)] ?? 0;
  const enough = heldOut[Math.ceil(find * heldOut.length) - 1] ?? 0;
  const bias = Math.min(affordable - 1e-9, enough + 1e-9);
  return withRow(head, label, { ...row, denseBias: row.denseBias + bias / scale.encoder }, encoderShare);
}

const halfOf = ({ vectors, matrix }: Background, rows: readonly number[]): Pick<Background, 'vectors' | 'matrix'> => ({ vectors: pickDense(vectors, rows), matrix: pickSparse(matrix, rows) });

function withRow(head: HeadFit, label: string, row: Row, encoderShare: number): HeadFit {
  const append = (one: Float64Array, more: Float64Array) => { const out = new Float64Array(one.length + more.length); out.set(one); out.set(more, one.length); return out; };
  return {
    ...head, labels: [...head.labels, label],
    linear: { weight: append(head.linear.weight, row.dense.map((each) => each * encoderShare)), bias: append(head.linear.bias, Float64Array.of(row.denseBias * encoderShare)) },
    lexical: rounded({ weight: append(head.lexical.weight, row.sparse), bias: append(head.lexical.bias, Float64Array.of(row.sparseBias)) }),
  };
}

function bestOther(logits: Float64Array, row: number, labels: number): { label: number; value: number } {
  let label = 0;
  const from = row * labels;
  for (let at = 1; at < labels; at++) if (logits[from + at]! > logits[from + label]!) label = at;
  return { label, value: logits[from + label]! };
}

function scoreOf(row: Row, x: Dense, matrix: Sparse, at: number, { encoder, margin }: { readonly encoder: number; readonly margin: number }): number {
  let dense = row.denseBias;
  for (let each = 0, from = at * x.dim; each < x.dim; each++) dense += row.dense[each]! * x.values[from + each]!;
  let sparse = row.sparseBias;
  for (let each = matrix.start[at]!; each < matrix.start[at + 1]!; each++) sparse += row.sparse[matrix.column[each]!]! * matrix.value[each]!;
  return encoder * dense + margin * sparse;
}

/** The examples together weigh as much as a fiftieth of all others: enough to be heard, too little to swallow neighbours. */
const POSITIVE_SHARE = 0.05;
const DENSE_C = 3;
const SPARSE_C = 0.5;

function fitRow(positive: { readonly vectors: Dense; readonly matrix: Sparse }, chosen: readonly number[], background: Pick<Background, 'vectors' | 'matrix'>): Row {
  const weight = Math.max(2, (POSITIVE_SHARE * background.vectors.rows) / chosen.length);
  const dense = fitDense(positive.vectors, chosen, background.vectors, weight);
  const joined = join(pickSparse(positive.matrix, chosen), background.matrix);
  const sign = new Int8Array(joined.rows).fill(-1).fill(1, 0, chosen.length);
  const cost = new Float64Array(joined.rows).fill(SPARSE_C).fill(SPARSE_C * weight, 0, chosen.length);
  const sparse = fitSvm(joined, sign, { cost, tolerance: 0.1 });
  return { dense: dense.weight, denseBias: dense.bias, sparse: sparse.weight, sparseBias: sparse.bias };
}

/** Logistic regression, L2, of the chosen rows against the background. */
function fitDense(positive: Dense, chosen: readonly number[], background: Dense, weight: number): { weight: Float64Array; bias: number } {
  const { dim } = background;
  const { x } = minimise((w, gradient) => {
    let value = 0;
    for (let at = 0; at < dim; at++) {
      value += 0.5 * w[at]! * w[at]!;
      gradient[at] = w[at]!;
    }
    gradient[dim] = 0;
    const add = (values: Float64Array, from: number, target: number, share: number) => {
      let z = w[dim]!;
      for (let at = 0; at < dim; at++) z += w[at]! * values[from + at]!;
      const signed = target * z;
      value += share * (signed > 0 ? Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed)) - signed);
      const slope = -target * share / (1 + Math.exp(signed));
      if (Math.abs(slope) < 1e-7) return;
      gradient[dim]! += slope;
      for (let at = 0; at < dim; at++) gradient[at]! += slope * values[from + at]!;
    };
    for (const row of chosen) add(positive.values, row * dim, 1, DENSE_C * weight);
    for (let row = 0; row < background.rows; row++) add(background.values, row * dim, -1, DENSE_C);
    return value;
  }, new Float64Array(dim + 1), { maxIterations: 30, tolerance: 1e-3 });
  return { weight: x.slice(0, dim), bias: x[dim]! };
}

function join(one: Sparse, other: Sparse): Sparse {
  const start = new Uint32Array(one.rows + other.rows + 1);
  start.set(one.start);
  for (let row = 0; row <= other.rows; row++) start[one.rows + row] = one.column.length + other.start[row]!;
  const column = new Uint32Array(one.column.length + other.column.length);
  column.set(one.column);
  column.set(other.column, one.column.length);
  const value = new Float32Array(column.length);
  value.set(one.value);
  value.set(other.value, one.value.length);
  return { rows: one.rows + other.rows, columns: one.columns, start, column, value };
}
