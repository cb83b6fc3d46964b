import { levelOne } from '../domain/catalogue.ts';
import type { Directory, DirectoryRow, Owner } from '../domain/directory.ts';
import type { IssueType } from '../domain/understanding.ts';
import { covers, overlap, type LocalTime } from './time-window.ts';

/** What a row is held against. */
export interface Matter {
  readonly type: IssueType;
  /** The deepest code that is known of the place; '' = none. */
  readonly here: string;
  /** null = not known. */
  readonly owner: string | null;
  readonly time: LocalTime | null;
}

/**
 * How specific a row is; the higher goes first. Duty before territory (art. 11: 职权法定, 属地管理, 分级负责): type (level 2, level 1, any),
 * then place (community, street, district, anywhere), then owner (named, any), then time (named, always). docs/directory.md says the same.
 */
export function rankOf(row: Pick<DirectoryRow, 'type' | 'area' | 'owner' | 'time'>): number {
  const type = row.type === '*' ? 0 : row.type.includes('.') ? 2 : 1;
  return type * 1_000 + row.area.length * 10 + (row.owner === null ? 0 : 2) + (row.time === null ? 0 : 1);
}

export const fitsType = (row: Pick<DirectoryRow, 'type'>, type: IssueType): boolean => row.type === '*' || row.type === type || row.type === levelOne(type);

/** What is not known fits no row that names it. */
export function fits(row: DirectoryRow, matter: Matter): boolean {
  return fitsType(row, matter.type) && matter.here.startsWith(row.area)
    && (row.owner === null || row.owner === matter.owner) && (row.time === null || (matter.time !== null && covers(row.time, matter.time)));
}

/** Two rows between which the order cannot decide: equal rank, and some matter that both fit. */
export const collide = (a: DirectoryRow, b: DirectoryRow): boolean =>
  a.type === b.type && a.area === b.area && a.owner === b.owner && (a.time === null ? b.time === null : b.time !== null && overlap(a.time, b.time));

/** The most specific row that fits, with those that are equally so; empty = none fits. */
export function chooseRows(directory: Directory, matter: Matter): readonly DirectoryRow[] {
  let best: DirectoryRow[] = [];
  for (const row of rowsFor(directory, matter.type)) {
    if (best[0] && rankOf(row) < rankOf(best[0])) break;
    if (fits(row, matter)) best = [...best, row];
  }
  return best;
}

/** Rows that fit by type, most specific first. */
export function rowsFor(directory: Directory, type: IssueType): readonly DirectoryRow[] {
  const index = indexOf(directory);
  const group = levelOne(type);
  return [...(index.get(type) ?? []), ...(group === type ? [] : (index.get(group) ?? [])), ...(index.get('*') ?? [])];
}

const indexes = new WeakMap<Directory, ReadonlyMap<string, readonly DirectoryRow[]>>();
function indexOf(directory: Directory): ReadonlyMap<string, readonly DirectoryRow[]> {
  const known = indexes.get(directory);
  if (known) return known;
  const index = new Map<string, DirectoryRow[]>();
  for (const row of directory.rows) {
    const rows = index.get(row.type);
    if (rows) rows.push(row);
    else index.set(row.type, [row]);
  }
  for (const rows of index.values()) rows.sort((a, b) => rankOf(b) - rankOf(a));
  indexes.set(directory, index);
  return index;
}

/** Whose the thing is by the words that name it; null where no owner's words are found, or those of several. */
export function ownerIn(owners: ReadonlyMap<string, Owner>, text: string): string | null {
  const named = [...owners].filter(([, owner]) => owner.words.some((word) => text.includes(word)));
  return named.length === 1 ? (named[0]?.[0] ?? null) : null;
}
