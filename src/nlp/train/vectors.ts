import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dense } from './softmax-regression.ts';
import { encodeInThread } from './threads.ts';

export interface VectorOptions {
  readonly encoderDir: string;
  /** SHA-256 of the encoder's weights: vectors of another encoder are of no use. */
  readonly encoderSha256: string;
  readonly dim: number;
  readonly threads: number;
  /** Folder where vectors are kept between runs; absent: nowhere. Vectors of residents' words are not to be kept. */
  readonly cacheDir?: string | undefined;
}

const KEY_BYTES = 16;

/** Sentence vectors of normalised texts, in their order; each text is encoded once, on several threads. */
export async function vectorsOf(texts: readonly string[], options: VectorOptions): Promise<Dense> {
  const { dim, cacheDir, encoderSha256 } = options;
  const file = cacheDir === undefined ? undefined : join(cacheDir, `vectors-${encoderSha256.slice(0, 16)}.bin`);
  const known = file === undefined ? new Map<string, Float32Array>() : readCache(file, dim);
  const keys = texts.map(keyOf);
  const wanted = new Map<string, string>();
  texts.forEach((text, at) => { if (!known.has(keys[at]!)) wanted.set(keys[at]!, text); });
  if (wanted.size > 0) {
    const fresh = await encodeAll([...wanted.values()], options);
    [...wanted.keys()].forEach((key, at) => known.set(key, fresh[at]!));
    if (file !== undefined) writeCache(file, known, dim);
  }
  const values = new Float64Array(new SharedArrayBuffer(texts.length * dim * 8)); // the training thread reads it, too
  keys.forEach((key, at) => values.set(known.get(key)!, at * dim));
  return { rows: texts.length, dim, values };
}

const keyOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, KEY_BYTES * 2);

function readCache(file: string, dim: number): Map<string, Float32Array> {
  const out = new Map<string, Float32Array>();
  if (!existsSync(file)) return out;
  const bytes = readFileSync(file);
  const size = KEY_BYTES + dim * 4;
  for (let at = 0; at + size <= bytes.length; at += size) {
    const vector = new Float32Array(dim);
    Buffer.from(vector.buffer).set(bytes.subarray(at + KEY_BYTES, at + size));
    out.set(bytes.toString('hex', at, at + KEY_BYTES), vector);
  }
  return out;
}

function writeCache(file: string, vectors: ReadonlyMap<string, Float32Array>, dim: number): void {
  mkdirSync(join(file, '..'), { recursive: true });
  const bytes = Buffer.alloc(vectors.size * (KEY_BYTES + dim * 4));
  let at = 0;
  for (const [key, vector] of vectors) {
    bytes.write(key, at, 'hex');
    Buffer.from(vector.buffer, vector.byteOffset, dim * 4).copy(bytes, at + KEY_BYTES);
    at += KEY_BYTES + dim * 4;
  }
  writeFileSync(file, bytes);
}

/** Long and short texts are dealt out in turn, so that the threads end together. */
async function encodeAll(texts: readonly string[], { encoderDir, dim, threads }: VectorOptions): Promise<Float32Array[]> {
  const order = texts.map((_, at) => at).sort((a, b) => texts[a]!.length - texts[b]!.length);
  const hands = Array.from({ length: Math.max(1, Math.min(threads, texts.length)) }, (_, hand) => order.filter((_at, nth) => nth % threads === hand));
  const out = new Array<Float32Array>(texts.length);
  await Promise.all(hands.map(async (hand) => {
    const values = await encodeInThread(encoderDir, hand.map((at) => texts[at]!));
    hand.forEach((at, nth) => { out[at] = values.slice(nth * dim, (nth + 1) * dim); });
  }));
  return out;
}
