/**
 * A city's catalogue gains a type: each type that has 16 or more chat messages to train on is left out in turn, then added with eight of
 * them.
 *
 *   node --import tsx bench/few-shot.ts [--data ../shared/data] [--part 0/1] [--types a,b] [--no-write]
 *
 * The heads without the type are fitted anew each time, on all other examples. The encoder stays: it was fine-tuned with the labels of
 * the messages to train on, so "found" is counted apart on messages whose labels it has not seen (the kept-back part).
 * Prints a table, writes bench/results/few-shot.json. It measures, it never judges.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCatalogue } from '../src/nlp/load-catalogue.ts';
import { loadEncoder } from '../src/nlp/encode.ts';
import { bestOf, judgeRows, mean } from '../src/nlp/train/evaluate.ts';
import { foreignExamples, sharedExamples, withoutRepeats, writtenExamples } from '../src/nlp/train/examples.ts';
import { fitHeads, type Corpus, type Fit, type Labels } from '../src/nlp/train/fit.ts';
import { corpusOf, withNewType } from '../src/nlp/train/train.ts';
import { machine, rounded } from './machine.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { data: { type: 'string', default: join(root, '..', 'shared', 'data') }, part: { type: 'string', default: '0/1' }, types: { type: 'string' }, written: { type: 'string' }, 'no-write': { type: 'boolean' } } });
const [part, parts] = values.part.split('/').map(Number) as [number, number];
const SHOTS = 8;
const LEAST = 16;

const shared = sharedExamples(values.data, join(root, 'bench', 'quality', 'dev-ids.json'));
if (!shared) throw new Error(`no messages in ${values.data}`);
const encoder = await loadEncoder(join(root, 'models', 'encoder'));
await encoder.close();
const examples = [...withoutRepeats([...shared, ...writtenExamples(join(root, 'models', 'training', 'data'), values.written === undefined ? undefined : new RegExp(values.written))]), ...foreignExamples(values.data, 800)];
const corpus = await corpusOf({ modelDir: join(root, 'models'), examples, threads: 2, cacheDir: join(root, 'artifacts', 'vectors') }, encoder);
const catalogue = loadCatalogue(readFileSync(join(root, 'config', 'beijing', 'catalogue.yaml'), 'utf8'));
const codes = [...Object.keys(catalogue.types), 'none'];

const hash = (text: string): string => createHash('sha256').update(`few${text}`).digest('hex');
const rowsWhere = (of: Corpus, wanted: (row: number) => boolean) => of.examples.flatMap((_, row) => (wanted(row) ? [row] : []));
const chatOf = (type: string) => rowsWhere(corpus, (row) => corpus.examples[row]!.source === 'chat' && !corpus.examples[row]!.keptBack && corpus.examples[row]!.labels.type === type);
const labelsWithout = (type: string): Labels => ({ intent: [], nature: [], disposition: [], urgency: [], type: codes.filter((code) => code !== type) });

interface Line { readonly type: string; readonly others: number; readonly found: number; readonly foundAny: number; readonly kept: number; readonly keptFound: number; readonly written: number; readonly writtenFound: number; readonly lostChat: number; readonly lostLetters: number }

async function withOut(type: string): Promise<Line> {
  const shots = new Set(chatOf(type).sort((a, b) => (hash(corpus.examples[a]!.id) < hash(corpus.examples[b]!.id) ? -1 : 1)).slice(0, SHOTS));
  // What is not one of the eight is never trained on: its type is hidden from the fit.
  const hidden: Corpus = { ...corpus, examples: corpus.examples.map((example, row) => (example.labels.type === type && !shots.has(row) ? { ...example, labels: {} } : example.alt === type ? { ...example, alt: null } : example)) };
  const without: Corpus = { ...hidden, examples: hidden.examples.map((example, row) => (shots.has(row) ? { ...example, labels: {} } : example)) };
  const base = await fitHeads(without, { labels: labelsWithout(type), heads: ['type'], keptTerms: 30_000 });
  const grown = withNewType(base, hidden, type);
  const guesses = (fit: Fit, rows: readonly number[]) => judgeRows(fit, corpus, rows, ['type']).map(({ probability }) => fit.heads.type.labels[bestOf(probability.type!)]!);
  const of = (rows: readonly number[]) => { const guess = guesses(grown, rows); return { count: rows.length, found: guess.filter((each) => each === type).length, any: guess.filter((each, at) => each === type || each === corpus.examples[rows[at]!]!.alt).length }; };
  const rest = of(chatOf(type).filter((row) => !shots.has(row)));
  const kept = of(rowsWhere(corpus, (row) => corpus.examples[row]!.keptBack && corpus.examples[row]!.labels.type === type));
  const written = of(rowsWhere(corpus, (row) => corpus.examples[row]!.source === 'written' && corpus.examples[row]!.labels.type === type));
  const lost = (source: string) => {
    const rows = rowsWhere(corpus, (row) => corpus.examples[row]!.keptBack && corpus.examples[row]!.source === source && corpus.examples[row]!.labels.type !== type && corpus.examples[row]!.labels.type !== 'none');
    const right = (fit: Fit) => mean(guesses(fit, rows).map((guess, at) => Number(guess === corpus.examples[rows[at]!]!.labels.type)));
    return rounded((right(base) - right(grown)) * 100, 3);
  };
  return { type, others: rest.count, found: rest.found, foundAny: rest.any, kept: kept.count, keptFound: kept.found, written: written.count, writtenFound: written.found, lostChat: lost('chat'), lostLetters: lost('letters') };
}

const share = (a: number, b: number): string => (b === 0 ? '–' : (a / b).toFixed(2));
const wanted = values.types?.split(',') ?? codes.filter((code) => code !== 'none' && chatOf(code).length >= LEAST).filter((_, at) => at % parts === part);
const began = Date.now();
const lines: Line[] = [];
process.stdout.write('type                              others found +alt  written found  kept found  lost chat letters (points)\n');
for (const type of wanted) {
  const line = await withOut(type);
  lines.push(line);
  process.stdout.write(`${type.padEnd(34)}${String(line.others).padStart(5)} ${share(line.found, line.others)} ${share(line.foundAny, line.others)}  ${String(line.written).padStart(5)} ${share(line.writtenFound, line.written)}  ${String(line.kept).padStart(4)} ${share(line.keptFound, line.kept)}  ${line.lostChat.toFixed(2)} ${line.lostLetters.toFixed(2)}\n`);
}
const total = (name: keyof Omit<Line, 'type'>) => lines.reduce((sum, line) => sum + line[name], 0);
const summary = {
  types: lines.length, shots: SHOTS, foundMean: rounded(mean(lines.map(({ found, others }) => found / others)), 3), foundOverall: rounded(total('found') / total('others'), 3), foundWithAlternative: rounded(total('foundAny') / total('others'), 3),
  typesAtLeast06: lines.filter(({ found, others }) => found / others >= 0.6).length, writtenFound: rounded(total('writtenFound') / total('written'), 3), keptFound: rounded(total('keptFound') / total('kept'), 3),
  lostChatMean: rounded(mean(lines.map(({ lostChat }) => lostChat)), 3), lostLettersMean: rounded(mean(lines.map(({ lostLetters }) => lostLetters)), 3),
  typesThatLoseAtMostHalfAPoint: lines.filter(({ lostChat, lostLetters }) => (lostChat + lostLetters) / 2 <= 0.5).length, seconds: Math.round((Date.now() - began) / 1000),
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
if (!values['no-write']) {
  mkdirSync(join(root, 'bench', 'results'), { recursive: true });
  writeFileSync(join(root, 'bench', 'results', 'few-shot.json'), `${JSON.stringify({ what: 'few-shot', machine: machine(root), encoder: encoder.version, summary, types: lines }, null, 1)}\n`);
}
