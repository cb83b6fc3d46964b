import { isAbsolute, join, resolve } from 'node:path';
import { AutoModel, env, Tensor } from '@xenova/transformers';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import { readModelJson, verifyModelFolder } from './model-folder.ts';

const Config = z.object({
  jiban: z.object({ version: z.string(), dim: z.number().int().positive(), maxTokens: z.number().int().min(8), tags: z.array(z.string()).min(2) }),
});
const Tokenizer = z.object({ model: z.object({ vocab: z.record(z.string(), z.number().int()) }) });

export interface Encoded {
  /** `f32[dim]`, length 1. */
  readonly vector: Float32Array;
  /** Tag of each code point, an index into `tags`; 0 is "O", outside of any place. */
  readonly tags: Uint8Array;
  /** Probability that the code point belongs to a place, whichever part. */
  readonly certainty: Float32Array;
}

export interface Encoder {
  /** First 8 hex digits of the SHA-256 of the weights. */
  readonly version: string;
  /** Whole SHA-256 of the weights; heads name the encoder they were trained on by it. */
  readonly sha256: string;
  readonly dim: number;
  readonly tags: readonly string[];
  /** Code points per window: the two special tokens are not counted. */
  readonly windowLength: number;
  /** One forward pass per window. @throws AppError `model.bad_output` */
  encode(points: readonly string[]): Promise<Encoded>;
  close(): Promise<void>;
}

const WEIGHTS = 'onnx/model_quantized.onnx';

/**
 * The encoder of `folder`, offline, on one thread.
 *
 * @throws AppError `model.missing`, `model.hash_mismatch`, `model.bad_output`
 */
export async function loadEncoder(folder: string): Promise<Encoder> {
  const sums = verifyModelFolder(folder, [WEIGHTS, 'config.json', 'tokenizer.json']);
  const sha256 = sums.get(WEIGHTS) as string;
  const { jiban } = shaped(Config, join(folder, 'config.json'));
  const { vocab } = shaped(Tokenizer, join(folder, 'tokenizer.json')).model;
  const token = (name: string) => {
    const id = vocab[name];
    if (id === undefined) throw new AppError('model.missing', `${join(folder, 'tokenizer.json')} lacks ${name}.`);
    return BigInt(id);
  };
  const [unknown, first, last] = [token('[UNK]'), token('[CLS]'), token('[SEP]')];
  const ids = new Map(Object.entries(vocab).map(([name, id]) => [name, BigInt(id)]));
  if (jiban.tags[0] !== 'O') throw new AppError('model.bad_output', `${join(folder, 'config.json')}: the first tag must be O, not ${jiban.tags[0] as string}.`);
  const model = await loadModel(folder);

  const encode = async (points: readonly string[]): Promise<Encoded> => {
    const length = points.length + 2;
    const input = new BigInt64Array(length);
    input[0] = first;
    points.forEach((point, index) => { input[index + 1] = ids.get(point) ?? unknown; });
    input[length - 1] = last;
    const output: unknown = await model({
      input_ids: new Tensor('int64', input, [1, length]),
      attention_mask: new Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]),
    });
    const vector = floats(output, 'sentence_embedding', [1, jiban.dim]);
    const logits = floats(output, 'tag_logits', [1, length, jiban.tags.length]);
    return { vector: vector.slice(), ...bestTags(logits, points.length, jiban.tags.length) };
  };
  await encode(['试']).catch(async (cause: unknown) => { await model.dispose(); throw cause; });
  return {
    version: sha256.slice(0, 8), sha256, dim: jiban.dim, tags: jiban.tags, windowLength: jiban.maxTokens - 2, encode,
    close: async () => { await model.dispose(); },
  };
}

type Run = ((inputs: Record<string, Tensor>) => Promise<unknown>) & { dispose(): Promise<unknown> };

async function loadModel(folder: string): Promise<Run> {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  try {
    const model: unknown = await AutoModel.from_pretrained(isAbsolute(folder) ? folder : resolve(folder), {
      dtype: 'q8', device: 'cpu', local_files_only: true,
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3 },
    });
    return model as Run;
  } catch (cause) {
    throw new AppError('model.missing', `${folder} cannot be loaded as an ONNX encoder: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function floats(output: unknown, name: string, shape: readonly number[]): Float32Array {
  const tensor = (output as Record<string, { data?: unknown; dims?: readonly number[] }> | null)?.[name];
  const fits = tensor?.data instanceof Float32Array && tensor.dims?.join() === shape.join();
  if (!fits) throw new AppError('model.bad_output', `The encoder gave ${name} as [${tensor?.dims?.join() ?? 'nothing'}], not [${shape.join()}].`);
  return tensor.data as Float32Array;
}

/** The first and the last row belong to [CLS] and [SEP]. A point is part of a place when "O" has less than half. */
function bestTags(logits: Float32Array, length: number, count: number): Pick<Encoded, 'tags' | 'certainty'> {
  const tags = new Uint8Array(length);
  const certainty = new Float32Array(length);
  for (let at = 0; at < length; at++) {
    const row = logits.subarray((at + 1) * count, (at + 2) * count);
    let best = 1;
    for (let tag = 2; tag < count; tag++) if ((row[tag] as number) > (row[best] as number)) best = tag;
    const top = Math.max(row[0] as number, row[best] as number);
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - top);
    certainty[at] = 1 - Math.exp((row[0] as number) - top) / sum;
    tags[at] = (certainty[at] as number) >= 0.5 ? best : 0;
  }
  return { tags, certainty };
}

function shaped<T>(schema: z.ZodType<T>, file: string): T {
  const result = schema.safeParse(readModelJson(file));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AppError('model.missing', `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has the wrong shape'}`);
}
