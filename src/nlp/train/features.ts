import type { Sparse } from './linear-svm.ts';

/** One message as the lexical side sees it: how often each term stands in it. */
export type Terms = ReadonlyMap<string, number>;

export interface Vocabulary {
  readonly terms: readonly string[];
  readonly index: ReadonlyMap<string, number>;
  readonly idf: Float64Array;
}

/** Terms that stand in at least `least` messages, with smooth inverse document frequency as scikit-learn computes it. */
export function vocabularyOf(documents: readonly Terms[], least: number): Vocabulary {
  const counts = new Map<string, number>();
  for (const document of documents) for (const term of document.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
  const terms = [...counts].filter(([, count]) => count >= least).map(([term]) => term).sort();
  const idf = Float64Array.from(terms, (term) => Math.log((1 + documents.length) / (1 + counts.get(term)!)) + 1);
  return { terms, index: new Map(terms.map((term, at) => [term, at])), idf };
}

/** The same vocabulary with only the columns of `keep`. */
export function keptTerms({ terms, idf }: Vocabulary, keep: readonly number[]): Vocabulary {
  const kept = keep.map((at) => terms[at]!);
  return { terms: kept, index: new Map(kept.map((term, at) => [term, at])), idf: Float64Array.from(keep, (at) => idf[at]!) };
}

/** Sublinear TF-IDF, rows of unit length over the terms known. */
export function matrixOf(documents: readonly Terms[], { terms, index, idf }: Vocabulary): Sparse {
  const start = new Uint32Array(documents.length + 1);
  const column: number[] = [];
  const value: number[] = [];
  documents.forEach((document, row) => {
    const from = column.length;
    let square = 0;
    for (const [term, count] of document) {
      const at = index.get(term);
      if (at === undefined) continue;
      const weight = (1 + Math.log(count)) * idf[at]!;
      column.push(at);
      value.push(weight);
      square += weight * weight;
    }
    const length = Math.sqrt(square) || 1;
    for (let at = from; at < value.length; at++) value[at]! /= length;
    start[row + 1] = column.length;
  });
  return { rows: documents.length, columns: terms.length, start, column: Uint32Array.from(column), value: Float32Array.from(value) };
}
