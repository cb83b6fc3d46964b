import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalize } from '../../src/nlp/normalize.ts';

/** One labelled message of the development part. 'none' where it carries no matter. */
export interface DevRow {
  readonly id: string;
  readonly text: string;
  readonly intent: string | null;
  readonly type: string;
  readonly alt: string | null;
  readonly nature: string;
  readonly disposition: string;
  readonly urgency: string;
}

export interface DevPart {
  readonly chat: readonly DevRow[];
  readonly letters: readonly DevRow[];
  /** What people tell other bots, and headlines: nothing that a hotline answers. Normalised texts. */
  readonly offTopic: readonly string[];
}

interface Labelled { id: string; text: string; intent?: string; type: string | null; alt?: string | null; nature: string | null; disposition: string | null; urgency: string | null }

const jsonLines = (file: string): unknown[] => readFileSync(file, 'utf8').split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown);

/**
 * The tenth of the messages that no model is trained on, near-duplicates on one side. The ids stand in `dev-ids.json`, made by
 * models/training/dev_ids.py with the very function that the training uses.
 *
 * @returns null where `data` has no messages
 */
export function devPart(data: string, idsFile: string): DevPart | null {
  const messages = (name: string) => join(data, 'messages', `${name}.jsonl`);
  if (!existsSync(messages('chat')) || !existsSync(messages('annotated'))) return null;
  const ids = JSON.parse(readFileSync(idsFile, 'utf8')) as { chat: string[]; annotated: string[] };
  const rows = (name: 'chat' | 'annotated'): DevRow[] => {
    const wanted = new Set(ids[name]);
    return (jsonLines(messages(name)) as Labelled[]).filter(({ id }) => wanted.has(id)).map((row) => ({
      id: row.id, text: row.text, intent: name === 'chat' ? (row.intent ?? null) : null, type: row.type ?? 'none', alt: row.alt ?? null,
      nature: row.nature ?? 'none', disposition: row.disposition ?? 'none', urgency: row.urgency ?? 'none',
    }));
  };
  return { chat: rows('chat'), letters: rows('annotated'), offTopic: offTopic(data) };
}

/** As `off_topic_rows` of models/training/common.py. */
function offTopic(data: string): string[] {
  const corpora = join(data, 'corpora');
  const files = [join(corpora, 'cls', 'SMP-2019-NLU_train.json'), join(corpora, 'crosswoz', 'val.jsonl'), join(corpora, 'cls', 'tnews_unlabeled.json')] as const;
  if (files.some((file) => !existsSync(file))) return [];
  const said = (JSON.parse(readFileSync(files[0], 'utf8').replaceAll(/: NaN\b/g, ': null')) as { text: string }[]).map(({ text }) => text);
  const asked = (jsonLines(files[1]) as { turns: { role: string; text: string }[] }[]).flatMap(({ turns }) => turns.slice(0, 1).filter(({ role }) => role === 'usr').map(({ text }) => text));
  const headlines = (jsonLines(files[2]) as { sentence: string }[]).slice(0, 1_500).map(({ sentence }) => sentence);
  const texts = new Set([...said, ...asked, ...headlines].map((text) => normalize(text).points).filter(({ length }) => length >= 2 && length <= 80).map((points) => points.join('')));
  return [...texts].filter(inDev);
}

const inDev = (key: string): boolean => createHash('sha256').update(key).digest().readUInt32BE(0) % 10 === 3;
