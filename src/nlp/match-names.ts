import type { Entry, Gazetteer } from './gazetteer.ts';
import { simplify, withDigits } from './place-key.ts';
import { guesses } from './near-names.ts';

/** Words of a place with the parts in them, as the tagger or a person marked them. */
export interface PlaceWords {
  readonly text: string;
  /** Pieces of `text` in order, as far as they are known. */
  readonly parts: readonly { readonly part: string; readonly text: string }[];
}

/** How a name was recognised; the better way is tried first. */
export type Way = 'full' | 'short' | 'stem' | 'sound' | 'nearly' | 'beginning';
export interface Match {
  readonly way: Way;
  readonly entries: readonly Entry[];
  readonly start: number;
  readonly end: number;
  /** The part in which it stands; '' when nobody said. */
  readonly part: string;
}

/** Kinds that name an area rather than one spot in it. */
export const AREA_KINDS: ReadonlySet<string> = new Set(['district', 'street', 'alias']);
/** A road's district is where it was seen: it runs on, so that it only helps to choose. */
export const settles = ({ kind, code }: Entry) => code !== '' && kind !== 'road';
const isSpot = (entry: Entry) => settles(entry) && !AREA_KINDS.has(entry.kind);

/** Names of the gazetteer in the words of one place, in order; guesses only where nothing is written as it is registered. */
export function matchesIn(gazetteer: Gazetteer, words: PlaceWords): Match[] {
  const text = fold(words.text);
  const parts = words.parts.map(({ part, text: own }) => ({ part, text: own, start: text.indexOf(fold(own)), length: fold(own).length }));
  const partAt = (at: number) => parts.find(({ start, length }) => start >= 0 && start <= at && at < start + length)?.part ?? '';
  const starts = new Set([0, (PREFIX.exec(text)?.[0] ?? '').length]);
  for (const { part, start } of parts) if (start >= 0 && (part !== 'near' || parts.length === 1)) starts.add(start + (PREFIX.exec(text.slice(start))?.[0] ?? '').length);
  const out: Match[] = [];
  const ends = new Set(parts.flatMap(({ part, start, length }) => (start >= 0 && part === 'community' ? [start + length] : [])));
  let covered = 0;
  for (const start of [...starts].sort((a, b) => a - b)) {
    if (start !== 0 && covered > start) continue;
    for (let at = start, match = longestAt(gazetteer, text, at, out, ends); match; match = longestAt(gazetteer, text, at, out, ends)) {
      out.push({ ...match, part: partAt(match.start) });
      at = covered = match.end;
      if (/[的在那这有，]/.test(text[at] ?? '')) at += 1;
    }
  }
  if (out.some(({ entries }) => entries.some(isSpot))) return out;
  out.push(...inside(gazetteer, text, out).map((match) => ({ ...match, part: partAt(match.start) })));
  if (out.some(({ entries }) => entries.some(isSpot))) return out;
  const areas = out.flatMap(({ entries }) => entries.filter(settles));
  const unmatched = parts.filter(({ start }) => !out.some((match) => match.start === start && match.entries.some(settles)));
  const guessed = (parts.length > 0 ? unmatched : out.length > 0 ? [] : [{ part: 'place', text: words.text }]).flatMap(({ part, text: own }) => guesses(gazetteer, part, own));
  return [...out, ...guessed.filter(({ entries }) => areas.length === 0 || entries.some(({ code }) => areas.some((area) => code.startsWith(area.code))))];
}

/** Said before a name: 地铁十号线, 北京市. */
const PREFIX = /^(?:北京市?)?(?:地铁站?|公交站?|轻轨)?(?:\d+号线)?(?=.{2})/;

/** The form that `placeKey` gives, but nothing dropped at the end. */
export function fold(text: string): string {
  return withDigits(simplify(text.normalize('NFKC').toLowerCase()).replace(/[\s·•・,，。、'"“”‘’「」『』()（）【】<>《》—_-]+/g, '')).replace(/第(?=\d)/g, '');
}

/** The longest name that begins here; a bus stop, whose district nobody knows, only where nothing better does. */
function longestAt(gazetteer: Gazetteer, text: string, at: number, before: readonly Match[], ends: ReadonlySet<number> = new Set()): Omit<Match, 'part'> | null {
  let stop: Omit<Match, 'part'> | null = null;
  for (let end = Math.min(text.length, at + gazetteer.longest); end >= at + 2; end--) {
    const key = text.slice(at, end);
    const rest = text.slice(end);
    if (!endsCleanly(key, rest)) continue;
    const named = namesOf(gazetteer, key);
    if (!named) continue;
    const generic = isGeneric(key) && !/^(?:社区|村|街道|镇|乡|小区)/.test(rest);
    const section = /^\d+区/.test(rest) ? gazetteer.stems.get(key) : undefined; // 望京西园|九区: one of several
    const known = section ? [...named.entries.filter(({ kind }) => kind !== 'community'), ...section] : generic ? insideOf(named.entries, before.at(-1), at, text) : named.entries;
    const districts = known.filter((entry) => entry.kind === 'district'); // 海淀 is the district, not 海淀街道 in it
    const entries = districts.length > 0 ? districts : !ends.has(end) && makesLonger(key, rest) ? nearby(known, key, rest) : withoutNamesakes(known, insideOf(known, before.at(-1), at, text));
    if (entries.length === 0) continue;
    const match = { way: named.way, entries, start: at, end };
    if (known.some(settles)) return stop && districts.length === 0 && !atThe(entries, key, text.slice(end, stop.end)) ? stop : match;
    stop ??= match;
  }
  return stop;
}

/** A stop 「夏场北站」 is at 夏场, 「天竺卫生院」 in 天竺; of a stop 「天坛北门」 or 「清河小营桥」 nobody recorded where it is. */
function atThe(entries: readonly Entry[], key: string, tail: string): boolean {
  if (entries.some(({ kind }) => kind === 'street')) return /(?:街道|地区|镇|乡)$/.test(key) || /^(?:卫生院|敬老院|镇政府|乡政府|法庭)$/.test(tail);
  if (entries.every(({ kind, code }) => kind === 'stop' || code.length === 9) && /^[东西南北中]?\d*区$/.test(tail)) return true;
  if (key.length >= 3 && entries.every(({ kind, code }) => (kind === 'community' || kind === 'stop') && code.length <= 6)) return true;
  return entries.some(({ kind, code }) => kind === 'community' && code.length === 12) && /^(?:村|小区)?(?:\d+队)?[东西南北]?(?:口|站|路口|道口|桥头)?$/.test(tail);
}

/** What is registered under this key, and what finer places it is said for. */
function namesOf(gazetteer: Gazetteer, key: string): { readonly way: Way; readonly entries: readonly Entry[] } | null {
  const full = gazetteer.full.get(key) ?? [];
  const short = gazetteer.short.get(key) ?? [];
  const stems = gazetteer.stems.get(key) ?? [];
  const coded = full.filter(settles);
  if (full.some(({ kind }) => kind === 'community') || coded.some(({ kind }) => kind === 'alias' || kind === 'district')) return { way: 'full', entries: [...full, ...short] };
  if (coded.length > 0) return { way: 'full', entries: [...full, ...short, ...refined(gazetteer, key, coded), ...stems.filter(({ code }) => coded.some((wider) => code.startsWith(wider.code)))] };
  if (full.length + short.length + stems.length === 0) return null;
  if (short.some(({ kind }) => kind === 'street' || kind === 'district')) return { way: 'short', entries: [...full, ...short] };
  return { way: short.length > 0 ? 'short' : stems.length > 0 ? 'stem' : 'full', entries: [...full, ...short, ...stems] };
}

/** 芳群园一区 is a compound known by its district, and 芳群园第一社区 the community it forms. A section of a community (远大园四区) stays with the district: it may belong to the next. */
function refined(gazetteer: Gazetteer, key: string, coded: readonly Entry[]): readonly Entry[] {
  const bare = key.replace(/(小区|区)$/, '');
  if (bare === key) return [];
  return (gazetteer.full.get(bare) ?? []).filter(({ kind, code }) => kind === 'community' && coded.some((entry) => code.startsWith(entry.code)));
}

/** Words that name a kind of place before they name any one place. */
const GENERIC = new Set(('天桥 大院 商业街 花园 东边 西边 南边 北边 果园 公园 学校 医院 市场 广场 工地 地铁 车站 新村 中心 家园 大街 中街 东街 西街 南街 北街 东里 西里 南里 北里 '
  + '友谊 文化路 迎宾路 五路 幸福 前进 团结 胜利 光明 和平 新华 北口 南口 东口 西口 东门 西门 南门 北门 路口 桥头 水库 河边 河沿 村里 社区 街道 大学 小学 中学 幼儿园 超市 菜市场 加气站 加油站').split(' '));
/** 二区, 东路, 新村, 第一社区: said after a name that went before, or not a name at all. */
export const isGeneric = (key: string) => GENERIC.has(key) || /^[东西南北中新老里路街区院村\d]+(?:社区)?$/.test(key);

/** 拱辰|四街, 溪翁庄|第一社区: a generic word counts where it is said right after the area it lies in. */
function insideOf(entries: readonly Entry[], before: Match | undefined, at: number, text: string): readonly Entry[] {
  if (!before || !(before.end === at || (before.end === at - 1 && text[before.end] === '的'))) return [];
  const areas = before.entries.filter(({ kind }) => kind === 'street');
  return entries.filter(({ kind, code }) => kind === 'community' && areas.some((area) => code.startsWith(area.code)));
}

/** What follows makes another, longer name of it: 四海|路, 秦城|大桥; not 四海|路口. */
const LONGER_NAME = /^[东西南北中大上下]{0,2}(?:路(?![口边旁灯上牙])|街(?![道坊边口])|桥(?!头)|胡同|巷(?!子|口)|河(?![边滩沿堤])|渠|大道|条|医院|学院|大学|站(?!牌|村|里|台)|[a-z]{2,})/;
/** Named after what it lies near, unless that is a compound or a village, which it then lies in: 地坛|体育馆 against 瑞海家园|幼儿园. */
const INSTITUTION = /^第?\d*(?:中学|小学|幼儿园|体育馆|派出所|公交|地铁|车站)/;
const makesLonger = (key: string, rest: string) => (LONGER_NAME.test(rest) && !/(?:村|小区)$/.test(key)) || (INSTITUTION.test(rest) && !/[园苑里区城居村]$/.test(key)) || (key.endsWith('门') && /^[外内](?![面头边])/.test(rest));

/** 长阳 is the town; whether 长阳社区 in it is meant nobody can know. Nor does anyone say 望京 for a village 望京村 elsewhere. */
function withoutNamesakes(entries: readonly Entry[], inArea: readonly Entry[]): readonly Entry[] {
  if (inArea.length > 0) return inArea;
  const streets = entries.filter(({ kind }) => kind === 'street');
  return entries.filter((entry) => entry.kind === 'street' || !streets.some(({ code }) => entry.code.startsWith(code) || (entry.kind === 'community' && /村/.test(entry.name))));
}

/**
 * A road, a stop or a school bears the name of what it lies near: enough for the district, if the name is long enough.
 * A 胡同 that gave its community the name lies in it.
 */
function nearby(entries: readonly Entry[], key: string, rest: string): readonly Entry[] {
  const registered = entries.filter(({ kind, name }) => kind === 'community' && !/村/.test(name));
  if (rest.startsWith('胡同') && registered.length === 1) return registered;
  const long = key.length >= 3 || /^[a-z]{2,}/.test(rest) ? entries : entries.filter(({ kind, name }) => kind === 'street' && /(?:镇|乡|地区)$/.test(name));
  return long.map((entry) => ({ ...entry, code: entry.code.slice(0, 6) }));
}

/** 西罗园2|号楼 is building 2 of 西罗园, not 西罗园二社区. */
function endsCleanly(key: string, rest: string): boolean {
  if (!/\d$/.test(key)) return true;
  return !/^(\d|号|#|栋|幢|楼|单元|层|门|座|期|院|-|米|路)/.test(rest);
}

/** Names of three characters and more (everyday names: two) anywhere in the words, when none stood where a name begins. */
function inside(gazetteer: Gazetteer, text: string, taken: readonly Match[]): Omit<Match, 'part'>[] {
  const out: Omit<Match, 'part'>[] = [];
  for (let at = 1; at + 2 <= text.length; at++) {
    if (taken.some((match) => at >= match.start && at < match.end)) continue;
    const match = longestAt(gazetteer, text, at, []);
    if (!match || /[前后东西南北上下大小新老]/.test(text[at - 1] as string)) continue; // 前夏各庄 is not 夏各庄
    const long = match.end - match.start >= 3;
    const entries = long ? match.entries : match.entries.filter(({ kind }) => kind === 'alias');
    if (entries.length === 0) continue;
    out.push({ ...match, entries });
    at = match.end - 1;
  }
  return out;
}
