import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import Database from 'libsql';
import { openStore, databaseFile, keyFile } from '../../src/store/open-store.ts';
import { ownFolder } from '../../src/store/sqlite.ts';
import { ROOT } from '../reliability/app-parts.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'jiban-bad-')); });
afterEach(() => rm(folder, { recursive: true, force: true }));

const TINY = join(ROOT, 'tests', 'fixtures', 'tiny-model');

/** The real entry point, as an operator would start it. It is expected not to start. */
function start(env: Record<string, string>): { readonly code: number | null; readonly said: string } {
  const ran = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'src', 'main.ts')], {
    cwd: ROOT, encoding: 'utf8', timeout: 60_000, env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: join(folder, 'data'), MODEL_DIR: TINY, UNDERSTAND_WORKERS: '1', LOG_LEVEL: 'info', ...env },
  });
  return { code: ran.status, said: ran.stdout + ran.stderr };
}

/** Says what is wrong under a code, in English for those who run it, and what to do; no stack, no success. */
function refuses(ran: { readonly code: number | null; readonly said: string }, code: string, hint: RegExp): void {
  expect(ran.said).toContain(`Jiban cannot start 无法启动: ${code}`);
  expect(ran.said).toMatch(hint);
  expect(ran.said).not.toMatch(/\n\s+at /);
  expect(ran.code).toBe(1);
}

const open = (dataDir: string, readonly = false) => openStore({ dataDir, schema: 'x', newId: () => 'x', handlersOf: () => [], onIdleError: () => undefined, readonly });

async function madeFolder(): Promise<string> {
  const dataDir = join(folder, 'data');
  await (await open(dataDir)).close();
  return dataDir;
}

test('a truncated model', async () => {
  const models = join(folder, 'models');
  await cp(TINY, models, { recursive: true });
  await truncate(join(models, 'encoder', 'onnx', 'model_quantized.onnx'), 100);
  refuses(start({ MODEL_DIR: models }), 'model.hash_mismatch', /model_quantized\.onnx does not match SHA256SUMS\. Restore the folder/);
}, 60_000);

test('a model without one of its files', async () => {
  const models = join(folder, 'models');
  await cp(TINY, models, { recursive: true });
  await unlink(join(models, 'heads', 'heads.json'));
  refuses(start({ MODEL_DIR: models }), 'model.missing', /heads\.json is missing\. Restore the folder/);
}, 60_000);

test('a missing gazetteer', async () => {
  const models = join(folder, 'models');
  await cp(TINY, models, { recursive: true });
  await rm(join(models, 'gazetteer'), { recursive: true });
  refuses(start({ MODEL_DIR: models }), 'model.missing', /gazetteer/);
}, 60_000);

test('a missing directory of the city', () => {
  refuses(start({ CITY_DIR: join(folder, 'nowhere') }), 'directory.invalid', /set CITY_DIR/);
}, 60_000);

test('settings that are not usable, all of them named', () => {
  const ran = start({ PORT: 'many', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' });
  refuses(ran, 'config.invalid', /PORT/);
  expect(ran.said).toMatch(/DATABASE_URL/);
  expect(ran.said).toMatch(/LOG_LEVEL/);
}, 60_000);

test('a data folder that another process holds', async () => {
  const release = ownFolder(await madeFolder());
  try {
    refuses(start({}), 'store.locked', new RegExp(`in use by another Jiban \\(process ${process.pid}\\); stop that one, or set DATA_DIR`));
  } finally {
    release();
  }
}, 60_000);

test('a database that cannot be reached, without its password in the message', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve)); // nobody listens there any more
  const ran = start({ DATABASE_URL: `postgresql://jiban:hunter2secret@127.0.0.1:${port}/jiban` });
  refuses(ran, 'store.unreachable', new RegExp(`127\\.0\\.0\\.1:${port}/jiban`));
  expect(ran.said).not.toContain('hunter2secret');
}, 60_000);

test('another installation’s key file', async () => {
  const dataDir = await madeFolder();
  await (await open(join(folder, 'other'))).close();
  await cp(keyFile(join(folder, 'other')), keyFile(dataDir), { force: true });
  const key = await readFile(keyFile(dataDir), 'utf8');
  const ran = start({});
  refuses(ran, 'key.mismatch', /restore the key backup/);
  for (const secret of Object.values(JSON.parse(key) as Record<string, unknown>).filter((value): value is string => typeof value === 'string' && value.length > 20)) expect(ran.said).not.toContain(secret);
}, 60_000);

test('a damaged key file', async () => {
  const dataDir = await madeFolder();
  await writeFile(keyFile(dataDir), '{"version":1');
  refuses(start({}), 'key.unreadable', /is damaged; restore it from its backup/);
}, 60_000);

test('a database file that is not one', async () => {
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  await writeFile(databaseFile(dataDir), 'This is no database, but it is long enough to look at. '.repeat(200));
  refuses(start({}), 'store.corrupt', /restore a backup/);
}, 60_000);

test('a database with a page overwritten', async () => {
  const dataDir = await madeFolder();
  const database = new Database(databaseFile(dataDir));
  database.exec('pragma wal_checkpoint(truncate)'); // or the page would be taken, whole, from the write-ahead log
  database.close();
  const bytes = await readFile(databaseFile(dataDir));
  bytes.fill(0xff, 0, 4096);
  await writeFile(databaseFile(dataDir), bytes);
  refuses(start({}), 'store.corrupt', /restore a backup/);
}, 60_000);

test('a database made by a newer version', async () => {
  const dataDir = await madeFolder();
  const database = new Database(databaseFile(dataDir));
  database.exec("insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2030-01-01')");
  database.close();
  refuses(start({}), 'store.newer_schema', /start that version, or restore a backup/);
}, 60_000);

test('a fresh disk that is full already: says so, and starts once there is room', async () => {
  const dataDir = join(folder, 'data');
  const script = join(folder, 'open.mts');
  await writeFile(script, `
    import { openStore } from ${JSON.stringify(join(ROOT, 'src', 'store', 'open-store.ts'))};
    try {
      const store = await openStore({ dataDir: ${JSON.stringify(dataDir)}, schema: 'x', newId: () => 'x', handlersOf: () => [], onIdleError: () => undefined });
      await store.close();
      process.stdout.write('opened');
    } catch (error) { process.stdout.write(String(error.code)); }
  `);
  // RLIMIT_FSIZE with SIGXFSZ ignored: writing beyond it fails as on a full disk. 40 blocks of 512 or 1024 bytes.
  const tight = (limit: string) => new Promise<string>((resolve, reject) => {
    const child = spawn('bash', ['-c', `trap '' XFSZ; ulimit -f ${limit}; exec "$0" --import tsx "$1"`, process.execPath, script], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    child.once('error', reject);
    child.once('exit', () => resolve(Buffer.concat(said).toString()));
  });
  expect(await tight('40')).toBe('store.full');
  expect(await tight('unlimited')).toBe('opened');
}, 60_000);
