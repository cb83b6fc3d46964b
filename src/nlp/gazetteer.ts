import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { Place, PlaceCandidate } from '../domain/understanding.ts';
import { placeKey, simplify } from './place-key.ts';
import { soundOf } from './sounds.ts';

const Pairs = z.array(z.tuple([z.string(), z.string()]));
const Source = z.object({
  version: z.string().min(1),
  city: z.object({ code: z.string(), names: z.array(z.string()) }),
  districts: Pairs, streets: Pairs, communities: Pairs, compounds: Pairs, pois: Pairs, aliases: Pairs,
  /** Name and the codes of the districts in which it was seen, parted by spaces; '' where none is known. */
  roads: Pairs.default([]),
  stops: z.array(z.string()), outside: z.array(z.string()),
});
export type GazetteerSource = z.input<typeof Source>;

export type EntryKind = 'district' | 'street' | 'community' | 'compound' | 'poi' | 'alias' | 'road' | 'stop';
export interface Entry {
  readonly kind: EntryKind;
  readonly name: string;
  /** Administrative code, 4 to 12 digits; '' for a bus stop, whose district nobody recorded, and a road seen in none or several. */
  readonly code: string;
}

/**
 * Names under their keys. `full`: nothing dropped but the committee; `short`: also 村, 小区, 街道 and the like; `stems`: communities
 * without their number or direction (慧忠北里 of 慧忠北里第一社区), which say the street only.
 */
export interface Gazetteer {
  readonly version: string;
  readonly cityNames: readonly string[];
  readonly full: ReadonlyMap<string, readonly Entry[]>;
  readonly short: ReadonlyMap<string, readonly Entry[]>;
  readonly stems: ReadonlyMap<string, readonly Entry[]>;
  /** Ways in for names that are not written as they are registered. */
  readonly sounds: ReadonlyMap<string, readonly Entry[]>;
  readonly letters: ReadonlyMap<string, readonly Entry[]>;
  /** The last three characters → names that end so, for names of which only the end is said. */
  readonly endings: ReadonlyMap<string, readonly string[]>;
  /** Keys of `full` in order, for names of which only the beginning is said. */
  readonly sortedKeys: readonly string[];
  /** Two-character pieces → positions in `sortedKeys`, for names said or typed a little wrong. */
  readonly pieces: ReadonlyMap<string, readonly number[]>;
  readonly names: ReadonlyMap<string, string>;
  readonly outside: ReadonlySet<string>;
  /** The longest key, in characters. */
  readonly longest: number;
  /** Names as a resident would write them, for the segmenter's dictionary. */
  readonly words: readonly string[];
}

const SHORTER: Readonly<Partial<Record<EntryKind, RegExp>>> = {
  district: /(新区|区|县)$/,
  street: /(街道|地区|镇|乡|民族乡|回族乡|满族乡)$/,
  community: /(村|小区)$/,
  compound: /(小区|\d+号院|[东西南北]?区|\d+区|[\da-z一二三四五六七八九十]+期)$/,
  stop: /站$/,
};

/** A number or a direction at the end of a community's name; what is left names several of them, or one whose others are not listed. */
const STEM = /(?:[东西南北中]{1,2}区?|\d+区?|\d+里)$/;
/** 鸿博五社区 is said for 鸿博家园第五社区, 建新南二社区 for 建新南区第二社区. */
const BEFORE_NUMBER = /(?:家园|花园|小区|区)(?=\d+$)/;

/** @throws AppError `gazetteer.invalid` when the file is absent or not of the documented shape */
export function loadGazetteer(file: string): Gazetteer {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AppError('gazetteer.invalid', `${file} cannot be read; restore models/gazetteer from the release or run its build.ts.`, { cause });
  }
  const source = Source.safeParse(json);
  if (!source.success) {
    const issue = source.error.issues[0];
    throw new AppError('gazetteer.invalid', `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has the wrong shape'}`);
  }
  return buildGazetteer(source.data);
}

export function buildGazetteer(source: GazetteerSource): Gazetteer {
  const full = new Map<string, Entry[]>();
  const short = new Map<string, Entry[]>();
  const stems = new Map<string, Entry[]>();
  const add = (map: Map<string, Entry[]>, key: string, entry: Entry) => {
    if ([...key].length < 2) return;
    const held = map.get(key);
    if (!held) map.set(key, [entry]);
    else if (!held.some((other) => other.code === entry.code && other.kind === entry.kind)) held.push(entry);
  };
  const addAll = (kind: EntryKind, pairs: readonly (readonly [string, string])[]) => {
    for (const [name, code] of pairs) {
      const entry = { kind, name, code };
      const key = placeKey(name);
      add(full, key, entry);
      const rule = SHORTER[kind];
      const bare = rule ? key.replace(rule, '') : key;
      if (bare !== key) add(short, bare, entry);
      if (kind !== 'community') continue;
      const numbered = key.replace(BEFORE_NUMBER, '');
      if (numbered !== key) add(short, numbered, entry);
      const stem = key.replace(STEM, '');
      if (stem !== key) add(stems, stem, { kind, name, code: code.slice(0, 9) });
    }
  };
  const codeFirst = (pairs: readonly (readonly [string, string])[]) => pairs.map(([code, name]) => [name, code] as const);
  addAll('district', codeFirst(source.districts));
  addAll('street', codeFirst(source.streets));
  addAll('community', codeFirst(source.communities));
  addAll('compound', source.compounds);
  addAll('poi', source.pois);
  addAll('alias', source.aliases);
  addAll('road', (source.roads ?? []).map(([name, codes]) => [name, /^\d+$/.test(codes) ? codes : ''] as const));
  addAll('stop', source.stops.map((name) => [name, ''] as const));

  const sortedKeys = [...full].filter(([, entries]) => entries.some((entry) => entry.code && entry.kind !== 'road')).map(([key]) => key).sort();
  const pieces = new Map<string, number[]>();
  sortedKeys.forEach((key, index) => {
    for (const piece of piecesOf(key)) {
      const held = pieces.get(piece);
      if (held) held.push(index);
      else pieces.set(piece, [index]);
    }
  });
  return {
    version: source.version,
    cityNames: source.city.names,
    full, short, stems, sortedKeys, pieces, ...otherWays(full, short),
    names: new Map([...source.districts, ...source.streets, ...source.communities]),
    outside: new Set(source.outside.map(simplify)),
    longest: Math.max(...sortedKeys.map((key) => key.length), 1),
    words: [...source.districts, ...source.streets, ...source.communities].map(([, name]) => spokenName(name))
      .concat(source.compounds.map(([name]) => name), source.stops),
  };
}

const NAMED = new Set<EntryKind>(['street', 'community', 'compound']);

/** The same names under their sound, under their characters in any order, and under their last three characters. */
function otherWays(full: ReadonlyMap<string, readonly Entry[]>, short: ReadonlyMap<string, readonly Entry[]>) {
  const sounds = new Map<string, Entry[]>();
  const letters = new Map<string, Entry[]>();
  const endings = new Map<string, string[]>();
  const put = <T>(map: Map<string, T[]>, key: string, values: readonly T[]) => {
    const held = map.get(key);
    if (held) held.push(...values);
    else map.set(key, [...values]);
  };
  for (const [map, whole] of [[full, true], [short, false]] as const) {
    for (const [key, all] of map) {
      const entries = all.filter(({ kind, code }) => code && NAMED.has(kind));
      if (key.length < 3 || entries.length === 0) continue;
      put(sounds, soundOf(key), entries);
      if (!whole) continue;
      if (key.length >= 4) put(letters, lettersOf(key), entries);
      if (key.length >= 5) put(endings, key.slice(-3), [key]);
    }
  }
  return { sounds, letters, endings };
}

export const lettersOf = (key: string): string => [...key].sort().join('');

export function piecesOf(key: string): Set<string> {
  const out = new Set<string>();
  for (let at = 0; at + 2 <= key.length; at++) out.add(key.slice(at, at + 2));
  return out;
}

export function placeOf(code: string): Place {
  return {
    district: code.length >= 6 ? code.slice(0, 6) : null,
    street: code.length >= 9 ? code.slice(0, 9) : null,
    community: code.length >= 12 ? code.slice(0, 12) : null,
  };
}

/** 「丰台区西罗园街道西罗园第二社区」. */
export function placeLabel(gazetteer: Gazetteer, code: string): string {
  return [6, 9, 12].filter((digits) => code.length >= digits)
    .map((digits) => spokenName(gazetteer.names.get(code.slice(0, digits)) ?? '')).join('');
}

export function candidateOf(gazetteer: Gazetteer, entry: Entry, score: number): PlaceCandidate {
  const label = placeLabel(gazetteer, entry.code);
  const named = entry.kind === 'compound' || entry.kind === 'poi' || entry.kind === 'alias';
  return { place: placeOf(entry.code), label: named ? `${label}${entry.name}` : label, score };
}

function spokenName(name: string): string {
  return name.replace(/(居民委员会|居委会)$/, '').replace(/(?:村)?(村民委员会|村委会)$/, '村');
}
