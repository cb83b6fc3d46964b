/** Value at `x`; writes the gradient into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Pairs of steps remembered. */
  readonly memory?: number;
  readonly maxIterations?: number;
  /** Stops when the value falls by less than this share of itself in one iteration. */
  readonly tolerance?: number;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
};

/**
 * The minimum of a smooth convex function: L-BFGS with a backtracking line search, deterministic.
 *
 * @param start is not changed
 * Source: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.1
 */
export function minimise(objective: Objective, start: Float64Array, { memory = 10, maxIterations = 100, tolerance = 1e-4 }: MinimiseOptions = {}): { readonly x: Float64Array; readonly value: number; readonly iterations: number } {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const steps: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let iterations = 0;
  while (iterations < maxIterations) {
    const direction = descent(gradient, steps);
    const slope = dot(direction, gradient);
    if (slope >= -1e-14) break;
    const found = search(objective, x, value, direction, slope, steps.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1);
    if (!found) break;
    iterations += 1;
    const s = found.x.map((each, at) => each - x[at]!);
    const y = found.gradient.map((each, at) => each - gradient[at]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12) {
      steps.push({ s, y, rho: 1 / curvature });
      if (steps.length > memory) steps.shift();
    }
    const fell = value - found.value;
    ({ x, gradient, value } = found);
    if (fell <= tolerance * Math.max(1e-12, Math.abs(value))) break;
  }
  return { x, value, iterations };
}

/** Minus the inverse Hessian, as the last steps show it, times the gradient. */
function descent(gradient: Float64Array, steps: readonly { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = gradient.map((each) => -each);
  const alphas: number[] = [];
  for (const { s, y, rho } of [...steps].reverse()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    for (let at = 0; at < q.length; at++) q[at]! -= alpha * y[at]!;
  }
  const last = steps.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let at = 0; at < q.length; at++) q[at]! *= scale;
  }
  for (const { s, y, rho } of steps) {
    const beta = rho * dot(y, q);
    const alpha = alphas.pop()!;
    for (let at = 0; at < q.length; at++) q[at]! += (alpha - beta) * s[at]!;
  }
  return q;
}

function search(objective: Objective, x: Float64Array, value: number, direction: Float64Array, slope: number, first: number) {
  let step = first;
  for (let tries = 0; tries < 30; tries++) {
    const next = x.map((each, at) => each + step * direction[at]!);
    const gradient = new Float64Array(x.length);
    const there = objective(next, gradient);
    if (there <= value + 1e-4 * step * slope) return { x: next, gradient, value: there };
    step *= 0.5;
  }
  return null;
}
