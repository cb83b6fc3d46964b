import type { Place, PlaceCandidate } from '../domain/understanding.ts';
import { candidateOf, placeLabel, placeOf } from './gazetteer.ts';
import type { Entry, Gazetteer } from './gazetteer.ts';
import { AREA_KINDS, fold, matchesIn, settles } from './match-names.ts';
import type { Match, PlaceWords, Way } from './match-names.ts';

export type { PlaceWords } from './match-names.ts';

export interface Resolution {
  readonly place: Place | null;
  readonly label: string;
  readonly rivals: readonly PlaceCandidate[];
}

const NOTHING: Resolution = { place: null, label: '', rivals: [] };
const MAX_RIVALS = 8;

/** The administrative place that the words of one message mean, as far as it is certain. */
export function resolvePlace(gazetteer: Gazetteer, words: readonly PlaceWords[]): Resolution {
  const all = together(words).flatMap((word) => matchesIn(gazetteer, word));
  const coded = all.map((match) => ({ ...match, entries: match.entries.filter(settles) }))
    .map((match) => (match.part === 'town' ? { ...match, entries: preferred(match.entries, ({ kind }) => kind === 'street' || kind === 'district') } : match))
    .filter((match) => match.entries.length > 0);
  if (coded.length === 0) return NOTHING;
  const districts = districtsSaid(coded);
  const fits = (match: Match) => districts.length === 0 || match.entries.some(({ code }) => districts.some((district) => code.startsWith(district) || district.startsWith(code)));
  const names = coded.filter(fits).filter((match) => match.entries.some((entry) => !AREA_KINDS.has(entry.kind)));
  const areas = coded.filter((match) => !names.includes(match) && fits(match));
  const main = [...names].sort((a, b) => rank(b) - rank(a))[0] ?? [...areas].sort((a, b) => depth(b) - depth(a))[0];
  if (!main || (names.length === 0 && new Set(districts).size > 1)) return NOTHING;
  const others = [...names, ...areas].filter((match) => match !== main);
  const roads = all.flatMap(({ entries }) => entries.filter(({ kind, code }) => kind === 'road' && code !== ''));
  const entries = preferred(deepest(others.reduce<readonly Entry[]>(compatible, main.entries)), ({ code }) => roads.some((road) => code.startsWith(road.code)));
  return settle(gazetteer, main, deepened(entries, others, areas.includes(main)));
}

/** 「芳星园」「三区」 said apart are one name. */
function together(words: readonly PlaceWords[]): readonly PlaceWords[] {
  const out: PlaceWords[] = [];
  for (const word of words) {
    const last = out.at(-1);
    if (last && /^\d{1,2}(?:区|社区|里)$/.test(fold(word.text))) out[out.length - 1] = { text: last.text + word.text, parts: [...last.parts, ...word.parts] };
    else out.push(word);
  }
  return out;
}

const preferred = (entries: readonly Entry[], wanted: (entry: Entry) => boolean): readonly Entry[] => {
  const kept = entries.filter(wanted);
  return kept.length > 0 ? kept : entries;
};

/** Codes of the districts named; where some are marked as districts, the others (东风朝阳旗舰店) don't count. */
function districtsSaid(matches: readonly Match[]): readonly string[] {
  const all = matches.filter(({ entries }) => entries.some(({ kind }) => kind === 'district'));
  const marked = all.filter(({ part }) => part === 'district');
  return (marked.length > 0 ? marked : all).flatMap(({ entries }) => entries.filter(({ kind }) => kind === 'district').map(({ code }) => code));
}

const WAYS: Readonly<Record<Way, number>> = { full: 3, short: 2, stem: 2, sound: 1, nearly: 1, beginning: 0 };
const rank = (match: Match) => WAYS[match.way] * 100 + Math.min(match.end - match.start, 20) + depth(match);
const depth = (match: Match) => Math.max(...match.entries.map((entry) => entry.code.length));
const sure = (match: Match) => WAYS[match.way] >= 2;

/** Entries of the one that lie inside (or around) an entry of the other, else those of the same district; all, when none does. */
function compatible(entries: readonly Entry[], other: Match): readonly Entry[] {
  if (!sure(other)) return entries;
  const nested = entries.filter((entry) => other.entries.some(({ code }) => entry.code.startsWith(code) || code.startsWith(entry.code)));
  if (nested.length > 0) return nested;
  return preferred(entries, (entry) => other.entries.some(({ code }) => entry.code.slice(0, 6) === code.slice(0, 6)));
}

/** Leaves out what is only the wider area of another entry: a compound's district beside the community of that name. */
function deepest(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter((entry) => !entries.some((other) => other.code !== entry.code && other.code.startsWith(entry.code)));
}

/** A name said beside it that lies inside says more exactly where; two streets of one district say the district. */
function deepened(entries: readonly Entry[], others: readonly Match[], area: boolean): readonly Entry[] {
  const shared = commonCode(entries.map(({ code }) => code));
  if (shared.length < 6) return entries;
  for (const other of others) {
    if (!sure(other) || other.part === 'near') continue;
    const finer = deepest(other.entries.filter(({ code }) => code.startsWith(shared) && code.length > shared.length));
    if (finer.length > 0 && commonCode(finer.map(({ code }) => code)).length > shared.length) return finer;
    if (area && shared.length === 9 && other.entries.every(({ kind, code }) => kind === 'street' && code.length === 9 && code !== shared)) return [...entries, ...other.entries];
  }
  return entries;
}

function settle(gazetteer: Gazetteer, main: Match, entries: readonly Entry[]): Resolution {
  const codes = [...new Set(entries.map((entry) => entry.code))];
  const shared = commonCode(codes);
  const rivals = codes.length > 1 && (sure(main) || shared.length < 6)
    ? codes.slice(0, MAX_RIVALS).map((code) => candidateOf(gazetteer, entries.find((entry) => entry.code === code) as Entry, WAYS[main.way] / 3))
    : [];
  if (shared.length < 6) return { ...NOTHING, rivals };
  const [only] = entries;
  const named = codes.length === 1 && only && (only.kind === 'compound' || only.kind === 'poi') ? only.name : '';
  return { place: placeOf(shared), label: placeLabel(gazetteer, shared) + named, rivals };
}

function commonCode(codes: readonly string[]): string {
  const [first = ''] = codes;
  return [12, 9, 6].map((digits) => first.slice(0, digits))
    .find((prefix) => codes.every((code) => code.startsWith(prefix)) && [6, 9, 12].includes(prefix.length)) ?? '';
}
