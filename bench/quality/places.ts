/**
 * How well places are found and resolved, on the labelled messages beside the project.
 *
 *   node --import tsx bench/quality/places.ts [--data ../shared/data] [--all]
 *
 * Prints JSON, never a text. Without --all only the dev part (dev-ids.json) is scored.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ADDRESS_PARTS } from '../../src/domain/understanding.ts';
import type { AddressPart, Place } from '../../src/domain/understanding.ts';
import { loadGazetteer } from '../../src/nlp/gazetteer.ts';
import { createUnderstander, loadCatalogue } from '../../src/nlp/index.ts';
import type { Understander } from '../../src/nlp/index.ts';
import { normalize } from '../../src/nlp/normalize.ts';
import { resolvePlace } from '../../src/nlp/resolve.ts';
import type { PlaceWords } from '../../src/nlp/resolve.ts';
import { rounded } from '../machine.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export interface LabelledPlaces {
  readonly id: string;
  readonly text: string;
  readonly places: readonly string[] | null;
  readonly parts: Readonly<Partial<Record<string, string | readonly string[]>>> | null;
  /** Only chat messages carry codes. */
  readonly gaz?: { readonly district?: string; readonly street?: string; readonly community?: string };
  readonly missing?: readonly string[] | null;
}

export interface PlaceScores {
  readonly messages: number;
  /** Characters inside a place, over all messages. */
  readonly charPrecision: number;
  readonly charRecall: number;
  readonly charF1: number;
  /** Address parts with exactly the same words, over all messages. */
  readonly partF1: number;
  /** Messages that name a place and carry codes (also "none can be known"). */
  readonly resolvable: number;
  /** Of those, all levels right when the marked spans are given … */
  readonly resolutionOfGold: number;
  /** … and when Jiban finds the spans itself. */
  readonly resolutionOfFound: number;
  /** Messages whose codes go down to the community: right to the community, spans given / found. */
  readonly withCommunity: number;
  readonly communityOfGold: number;
  readonly communityOfFound: number;
  /** Messages that name a place which no code fits: none given, spans given / found. */
  readonly withoutCode: number;
  readonly noneOfGold: number;
  readonly noneOfFound: number;
  /** What a clerk must still ask of the place: same set of `address` and `building`. */
  readonly missingPlaceAgreement: number;
}

/** The places a person marked, with the marked parts inside each. */
export function wordsOf(row: LabelledPlaces): PlaceWords[] {
  const parts = Object.entries(row.parts ?? {}).flatMap(([part, texts]) => [texts ?? []].flat().map((text) => ({ part, text })));
  return (row.places ?? []).map((place) => {
    const text = normalize(place).text;
    const own = parts.map(({ part, text: words }) => ({ part, text: normalize(words).text })).filter(({ text: words }) => words && text.includes(words));
    return { text, parts: own.sort((a, b) => text.indexOf(a.text) - text.indexOf(b.text)) };
  });
}

/** District, street and community alike, and what the label leaves open left open. */
export function sameCodes(place: Place | null, gaz: NonNullable<LabelledPlaces['gaz']>): boolean {
  return (place?.district ?? null) === (gaz.district ?? null) && (place?.street ?? null) === (gaz.street ?? null) && (place?.community ?? null) === (gaz.community ?? null);
}

/** Code points of the normalised text that lie in a marked place, every time its words stand there. */
function goldPoints(row: LabelledPlaces, text: string): Set<number> {
  const inside = new Set<number>();
  for (const place of row.places ?? []) {
    const words = normalize(place).text;
    if (!words) continue;
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) for (let unit = at; unit < at + words.length; unit++) inside.add(unit);
  }
  return inside;
}

/** Units of the normalised text that a span of the given text covers. */
function foundPoints(given: string, spans: readonly { readonly start: number; readonly end: number }[]): Set<number> {
  const { points, starts } = normalize(given);
  const inside = new Set<number>();
  let unit = 0;
  points.forEach((point, index) => {
    const start = starts[index] as number;
    if (spans.some((span) => span.start <= start && start < span.end)) for (let more = 0; more < point.length; more++) inside.add(unit + more);
    unit += point.length;
  });
  return inside;
}

function partKeys(parts: LabelledPlaces['parts']): Set<string> {
  return new Set(Object.entries(parts ?? {}).filter(([part]) => (ADDRESS_PARTS as readonly string[]).includes(part))
    .flatMap(([part, texts]) => [texts ?? []].flat().map((text) => `${part as AddressPart}:${normalize(text).text}`)));
}

export async function scoreRows(rows: readonly LabelledPlaces[], understander: Understander, gazetteerFile = path('../../models/gazetteer/beijing.json')): Promise<PlaceScores> {
  const gazetteer = loadGazetteer(gazetteerFile);
  const chars = { hit: 0, gold: 0, found: 0 };
  const parts = { hit: 0, gold: 0, found: 0 };
  const right = { all: [0, 0, 0], community: [0, 0, 0], none: [0, 0, 0] };
  let asked = 0;
  let alike = 0;
  for (const row of rows) {
    const { address } = await understander.understand(row.text);
    count(chars, goldPoints(row, normalize(row.text).text), foundPoints(row.text, address.spans));
    count(parts, partKeys(row.parts), partKeys(address.parts));
    if (row.missing) {
      asked += 1;
      const wanted = (fields: readonly string[]) => (fields.includes('address') ? 'address' : fields.includes('building') ? 'building' : '');
      if (wanted(row.missing) === wanted(address.missing)) alike += 1;
    }
    if (!row.gaz || !row.places?.length) continue;
    const { gaz } = row;
    const ofGold = sameCodes(resolvePlace(gazetteer, wordsOf(row)).place, gaz) ? 1 : 0;
    const ofFound = sameCodes(address.place, gaz) ? 1 : 0;
    for (const group of [right.all, ...(gaz.community ? [right.community] : []), ...(gaz.district ? [] : [right.none])]) {
      group[0] = (group[0] as number) + 1;
      group[1] = (group[1] as number) + ofGold;
      group[2] = (group[2] as number) + ofFound;
    }
  }
  const share = (group: readonly number[], nth: number) => rounded((group[nth] as number) / Math.max(1, group[0] as number), 4);
  return {
    messages: rows.length, charPrecision: rounded(chars.hit / Math.max(1, chars.found), 4), charRecall: rounded(chars.hit / Math.max(1, chars.gold), 4), charF1: f1(chars), partF1: f1(parts),
    resolvable: right.all[0] as number, resolutionOfGold: share(right.all, 1), resolutionOfFound: share(right.all, 2),
    withCommunity: right.community[0] as number, communityOfGold: share(right.community, 1), communityOfFound: share(right.community, 2),
    withoutCode: right.none[0] as number, noneOfGold: share(right.none, 1), noneOfFound: share(right.none, 2),
    missingPlaceAgreement: rounded(alike / Math.max(1, asked), 4),
  };
}

interface Tally { hit: number; gold: number; found: number }
function count(tally: Tally, gold: ReadonlySet<unknown>, found: ReadonlySet<unknown>): void {
  tally.gold += gold.size;
  tally.found += found.size;
  for (const one of gold) if (found.has(one)) tally.hit += 1;
}
const f1 = ({ hit, gold, found }: Tally) => rounded((2 * hit) / Math.max(1, gold + found), 4);

export type ScoredPart = 'chat' | 'letters' | 'chatRest' | 'lettersRest';

/**
 * Scores of the dev part of chat and letters; `all`: of the rest too, which the encoder was trained on.
 *
 * @param dataDir the folder `shared/data`
 */
export async function scorePlaces(dataDir: string, understander: Understander, all = false): Promise<Readonly<Partial<Record<ScoredPart, PlaceScores>>>> {
  const dev = JSON.parse(readFileSync(path('./dev-ids.json'), 'utf8')) as { chat: string[]; annotated: string[] };
  const read = (name: string) => readFileSync(join(dataDir, 'messages', `${name}.jsonl`), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as LabelledPlaces);
  const out: Partial<Record<ScoredPart, PlaceScores>> = {};
  for (const [name, source] of [['chat', 'chat'], ['letters', 'annotated']] as const) {
    const ids = new Set(dev[source]);
    const rows = read(source);
    out[name] = await scoreRows(rows.filter(({ id }) => ids.has(id)), understander);
    if (all) out[`${name}Rest`] = await scoreRows(rows.filter(({ id }) => !ids.has(id)), understander);
  }
  return out;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { data: { type: 'string', default: path('../../../shared/data') }, all: { type: 'boolean', default: false } } });
  if (!existsSync(values.data)) throw new Error(`${values.data} is not there; name the folder of the labelled messages with --data.`);
  const understander = await createUnderstander({ modelDir: path('../../models'), catalogue: loadCatalogue(readFileSync(path('../../config/beijing/catalogue.yaml'), 'utf8')) });
  process.stdout.write(`${JSON.stringify({ modelVersion: understander.modelVersion, ...await scorePlaces(values.data, understander, values.all) }, null, 2)}\n`);
  await understander.close();
}
