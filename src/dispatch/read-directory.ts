import { parseDocument } from 'yaml';
import { z } from 'zod';
import { URGENCIES } from '../domain/understanding.ts';

/** A mistake where it stands: 「directory.yaml row 3 (water-east)」. */
export interface Mistake {
  readonly where: string;
  readonly says: string;
}
export const mistakeText = ({ where, says }: Mistake): string => `${where}: ${says}`;

/** A row as it was written; `where` names file, row and id. */
export interface WrittenRow {
  readonly where: string;
  readonly id: string;
  readonly type: string;
  readonly area: string;
  readonly owner?: string | undefined;
  readonly time?: string | undefined;
  /** `water` = the nearest unit of the kind, `unit:water-110106` = a certain one. */
  readonly lead?: string | undefined;
  readonly co: readonly string[];
  readonly call: readonly string[];
  readonly confer: readonly string[];
  readonly clock?: string | undefined;
}

export interface WrittenDirectory {
  readonly file: string;
  readonly version: string;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly fallback: string;
  readonly copies: 'streets' | 'all';
  readonly owners: Readonly<Record<string, { readonly zh: string; readonly words: readonly string[] }>>;
  readonly communityDuties: readonly string[];
  readonly rows: readonly WrittenRow[];
}

/** What could be read, and every mistake that the form alone shows. */
export interface ReadFile {
  readonly written: WrittenDirectory | null;
  readonly mistakes: readonly Mistake[];
}

const Header = z.strictObject({
  version: z.string().min(1).max(60), valid_from: z.string(), valid_to: z.string().nullish(),
  fallback: z.strictObject({ kind: z.string() }), copies: z.enum(['streets', 'all']).default('streets'),
  owners: z.record(z.string(), z.strictObject({ zh: z.string().min(1), words: z.array(z.string().min(1)).min(1) })).default({}),
  community_duties: z.array(z.string()).default([]),
});
const LeadForm = z.union([z.string().min(1), z.strictObject({ kind: z.string() }), z.strictObject({ unit: z.string() })])
  .transform((lead) => (typeof lead === 'string' ? lead : 'kind' in lead ? lead.kind : `unit:${lead.unit}`));
const Row = z.strictObject({
  id: z.string().min(1).max(80).regex(/^\S+$/, 'must not contain spaces'), type: z.string().min(1), area: z.union([z.string(), z.number().transform(String)]).default(''), owner: z.string().min(1).optional(), time: z.string().min(1).optional(),
  lead: LeadForm.optional(), co: z.array(LeadForm).default([]), call: z.array(LeadForm).default([]), confer: z.array(LeadForm).default([]), clock: z.enum(URGENCIES).optional(),
});

/** Reads YAML, or CSV where the name ends so. Never throws for what is written in it. */
export function readDirectory(file: string, text: string): ReadFile {
  return /\.csv$/i.test(file) ? readCsvDirectory(file, text) : readYamlDirectory(file, text);
}

function readYamlDirectory(file: string, text: string): ReadFile {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { written: null, mistakes: document.errors.map((error) => ({ where: file, says: `not valid YAML: ${error.message.split('\n')[0] ?? ''}` })) };
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { written: null, mistakes: [{ where: file, says: 'expected the keys version, valid_from, fallback and rows' }] };
  const { rows, ...header } = value as Record<string, unknown>;
  if (!Array.isArray(rows)) return { written: null, mistakes: [{ where: file, says: 'expected a list of rows under "rows"' }] };
  return assemble(file, header, rows.map((row: unknown, index) => ({ at: `row ${index + 1}`, row })));
}

const COLUMNS = ['id', 'type', 'area', 'owner', 'time', 'lead', 'co', 'call', 'confer', 'clock'] as const;

/** `# key: value` lines above a header line of the columns; several units or kinds in one cell stand apart by spaces. */
function readCsvDirectory(file: string, text: string): ReadFile {
  const mistakes: Mistake[] = [];
  const header: Record<string, unknown> = {};
  const owners: Record<string, unknown> = {};
  const rows: { at: string; row: unknown }[] = [];
  let columns: readonly string[] | null = null;
  for (const { line, cells } of csvRecords(text)) {
    const first = cells[0]?.trim() ?? '';
    const said = /^#\s*(\w+)(?:\s+(\w+))?\s*:\s*(.*)$/.exec([first, ...cells.slice(1)].join(',').replace(/,+$/, ''));
    const at = `line ${line}`;
    if (cells.every((cell) => cell.trim() === '') || (first.startsWith('#') && !said)) continue;
    if (said) putHeader(header, owners, { key: said[1] ?? '', name: said[2], value: (said[3] ?? '').trim() });
    else if (columns === null) {
      columns = cells.map((cell) => cell.trim());
      for (const name of columns) if (!COLUMNS.some((known) => known === name)) mistakes.push({ where: `${file} ${at}`, says: `there is no column "${name}"; the columns are ${COLUMNS.join(', ')}` });
    } else if (cells.length > columns.length) mistakes.push({ where: `${file} ${at}`, says: `the line has ${cells.length} cells, the header ${columns.length}` });
    else rows.push({ at, row: rowOfCells(columns, cells) });
  }
  const read = assemble(file, { ...header, ...(Object.keys(owners).length > 0 && { owners }) }, rows);
  return { written: read.written, mistakes: [...mistakes, ...read.mistakes] };
}

/** `# fallback: district_government`, `# community_duties: a b`, `# owner compound: 小区内设施 = 小区里 楼道`. */
function putHeader(header: Record<string, unknown>, owners: Record<string, unknown>, { key, name, value }: { key: string; name: string | undefined; value: string }): void {
  const [zh = '', words = ''] = value.split('=').map((part) => part.trim());
  if (key === 'owner' && name !== undefined) owners[name] = { zh, words: words.split(/\s+/).filter((word) => word !== '') };
  else if (key === 'fallback') header[key] = { kind: value };
  else if (key === 'community_duties') header[key] = value.split(/\s+/);
  else header[key] = value;
}

function rowOfCells(columns: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const filled = columns.flatMap((name, index): [string, unknown][] => {
    const cell = cells[index]?.trim() ?? '';
    return cell === '' ? [] : [[name, name === 'co' || name === 'call' || name === 'confer' ? cell.split(/\s+/) : cell]];
  });
  return Object.fromEntries(filled);
}

function assemble(file: string, header: unknown, rows: readonly { readonly at: string; readonly row: unknown }[]): ReadFile {
  const mistakes: Mistake[] = [];
  const head = Header.safeParse(header);
  if (!head.success) mistakes.push(...sentences(head.error).map((says) => ({ where: file, says })));
  const good = rows.flatMap(({ at, row }): WrittenRow[] => {
    const id = typeof row === 'object' && row !== null && 'id' in row ? ` (${String(row.id)})` : '';
    const where = `${file} ${at}${id}`;
    const parsed = Row.safeParse(row);
    if (parsed.success) return [{ where, ...parsed.data }];
    mistakes.push(...sentences(parsed.error).map((says) => ({ where, says })));
    return [];
  });
  const { data } = head;
  // Rows are judged even when the header is wrong, so that all mistakes are told at once.
  const written: WrittenDirectory = {
    file, version: data?.version ?? '', validFrom: data?.valid_from ?? '', validTo: data?.valid_to ?? null, fallback: data?.fallback.kind ?? '', copies: data?.copies ?? 'streets',
    owners: data?.owners ?? {}, communityDuties: data?.community_duties ?? [], rows: good,
  };
  return { written: head.success ? written : { ...written, version: '' }, mistakes };
}

function sentences(error: z.ZodError): readonly string[] {
  return error.issues.map((issue) => {
    const key = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') return `there is no key ${issue.keys.map((each) => `"${each}"`).join(', ')} here`;
    if (issue.code === 'invalid_type' && issue.input === undefined) return `"${key}" is missing`;
    return key === '' ? issue.message : `"${key}": ${issue.message}`;
  });
}

interface CsvRecord { readonly line: number; readonly cells: readonly string[] }

/** Records of a CSV text (RFC 4180: quotes doubled, line breaks inside quotes). A quote that is never closed runs to the end. */
function csvRecords(text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let line = 1;
  let begun = 1;
  for (const [, quoted, plain, end] of text.replace(/^\ufeff/, '').matchAll(/(?:"((?:[^"]|"")*)"?|([^,\r\n]*))(,|\r?\n|$)/g)) {
    cells.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    line += (quoted ?? '').split('\n').length - 1;
    if (end === ',') continue;
    records.push({ line: begun, cells });
    cells = [];
    line += 1;
    begun = line;
    if (end === '') break;
  }
  return records;
}
