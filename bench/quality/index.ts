/**
 * Quality of understanding on the development part, beside a character n-gram SVM trained on the same examples.
 *
 *   npm run bench:quality -- [--data ../shared/data] [--svm var/bench/svm.json] [--seven var/bench/seven.json] [--write]
 *
 * Prints one table, then per-type counts and confusions; --write also keeps the numbers (never a text) as bench/results/quality.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Understanding } from '../../src/domain/understanding.ts';
import { createUnderstander, loadCatalogue } from '../../src/nlp/index.ts';
import type { Understander } from '../../src/nlp/index.ts';
import { machine } from '../machine.ts';
import { devPart, type DevRow } from './dev-part.ts';
import { scoreMatters } from './matters.ts';
import { scorePlaces } from './places.ts';
import { calibrationError, confusions, errorAt, macroF1, perLabel, recallAtFalseAlarms, recallPrecision, share, three, type Pair, type Sure } from './scores.ts';
import { loadSvm, type SvmGuess } from './svm.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const FALSE_ALARMS = 0.05;

/** What one system says of one message. */
interface Guess {
  readonly type: string;
  readonly candidates: readonly { readonly value: string; readonly probability: number }[];
  readonly nature: string;
  readonly disposition: string;
  readonly urgency: string;
  /** Without the rules; the SVM has none. */
  readonly modelUrgency: string;
  readonly intent: string;
  readonly chat: number;
}
interface Judged { readonly row: DevRow; readonly guess: Guess }
type Numbers = Record<string, number>;

const { values } = parseArgs({ options: {
  data: { type: 'string', default: path('../../../shared/data') }, svm: { type: 'string', default: path('../../var/bench/svm.json') },
  seven: { type: 'string', default: path('../../var/bench/seven.json') }, write: { type: 'boolean' },
} });
await main();

async function main(): Promise<void> {
  const host = machine(path('../..'));
  const understander = await createUnderstander({ modelDir: path('../../models'), catalogue: loadCatalogue(readFileSync(path('../../config/beijing/catalogue.yaml'), 'utf8')) });
  try {
    const matters = await scoreMatters(understander, path('../../tests/fixtures/matters.jsonl'));
    const report = { what: 'quality', machine: host, modelVersion: understander.modelVersion, matters, ...(await onDev(understander)) };
    console.log(`several matters (own set, kept half): precision ${three(matters.kept.precision)}, recall ${three(matters.kept.recall)}; ${matters.kept.several} with several, ${matters.kept.one} with one`);
    if (!values.write) return;
    mkdirSync(path('../results'), { recursive: true });
    writeFileSync(path('../results/quality.json'), `${JSON.stringify(report, null, 1)}\n`);
  } finally {
    await understander.close();
  }
}

async function onDev(understander: Understander) {
  const dev = devPart(resolve(values.data), path('./dev-ids.json'));
  if (!dev) {
    console.log(`skipped: ${values.data} holds no messages, so only what the project itself brings is measured.`);
    return {};
  }
  const svm = loadSvm(values.svm);
  if (!svm) console.log(`the SVM is not measured: ${values.svm} is missing. Make it with: python models/training/baseline.py --data ${values.data} --out ${values.svm}`);
  const chat = await judged(understander, dev.chat);
  const letters = await judged(understander, dev.letters);
  const foreign: number[] = [];
  for (const text of dev.offTopic) foreign.push(chatScore(await understander.understand(text)));
  const peer = svm && { chat: fromSvm(dev.chat, svm.chat), letters: fromSvm(dev.letters, svm.letters), foreign: dev.offTopic.map((text) => svm.off_topic.get(text)?.chat ?? 0) };
  const columns = {
    'chat': scoreGroup(chat), 'chat svm': peer ? scoreGroup(peer.chat) : {},
    'letters': scoreGroup(letters), 'letters svm': peer ? scoreGroup(peer.letters) : {},
    'both': { ...scoreUrgency([...chat, ...letters]), ...outOfScope([...chat, ...letters], foreign) },
    'both svm': peer ? { ...scoreUrgency([...peer.chat, ...peer.letters]), ...outOfScope([...peer.chat, ...peer.letters], peer.foreign) } : {},
  };
  printTable(columns);
  const seven = sevenClasses(understander);
  const places = await scorePlaces(values.data, understander);
  console.log('places:', JSON.stringify(places, (key, value: unknown) => (key === 'parts' ? undefined : value)));
  console.log(`NAACL 2019 chunk F1: ${addressChunks()}`);
  const byType = { chat: perType(chat), letters: perType(letters) };
  for (const [name, { types, confused }] of Object.entries(byType)) {
    console.log(`\n${name}: types by count (recall, precision)`);
    for (const [type, { count, recall, precision }] of Object.entries(types)) console.log(`  ${type.padEnd(38)} ${String(count).padStart(3)}  ${recall.toFixed(2)}  ${precision === null ? '   —' : precision.toFixed(2)}`);
    console.log(`${name}: taken for another, worst first`);
    for (const { gold, guess, count } of confused.slice(0, 25)) console.log(`  ${String(count).padStart(3)}  ${gold} → ${guess}`);
  }
  return { counts: { chat: dev.chat.length, letters: dev.letters.length, offTopic: dev.offTopic.length }, columns, sevenClass: seven, places, addressChunkF1: addressChunks(), byType };
}

function chatScore({ intents }: Understanding): number {
  return intents.find(({ value }) => value === 'chat')?.probability ?? 0;
}

async function judged(understander: Understander, rows: readonly DevRow[]): Promise<Judged[]> {
  const out: Judged[] = [];
  for (const row of rows) {
    const understood = await understander.understand(row.text);
    const alone = (await understander.scores(row.text)).urgency[0]?.value ?? 'none';
    out.push({ row, guess: {
      type: understood.type ?? 'none', candidates: understood.candidates, nature: understood.nature?.value ?? 'none', disposition: understood.disposition.value,
      urgency: understood.urgency?.value ?? 'none', modelUrgency: alone, intent: understood.intent.value, chat: chatScore(understood),
    } });
  }
  return out;
}

function fromSvm(rows: readonly DevRow[], guesses: ReadonlyMap<string, SvmGuess>): Judged[] {
  return rows.flatMap((row) => {
    const found = guesses.get(row.id);
    if (!found) return [];
    const top = (task: 'intent' | 'nature' | 'disposition' | 'urgency' | 'type') => found[task][0]?.[0] ?? 'none';
    const candidates = found.type.filter(([value]) => value !== 'none').map(([value, probability]) => ({ value, probability }));
    return [{ row, guess: { type: top('type'), candidates, nature: top('nature'), disposition: top('disposition'), urgency: top('urgency'), modelUrgency: top('urgency'), intent: top('intent'), chat: found.chat } }];
  });
}

function scoreGroup(all: readonly Judged[]): Numbers {
  const matter = all.filter(({ row }) => row.type !== 'none');
  const pairs = (of: readonly Judged[], task: 'type' | 'nature' | 'disposition' | 'intent'): Pair[] => of.map(({ row, guess }) => ({ gold: row[task] ?? 'none', guess: guess[task] }));
  const fair = ({ row, guess }: Judged) => guess.type === row.type || guess.type === row.alt;
  const sure = (right: (one: Judged) => boolean): Sure[] => matter.map((one) => ({ probability: one.guess.candidates[0]?.probability ?? 0, right: right(one) }));
  const strict = sure(({ row, guess }) => guess.type === row.type);
  const intents = all.filter(({ row }) => row.intent !== null);
  return {
    'messages': all.length, 'with a matter': matter.length,
    'type top-1': share(matter, ({ row, guess }) => guess.type === row.type), 'type with alternative': share(matter, fair),
    'type top-3': share(matter, ({ row, guess }) => guess.candidates.slice(0, 3).some(({ value }) => value === row.type)),
    'type macro-F1': macroF1(pairs(matter, 'type')), 'level-1': share(matter, ({ row, guess }) => guess.type.split('.')[0] === row.type.split('.')[0]),
    'ECE of type': calibrationError(strict), 'error at 70 %': errorAt(strict, 0.7), 'error at 90 %': errorAt(strict, 0.9),
    'error at 70 %, alternative counts': errorAt(sure(fair), 0.7), 'error at 90 %, alternative counts': errorAt(sure(fair), 0.9),
    'nature': share(matter, ({ row, guess }) => row.nature === guess.nature), 'nature macro-F1': macroF1(pairs(matter, 'nature')),
    'disposition': share(all, ({ row, guess }) => row.disposition === guess.disposition), 'disposition macro-F1': macroF1(pairs(all, 'disposition')),
    ...scoreUrgency(all),
    ...(intents.length > 0 ? { 'intent': share(intents, ({ row, guess }) => row.intent === guess.intent), 'intent macro-F1': macroF1(pairs(intents, 'intent')) } : {}),
  };
}

function scoreUrgency(all: readonly Judged[]): Numbers {
  const pairs = (of: 'urgency' | 'modelUrgency') => all.map(({ row, guess }) => ({ gold: row.urgency, guess: guess[of] }));
  const together = recallPrecision(pairs('urgency'), 'h2');
  const alone = recallPrecision(pairs('modelUrgency'), 'h2');
  return {
    'urgency': share(pairs('urgency'), ({ gold, guess }) => gold === guess), 'urgency macro-F1': macroF1(pairs('urgency').filter(({ gold }) => gold !== 'none')),
    'h2 messages': together.gold, 'h2 recall': together.recall, 'h2 precision': together.precision, 'h2 recall, model alone': alone.recall, 'h2 precision, model alone': alone.precision,
  };
}

/** Non-requests: chat of the chat messages and the foreign texts; real: whatever asks for something, letters too. */
function outOfScope(all: readonly Judged[], foreign: readonly number[]): Numbers {
  const real = all.filter(({ row }) => row.intent !== 'chat' && row.disposition !== 'chat');
  const idle = all.filter(({ row }) => row.intent === 'chat').map(({ guess }) => guess.chat);
  const { recall, above } = recallAtFalseAlarms([...foreign, ...idle], real.map(({ guess }) => guess.chat), FALSE_ALARMS);
  return {
    'out-of-scope recall at 5 %': recall, 'the same, chat.jsonl only': share(idle, (score) => score > above), 'out-of-scope texts': foreign.length + idle.length,
    'refused as decided now': share(real, ({ guess }) => guess.intent === 'chat'), 'found as decided now': share([...foreign, ...idle], (score) => score > 0.5),
  };
}

function perType(all: readonly Judged[]) {
  const pairs = all.filter(({ row }) => row.type !== 'none').map(({ row, guess }) => ({ gold: row.type, guess: guess.type }));
  return { types: perLabel(pairs), confused: confusions(pairs) };
}

function printTable(columns: Readonly<Record<string, Numbers>>): void {
  const rows = [...new Set(Object.values(columns).flatMap((column) => Object.keys(column)))];
  const width = Math.max(...rows.map(({ length }) => length)) + 2;
  console.log(`${''.padEnd(width)}${Object.keys(columns).map((name) => name.padStart(13)).join('')}`);
  for (const row of rows) {
    const cell = (value: number | undefined) => (value === undefined ? '' : Number.isInteger(value) && value > 1 ? String(value) : value.toFixed(3));
    console.log(`${row.padEnd(width)}${Object.values(columns).map((column) => cell(column[row]).padStart(13)).join('')}`);
  }
  for (const column of Object.values(columns)) for (const row of Object.keys(column)) column[row] = three(column[row] as number);
}

interface Seven { readonly encoder: string; readonly svm: number; readonly jiban: number }

function sevenClasses(understander: Understander): Seven | string {
  const make = `python models/training/seven_class.py --data ${values.data} --out ${values.seven}`;
  const found = existsSync(values.seven) ? (JSON.parse(readFileSync(values.seven, 'utf8')) as Seven) : null;
  const stale = found !== null && !understander.modelVersion.startsWith(`enc-${found.encoder}`);
  const out = found === null ? `not measured; make it with: ${make}` : stale ? `not measured: ${values.seven} is of another encoder; make it anew with: ${make}` : found;
  console.log('seven classes, macro-F1:', typeof out === 'string' ? out : `${out.jiban} (svm ${out.svm})`);
  return out;
}

/** The encoder has no head for bare addresses until its config names one. */
function addressChunks(): string {
  const config = JSON.parse(readFileSync(path('../../models/encoder/config.json'), 'utf8')) as { jiban: { addressTags?: unknown } };
  return config.jiban.addressTags === undefined ? 'not measured: the encoder has no address head' : 'not measured: the bench does not read the address head yet';
}
