import { minimise } from './minimise.ts';

/** Rows of a dense matrix, row-major. */
export interface Dense {
  readonly rows: number;
  readonly dim: number;
  readonly values: Float64Array;
}

/** What an example should be called: a label and, with a smaller share, a second good answer. */
export interface Targets {
  /** Index of the label of each row. */
  readonly label: Int32Array;
  /** Index of the second good answer, −1 where there is none. */
  readonly alt: Int32Array;
  readonly weight: Float64Array;
}

export interface LinearModel {
  /** Row-major, labels × dim. */
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

export interface RegressionOptions {
  readonly labels: number;
  /** As scikit-learn's C: the larger, the weaker the pull towards the prior. */
  readonly c: number;
  /** Where the weights are pulled to and start from; absent: zero. */
  readonly prior?: LinearModel;
  /** Share of an example that its second good answer gets. */
  readonly altShare?: number;
  readonly maxIterations?: number;
  readonly tolerance?: number;
}

/** Rows that are worked on together: their logits stay in the cache. Even. */
const BLOCK = 128;
/** A residual below this share of the example's weight takes no part in the gradient: most labels of most examples. */
const NEGLIGIBLE = 1e-4;

/**
 * Multinomial logistic regression with L2 towards a prior: minimises ½‖W − W₀‖² + C · Σ weight · cross-entropy. The bias is not
 * penalised.
 */
export function fitSoftmaxRegression(x: Dense, targets: Targets, { labels, c, prior, altShare = 0.2, maxIterations = 60, tolerance = 1e-4 }: RegressionOptions): LinearModel {
  const { dim } = x;
  const width = labels * dim;
  const centre = new Float64Array(width + labels);
  if (prior) {
    centre.set(prior.weight);
    centre.set(prior.bias, width);
  }
  const block = new Float64Array(BLOCK * labels);
  const { x: found } = minimise((w, gradient) => {
    let value = 0;
    for (let at = 0; at < width; at++) {
      const off = w[at]! - centre[at]!;
      value += off * off * 0.5;
      gradient[at] = off;
    }
    gradient.fill(0, width);
    for (let first = 0; first < x.rows; first += BLOCK) {
      const rows = Math.min(BLOCK, x.rows - first);
      logitsInto(block, w, x.values, first * dim, rows, dim, labels);
      for (let row = 0; row < rows; row++) {
        const weight = targets.weight[first + row]! * c;
        const residuals = block.subarray(row * labels, (row + 1) * labels);
        value += weight * crossEntropy(residuals, targets.label[first + row]!, targets.alt[first + row]!, altShare);
        for (let label = 0; label < labels; label++) residuals[label]! *= weight;
      }
      for (let label = 0; label < labels; label++) addGradient(gradient, label, block, rows, { values: x.values, first, dim, labels, least: NEGLIGIBLE * c });
    }
    return value;
  }, centre, { maxIterations, tolerance });
  return { weight: found.slice(0, width), bias: found.slice(width) };
}

/**
 * Logits of some rows, two rows and four labels at a time: each number read serves several products.
 *
 * @param w weights, then biases
 * @param from where the first row begins in `values`
 */
function logitsInto(out: Float64Array, w: Float64Array, values: Float64Array, from: number, rows: number, dim: number, labels: number): void {
  const width = labels * dim;
  const whole = labels - (labels % 4);
  for (let row = 0; row < rows; row += 2) {
    const one = from + row * dim;
    const two = row + 1 < rows ? one + dim : one; // the last of an odd number is counted twice, into the same place
    const to = row * labels;
    const next = row + 1 < rows ? labels : 0;
    for (let label = 0; label < whole; label += 4) {
      let a0 = w[width + label]!, a1 = w[width + label + 1]!, a2 = w[width + label + 2]!, a3 = w[width + label + 3]!;
      let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
      const w0 = label * dim, w1 = w0 + dim, w2 = w1 + dim, w3 = w2 + dim;
      for (let at = 0; at < dim; at++) {
        const p = values[one + at]!, q = values[two + at]!;
        const u0 = w[w0 + at]!, u1 = w[w1 + at]!, u2 = w[w2 + at]!, u3 = w[w3 + at]!;
        a0 += p * u0; a1 += p * u1; a2 += p * u2; a3 += p * u3;
        b0 += q * u0; b1 += q * u1; b2 += q * u2; b3 += q * u3;
      }
      const here = to + label, there = here + next;
      out[here] = a0; out[here + 1] = a1; out[here + 2] = a2; out[here + 3] = a3;
      out[there] = b0; out[there + 1] = b1; out[there + 2] = b2; out[there + 3] = b3;
    }
    for (let label = whole; label < labels; label++) {
      let a = w[width + label]!, b = a;
      for (let at = 0, row0 = label * dim; at < dim; at++) {
        a += values[one + at]! * w[row0 + at]!;
        b += values[two + at]! * w[row0 + at]!;
      }
      out[to + label] = a;
      out[to + next + label] = b;
    }
  }
}

interface Rows { readonly values: Float64Array; readonly first: number; readonly dim: number; readonly labels: number; readonly least: number }

/** One label's share of the gradient: the rows of the block whose residual counts, four at a time. */
function addGradient(gradient: Float64Array, label: number, residuals: Float64Array, rows: number, { values, first, dim, labels, least }: Rows): void {
  const to = label * dim;
  const at = new Int32Array(4);
  const share = new Float64Array(4);
  let held = 0;
  for (let row = 0; row <= rows; row++) {
    if (row < rows) {
      const residual = residuals[row * labels + label]!;
      if (residual < least && residual > -least) continue;
      gradient[labels * dim + label]! += residual;
      at[held] = (first + row) * dim;
      share[held] = residual;
      held += 1;
      if (held < 4) continue;
    } else share.fill(0, held);
    if (held === 0) continue;
    const s0 = share[0]!, s1 = share[1]!, s2 = share[2]!, s3 = share[3]!;
    const r0 = at[0]!, r1 = at[1]!, r2 = at[2]!, r3 = at[3]!;
    for (let each = 0; each < dim; each++) {
      gradient[to + each]! += s0 * values[r0 + each]! + s1 * values[r1 + each]! + s2 * values[r2 + each]! + s3 * values[r3 + each]!;
    }
    held = 0;
  }
}

/** The loss; turns `logits` into probabilities minus target. */
function crossEntropy(logits: Float64Array, label: number, alt: number, altShare: number): number {
  let top = -Infinity;
  for (let at = 0; at < logits.length; at++) top = Math.max(top, logits[at]!);
  let sum = 0;
  for (let at = 0; at < logits.length; at++) sum += Math.exp(logits[at]! - top);
  const log = Math.log(sum) + top;
  const share = alt >= 0 && alt !== label ? altShare : 0;
  const loss = (1 - share) * (log - logits[label]!) + (share > 0 ? share * (log - logits[alt]!) : 0);
  for (let at = 0; at < logits.length; at++) logits[at] = Math.exp(logits[at]! - log);
  logits[label]! -= 1 - share;
  if (share > 0) logits[alt]! -= share;
  return loss;
}

/** Raw outputs of every row, row-major rows × labels. */
export function denseLogits(model: LinearModel, x: Dense): Float64Array {
  const labels = model.bias.length;
  const all = new Float64Array(model.weight.length + labels);
  all.set(model.weight);
  all.set(model.bias, model.weight.length);
  const out = new Float64Array(x.rows * labels);
  logitsInto(out, all, x.values, 0, x.rows, x.dim, labels);
  return out;
}
