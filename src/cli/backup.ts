/**
 * `npm run backup -- --out FOLDER [--with-keys]`: database, pictures, settings and ledger of erasures, while Jiban runs. The keys stay out
 * unless asked for: whoever holds database and keys together can read every resident's words, so they belong in two places.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { erasuresFile } from '../store/erasures.ts';
import { databaseFile, keyFile } from '../store/open-store.ts';
import { inspectDatabase, snapshotDatabase } from '../store/snapshot.ts';
import { copyIfThere, copyMedia, sha256Of, writeManifest } from './backup-folder.ts';
import { readToolConfig, root, runTool, UsageError } from './open-tool.ts';

const HELP = `Usage: npm run backup -- --out FOLDER [--with-keys]

Copies the database (embedded), the pictures, .env, the city's folder and the ledger of erasures into a new FOLDER, beside a running Jiban.
Clustered, dump PostgreSQL first with pg_dump (docs/operations.md), then run this for the rest.
The master keys are not included; back them up apart with: npm run keys -- backup --out FILE
`;

runTool(async () => {
  const { values } = parseArgs({ options: { out: { type: 'string' }, 'with-keys': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.out === undefined) throw new UsageError(HELP);
  const out = resolve(values.out);
  if (existsSync(out)) throw new UsageError(`${out} is already there; give a new folder`);
  const config = readToolConfig();
  const embedded = config.DATABASE_URL === undefined;
  if (embedded && !existsSync(databaseFile(config.DATA_DIR))) throw new UsageError(`${config.DATA_DIR} holds no database; set DATA_DIR`);
  const takenAt = Date.now();
  await mkdir(out, { recursive: true, mode: 0o700 });

  // The database first: a picture is on disk before its row is, so every row of the copy finds its file.
  const copy = join(out, 'jiban.db');
  if (embedded) snapshotDatabase(databaseFile(config.DATA_DIR), copy);
  const database = embedded ? { sha256: await sha256Of(copy), counts: { ...inspectDatabase(copy) } } : null;
  const media = await copyMedia(join(config.DATA_DIR, 'media'), join(out, 'media'));
  await copyIfThere(erasuresFile(config.DATA_DIR), join(out, 'erasures.log'));
  await copyIfThere(config.CITY_DIR, join(out, 'config', basename(config.CITY_DIR)));
  await copyIfThere(join(root, '.env'), join(out, 'config', 'env'));
  if (values['with-keys']) await copyIfThere(keyFile(config.DATA_DIR), join(out, 'keys', 'master.json'));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  await writeManifest(out, { version: 1, jiban: version, engine: embedded ? 'sqlite' : 'postgres', takenAt, keys: values['with-keys'], database, media });
  process.stdout.write(`${JSON.stringify({ backup: out, engine: embedded ? 'sqlite' : 'postgres', ...database?.counts, mediaFiles: media, keys: values['with-keys'], ms: Date.now() - takenAt })}\n`);
  return 0;
});
