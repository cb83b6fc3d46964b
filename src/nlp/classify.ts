import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { Scored } from '../domain/understanding.ts';
import { readModelJson, verifyModelFolder } from './model-folder.ts';

export const HEAD_NAMES = ['intent', 'type', 'nature', 'disposition', 'urgency'] as const;
export type HeadName = (typeof HEAD_NAMES)[number];

const Head = z.object({
  labels: z.array(z.string()).min(2),
  weight: z.string(),
  bias: z.array(z.number()),
  temperature: z.number().positive().default(1),
});
const Heads = z.object({
  version: z.union([z.string(), z.number()]).transform(String),
  encoder: z.string(),
  dim: z.number().int().positive(),
  heads: z.object({ intent: Head, type: Head, nature: Head, disposition: Head, urgency: Head }),
});

/** One linear layer on the sentence vector. */
export interface LinearHead {
  readonly labels: readonly string[];
  /** Row-major, `labels.length × dim`. */
  readonly weight: Float32Array;
  readonly bias: readonly number[];
  readonly temperature: number;
}

export interface HeadSet {
  readonly version: string;
  readonly heads: Readonly<Record<HeadName, LinearHead>>;
}

/**
 * The heads of `folder`, if they were trained on this encoder.
 *
 * @throws AppError `model.missing`, `model.hash_mismatch`, `model.bad_output`
 */
export function loadHeads(folder: string, encoder: { readonly sha256: string; readonly dim: number }): HeadSet {
  const sums = verifyModelFolder(folder, ['heads.json', 'decision.json']);
  const file = join(folder, 'heads.json');
  const parsed = Heads.safeParse(readModelJson(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError('model.missing', `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has the wrong shape'}`);
  }
  const { dim, heads } = parsed.data;
  if (parsed.data.encoder !== encoder.sha256) {
    throw new AppError('model.hash_mismatch', `${file} was trained on another encoder (${parsed.data.encoder.slice(0, 8)}, this one is ${encoder.sha256.slice(0, 8)}). Retrain the heads.`);
  }
  if (dim !== encoder.dim) throw new AppError('model.bad_output', `${file} expects vectors of ${dim}, the encoder gives ${encoder.dim}.`);
  const linear = (name: HeadName): LinearHead => {
    const { labels, weight, bias, temperature } = heads[name];
    const values = float32(weight);
    if (values.length !== labels.length * dim || bias.length !== labels.length) {
      throw new AppError('model.bad_output', `${file}: ${name} has ${values.length} weights and ${bias.length} biases for ${labels.length} labels × ${dim}.`);
    }
    return { labels, weight: values, bias, temperature };
  };
  return {
    version: (sums.get('heads.json') as string).slice(0, 8),
    heads: { intent: linear('intent'), type: linear('type'), nature: linear('nature'), disposition: linear('disposition'), urgency: linear('urgency') },
  };
}

function float32(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  const out = new Float32Array(Math.floor(bytes.length / 4));
  for (let index = 0; index < out.length; index++) out[index] = bytes.readFloatLE(index * 4);
  return out;
}

/** Raw outputs of one head for one sentence vector, label order. */
export function logitsOf(head: LinearHead, vector: Float32Array): Float64Array {
  const dim = vector.length;
  return Float64Array.from(head.bias, (bias, label) => {
    let logit = bias;
    for (let at = 0, from = label * dim; at < dim; at++) logit += (head.weight[from + at] as number) * (vector[at] as number);
    return logit;
  });
}

/**
 * Class probabilities from logits.
 *
 * @returns one probability per label, label order, summing to 1 ± 1e-4
 * Source: temperature scaling, Guo et al. 2017; T is fitted on held-out messages, see models/heads
 */
export function softmax(logits: Float64Array, temperature: number): Float64Array {
  const top = logits.reduce((most, each) => Math.max(most, each), -Infinity);
  const raised = logits.map((each) => Math.exp((each - top) / temperature));
  const sum = raised.reduce((total, each) => total + each, 0);
  return raised.map((each) => each / sum);
}

/** Labels with their probabilities, most probable first. */
export function ranked(labels: readonly string[], probability: Float64Array): Scored<string>[] {
  return labels.map((value, index) => ({ value, probability: probability[index] as number }))
    .sort((a, b) => b.probability - a.probability);
}
