import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropSchema } from '../../fakes/drop-schema.ts';
import { ENGINES } from '../../fakes/test-store.ts';
import { KF, KfPlatform } from './kf-platform.ts';
import { openChildStore, syncOnce, type ChildOptions } from './sync-child.ts';

const ITEMS = 60;

describe.each(ENGINES)('fetching a page on %s', (engine) => {
  let platform: KfPlatform;
  let server: Server;
  let options: ChildOptions;
  beforeEach(async () => {
    platform = new KfPlatform();
    for (let n = 0; n < ITEMS; n += 1) platform.text(`wm${n % 7}`, `第${n}句`);
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      request.on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify(platform.answer(new URL(request.url ?? '', 'http://x').pathname, JSON.parse(body || '{}') as Record<string, unknown>))));
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const databaseUrl = engine === 'postgres' ? process.env['DATABASE_URL'] : undefined;
    options = {
      dataDir: await mkdtemp(join(tmpdir(), 'jiban-kf-')), schema: `jiban_test_${randomUUID().slice(0, 8)}`, account: KF.account, owner: 'first', slowMs: 15,
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...(databaseUrl === undefined ? {} : { databaseUrl }),
    };
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    if (options.databaseUrl !== undefined) await dropSchema(options.databaseUrl, options.schema);
    await rm(options.dataDir, { recursive: true, force: true });
  });

  test('a process killed in the middle loses nothing, and the next one takes nothing twice', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'sync-child.ts'), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_code, signal) => resolve(signal)));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, 450));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');

    const store = await openChildStore(options);
    const count = async (): Promise<number> => Number((await store.db.selectFrom('inbox').select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n);
    const before = await count();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(ITEMS);
    expect(await store.setting(`kf.cursor:${KF.account}`)).toBeNull();
    const next = { ...options, owner: 'second', slowMs: 0 };
    // On PostgreSQL the dead one's lease still stands; embedded, whoever opens the folder knows that the other is dead.
    expect(await syncOnce(store, next)).toBe(engine === 'sqlite');
    expect(await syncOnce(store, next, () => Date.now() + 60_001)).toBe(true);
    expect(await count()).toBe(ITEMS);
    expect(await store.setting(`kf.cursor:${KF.account}`)).toBe(String(ITEMS));
    const heard: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      const who = await store.ensureResident('wecom-kf', `${KF.account}/wm${n}`, 1);
      const lines = await store.transcript(who.conversationId, { afterSeq: 0, limit: 100 });
      expect(lines.map((each) => each.seq)).toEqual(lines.map((_, index) => index + 1));
      heard.push(...lines.map((each) => (each.body as { text: string }).text));
    }
    expect(heard.sort()).toEqual(Array.from({ length: ITEMS }, (_, n) => `第${n}句`).sort());
    await store.close();
  });

  test('two at once: one fetches, the other leaves it alone', async () => {
    const store = await openChildStore(options);
    const both = await Promise.all([syncOnce(store, { ...options, slowMs: 1 }), syncOnce(store, { ...options, owner: 'second', slowMs: 1 })]);
    expect([...both].sort()).toEqual([false, true]);
    expect(platform.calls.filter(({ path }) => path === '/cgi-bin/kf/sync_msg')).toHaveLength(1);
    await store.close();
  });

  test('one that overslept its lease in a page cannot move the place', async () => {
    const store = await openChildStore(options);
    let ahead = 0;
    const slow = syncOnce(store, { ...options, slowMs: 5 }, () => Date.now() + ahead);
    await new Promise((resolve) => setTimeout(resolve, 40));
    ahead = 61_000;
    expect(await syncOnce(store, { ...options, owner: 'second', slowMs: 0 }, () => Date.now() + ahead)).toBe(true);
    platform.log.push({ ...platform.log[0], msgid: 'later' });
    await store.takeLease(`kf:${KF.account}`, 'third', Date.now() + ahead, 60_000);
    expect(await slow).toBe(false);
    expect(await store.setting(`kf.cursor:${KF.account}`)).toBe(String(ITEMS));
    await store.close();
  });
});
