import type { Instant } from './ids.ts';

const DAY_MS = 86_400_000;
/** China keeps one time all year. */
const CHINA_MS = 8 * 3_600_000;
/** Later than this a number in a ticket can only be an instant; counts and spans are far smaller. */
const EARLIEST = Date.UTC(2000, 0, 1);

/** Beginning of its day: of a deadline never later than the true one. */
export const dayStart = (at: Instant): Instant => Math.floor((at + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS;

/** The same value with every instant in it, however deep, brought to its day. */
export function coarse<T>(value: T): T {
  if (typeof value === 'number') return (value >= EARLIEST && value < Number.MAX_SAFE_INTEGER ? dayStart(value) : value) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => coarse(each)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, coarse<unknown>(each)])) as T;
}
