import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../../domain/catalogue.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { DISPOSITIONS, INTENTS, NATURES, URGENCIES } from '../../domain/understanding.ts';
import { HEAD_NAMES, loadHeads, type HeadName } from '../classify.ts';
import { loadEncoder } from '../encode.ts';
import { loadGazetteer } from '../gazetteer.ts';
import { createSegmenter } from '../segment.ts';
import { decisionOf } from './decision.ts';
import { calibrationOf, judgeRows, labelsOf, perClass, scoresOf, type Judged } from './evaluate.ts';
import type { Example } from './examples.ts';
import { matrixOf } from './features.ts';
import { fitHeads, logitsFor, pickDense, pickSparse, rowsFor, targetsOf, termsOf, type Corpus, type Fit, type Labels } from './fit.ts';
import { gate, type GateVerdict } from './gate.ts';
import { putInUse, readFit, writeFolder, type EncoderId } from './heads-folder.ts';
import { addNewType, FEW, type NewTypeOptions } from './new-types.ts';
import type { LinearModel } from './softmax-regression.ts';
import { vectorsOf } from './vectors.ts';

export interface TrainOptions {
  /** Holds `encoder/` and `gazetteer/`. */
  readonly modelDir: string;
  /** Heads folder to be replaced; may not exist yet. */
  readonly out: string;
  readonly catalogue: Catalogue;
  readonly examples: readonly Example[];
  /** Whether the examples are everything there is: then the heads are fitted anew, else those in use are continued. */
  readonly anew: boolean;
  /** heads.json of the same encoder whose weights take part, e.g. those of fine-tuning. Default when fitting anew: none. */
  readonly priorFile?: string | undefined;
  readonly version: string;
  readonly force: boolean;
  readonly threads: number;
  readonly gazetteer?: string | undefined;
  /** Where vectors are kept between runs; those of corrections never are. */
  readonly cacheDir?: string | undefined;
  readonly log: (line: string) => void;
}

export interface TrainReport {
  readonly inUse: boolean;
  readonly folder: string;
  readonly verdict: GateVerdict | null;
  readonly scores: Readonly<Record<string, Record<string, number>>>;
  readonly seconds: { readonly vectors: number; readonly fit: number; readonly all: number };
}

/**
 * Fits heads, measures them beside those in use on the kept-back examples, and puts them in use if they are not worse (or `force`).
 * What was refused stays in `<out>.candidate`.
 *
 * @throws AppError `training.invalid` `model.*`
 */
export async function trainHeads(options: TrainOptions): Promise<TrainReport> {
  const began = performance.now();
  const { out, log, catalogue } = options;
  const encoder = await encoderOf(options.modelDir);
  const corpus = await corpusOf(options, encoder);
  const vectorsAt = performance.now();
  const used = headsInUse(out, encoder);
  const labels = labelsFor(catalogue, options, used, corpus);
  const fresh = labels.type.filter((type) => fewOf(type, corpus) && !(used?.heads.type.labels.includes(type) ?? false));
  log(`${corpus.examples.filter(({ keptBack }) => !keptBack).length} examples to train on, ${corpus.examples.filter(({ keptBack }) => keptBack).length} kept back${fresh.length > 0 ? `; new: ${fresh.join(', ')}` : ''}`);
  if (!options.anew && !used) throw new AppError('training.invalid', `There are no heads in ${out} to continue from, and no --data to train from.`);
  const known: Labels = { ...labels, type: labels.type.filter((type) => !fresh.includes(type)) };
  const prior = options.priorFile === undefined ? undefined : priorOf(options.priorFile, encoder, known);
  // New types alone leave the other rows as they are: a refit on the written messages would only make them drift.
  const base = !options.anew && used && !hasNews(corpus, fresh) ? used : await fitHeads(corpus, { labels: known, ...(prior ? { prior } : {}), ...(options.anew || !used ? {} : { continued: used }) });
  const fit = fresh.reduce((held, type) => withNewType(held, corpus, type), base);
  const fitAt = performance.now();

  const kept = keptRows(corpus);
  const judged = { chat: judgeRows(fit, corpus, kept.chat), letters: judgeRows(fit, corpus, kept.letters) };
  const all = labelsOf(fit);
  const verdict = used && kept.chat.length + kept.letters.length > 0 ? gate(corpus, { judged: judgeRows(used, corpus, [...kept.chat, ...kept.letters]), labels: labelsOf(used) }, { judged: [...judged.chat, ...judged.letters], labels: all }) : null;
  const forced = options.force && verdict !== null && !verdict.passed;
  const scores = { ...(kept.chat.length > 0 ? { chat: scoresOf(judged.chat, corpus, all) } : {}), ...(kept.letters.length > 0 ? { letters: scoresOf(judged.letters, corpus, all) } : {}) };
  const before = existsSync(join(out, 'decision.json')) ? JSON.parse(readFileSync(join(out, 'decision.json'), 'utf8')) as object : null;
  const candidate = `${out}.candidate`;
  rmSync(candidate, { recursive: true, force: true });
  mkdirSync(candidate, { recursive: true });
  const seconds = { vectors: seconds1(vectorsAt - began), fit: seconds1(fitAt - vectorsAt), all: seconds1(performance.now() - began) };
  writeFolder(candidate, {
    fit, encoder, version: options.version,
    // Thresholds need messages that the heads have not seen: a city that only adds examples keeps those it has.
    decision: options.anew || before === null ? decisionOf(judged.chat, judged.letters, corpus, all, options.version) : { ...before, version: options.version },
    metrics: metricsOf({ corpus, fit, judged, scores, labels: all, verdict, forced, fresh, seconds, out, encoder }),
  });
  const inUse = verdict === null || verdict.passed || options.force;
  if (inUse) {
    putInUse(candidate, out);
    rmSync(candidate, { recursive: true, force: true });
  }
  return { inUse, folder: inUse ? out : candidate, verdict, scores, seconds: { ...seconds, all: seconds1(performance.now() - began) } };
}

const seconds1 = (ms: number): number => Math.round(ms / 100) / 10;

async function encoderOf(modelDir: string): Promise<EncoderId> {
  const encoder = await loadEncoder(join(modelDir, 'encoder'));
  await encoder.close();
  return { sha256: encoder.sha256, dim: encoder.dim };
}

/** Examples with their vectors and terms. Of residents' own words (corrections) nothing is kept on disk. */
export async function corpusOf({ modelDir, examples, threads, cacheDir, gazetteer }: Pick<TrainOptions, 'modelDir' | 'examples' | 'threads' | 'cacheDir' | 'gazetteer'>, encoder: EncoderId): Promise<Corpus> {
  const ordered = [...examples.filter(({ source }) => source !== 'correction'), ...examples.filter(({ source }) => source === 'correction')];
  const encode = (some: readonly Example[], cache: string | undefined) => vectorsOf(some.map(({ text }) => text), { encoderDir: join(modelDir, 'encoder'), encoderSha256: encoder.sha256, dim: encoder.dim, threads, cacheDir: cache });
  const open = await encode(ordered.filter(({ source }) => source !== 'correction'), cacheDir);
  const own = await encode(ordered.filter(({ source }) => source === 'correction'), undefined);
  const values = new Float64Array(ordered.length * encoder.dim);
  values.set(open.values);
  values.set(own.values, open.values.length);
  const segmenter = createSegmenter({ name: 'jieba-rs', words: loadGazetteer(join(modelDir, 'gazetteer', gazetteer ?? 'beijing.json')).words });
  return { examples: ordered, vectors: { rows: ordered.length, dim: encoder.dim, values }, terms: ordered.map(({ text }) => termsOf(text, (one) => segmenter.words(one))) };
}

/** Whether a city's examples or corrections say anything but a new type's name. */
const hasNews = ({ examples }: Corpus, fresh: readonly string[]): boolean => examples.some(({ source, keptBack, labels }) => (source === 'city' || source === 'correction') && !keptBack
  && Object.entries(labels).some(([head, label]) => head !== 'type' || !fresh.includes(label)));

/** null when there are none, or none of this encoder: nothing to compare with or to continue from. */
function headsInUse(folder: string, encoder: EncoderId): Fit | null {
  if (!existsSync(join(folder, 'heads.json'))) return null;
  try {
    return readFit(folder, encoder);
  } catch (error) {
    if (isAppError(error, 'model.hash_mismatch')) return null;
    throw error;
  }
}

/** The catalogue's types in its order; of a folder that is continued its own order, new types at the end. */
function labelsFor({ types }: Catalogue, { anew }: TrainOptions, used: Fit | null, { examples }: Corpus): Labels {
  const codes = [...Object.keys(types), 'none'];
  const seen = new Set(examples.flatMap(({ labels }) => labels.type ?? []));
  const unknown = [...seen].filter((type) => !codes.includes(type));
  if (unknown.length > 0) throw new AppError('training.invalid', `Examples name types that the catalogue lacks: ${unknown.slice(0, 5).join(', ')}. Correct them or add the types to the catalogue.`);
  if (!anew && used) {
    const { type, ...rest } = labelsOf(used);
    return { ...rest, type: [...type, ...codes.filter((code) => seen.has(code) && !type.includes(code))] };
  }
  return { intent: INTENTS, type: codes, nature: [...NATURES, 'none'], disposition: [...DISPOSITIONS, 'none'], urgency: [...URGENCIES, 'none'] };
}

function fewOf(type: string, { examples }: Corpus): boolean {
  const count = examples.filter(({ labels, keptBack }) => !keptBack && labels.type === type).length;
  return type !== 'none' && count > 0 && count < FEW;
}

function priorOf(file: string, encoder: EncoderId, labels: Labels): Record<HeadName, LinearModel> {
  const { heads } = loadHeads(join(file, '..'), encoder);
  return Object.fromEntries(HEAD_NAMES.map((name) => {
    const { labels: had, weight, bias } = heads[name];
    const model = { weight: new Float64Array(labels[name].length * encoder.dim), bias: new Float64Array(labels[name].length).fill(-12) };
    labels[name].forEach((label, at) => {
      const from = had.indexOf(label);
      if (from < 0) return;
      model.weight.set(weight.subarray(from * encoder.dim, (from + 1) * encoder.dim), at * encoder.dim);
      model.bias[at] = bias[from]!;
    });
    return [name, model];
  })) as Record<HeadName, LinearModel>;
}

/** The fit with a row for a type of which there are only a few examples. */
export function withNewType(fit: Fit, corpus: Corpus, type: string, options: NewTypeOptions = {}): Fit {
  const head = fit.heads.type;
  const matrix = matrixOf(corpus.terms, fit.vocabulary);
  const rows = rowsFor(corpus.examples, 'type', head.labels, false);
  const own = rowsFor(corpus.examples, 'type', [type], false);
  const part = (some: readonly number[]) => ({ vectors: pickDense(corpus.vectors, some), matrix: pickSparse(matrix, some), logits: logitsFor(corpus, matrix, some, head) });
  const grown = addNewType(head, type, part(own), { ...part(rows), gold: targetsOf(corpus.examples, rows, head.labels, 'type').label }, options);
  return { ...fit, heads: { ...fit.heads, type: grown } };
}

export function keptRows({ examples }: Corpus): { chat: number[]; letters: number[] } {
  const rows = (belongs: (example: Example) => boolean) => examples.flatMap((example, row) => (example.keptBack && example.source !== 'foreign' && belongs(example) ? [row] : []));
  return { chat: rows(({ source }) => source !== 'letters'), letters: rows(({ source }) => source === 'letters') };
}

interface MetricsParts {
  readonly corpus: Corpus; readonly fit: Fit; readonly labels: Labels; readonly verdict: GateVerdict | null; readonly forced: boolean; readonly fresh: readonly string[];
  readonly judged: { readonly chat: readonly Judged[]; readonly letters: readonly Judged[] }; readonly scores: Readonly<Record<string, Record<string, number>>>;
  readonly seconds: object; readonly out: string; readonly encoder: EncoderId;
}

function metricsOf({ corpus, fit, labels, verdict, forced, fresh, judged, scores, seconds, out, encoder }: MetricsParts): object {
  const counts = (keptBack: boolean) => {
    const of: Record<string, number> = {};
    for (const example of corpus.examples) if (example.keptBack === keptBack) of[example.source] = (of[example.source] ?? 0) + 1;
    return of;
  };
  const old = earlierMetrics(out);
  const foreign = judgeRows(fit, corpus, corpus.examples.flatMap(({ keptBack, source }, row) => (keptBack && source === 'foreign' ? [row] : [])), ['intent']);
  const chatAt = labels.intent.indexOf('chat');
  const calibration = Object.fromEntries((['chat', 'letters'] as const).flatMap((group) => HEAD_NAMES.filter((head) => judged[group].some(({ row }) => corpus.examples[row]!.labels[head] !== undefined))
    .map((head) => [`${head}.${group}`, calibrationOf(judged[group], corpus, labels, head)])));
  return {
    trainedBy: 'npm run train', encoder: encoder.sha256, split: { rule: 'kept back: models/training/common.py, labelled() and in_dev()', train: counts(false), dev: counts(true) },
    heads_tried: Object.fromEntries(HEAD_NAMES.map((head) => [head, { shipped: fit.chosen[head], encoder: fit.heads[head].encoder, margin: fit.heads[head].margin }])),
    gate: verdict === null ? { passed: null, why: 'there were no heads of this encoder to compare with, or nothing was kept back' } : { ...verdict, forced }, newTypes: fresh, seconds,
    dev: {
      ...Object.fromEntries(Object.entries(scores).map(([group, values]) => [group, { ...placeScores(old, group), ...values }])),
      ...(foreign.length > 0 ? { off_topic: { count: foreign.length, recall: Math.round(foreign.filter(({ probability: { intent } }) => intent && intent[chatAt] === Math.max(...intent)).length / foreign.length * 10_000) / 10_000 } } : {}),
    },
    per_class: { chat: perClass(judged.chat, corpus, labels), letters: perClass(judged.letters, corpus, labels) }, calibration,
    ...(old?.['baseline'] === undefined ? {} : { baseline: old['baseline'] }),
  };
}

function earlierMetrics(out: string): Record<string, unknown> | null {
  const file = join(out, 'metrics.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> : null;
}

/** The places are the encoder's work; their scores stay as the Python stages measured them, until they measure again. */
function placeScores(old: Record<string, unknown> | null, group: string): Record<string, unknown> {
  const before = (old?.['dev'] as Record<string, Record<string, unknown>> | undefined)?.[group] ?? {};
  return Object.fromEntries(Object.entries(before).filter(([name]) => name.startsWith('place_') || name.startsWith('part')));
}
