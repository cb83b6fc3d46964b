/**
 * `npm run restore -- --from FOLDER [--keys FILE] [--erasures FILE]`: puts a backup into an empty data folder and forgets again whoever was
 * erased after it was made.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../domain/errors.ts';
import { dayOf } from '../dispatch/deadlines.ts';
import { erasuresFile, readErasures, replayErasures } from '../store/erasures.ts';
import { databaseFile, keyFile } from '../store/open-store.ts';
import { inspectDatabase } from '../store/snapshot.ts';
import { copyMedia, readManifest, sha256Of } from './backup-folder.ts';
import { openToolStore, readToolConfig, runTool, UsageError } from './open-tool.ts';

const HELP = `Usage: npm run restore -- --from FOLDER [--keys FILE] [--erasures FILE]

DATA_DIR must hold no database. The keys come from --keys, from the backup if it was made with --with-keys, or already lie in DATA_DIR/keys.
Residents in the backup's ledger, in DATA_DIR/erasures.log and in --erasures are erased anew. Clustered: pg_restore first, then this.
`;
/** Ticket numbers given out after the backup are known to residents; the next ones start beyond a city's day of them. */
const NUMBERS_SKIPPED = 100_000;

runTool(async () => {
  const { values } = parseArgs({ options: { from: { type: 'string' }, keys: { type: 'string' }, erasures: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.from === undefined) throw new UsageError(HELP);
  const from = resolve(values.from);
  const config = readToolConfig();
  const manifest = await readManifest(from);
  const embedded = config.DATABASE_URL === undefined;
  if (embedded !== (manifest.engine === 'sqlite')) throw new UsageError(`the backup is of ${manifest.engine}; ${embedded ? 'set' : 'unset'} DATABASE_URL`);

  const target = databaseFile(config.DATA_DIR);
  if (embedded && existsSync(target)) throw new UsageError(`${target} is already there; move it away first, a restore never overwrites`);
  const keys = values.keys ?? (manifest.keys ? join(from, 'keys', 'master.json') : undefined);
  if (keys === undefined && !existsSync(keyFile(config.DATA_DIR))) throw new AppError('key.missing', 'the backup holds no keys and DATA_DIR/keys has none; give --keys FILE from the key backup');

  await mkdir(dirname(keyFile(config.DATA_DIR)), { recursive: true, mode: 0o700 });
  if (keys !== undefined && !existsSync(keyFile(config.DATA_DIR))) await copyFile(resolve(keys), keyFile(config.DATA_DIR));
  if (manifest.database) {
    const copy = join(from, 'jiban.db');
    if ((await sha256Of(copy)) !== manifest.database.sha256) throw new AppError('store.corrupt', `${copy} is not what was backed up; use another backup`);
    inspectDatabase(copy);
    await copyFile(copy, target);
  }
  const media = await copyMedia(join(from, 'media'), join(config.DATA_DIR, 'media'));
  const ledger = [...new Map([erasuresFile(config.DATA_DIR), join(from, 'erasures.log'), ...(values.erasures === undefined ? [] : [resolve(values.erasures)])]
    .flatMap((path) => readErasures(path)).map((each) => [each.residentId, each])).values()];
  await writeFile(erasuresFile(config.DATA_DIR), ledger.map(({ residentId, at }) => `${at} ${residentId}\n`).join(''), { mode: 0o600, flush: true });

  const store = await openToolStore(config, { readonly: false });
  try {
    const erasedAnew = await replayErasures(store, ledger);
    await store.reserveSerials(dayOf(Date.now(), config.UTC_OFFSET_MINUTES).slice(2).replaceAll('-', ''), NUMBERS_SKIPPED);
    process.stdout.write(`${JSON.stringify({ restored: config.DATA_DIR, takenAt: new Date(manifest.takenAt).toISOString(), ...manifest.database?.counts, mediaFiles: media, erasedAnew })}\n`);
  } finally {
    await store.close();
  }
  return 0;
});
