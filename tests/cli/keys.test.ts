import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ResidentId } from '../../src/domain/ids.ts';
import { readErasures, replayErasures } from '../../src/store/erasures.ts';
import { Keyring } from '../../src/store/keyring.ts';
import { keyFile, openStore } from '../../src/store/open-store.ts';
import { checkKeys, countOldKeys, dropOldMasters, wrapAnew } from '../../src/store/rotate-keys.ts';
import { ENGINES, makeStore, type TestStore } from '../fakes/test-store.ts';

const root = resolve(import.meta.dirname, '../..');

describe.each(ENGINES)('the master keys (%s)', (engine) => {
  let made: TestStore;
  let file: string;
  beforeEach(async () => {
    made = await makeStore(engine);
    file = keyFile(made.dataDir);
  });
  afterEach(() => made.drop());

  const residents = async (count: number): Promise<ResidentId[]> => {
    const ids: ResidentId[] = [];
    for (let at = 0; at < count; at += 1) ids.push((await made.store.ensureResident('web', `resident-${at}`, 1_000 + at)).residentId);
    return ids;
  };

  test('rotation wraps every key anew, page after page, and what was sealed before still opens', async () => {
    const [first, ...rest] = await residents(7);
    const sealed = await made.store.sealBytes(first as ResidentId, Buffer.from('楼道漏水'));
    const ring = made.store.keyring.rotated(file);
    expect(await countOldKeys(made.store.db, ring)).toBe(7);
    expect(await wrapAnew(made.store.db, ring)).toBe(7);
    expect(await countOldKeys(made.store.db, ring)).toBe(0);
    const found = await checkKeys(made.store.db, ring, () => undefined);
    expect(found).toEqual({ opened: 1 + rest.length, broken: 0, byMaster: { [ring.activeId]: 7 } });
    expect(Buffer.from(await made.store.openBytes(first as ResidentId, sealed)).toString()).toBe('楼道漏水');
  });

  test('a process that was running before the rotation reads the new keys, and wraps new residents by the new master', async () => {
    const [first] = await residents(1);
    const running = made.store;
    const ring = Keyring.readFile(file).rotated(file);
    await wrapAnew(running.db, ring);
    await running.ensureResident('web', 'someone new', 5_000);
    expect((await checkKeys(running.db, running.keyring, () => undefined)).byMaster).toEqual({ [ring.activeId]: 2 });
    await expect(running.sealBytes(first as ResidentId, Buffer.from('x'))).resolves.toBeDefined();
  });

  test('the old master leaves the file only when nothing needs it; a stopped rotation is finished first', async () => {
    await residents(3);
    const ring = made.store.keyring.rotated(file); // stopped here: nothing wrapped anew yet
    const dropped = await dropOldMasters(made.store.db, ring, file);
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { masters: object }).masters)).toEqual([dropped.activeId]);
    expect((await checkKeys(made.store.db, dropped, () => undefined)).broken).toBe(0);
  });

  test('an erased resident gets no key back from a rotation, and is erased anew from the ledger', async () => {
    const [gone, stays] = await residents(2);
    const page = await made.store.db.selectFrom('resident_keys').selectAll().execute();
    await made.store.eraseResident(gone as ResidentId, 9_000);
    await wrapAnew(made.store.db, made.store.keyring.rotated(file));
    expect((await checkKeys(made.store.db, Keyring.readFile(file), () => undefined)).opened).toBe(1);

    const ledger = readErasures(join(made.dataDir, 'erasures.log'));
    expect(ledger).toEqual([{ residentId: gone, at: 9_000 }]);
    // As after restoring an older backup: resident and key stand there again.
    await made.store.db.updateTable('residents').set({ erased_at: null }).where('id', '=', gone as string).execute();
    await made.store.db.insertInto('resident_keys').values(page.filter((row) => row.resident_id === gone)).execute();
    expect(await replayErasures(made.store, ledger)).toBe(1);
    expect(await made.store.residentExists(gone as ResidentId)).toBe(false);
    expect(await made.store.residentExists(stays as ResidentId)).toBe(true);
  });

  test('a key file of another installation is refused', async () => {
    const other = await makeStore('sqlite');
    const copy = join(made.dataDir, 'other.json');
    other.store.keyring.saveCopy(copy);
    await other.drop();
    await expect(checkKeys(made.store.db, Keyring.readFile(copy), () => undefined)).resolves.toMatchObject({ broken: 0 });
    await residents(1);
    expect((await checkKeys(made.store.db, Keyring.readFile(copy), () => undefined)).broken).toBe(1);
  });
});

describe('npm run keys', () => {
  const keys = (dataDir: string, ...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/keys.ts', ...args], {
    cwd: root, encoding: 'utf8', env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', REDIS_URL: '' },
  });

  test('backs the file up for its owner only, never over another file', async () => {
    const made = await makeStore('sqlite');
    const out = join(made.dataDir, 'copy.json');
    expect(keys(made.dataDir, 'backup', '--out', out).status).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(keys(made.dataDir, 'backup', '--out', out).status).toBe(2);
    await made.drop();
  });

  test('refuses to rotate under a running Jiban, and rotates when it is stopped', async () => {
    const made = await makeStore('sqlite');
    await made.store.ensureResident('web', 'somebody', 1);
    const refused = keys(made.dataDir, 'rotate');
    expect([refused.status, refused.stderr.startsWith('store.locked')]).toEqual([1, true]);
    await made.store.close();
    expect(JSON.parse(keys(made.dataDir, 'rotate').stdout)).toMatchObject({ wrapped: 1 });
    expect(keys(made.dataDir, 'drop-old').status).toBe(0);
    expect(JSON.parse(keys(made.dataDir, 'check').stdout)).toMatchObject({ opened: 1, broken: 0 });
    expect(existsSync(keyFile(made.dataDir))).toBe(true);
    const again = await openStore({ dataDir: made.dataDir, schema: 'jiban', newId: () => '', handlersOf: () => [], onIdleError: () => undefined });
    await again.close();
    await made.drop().catch(() => undefined);
  });
});
