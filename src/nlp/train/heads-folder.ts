import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import { HEAD_NAMES, loadHeads, type HeadName } from '../classify.ts';
import { readLexical, WORD_MARK } from '../lexical.ts';
import { NGRAMS, scaleOf, type Fit, type HeadFit } from './fit.ts';

export interface EncoderId { readonly sha256: string; readonly dim: number }

/**
 * Heads as they stand in a folder, in the form the fit works with.
 *
 * @throws AppError `model.*`; `model.hash_mismatch` when they belong to another encoder
 */
export function readFit(folder: string, encoder: EncoderId): Fit {
  const { heads } = loadHeads(folder, encoder);
  const lexical = readLexical(folder, Object.fromEntries(HEAD_NAMES.map((name) => [name, heads[name].labels.length])));
  if (!lexical) throw new AppError('model.missing', `${folder} has no lexical.json, so there is nothing to continue from. Train with --data.`);
  const columns = lexical.terms.length;
  const fits = HEAD_NAMES.map((name): [HeadName, HeadFit] => {
    const { labels, weight, bias } = heads[name];
    const words = lexical.heads.get(name);
    if (!words) throw new AppError('model.missing', `${folder}/lexical.json has no ${name}. Train with --data.`);
    const lexicalWeight = new Float64Array(words.weight.length);
    for (let at = 0; at < lexicalWeight.length; at++) lexicalWeight[at] = words.weight[at]! * words.scale[Math.floor(at / columns)]!;
    return [name, {
      labels, linear: { weight: Float64Array.from(weight), bias: Float64Array.from(bias) },
      lexical: { weight: lexicalWeight, bias: Float64Array.from(words.bias) }, encoder: words.encoder, margin: words.margin,
    }];
  });
  return {
    vocabulary: { terms: lexical.terms, index: new Map(lexical.terms.map((term, at) => [term, at])), idf: Float64Array.from(lexical.idf) },
    heads: Object.fromEntries(fits) as Record<HeadName, HeadFit>, chosen: Object.fromEntries(HEAD_NAMES.map((name) => [name, 'in use'])) as Record<HeadName, string>,
  };
}

const six = (value: number): number => Number(value.toPrecision(6));

/** Writes a whole heads folder, its sums last. `decision` and `metrics` are plain JSON. */
export function writeFolder(folder: string, { fit, encoder, version, decision, metrics }: { readonly fit: Fit; readonly encoder: EncoderId; readonly version: string; readonly decision: object; readonly metrics: object }): void {
  mkdirSync(folder, { recursive: true });
  const { terms, idf } = fit.vocabulary;
  const columns = terms.length;
  const each = <T>(of: (head: HeadFit) => T) => Object.fromEntries(HEAD_NAMES.map((name) => [name, of(fit.heads[name])]));
  const heads = { version, encoder: encoder.sha256, dim: encoder.dim, heads: each(({ labels, linear, encoder: scale }) => ({
    labels, weight: base64(Float32Array.from(linear.weight)), bias: Array.from(linear.bias, six), temperature: six(1 / Math.max(1e-3, scale)),
  })) };
  const lexical = { ngrams: NGRAMS, features: terms.filter((term) => !term.startsWith(WORD_MARK)), words: terms.filter((term) => term.startsWith(WORD_MARK)).map((term) => term.slice(1)),
    idf: Array.from(idf, (value) => Number(value.toFixed(4))), heads: each(({ labels, lexical: { weight, bias }, encoder: a, margin }) => {
      const scales = labels.map((_, label) => scaleOf(weight.subarray(label * columns, (label + 1) * columns)));
      return { weight: base64(Int8Array.from(weight, (value, at) => Math.round(value / scales[Math.floor(at / columns)]!))), scale: scales.map(six), bias: Array.from(bias, six), encoder: six(a), margin: six(margin) };
    }) };
  const write = (name: string, value: object, indent?: number) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, indent)}\n`);
  write('heads.json', heads);
  write('lexical.json', lexical);
  write('decision.json', decision, 2);
  write('metrics.json', metrics, 1);
  writeSums(folder);
}

const FILES = ['heads.json', 'lexical.json', 'decision.json', 'metrics.json'];

/** Sums of everything in the folder, the card included. */
export function writeSums(folder: string): void {
  const names = readdirSync(folder).filter((name) => name !== 'SHA256SUMS').sort();
  const sum = (name: string) => createHash('sha256').update(readFileSync(join(folder, name))).digest('hex');
  writeFileSync(join(folder, 'SHA256SUMS'), names.map((name) => `${sum(name)}  ${name}\n`).join(''));
}

/** The candidate's files take the place of those in use; what else lies there (the card) stays. */
export function putInUse(candidate: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of FILES) renameSync(join(candidate, name), join(folder, name));
  writeSums(folder);
}

const base64 = (values: Float32Array | Int8Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
