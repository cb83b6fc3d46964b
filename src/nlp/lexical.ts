import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import { readModelJson } from './model-folder.ts';

const Head = z.object({ weight: z.base64(), scale: z.array(z.number()), bias: z.array(z.number()), encoder: z.number(), margin: z.number() });
const File = z.object({
  ngrams: z.tuple([z.number().int().min(1), z.number().int().max(5)]), features: z.array(z.string()),
  /** Words of the segmented text, counted after the n-grams; absent in folders of version 1. */
  words: z.array(z.string()).default([]),
  idf: z.array(z.number()), heads: z.record(z.string(), Head),
});

export interface LexicalHead {
  /** Row-major, labels × features. */
  readonly weight: Int8Array;
  readonly scale: readonly number[];
  readonly bias: readonly number[];
  /** logits = encoder · (encoder head's logits) + margin · (these margins) */
  readonly encoder: number;
  readonly margin: number;
}

/** A message's n-grams and words that the heads know, with their TF-IDF, unit length. */
export interface Ngrams {
  readonly at: Uint32Array;
  readonly value: Float64Array;
}

export interface Lexical {
  /** Words count among the features: `ngramsOf` wants them. */
  readonly wantsWords: boolean;
  /** @param words of the same stretch, as the segmenter cuts it */
  ngramsOf(points: readonly string[], words: readonly string[]): Ngrams;
  /**
   * What the characters add to the encoder head's logits.
   *
   * @param logits of the encoder head, before its temperature; label order
   * @returns logits of both together, already calibrated (temperature 1); null when there is no lexical head of this name
   */
  together(head: string, logits: Float64Array, ngrams: Ngrams): Float64Array | null;
}

/** The lexical side as it stands in the file. */
export interface LexicalFile {
  readonly ngrams: readonly [shortest: number, longest: number];
  /** N-grams, then words after `WORD_MARK`. */
  readonly terms: readonly string[];
  readonly idf: readonly number[];
  readonly heads: ReadonlyMap<string, LexicalHead>;
}

/** Before a word among the terms; no normalised text holds it. */
export const WORD_MARK = '\u0001';

/** @throws AppError `model.missing` `model.bad_output` */
export function readLexical(folder: string, labels: Readonly<Record<string, number>>): LexicalFile | null {
  const file = join(folder, 'lexical.json');
  if (!existsSync(file)) return null;
  const parsed = File.safeParse(readModelJson(file));
  if (!parsed.success) throw new AppError('model.missing', `${file}: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? 'has the wrong shape'}`);
  const { ngrams, features, words, idf } = parsed.data;
  const terms = [...features, ...words.map((word) => WORD_MARK + word)];
  const heads = new Map(Object.entries(parsed.data.heads).map(([name, head]): [string, LexicalHead] => {
    const bytes = Buffer.from(head.weight, 'base64');
    const weight = new Int8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const count = labels[name];
    if (count === undefined || weight.length !== count * terms.length || head.scale.length !== count || head.bias.length !== count || idf.length !== terms.length) {
      throw new AppError('model.bad_output', `${file}: ${name} does not fit its ${count ?? 0} labels × ${terms.length} features.`);
    }
    return [name, { ...head, weight }];
  }));
  return { ngrams, terms, idf, heads };
}

/** How often each n-gram and each word stands in a stretch of normalised text; words without a letter or digit are left out. */
export function countTerms(points: readonly string[], words: readonly string[], [shortest, longest]: readonly [number, number], seen: (term: string) => void): void {
  for (let size = shortest; size <= longest; size++) {
    for (let from = 0; from + size <= points.length; from++) seen(size === 1 ? (points[from] as string) : points.slice(from, from + size).join(''));
  }
  for (const word of words) if (/[\p{L}\p{N}]/u.test(word)) seen(WORD_MARK + word);
}

/**
 * Linear SVMs on TF-IDF of character n-grams and words, beside the encoder's heads; null when the model folder has none.
 *
 * @throws AppError `model.missing` `model.bad_output`
 */
export function loadLexical(folder: string, labels: Readonly<Record<string, number>>): Lexical | null {
  const read = readLexical(folder, labels);
  if (!read) return null;
  const { ngrams, terms, idf, heads } = read;
  const index = new Map(terms.map((name, at) => [name, at]));
  return {
    wantsWords: terms.at(-1)?.startsWith(WORD_MARK) ?? false,
    ngramsOf(points, words) {
      const counts = new Map<number, number>();
      countTerms(points, words, ngrams, (term) => {
        const at = index.get(term);
        if (at !== undefined) counts.set(at, (counts.get(at) ?? 0) + 1);
      });
      const at = Uint32Array.from(counts.keys());
      const value = Float64Array.from(counts.entries(), ([feature, count]) => (1 + Math.log(count)) * (idf[feature] as number));
      const length = Math.sqrt(value.reduce((sum, each) => sum + each * each, 0)) || 1;
      return { at, value: value.map((each) => each / length) };
    },
    together(name, logits, ngrams) {
      const head = heads.get(name);
      if (!head) return null;
      return logits.map((logit, label) => {
        const row = label * terms.length;
        let sum = 0;
        for (let each = 0; each < ngrams.at.length; each++) sum += (head.weight[row + (ngrams.at[each] as number)] as number) * (ngrams.value[each] as number);
        return head.encoder * logit + head.margin * (sum * (head.scale[label] as number) + (head.bias[label] as number));
      });
    },
  };
}
