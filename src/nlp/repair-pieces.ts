import type { AddressPart } from '../domain/understanding.ts';
import type { Entry, Gazetteer } from './gazetteer.ts';
import type { Piece } from './locate.ts';
import { fold, isGeneric } from './match-names.ts';

/** Kinds of pieces that a name of the gazetteer may replace; numbers of buildings are read by their own patterns. */
const NAMES = new Set<Piece['part']>(['province', 'city', 'district', 'town', 'community', 'road', 'poi', 'near', 'place']);
const LONGEST = 12;
const PART_OF: Readonly<Partial<Record<Entry['kind'], AddressPart>>> = { district: 'district', street: 'town', road: 'road' };

/**
 * What the tagger leaves ragged around what the gazetteer knows: names cut in pieces or begun too late, a 村 left off, one character missing
 * between two pieces, lone characters that are no place, particles at the ends.
 */
export function repairPieces(points: readonly string[], pieces: readonly Piece[], gazetteer: Gazetteer): Piece[] {
  const text = points.map((point) => (point.length === 1 ? point : '\u25a1')).join('');
  const believed = withGates(text, withoutLone(pieces.filter((piece) => !isFloor(text, piece, pieces))));
  const named = namesOver(text, believed, gazetteer);
  return bridged(text, trimmed(text, withoutLone(named.map((piece) => lengthened(text, piece, named)))));
}

const GATE = /(?:小区|大院|院子?|公园|学校|社区)?[东西南北]{1,2}(?:侧|小|边)?门(?:口|旁边?|附近|对面|外)?/gu;

/** 「小区东门|旁边」: a gate by its side, where the tagger took only what follows it. */
function withGates(text: string, pieces: readonly Piece[]): readonly Piece[] {
  let out = [...pieces];
  for (const { 0: gate, index } of text.matchAll(GATE)) {
    const end = index + gate.replace(/(?<=门).*$/u, '').length;
    if (pieces.some((piece) => piece.from < end && index < piece.to)) continue;
    const tail = pieces.find((piece) => piece.from >= end && piece.from < index + gate.length + 1 && piece.part === 'near');
    const to = Math.max(index + gate.length, tail?.to ?? 0);
    out = [...out.flatMap((piece) => beside(piece, index, to)), { part: 'near' as const, from: index, to }];
  }
  return out.sort((a, b) => a.from - b.from);
}

/** 「二楼」 alone is a floor of no named house. */
function isFloor(text: string, { from, to }: Piece, pieces: readonly Piece[]): boolean {
  return /^[一二三四五六七八九十]{1,2}楼$/.test(text.slice(from, to)) && !pieces.some((other) => other.to === from || other.from === to);
}

/** A single character with nothing beside it (「村」 of 「我们村里」) says nothing of where. */
function withoutLone(pieces: readonly Piece[]): Piece[] {
  return pieces.filter(({ from, to }) => to - from > 1 || pieces.some((other) => other.to === from || other.from === to));
}

/** 「北|姚|园」 → 北姚园: a registered name most of which was tagged, but not as one piece. */
function namesOver(text: string, pieces: readonly Piece[], gazetteer: Gazetteer): Piece[] {
  let out = [...pieces];
  for (let from = 0; from + 3 <= text.length; from++) {
    for (let to = Math.min(text.length, from + LONGEST); to >= from + 3; to--) {
      const over = out.filter((piece) => NAMES.has(piece.part) && piece.from < to && from < piece.to);
      const tagged = over.reduce((sum, piece) => sum + Math.min(piece.to, to) - Math.max(piece.from, from), 0);
      if (tagged < 2 || tagged * 2 < to - from || over.some((piece) => piece.from <= from && to <= piece.to)) continue;
      const entry = nameOf(gazetteer, text.slice(from, to));
      if (!entry) continue;
      const part = PART_OF[entry.kind] ?? (over.some((piece) => piece.part === 'community') ? 'community' : 'poi');
      out = [...out.flatMap((piece) => beside(piece, from, to)), { part, from, to }].sort((a, b) => a.from - b.from);
      from = to - 1;
      break;
    }
  }
  return out;
}

function nameOf(gazetteer: Gazetteer, words: string): Entry | undefined {
  if (!/^[\p{L}\p{N}]+$/u.test(words)) return undefined;
  const key = fold(words).replace(/(?<=.{2})社区$/, '');
  if (key.length < 3 || isGeneric(key)) return undefined;
  const entries = gazetteer.full.get(key) ?? gazetteer.short.get(key) ?? gazetteer.stems.get(key);
  return entries?.find(({ kind }) => kind !== 'stop') ?? entries?.[0];
}

function beside(piece: Piece, from: number, to: number): Piece[] {
  if (piece.to <= from || to <= piece.from) return [piece];
  return [{ ...piece, to: Math.min(piece.to, from) }, { ...piece, from: Math.max(piece.from, to) }].filter((rest) => rest.from < rest.to);
}

/** 梭草|村, 回龙观|镇: the word for what it is belongs to the name. */
function lengthened(text: string, piece: Piece, all: readonly Piece[]): Piece {
  if (piece.part !== 'community' && piece.part !== 'poi' && piece.part !== 'town') return piece;
  const tail = /^(?:村(?![里民委支外])|社区|小区|街道|镇(?=$|[\p{P}\s]))/u.exec(text.slice(piece.to))?.[0].length ?? 0;
  return tail === 0 || piece.to - piece.from < 2 || all.some(({ from }) => from >= piece.to && from < piece.to + tail) ? piece : { ...piece, to: piece.to + tail };
}

/** Particles at the ends of a span: 「望京|的」, 「八角|那个」. */
function trimmed(text: string, pieces: readonly Piece[]): Piece[] {
  return pieces.flatMap((piece) => {
    let { from, to } = piece;
    if (!pieces.some((other) => other.from === to)) {
      while (to > from && /[的那这,，。、(（到有住]/.test(text[to - 1] as string)) to -= 1;
    }
    if (!pieces.some((other) => other.to === from)) while (from < to && /[的,，。、)）]/.test(text[from] as string)) from += 1;
    return to > from ? [{ ...piece, from, to }] : [];
  });
}

/** One character that the tagger left out between two pieces: 「5|-|1」, 「旁边|那|家」. */
function bridged(text: string, pieces: readonly Piece[]): Piece[] {
  const sorted = [...pieces].sort((a, b) => a.from - b.from);
  return sorted.flatMap((piece, index) => {
    const next = sorted[index + 1];
    if (!next || next.from !== piece.to + 1 || !BRIDGE.test(text[piece.to] as string)) return [piece];
    return [piece, { part: 'place' as const, from: piece.to, to: next.from }];
  });
}
const BRIDGE = /[-\s的那村里层号门]/;
