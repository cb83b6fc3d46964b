import { generator } from './random.ts';

/** Rows of a sparse matrix: row r has the columns `column[start[r] … start[r + 1])`. */
export interface Sparse {
  readonly rows: number;
  readonly columns: number;
  readonly start: Uint32Array;
  readonly column: Uint32Array;
  readonly value: Float32Array;
}

export interface SvmOptions {
  /** Cost of each row's slack; 0: the row takes no part. */
  readonly cost: Float64Array;
  /** Weights and bias that the penalty pulls towards; absent: zero. */
  readonly prior?: { readonly weight: Float64Array; readonly bias: number };
  readonly maxPasses?: number;
  /** Largest violation of optimality that is left. */
  readonly tolerance?: number;
  readonly seed?: number;
}

export interface SvmModel {
  readonly weight: Float64Array;
  readonly bias: number;
}

/**
 * A linear SVM: minimises ½‖w − w₀‖² + Σ costᵢ · max(0, 1 − yᵢ(w·xᵢ + b))². The bias is a weight of a constant 1, penalised like the
 * others, as in LIBLINEAR.
 *
 * @param sign +1 or −1 of each row
 * Source: Hsieh et al., A dual coordinate descent method for large-scale linear SVM, ICML 2008, algorithm 1 with shrinking
 */
export function fitSvm(x: Sparse, sign: Int8Array, { cost, prior, maxPasses = 60, tolerance = 0.05, seed = 1 }: SvmOptions): SvmModel {
  const weight = prior ? prior.weight.slice() : new Float64Array(x.columns);
  let bias = prior?.bias ?? 0;
  const alpha = new Float64Array(x.rows);
  const random = generator(seed);
  const all = Int32Array.from({ length: x.rows }, (_, row) => row).filter((row) => cost[row]! > 0);
  const square = new Float64Array(x.rows);
  for (const row of all) {
    let sum = 1;
    for (let at = x.start[row]!; at < x.start[row + 1]!; at++) sum += x.value[at]! * x.value[at]!;
    square[row] = sum;
  }
  const active = all.slice();
  let count = active.length;
  let bound = Infinity;
  for (let pass = 0; pass < maxPasses; pass++) {
    let worst = 0;
    let positive = 0;
    for (let at = count - 1; at > 0; at--) swap(active, at, Math.floor(random() * (at + 1)));
    for (let at = 0; at < count; at++) {
      const row = active[at]!;
      const y = sign[row]!;
      const slack = 0.5 / cost[row]!;
      const from = x.start[row]!;
      const to = x.start[row + 1]!;
      let margin = bias;
      for (let each = from; each < to; each++) margin += weight[x.column[each]!]! * x.value[each]!;
      const gradient = y * margin - 1 + slack * alpha[row]!;
      let projected = gradient;
      if (alpha[row] === 0) {
        if (gradient > bound) {
          swap(active, at, --count); // it lies safely outside: not looked at again before the last check
          at -= 1;
          continue;
        }
        projected = Math.min(0, gradient);
      }
      worst = Math.max(worst, Math.abs(projected));
      positive = Math.max(positive, projected);
      if (Math.abs(projected) < 1e-12) continue;
      const before = alpha[row]!;
      alpha[row] = Math.max(0, before - gradient / (square[row]! + slack));
      const change = (alpha[row] - before) * y;
      bias += change;
      for (let each = from; each < to; each++) weight[x.column[each]!]! += change * x.value[each]!;
    }
    if (worst > tolerance) bound = positive <= 0 ? Infinity : positive;
    else if (count === active.length) break;
    else {
      count = active.length;
      bound = Infinity;
    }
  }
  return { weight, bias };
}

function swap(list: Int32Array, a: number, b: number): void {
  const held = list[a]!;
  list[a] = list[b]!;
  list[b] = held;
}
