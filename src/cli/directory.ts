/**
 * `npm run directory -- check [FILE…]`: every mistake of a dispatch directory at once. `npm run directory -- replay FILE`: which past
 * tickets it would send elsewhere. Both only read; replay also beside a running Jiban.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CityKnowledge } from '../dispatch/check-directory.ts';
import { checkFiles, isDirectoryFile, loadUnits, parsePlaces, type CheckedFiles, type DirectoryFile } from '../dispatch/load-directory.ts';
import { mistakeText } from '../dispatch/read-directory.ts';
import type { Elsewhere } from '../dispatch/replay.ts';
import { loadCatalogue } from '../nlp/load-catalogue.ts';
import { openToolStore, readToolConfig, runTool, UsageError } from './open-tool.ts';
import { replayDirectory } from './replay-directory.ts';

const USAGE = `Usage: npm run -s directory -- check [FILE…]
       npm run -s directory -- replay FILE [--limit N] [--json]

  check    tells every mistake of the files, and of their dates together; without FILE those of CITY_DIR. Exit status 1 if there is one.
  replay   judges the tickets of the store by FILE and lists those that would go elsewhere.

  --limit N   list at most N tickets; all are counted
  --json      one line of JSON per ticket, then the counts
`;

async function main(): Promise<number> {
  const { values, positionals: [command, ...names] } = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const config = readToolConfig();
  const city = readCity(config.CITY_DIR, config.UTC_OFFSET_MINUTES);
  if (command === 'check') {
    const files = names.length > 0 ? names.map(readNamed) : readdirSync(config.CITY_DIR).filter(isDirectoryFile).sort().map((name) => ({ name, text: readFileSync(join(config.CITY_DIR, name), 'utf8') }));
    if (files.length === 0) throw new UsageError(`${config.CITY_DIR} has no directory file\n${USAGE}`);
    return report(checkFiles(files, city), files);
  }
  const [name, more] = names;
  if (command !== 'replay' || name === undefined || more !== undefined) throw new UsageError(USAGE);
  const limit = values.limit === undefined ? Infinity : Number(values.limit);
  if (limit !== Infinity && (!Number.isInteger(limit) || limit < 0)) throw new UsageError(`--limit is a whole number, not ${values.limit}`);
  const checked = checkFiles([readNamed(name)], city);
  const [directory] = checked.directories;
  if (!directory || checked.mistakes.length > 0) return report(checked, [{ name, text: '' }]);
  const store = await openToolStore(config, { readonly: true });
  try {
    let shown = 0;
    const counts = await replayDirectory(store, directory, city.catalogue, (elsewhere) => {
      shown += 1;
      if (shown <= limit) process.stdout.write(`${values.json ? JSON.stringify(elsewhere) : lineOf(elsewhere, city)}\n`);
    });
    const { version } = directory;
    process.stdout.write(values.json ? `${JSON.stringify({ version, ...counts })}\n`
      : `${counts.elsewhere} ticket${counts.elsewhere === 1 ? '' : 's'} would go elsewhere by ${version}, of ${counts.tickets} (${counts.toDispatcher} of them to a dispatcher)\n`);
    return 0;
  } finally {
    await store.close();
  }
}

function report({ directories, mistakes, notes }: CheckedFiles, files: readonly DirectoryFile[]): number {
  for (const note of notes) process.stderr.write(`note: ${mistakeText(note)}\n`);
  for (const mistake of mistakes) process.stdout.write(`${mistakeText(mistake)}\n`);
  const good = directories.map((each) => `${each.version}: ${each.rows.length} rows, in force from ${each.validFrom}${each.validTo === null ? '' : ` to ${each.validTo}`}\n`);
  if (mistakes.length === 0) process.stdout.write(good.join(''));
  else process.stdout.write(`${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'} in ${files.map((file) => file.name).join(', ')}\n`);
  return mistakes.length === 0 ? 0 : 1;
}

function lineOf({ number, from, to, rule, because }: Elsewhere, { units }: CityKnowledge): string {
  const name = (id: Elsewhere['to']): string => (id === null ? 'a dispatcher' : `${units.get(id)?.name ?? ''} ${id}`.trim());
  return `${number}  ${name(from)} → ${name(to)}  row ${rule ?? 'none'}: ${because}`;
}

/** Paths are meant from where the command was typed; npm runs it in the project's folder. */
function readNamed(name: string): DirectoryFile {
  const path = resolve(process.env['INIT_CWD'] ?? '.', name);
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`);
  return { name: basename(name), text: readFileSync(path, 'utf8') };
}

function readCity(folder: string, utcOffsetMinutes: number): CityKnowledge {
  const read = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) throw new UsageError(`there is no ${path}; set CITY_DIR to a folder like config/beijing`);
    return readFileSync(path, 'utf8');
  };
  const catalogue = loadCatalogue(read('catalogue.yaml'));
  const places = parsePlaces(read('places.csv'));
  return { catalogue, places, units: loadUnits(read('units.yaml'), places, catalogue), utcOffsetMinutes };
}

function parse() {
  try {
    return parseArgs({ allowPositionals: true, options: { limit: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

runTool(main);
