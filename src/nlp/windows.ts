import { essence } from './essence.ts';
import { normalize } from './normalize.ts';
import type { Normalized } from './normalize.ts';

/** A stretch of the text as given, short enough for one forward pass. */
export interface Window {
  /** UTF-16 offset in the text as given. */
  readonly at: number;
  readonly given: string;
  readonly normalized: Normalized;
}

/** Forward passes per message: keeps the longest message under about 200 ms on one thread. */
export const MAX_WINDOWS = 12;
/** Of a text of more stretches than this, fewer are read: its rules take their share of the time. */
const VERY_LONG = 80;
const MAX_OF_VERY_LONG = 8;
const END_OF_SENTENCE = /[。！？!?；;\n]/;
const PAUSE = /[，,、\s：:]/;

/**
 * The text cut on sentence ends. Of a very long text the beginning, the end and evenly spaced parts between are kept,
 * and those that hold `salient` offsets (words of danger).
 *
 * @param length code points per window
 */
export function windowsOf(given: string, length: number, salient: readonly number[] = []): Window[] {
  const whole = given.length <= length * 4 ? essence(normalize(given)) : null;
  if (whole && whole.points.length <= length) return [{ at: 0, given, normalized: whole }];
  const cuts = cutPoints(given, length);
  const spans = cuts.slice(0, -1).map((from, index) => [from, cuts[index + 1] as number] as const);
  const seen = new Set<string>();
  return chosen(spans, salient).flatMap(([from, to]) => {
    const part = given.slice(from, to);
    const normalized = normalize(part);
    if (normalized.points.length === 0 || seen.has(normalized.text)) return [];
    seen.add(normalized.text);
    return [{ at: from, given: part, normalized: cutTo(essence(normalized), length) }];
  });
}

/** The sentence around an offset, at most one window long. */
export function sentenceAt(given: string, offset: number, length: number): Window {
  const half = length >> 1;
  const at = lastMatch(given, END_OF_SENTENCE, Math.max(0, offset - half), offset) ?? Math.max(0, offset - half);
  const rest = given.slice(offset, offset + half);
  const end = rest.search(END_OF_SENTENCE);
  const part = given.slice(at, offset + (end < 0 ? rest.length : end + 1));
  return { at, given: part, normalized: cutTo(essence(normalize(part)), length) };
}

/** Offsets 0 … length, no two further apart than `length` code units (compatibility characters may still expand). */
function cutPoints(given: string, length: number): number[] {
  const cuts = [0];
  for (let from = 0; given.length - from > length;) {
    const end = from + length;
    let to = lastMatch(given, END_OF_SENTENCE, from + (length >> 2), end) ?? lastMatch(given, PAUSE, from + (length >> 1), end) ?? end;
    if (to < given.length && /[\udc00-\udfff]/.test(given[to] as string) && /[\ud800-\udbff]/.test(given[to - 1] as string)) to -= 1;
    cuts.push(to);
    from = to;
  }
  if (cuts.at(-1) !== given.length) cuts.push(given.length);
  return cuts;
}

function lastMatch(given: string, pattern: RegExp, from: number, end: number): number | null {
  for (let at = end - 1; at >= from; at--) if (pattern.test(given[at] as string)) return at + 1;
  return null;
}

type Stretch = readonly [from: number, to: number];

function chosen(spans: readonly Stretch[], salient: readonly number[]): readonly Stretch[] {
  if (spans.length <= MAX_WINDOWS) return spans;
  const picked = new Set<number>([0, 1, 2, spans.length - 1]);
  for (const offset of salient) picked.add(Math.max(0, spans.findIndex(([from, to]) => from <= offset && offset < to)));
  const free = (spans.length > VERY_LONG ? MAX_OF_VERY_LONG : MAX_WINDOWS) - picked.size;
  for (let nth = 1; nth <= free; nth++) picked.add(Math.floor((nth * spans.length) / (free + 1)));
  return [...picked].sort((a, b) => a - b).map((index) => spans[index] as Stretch);
}

function cutTo(normalized: Normalized, length: number): Normalized {
  if (normalized.points.length <= length) return normalized;
  const points = normalized.points.slice(0, length);
  return { points, text: points.join(''), starts: normalized.starts.slice(0, length), ends: normalized.ends.slice(0, length) };
}
