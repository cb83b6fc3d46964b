import { lettersOf, piecesOf } from './gazetteer.ts';
import type { Entry, Gazetteer } from './gazetteer.ts';
import type { Match } from './match-names.ts';
import { placeKey } from './place-key.ts';
import { soundOf } from './sounds.ts';

const TAILS = /(这边|那边|这儿|那儿|这块儿?|那块儿?|这里|那里|这片|那片|附近|旁边|边上|对面|对过儿?|门口|后门|前门|后身儿?|里头|外头|里面|外面|路口|北门|南门|东门|西门|[东西南北]侧|[东西南北]边|[东西南北]头|[东西南北]口|口)$/;

/** Names that the words of a part may be meant for though no name is written so: by sound, by beginning or end, one character off. */
export function guesses(gazetteer: Gazetteer, part: string, text: string): Match[] {
  if (!/^(community|poi|road|near|town|place)$/.test(part)) return [];
  const key = withoutTails(placeKey(text));
  if (key.length < 3 || (part === 'road' && gazetteer.full.has(key))) return [];
  const registered = gazetteer.full.has(key); // a stop or a road, whose place nobody recorded: not another name misspelt
  const found = (way: Match['way'], entries: readonly Entry[]): Match[] => (entries.length > 0 ? [{ way, entries, start: 0, end: key.length, part }] : []);
  const begun = () => beginningWith(gazetteer, key).map((entry) => (part === 'road' ? { ...entry, code: entry.code.slice(0, 6) } : entry)); // a road runs on
  const steps: (() => Match[])[] = [() => found('beginning', begun())];
  if (!registered && part !== 'near' && part !== 'road') {
    steps.unshift(() => found('sound', soundingLike(gazetteer, key)), () => found('sound', gazetteer.letters.get(lettersOf(key)) ?? []));
    steps.push(() => found('beginning', endingWith(gazetteer, key)));
    if (key.length >= 4) steps.push(() => found('nearly', nearly(gazetteer, key)));
  }
  for (const step of steps) {
    const matches = step();
    if (matches.length > 0) return matches;
  }
  return [];
}

function withoutTails(key: string): string {
  let held = key.replace(/社$/, '');
  for (let bare = held.replace(TAILS, ''); bare !== held && bare.length >= 2; bare = held.replace(TAILS, '')) held = bare;
  return held;
}

/** 惠忠北里 → 慧忠北里: the longest beginning of the words that sounds like a name. */
function soundingLike(gazetteer: Gazetteer, key: string): readonly Entry[] {
  for (let end = key.length; end >= 3; end--) {
    if (/^[路街桥站]/.test(key.slice(end)) || (/\d$/.test(key.slice(0, end)) && /^[\d号#栋幢楼单层门座期院]/.test(key.slice(end)))) continue;
    const said = key.slice(0, end);
    if (gazetteer.full.has(said) || gazetteer.short.has(said) || gazetteer.stems.has(said)) return []; // it is itself a name, and was judged as one
    const entries = gazetteer.sounds.get(soundOf(said));
    if (entries) return entries;
  }
  return [];
}

function beginningWith(gazetteer: Gazetteer, key: string): readonly Entry[] {
  const keys = gazetteer.sortedKeys;
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  const out: Entry[] = [];
  for (let at = low; at < keys.length && (keys[at] as string).startsWith(key); at++) {
    out.push(...(gazetteer.full.get(keys[at] as string) ?? []).filter((entry) => entry.code));
  }
  return out;
}

/** 兴业园 → 世纪星城兴业园: names of which only the end is said. */
function endingWith(gazetteer: Gazetteer, key: string): readonly Entry[] {
  const bare = key.replace(/\d+期$/, '');
  if (bare.length < 3 || !/(?<!产业|工业|科技|创业)[园苑里区城居郡湾庭轩府村庄]$/.test(bare)) return [];
  return (gazetteer.endings.get(bare.slice(-3)) ?? []).filter((name) => name.length >= bare.length + 2 && name.endsWith(bare))
    .flatMap((name) => (gazetteer.full.get(name) ?? []).filter(({ kind }) => kind === 'community' || kind === 'compound'));
}

/** Names one character away: wrong, missing or too many. */
function nearly(gazetteer: Gazetteer, key: string): readonly Entry[] {
  const hits = new Map<number, number>();
  for (const piece of piecesOf(key)) {
    for (const index of gazetteer.pieces.get(piece) ?? []) hits.set(index, (hits.get(index) ?? 0) + 1);
  }
  const out: Entry[] = [];
  for (const [index, shared] of hits) {
    const name = gazetteer.sortedKeys[index] as string;
    if (shared < key.length - 3 || Math.abs(name.length - key.length) > 1 || !oneApart(key, name)) continue;
    out.push(...(gazetteer.full.get(name) ?? []).filter((entry) => entry.code && entry.kind !== 'district'));
  }
  return out;
}

function oneApart(a: string, b: string): boolean {
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return left.length <= 1 && right.length <= 1 && !/\d/.test(left + right);
}
