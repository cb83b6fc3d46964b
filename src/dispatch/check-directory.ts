import type { Catalogue } from '../domain/catalogue.ts';
import { CITY_OFFICE, COMMUNITY, DISTRICT_GOVERNMENT, type Directory, type DirectoryRow, type Lead, type Unit } from '../domain/directory.ts';
import type { UnitId } from '../domain/ids.ts';
import type { Urgency } from '../domain/understanding.ts';
import { collide } from './choose-row.ts';
import type { Mistake, ReadFile, WrittenDirectory, WrittenRow } from './read-directory.ts';
import { unitsFor } from './route-ticket.ts';
import { parseTimeWindow } from './time-window.ts';

/** What a directory is judged by: the city it is for. */
export interface CityKnowledge {
  readonly catalogue: Catalogue;
  readonly units: ReadonlyMap<UnitId, Unit>;
  /** Code → name of every district (6 digits) and street (9). */
  readonly places: ReadonlyMap<string, string>;
  readonly utcOffsetMinutes: number;
}

export interface Checked {
  /** null as long as there is a mistake. */
  readonly directory: Directory | null;
  readonly mistakes: readonly Mistake[];
  /** No mistakes, but worth a look: types that will wait for a dispatcher, streets without the unit a row asks for. */
  readonly notes: readonly Mistake[];
}

/** Judges one file and tells every mistake, not only the first. */
export function checkDirectory({ written, mistakes: formMistakes }: ReadFile, city: CityKnowledge): Checked {
  if (!written) return { directory: null, mistakes: formMistakes, notes: [] };
  const mistakes: Mistake[] = [...formMistakes];
  const tell = (where: string) => (says: string) => void mistakes.push({ where, says });
  checkHeader(written, city, tell(written.file));
  const rows = written.rows.flatMap((row) => checkRow(row, written, city, tell(row.where)));
  checkTogether(written.rows, rows, mistakes);
  const directory: Directory = {
    version: written.version, validFrom: written.validFrom, validTo: written.validTo, rows: rows.map(({ row }) => row), owners: new Map(Object.entries(written.owners)),
    fallback: written.fallback, copies: written.copies, units: city.units, places: city.places, utcOffsetMinutes: city.utcOffsetMinutes,
  };
  return mistakes.length > 0 ? { directory: null, mistakes, notes: [] } : { directory, mistakes: [], notes: notesOn(directory, written.file, city) };
}

type Tell = (says: string) => void;

function checkHeader(written: WrittenDirectory, city: CityKnowledge, tell: Tell): void {
  for (const [key, day] of [['valid_from', written.validFrom], ['valid_to', written.validTo]] as const) {
    if (day !== null && day !== '' && !isDay(day)) tell(`"${key}" is ${day}, which is no day of the calendar written YYYY-MM-DD`);
  }
  if (written.validTo !== null && written.validTo < written.validFrom) tell(`the version ends on ${written.validTo}, before it begins on ${written.validFrom}`);
  for (const type of written.communityDuties) if (!hasType(city.catalogue, type)) tell(`"community_duties" names ${type}, which the catalogue has not`);
  if (written.fallback === '') return;
  if (!hasKind(city.catalogue, written.fallback)) return tell(`"fallback" names the kind of unit ${written.fallback}, which the catalogue has not`);
  for (const [code, name] of city.places) {
    if (code.length !== 6) continue;
    const stands = [...city.units.values()].filter((unit) => unit.kind === written.fallback && unit.area === code).length;
    if (stands !== 1) tell(`the district ${code} ${name} has ${stands === 0 ? 'no fallback' : `${stands} fallbacks`}: there should be one unit of the kind ${written.fallback} for it`);
  }
}

/** The row where it can be understood; what is wrong with it is told either way. */
function checkRow(row: WrittenRow, written: WrittenDirectory, city: CityKnowledge, tell: Tell): readonly { readonly row: DirectoryRow; readonly where: string }[] {
  let sound = true;
  const wrong = (says: string): void => {
    sound = false;
    tell(says);
  };
  if (row.type !== '*' && !hasType(city.catalogue, row.type)) wrong(`the catalogue has no type ${row.type}`);
  if (city.catalogue.types[row.type]?.transferOnly) wrong(`${row.type} is told the lawful channel and never dispatched; a row for it has no use`);
  checkArea(row.area, city, wrong);
  if (row.owner !== undefined && !Object.hasOwn(written.owners, row.owner)) wrong(`there is no owner ${row.owner}; the file's "owners" has ${Object.keys(written.owners).join(', ') || 'none'}`);
  const time = row.time === undefined ? null : parseTimeWindow(row.time);
  if (typeof time === 'string') wrong(time);
  if (row.lead === undefined && row.confer.length === 0) wrong('the row names neither a lead nor units that confer');
  if (row.lead !== undefined && row.confer.length > 0) wrong('the row names a lead and also units that confer; it can have only one of the two');
  if (row.confer.length === 1) wrong('one unit alone cannot confer; name at least two');
  for (const name of [row.lead, ...row.co, ...row.call, ...row.confer]) if (name !== undefined) checkUnit(name, city, wrong);
  for (const name of [row.lead, ...row.confer]) {
    if (name !== undefined && isCommunity(name, city) && !(written.communityDuties.includes(row.type))) wrong(`a community (社区/居委会) can't lead ${row.type}: it is not in its list "community_duties" (art. 17)`);
  }
  if (!sound) return [];
  return [{
    where: row.where,
    row: {
      id: row.id, type: row.type, area: row.area, owner: row.owner ?? null, time: typeof time === 'string' ? null : time,
      to: row.lead === undefined ? { confer: row.confer.map(toLead) } : { lead: toLead(row.lead) }, co: row.co.map(toLead), call: row.call.map(toLead), clock: (row.clock as Urgency | undefined) ?? null,
    },
  }];
}

function checkArea(area: string, city: CityKnowledge, wrong: Tell): void {
  if (!/^(?:\d{6}|\d{9}|\d{12}|)$/.test(area)) return wrong(`the area "${area}" is no administrative code of 6 (district), 9 (street) or 12 (community) digits`);
  for (const length of [6, 9]) {
    if (area.length >= length && !city.places.has(area.slice(0, length))) return wrong(`the city has no ${length === 6 ? 'district' : 'street'} ${area.slice(0, length)}`);
  }
}

function checkUnit(name: string, city: CityKnowledge, wrong: Tell): void {
  const lead = toLead(name);
  if ('unit' in lead) {
    if (!city.units.has(lead.unit)) wrong(`there is no unit ${lead.unit}`);
  } else if (!hasKind(city.catalogue, lead.kind)) wrong(`there is no kind of unit ${lead.kind}`);
}

const isCommunity = (name: string, city: CityKnowledge): boolean => {
  const lead = toLead(name);
  return 'kind' in lead ? lead.kind === COMMUNITY : city.units.get(lead.unit)?.kind === COMMUNITY;
};

/** Ids used twice, and pairs between which the order of precedence could not decide. */
function checkTogether(written: readonly WrittenRow[], rows: readonly { readonly row: DirectoryRow; readonly where: string }[], mistakes: Mistake[]): void {
  const first = new Map<string, string>();
  for (const { id, where } of written) {
    const before = first.get(id);
    if (before === undefined) first.set(id, where);
    else mistakes.push({ where, says: `the id ${id} is used twice; ${before} has it too` });
  }
  const groups = new Map<string, { readonly row: DirectoryRow; readonly where: string }[]>();
  for (const each of rows) {
    const key = [each.row.type, each.row.area, each.row.owner].join('\n');
    const earlier = groups.get(key) ?? [];
    for (const other of earlier) if (collide(each.row, other.row)) mistakes.push({ where: each.where, says: `overlaps ${other.where}: same type, place and owner${each.row.time ? ', and times that meet' : ''}, so neither goes before the other` });
    groups.set(key, [...earlier, each]);
  }
}

const SHOWN = 3;

function notesOn(directory: Directory, file: string, { catalogue }: CityKnowledge): readonly Mistake[] {
  const types = new Set(directory.rows.map((row) => row.type));
  const without = Object.values(catalogue.types).filter((type) => !type.transferOnly && !types.has('*') && !types.has(type.code) && !types.has(type.code.split('.', 1)[0] ?? ''));
  const notes: Mistake[] = without.length === 0 ? [] : [{ where: file, says: `no row for ${without.map((type) => type.code).join(', ')}: these wait for a dispatcher` }];
  const streets = [...directory.places.keys()].filter((code) => code.length === 9);
  for (const row of directory.rows) {
    if (!('lead' in row.to)) continue;
    const { lead } = row.to;
    const inside = row.area.length > 9 ? [row.area] : streets.filter((code) => code.startsWith(row.area));
    const missing = inside.filter((code) => unitsFor(directory, lead, code).length === 0);
    const shown = missing.slice(0, SHOWN).map((code) => `${code} ${directory.places.get(code) ?? ''}`.trim()).join(', ');
    if (missing.length > 0) notes.push({ where: `${file} (${row.id})`, says: `no unit ${'kind' in lead ? `of the kind ${lead.kind}` : lead.unit} in ${missing.length} of ${inside.length} places (${shown}${missing.length > SHOWN ? ', …' : ''}): such tickets wait for a dispatcher` });
  }
  return notes;
}

/** Versions of one city side by side: names that repeat, days that two hold or none. */
export function checkDates(files: readonly WrittenDirectory[]): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const dated = files.filter((file) => isDay(file.validFrom)).sort((a, b) => (a.validFrom < b.validFrom ? -1 : 1));
  for (const [index, file] of dated.entries()) {
    const twin = dated.slice(0, index).find((other) => other.version === file.version && file.version !== '');
    if (twin) mistakes.push({ where: file.file, says: `the version ${file.version} is also that of ${twin.file}` });
    const next = dated[index + 1];
    if (!next) {
      if (file.validTo !== null) mistakes.push({ where: file.file, says: `it ends on ${file.validTo} and no version follows: from ${dayAfter(file.validTo)} on there is a hole` });
    } else if (next.validFrom === file.validFrom) mistakes.push({ where: next.file, says: `begins on ${next.validFrom}, the same day as ${file.file}: the two overlap` });
    else if (file.validTo !== null && file.validTo >= next.validFrom) mistakes.push({ where: next.file, says: `begins on ${next.validFrom}, but ${file.file} holds until ${file.validTo}: the two overlap` });
    else if (file.validTo !== null && dayAfter(file.validTo) < next.validFrom) mistakes.push({ where: next.file, says: `begins on ${next.validFrom}, but ${file.file} ends on ${file.validTo}: the days between are a hole` });
  }
  return mistakes;
}

/** The version that holds on this day (`YYYY-MM-DD`, the city's time): the last that has begun and has not ended. */
export function directoryInForce(directories: readonly Directory[], day: string): Directory | null {
  const begun = directories.filter((each) => each.validFrom <= day).sort((a, b) => (a.validFrom < b.validFrom ? 1 : -1))[0];
  return begun && (begun.validTo === null || day <= begun.validTo) ? begun : null;
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

const dayAfter = (day: string): string => (isDay(day) ? new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10) : day);
const toLead = (name: string): Lead => (name.startsWith('unit:') ? { unit: name.slice('unit:'.length) as UnitId } : { kind: name });
const hasType = (catalogue: Catalogue, type: string): boolean => Object.hasOwn(catalogue.types, type) || Object.hasOwn(catalogue.groups, type);
export const hasKind = (catalogue: Catalogue, kind: string): boolean => kind === DISTRICT_GOVERNMENT || kind === CITY_OFFICE || Object.hasOwn(catalogue.units, kind);
