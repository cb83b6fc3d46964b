import type { AddressPart, AddressUnderstanding, Span } from '../domain/understanding.ts';
import { ADDRESS_PARTS } from '../domain/understanding.ts';
import type { Encoded } from './encode.ts';
import type { Gazetteer } from './gazetteer.ts';
import type { Normalized } from './normalize.ts';
import { simplify } from './place-key.ts';
import { repairPieces } from './repair-pieces.ts';
import { resolvePlace } from './resolve.ts';
import type { PlaceWords } from './resolve.ts';

/** Code points `from` to `to` (exclusive) of the normalised text. */
export interface Piece {
  readonly part: AddressPart | 'place';
  readonly from: number;
  readonly to: number;
}

export type Located = Omit<AddressUnderstanding, 'missing'>;

/** Below this certainty a lone tag is not believed. */
const LEAST_CERTAINTY = 0.5;
/** From here on a character is taken for a place though the likeliest single tag is 「outside」. */
const SURELY_PLACE = 0.35;
const PART_NAMES = new Set<string>([...ADDRESS_PARTS, 'place']);

const NUMBER = '(?:\\d{1,4}|[一二三四五六七八九十百]{1,4}|[a-z])';
/** Written so alike by everyone that the tagger's word is not waited for. */
const EXACT: readonly (readonly [AddressPart, RegExp])[] = [
  ['building', new RegExp(`${NUMBER}(?:号楼|#楼?|栋|幢|楼(?=\\d|$|[^上下梯道房顶板盘市长里内外面底层])|座(?=\\d|$|[^机椅位城山桥]))`, 'g')],
  ['unit', new RegExp(`${NUMBER}(?:单元)`, 'g')],
  ['room', /(?<=(?:楼|#|单元|门|栋|幢|座))\d{3,4}(?:室|号房?)?|\d{3,4}室/g],
];

/** Address pieces of one window: the tagger's, then what is written in one fixed way. */
export function piecesOfWindow(encoded: Encoded, tags: readonly string[], points: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  let open: { part: string; from: number; sum: number } | null = null;
  for (let at = 0; at <= points.length; at++) {
    const tag = at < points.length ? (tags[encoded.tags[at] as number] ?? 'O') : 'O';
    // No one part may lead and it be a place all the same: then it goes on with the part before.
    const part: string = tag !== 'O' ? tag.slice(2) : at < points.length && (encoded.certainty[at] as number) >= SURELY_PLACE ? (open?.part ?? 'place') : '';
    if (open && (part !== open.part || tag.startsWith('B-'))) {
      if (PART_NAMES.has(open.part) && open.sum / (at - open.from) >= LEAST_CERTAINTY) {
        pieces.push({ part: open.part as Piece['part'], from: open.from, to: at });
      }
      open = null;
    }
    if (part) {
      open ??= { part, from: at, sum: 0 };
      open.sum += encoded.certainty[at] as number;
    }
  }
  return withExact(pieces, points);
}

/** Building, unit and room as they are always written; there the tagger's word does not count. */
export function withExact(pieces: readonly Piece[], points: readonly string[]): Piece[] {
  const text = points.map((point) => (point.length === 1 ? point : '\u25a1')).join('');
  let out = [...pieces];
  for (const [part, pattern] of EXACT) {
    for (const match of text.matchAll(pattern)) {
      const [from, to] = [match.index, match.index + match[0].length];
      out = [...out.flatMap((piece) => without(piece, from, to)), { part, from, to }];
    }
  }
  return out.filter((piece) => saysSomething(piece, text)).map((piece) => completed(piece, text)).sort((a, b) => a.from - b.from);
}

/** The tagger sometimes lets go one character early: 「12号楼门」 of 「门口」, 「东」 of 「东侧」. */
function completed(piece: Piece, text: string): Piece {
  const around = text.slice(piece.to - 1, piece.to + 1);
  return /^(?:门口|路口|[东西南北][侧边面]|旁边|对面|附近)$/.test(around) ? { ...piece, to: piece.to + 1 } : piece;
}

/** What is left of a piece beside a stretch. */
function without(piece: Piece, from: number, to: number): Piece[] {
  if (piece.to <= from || to <= piece.from) return [piece];
  return [{ ...piece, to: from }, { ...piece, from: to }].filter((rest) => rest.from < rest.to);
}

/** A building without a number or a name (「整栋楼」) says nothing of where. */
function saysSomething({ part, from, to }: Piece, text: string): boolean {
  if (part !== 'building' && part !== 'unit' && part !== 'room' && part !== 'roadno') return true;
  return to - from > 2 || /[\da-z零一二三四五六七八九十甲乙丙丁东西南北前后]/.test(text.slice(from, to));
}

/** Spans, parts and the place they mean. */
export function locate(given: string, normalized: Normalized, tagged: readonly Piece[], gazetteer: Gazetteer): Located {
  const pieces = repairPieces(normalized.points, tagged, gazetteer);
  const all = [...pieces, ...namesSaid(normalized, pieces, gazetteer)].sort((a, b) => a.from - b.from);
  const groups = joined(all);
  const span = (from: number, to: number): Span => {
    const start = normalized.starts[from] as number;
    const end = normalized.ends[to - 1] as number;
    return { start, end, text: given.slice(start, end) };
  };
  const parts: Partial<Record<AddressPart, string[]>> = {};
  for (const { part, from, to } of all) {
    if (part === 'place') continue;
    const { text } = span(from, to);
    const held = (parts[part] ??= []);
    if (!held.includes(text)) held.push(text);
  }
  const words = groups.map((group): PlaceWords => ({
    text: normalized.points.slice(group[0]?.from, group.at(-1)?.to).join(''),
    parts: group.map(({ part, from, to }) => ({ part, text: normalized.points.slice(from, to).join('') })),
  }));
  const outside = namesOutside(parts, gazetteer);
  const resolution = outside ? { place: null, label: '', rivals: [] } : resolvePlace(gazetteer, words);
  return {
    spans: groups.map((group) => span(group[0]?.from as number, group.at(-1)?.to as number)),
    parts, ...resolution, outside,
  };
}

/** Pieces that touch, or have only a space or a hyphen between them, are one span. */
function joined(pieces: readonly Piece[]): Piece[][] {
  const groups: Piece[][] = [];
  for (const piece of pieces) {
    const last = groups.at(-1)?.at(-1);
    if (last && piece.from <= last.to) groups.at(-1)?.push(piece);
    else groups.push([piece]);
  }
  return groups;
}

/** Long names of the gazetteer that stand in the text letter by letter though the tagger passed them over. */
function namesSaid(normalized: Normalized, pieces: readonly Piece[], gazetteer: Gazetteer): Piece[] {
  if (normalized.points.length > 400) return [];
  const points = normalized.points.map((point) => simplify(point));
  const out: Piece[] = [];
  for (let from = 0; from + 3 <= points.length; from++) {
    if (pieces.some((piece) => piece.from <= from && from < piece.to)) continue;
    for (let to = Math.min(points.length, from + 12); to >= from + 3; to--) {
      const name = points.slice(from, to).join('');
      const known = to - from >= 4 || /(社区|街道|地区|镇|区)$/.test(name);
      const entries = known ? gazetteer.full.get(name.replace(/社区$/, '')) : undefined;
      const entry = entries?.find(({ kind, code }) => code && kind !== 'poi');
      if (!entry || pieces.some((piece) => piece.from < to && from < piece.to)) continue;
      out.push({ part: PART_OF[entry.kind] ?? 'poi', from, to });
      from = to - 1;
      break;
    }
  }
  return out;
}

const PART_OF: Readonly<Record<string, AddressPart>> = { district: 'district', street: 'town', community: 'community', alias: 'poi' };

/** A province or city part that is not this city, and nothing that says this city. */
function namesOutside(parts: Partial<Record<AddressPart, readonly string[]>>, gazetteer: Gazetteer): boolean {
  const said = [...(parts.province ?? []), ...(parts.city ?? []), ...(parts.district ?? []), ...(parts.town ?? [])]
    .map((name) => simplify(name.normalize('NFKC')));
  if (said.some((name) => gazetteer.cityNames.includes(name))) return false;
  const bare = (name: string) => name.replace(/(省|市|自治区|特别行政区)$/, '');
  return said.some((name) => gazetteer.outside.has(name) || gazetteer.outside.has(bare(name)));
}
