import { SIMPLIFIED } from './traditional.ts';

/** Text as the encoder was trained on it, one entry per code point, and where each came from. */
export interface Normalized {
  readonly text: string;
  /** Code points of `text`. */
  readonly points: readonly string[];
  /** `points[i]` stems from `given.slice(starts[i], ends[i])`, UTF-16 code units. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** UTF-16 code units that are looked at; what lies beyond is not judged. A million is about 400 pages. */
export const MAX_LENGTH = 1_000_000;

const LONE_SURROGATE = /\p{Cs}/u;
const BREAK = /[\t\n\v\f\r\u0085\u2028\u2029]/u;
const DROPPED = /[\p{Cc}\p{Cf}\ufe00-\ufe0f]/u;
/** A character and the marks that may melt into it: NFKC never reaches across these borders in practice. */
const CLUSTER = /\P{M}\p{M}{0,30}|\p{M}{1,30}/gu;
/** Printable ASCII but upper case, and the common CJK block: already in the form wanted. */
const PLAIN = /^[ -@[-~\u3001\u3002\u4e00-\u9fff]$/;

/** NFKC, lower case, simplified characters, line breaks to spaces, no control or zero-width characters, single spaces, trimmed. */
export function normalize(given: string): Normalized {
  const points: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (const match of given.slice(0, MAX_LENGTH).matchAll(CLUSTER)) {
    const start = match.index;
    const end = start + match[0].length;
    for (const point of normalizedCluster(match[0])) {
      if (point === ' ' && (points.length === 0 || points.at(-1) === ' ')) continue;
      points.push(point);
      starts.push(start);
      ends.push(end);
    }
  }
  if (points.at(-1) === ' ') points.pop();
  const count = points.length;
  return {
    text: points.join(''),
    points,
    starts: Uint32Array.from(starts.slice(0, count)),
    ends: Uint32Array.from(ends.slice(0, count)),
  };
}

function normalizedCluster(cluster: string): Iterable<string> {
  if (PLAIN.test(cluster)) return SIMPLIFIED.get(cluster) ?? cluster;
  if (LONE_SURROGATE.test(cluster)) return '\ufffd';
  const out: string[] = [];
  for (const point of cluster.normalize('NFKC').toLowerCase()) {
    if (BREAK.test(point)) out.push(' ');
    else if (!DROPPED.test(point)) out.push(SIMPLIFIED.get(point) ?? point);
  }
  return out;
}
