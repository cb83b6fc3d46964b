import { parse } from 'yaml';
import { z } from 'zod';
import type { Catalogue } from '../domain/catalogue.ts';
import type { Directory, Unit } from '../domain/directory.ts';
import { AppError } from '../domain/errors.ts';
import type { UnitId } from '../domain/ids.ts';
import { checkDates, checkDirectory, hasKind, type CityKnowledge } from './check-directory.ts';
import { mistakeText, readDirectory, type Mistake } from './read-directory.ts';

const UnitPattern = z.strictObject({
  kind: z.string(), per: z.enum(['city', 'district', 'street', 'one']), name: z.string().min(1), id: z.string().optional(), allDay: z.boolean().default(false),
  area: z.string().regex(/^(?:\d{6}|\d{9}|\d{12})$/).optional(),
});

/** code → name of every district (6 digits) and street (9 digits). */
export type Places = ReadonlyMap<string, string>;

export function parsePlaces(csv: string): Places {
  const places = new Map<string, string>();
  for (const [index, line] of csv.trim().split(/\r?\n/).slice(1).entries()) {
    const [code, name] = line.split(',');
    if (code === undefined || !/^(\d{6}|\d{9})$/.test(code) || !name) throw new AppError('directory.invalid', `places.csv line ${index + 2}: expected "code,name" with a code of 6 or 9 digits`);
    places.set(code, name);
  }
  return places;
}

export interface DirectoryFile {
  readonly name: string;
  readonly text: string;
}

/** Names of a city's versions: directory.yaml, directory-2027.yaml, directory-winter.csv … */
export const isDirectoryFile = (name: string): boolean => /^directory(?:[-.].*)?\.(?:ya?ml|csv)$/i.test(name);

export interface CheckedFiles {
  /** Those without a mistake, in the order of the files. */
  readonly directories: readonly Directory[];
  readonly mistakes: readonly Mistake[];
  readonly notes: readonly Mistake[];
}

/** Judges the versions of a city, each alone and their dates together. */
export function checkFiles(files: readonly DirectoryFile[], city: CityKnowledge): CheckedFiles {
  const read = files.map((file) => readDirectory(file.name, file.text));
  const checked = read.map((each) => checkDirectory(each, city));
  return {
    directories: checked.flatMap(({ directory }) => (directory ? [directory] : [])), notes: checked.flatMap(({ notes }) => notes),
    mistakes: [...checked.flatMap(({ mistakes }) => mistakes), ...checkDates(read.flatMap(({ written }) => (written ? [written] : [])))],
  };
}

/** Every version of the city. @throws AppError `directory.invalid`, naming file, row and mistake, all of them at once */
export function loadDirectories(files: readonly DirectoryFile[], city: CityKnowledge): readonly Directory[] {
  if (files.length === 0) throw new AppError('directory.invalid', 'there is no directory.yaml or directory.csv');
  const { directories, mistakes } = checkFiles(files, city);
  if (mistakes.length > 0) throw new AppError('directory.invalid', mistakes.map(mistakeText).join('\n'));
  return directories;
}

/** The city's units from the patterns of units.yaml. @throws AppError `directory.invalid` */
export function loadUnits(text: string, places: Places, catalogue: Catalogue): ReadonlyMap<UnitId, Unit> {
  const units = new Map<UnitId, Unit>();
  const patterns = z.array(z.unknown()).safeParse(parseYaml(text, 'units.yaml'));
  if (!patterns.success) throw new AppError('directory.invalid', 'units.yaml: expected a list of units');
  for (const [index, raw] of patterns.data.entries()) {
    const where = `units.yaml row ${index + 1}`;
    const pattern = read(UnitPattern, raw, where);
    if (!hasKind(catalogue, pattern.kind)) throw new AppError('directory.invalid', `${where}: the catalogue has no kind of unit ${pattern.kind}`);
    if ((pattern.per === 'one') !== (pattern.area !== undefined)) throw new AppError('directory.invalid', `${where}: "area" belongs to "per: one", and to no other`);
    for (const [area, place] of areasOf(pattern, places)) {
      const id = (pattern.id ?? (area === '' ? pattern.kind : `${pattern.kind}-${area}`)) as UnitId;
      if (units.has(id)) throw new AppError('directory.invalid', `${where}: unit ${id} exists already`);
      units.set(id, { id, kind: pattern.kind, area, allDay: pattern.allDay, name: pattern.name.replaceAll('{place}', place) });
    }
  }
  return units;
}

function areasOf({ per, area }: z.infer<typeof UnitPattern>, places: Places): readonly (readonly [string, string])[] {
  if (per === 'city') return [['', '']];
  if (per === 'one') return [[area ?? '', places.get(area ?? '') ?? '']];
  return [...places].filter(([code]) => code.length === (per === 'district' ? 6 : 9));
}

function parseYaml(text: string, what: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new AppError('directory.invalid', `${what} is not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('directory.invalid', `${what}: ${z.prettifyError(result.error)}`);
}
