import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Correction } from '../../domain/desk.ts';
import { AppError } from '../../domain/errors.ts';
import type { HeadName } from '../classify.ts';
import { normalize } from '../normalize.ts';

/** Where an example comes from: the two files of shared data, models/training/data, a city's own file, operators' corrections, no hotline matter. */
export type ExampleSource = 'chat' | 'letters' | 'written' | 'city' | 'correction' | 'foreign';

export interface Example {
  readonly id: string;
  readonly source: ExampleSource;
  /** Normalised. */
  readonly text: string;
  /** What is known of it; `none` where it carries no matter. */
  readonly labels: Readonly<Partial<Record<HeadName, string>>>;
  /** A second type that would be as good. */
  readonly alt: string | null;
  /** Never trained on: measures, and fits the few numbers that combine the parts. */
  readonly keptBack: boolean;
}

const Line = z.object({
  id: z.string().optional(), text: z.string().min(1),
  intent: z.string().nullish(), type: z.string().nullish(), alt: z.string().nullish(),
  nature: z.string().nullish(), disposition: z.string().nullish(), urgency: z.string().nullish(),
});
type Line = z.infer<typeof Line>;

export const normalized = (text: string): string => normalize(text).text;

/** A fixed tenth by the SHA-256 of the key; as `in_dev` of models/training/common.py. */
export const inKeptTenth = (key: string): boolean => createHash('sha256').update(key).digest().readUInt32BE(0) % 10 === 3;

/** A message whose every field is known: an absent type, nature … means that it carries no matter. */
function whole(line: Line, source: ExampleSource, keptBack: boolean, text: string): Example {
  const { type, nature, disposition, urgency, intent, alt } = line;
  const labels = { type: type ?? 'none', nature: nature ?? 'none', disposition: disposition ?? 'none', urgency: urgency ?? 'none', ...(source !== 'letters' && intent ? { intent } : {}) };
  return { id: line.id ?? text, source, text, labels, alt: alt ?? null, keptBack };
}

/**
 * chat.jsonl and annotated.jsonl under `data`; the kept-back ids stand in `devIdsFile`, which models/training/dev_ids.py writes with the
 * very function that splits the data there.
 *
 * @returns null where `data` has no messages
 * @throws AppError `training.invalid` when the ids are of other files
 */
export function sharedExamples(data: string, devIdsFile: string): readonly Example[] | null {
  const file = (name: string) => join(data, 'messages', `${name}.jsonl`);
  if (!existsSync(file('chat')) || !existsSync(file('annotated'))) return null;
  const ids = z.object({ rows: z.number(), chat: z.array(z.string()), annotated: z.array(z.string()) }).parse(JSON.parse(readFileSync(devIdsFile, 'utf8')));
  const out = (['chat', 'annotated'] as const).flatMap((name) => {
    const kept = new Set(ids[name]);
    return linesOf(file(name)).map((line) => whole(line, name === 'chat' ? 'chat' : 'letters', kept.has(line.id ?? ''), normalized(line.text)));
  });
  if (out.length !== ids.rows) throw new AppError('training.invalid', `${devIdsFile} was made of ${ids.rows} messages, ${data} has ${out.length}. Run models/training/dev_ids.py.`);
  return out;
}

/** Messages written for this project (models/training/data); for training only. */
export function writtenExamples(folder: string, only?: RegExp): readonly Example[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.jsonl') && (only?.test(name) ?? true)).sort()
    .flatMap((name) => linesOf(join(folder, name)).map((line) => whole(line, 'written', false, normalized(line.text))));
}

/**
 * A city's own examples: `{"text", …}` a line, only what is known. A tenth of those whose type has many is kept back; a type with few
 * needs them all.
 *
 * @throws AppError `training.invalid` naming the line
 */
export function cityExamples(file: string): readonly Example[] {
  const lines = linesOf(file);
  const counts = new Map<string, number>();
  for (const { type } of lines) if (type) counts.set(type, (counts.get(type) ?? 0) + 1);
  return lines.map((line) => {
    const text = normalized(line.text);
    const labels = Object.fromEntries((['intent', 'type', 'nature', 'disposition', 'urgency'] as const).flatMap((head) => (line[head] ? [[head, line[head]]] : [])));
    return { id: line.id ?? text, source: 'city', text, labels, alt: line.alt ?? null, keptBack: (counts.get(line.type ?? '') ?? 0) >= MANY && inKeptTenth(text) };
  });
}
const MANY = 40;

/** A tenth of written messages kept back, where no other part is. */
export const keepTenth = (examples: readonly Example[]): readonly Example[] => examples.map((example) => ({ ...example, keptBack: inKeptTenth(example.id) }));

/** What an operator corrected, as an example of the resident's words; only the fields that were corrected are known. */
export function correctionExamples({ words, after }: Correction): readonly Example[] {
  const text = normalized(words[0] ?? '');
  const { type, nature, urgency } = after;
  const labels = { ...(type === undefined ? {} : { type }), ...(nature === undefined ? {} : { nature }), ...(urgency === undefined ? {} : { urgency }) };
  return text === '' || Object.keys(labels).length === 0 ? [] : [{ id: text, source: 'correction', text, labels, alt: null, keptBack: false }];
}

/** Without the messages to train on that nearly repeat a kept-back one: half of all three-character pieces in common, as in common.py. */
export function withoutRepeats(examples: readonly Example[]): readonly Example[] {
  const pieces = examples.map(({ text }) => piecesOf(text));
  const holders = new Map<string, number[]>();
  examples.forEach(({ keptBack }, at) => {
    if (keptBack) for (const piece of pieces[at]!) holders.set(piece, [...(holders.get(piece) ?? []), at]);
  });
  return examples.filter(({ keptBack, source }, at) => {
    if (keptBack || source !== 'written') return true;
    const shared = new Map<number, number>();
    for (const piece of pieces[at]!) for (const other of holders.get(piece) ?? []) shared.set(other, (shared.get(other) ?? 0) + 1);
    return ![...shared].some(([other, both]) => both / (pieces[at]!.size + pieces[other]!.size - both) >= 0.5);
  });
}

function piecesOf(text: string): Set<string> {
  const bare = [...text.replaceAll(/[^\p{L}\p{N}_]/gu, '')];
  return new Set(Array.from({ length: Math.max(1, bare.length - 2) }, (_, at) => bare.slice(at, at + 3).join('')));
}

/** What people tell other bots, and headlines: nothing that a hotline answers. As `off_topic_rows` of models/training/common.py. */
export function foreignExamples(data: string, count: number): readonly Example[] {
  const corpora = join(data, 'corpora');
  const files = [join(corpora, 'cls', 'SMP-2019-NLU_train.json'), join(corpora, 'crosswoz', 'val.jsonl'), join(corpora, 'cls', 'tnews_unlabeled.json')] as const;
  if (files.some((file) => !existsSync(file))) return [];
  const Text = z.object({ text: z.string() });
  const said = z.array(Text).parse(JSON.parse(readFileSync(files[0], 'utf8').replaceAll(/: NaN\b/g, ': null'))).map(({ text }) => text);
  const asked = rawLines(files[1]).flatMap((line) => z.object({ turns: z.array(Text.extend({ role: z.string() })) }).parse(line).turns.slice(0, 1))
    .flatMap(({ role, text }) => (role === 'usr' ? [text] : []));
  const headlines = rawLines(files[2]).slice(0, 1_500).map((line) => z.object({ sentence: z.string() }).parse(line).sentence);
  const texts = [...new Set([...said, ...asked, ...headlines].map(normalized))].filter((text) => text.length >= 2 && text.length <= 80);
  const asExample = (text: string, keptBack: boolean): Example => ({ id: text, source: 'foreign', text, keptBack, alt: null, labels: { intent: 'chat', type: 'none', nature: 'none', disposition: 'chat', urgency: 'none' } });
  const order = (text: string) => createHash('sha256').update(`order${text}`).digest('hex');
  const training = texts.filter((text) => !inKeptTenth(text)).map((text) => [order(text), text] as const).sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, count);
  return [...training.map(([, text]) => asExample(text, false)), ...texts.filter(inKeptTenth).map((text) => asExample(text, true))];
}

function rawLines(file: string): unknown[] {
  return readFileSync(file, 'utf8').split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (cause) {
      throw new AppError('training.invalid', `${file}, line ${at + 1} is no JSON.`, { cause });
    }
  });
}

function linesOf(file: string): Line[] {
  if (!existsSync(file)) throw new AppError('training.invalid', `There is no ${file}.`);
  return rawLines(file).map((value, at) => {
    const parsed = Line.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new AppError('training.invalid', `${file}, example ${at + 1}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is invalid'}`);
  });
}
