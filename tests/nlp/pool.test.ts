import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Catalogue } from '../../src/domain/catalogue.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { createUnderstandingPool } from '../../src/nlp/pool.ts';
import type { PoolOptions, UnderstandingPool } from '../../src/nlp/pool.ts';

let folder: string;
let pool: UnderstandingPool | null = null;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'jiban-pool-')); });
afterEach(async () => {
  await pool?.close();
  pool = null;
  rmSync(folder, { recursive: true });
});

const echo = async (options: Partial<PoolOptions> = {}) => {
  pool = await createUnderstandingPool({
    modelDir: folder, catalogue: {} as Catalogue, workers: 1,
    script: new URL('../fixtures/understanding-threads/echo.js', import.meta.url), ...options,
  });
  return pool;
};
const log = () => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
const openGate = () => writeFileSync(join(folder, 'gate'), '');
const codeOf = async (promise: Promise<unknown>) => promise.then(() => 'none', (error: unknown) => (isAppError(error) ? error.code : String(error)));

test('a message is judged in a thread, with its context', async () => {
  const { understand } = await echo().then((started) => ({ understand: started.understand.bind(started) }));
  expect(await understand('你好', { expecting: 'address' })).toMatchObject({ text: '你好', context: { expecting: 'address' } });
  expect(pool?.modelVersion).toBe('echo');
});

test('what sounds like danger goes before what waited longer', async () => {
  const started = await echo();
  const all = [started.understand('wait'), started.understand('路灯不亮'), started.understand('物业费'), started.understand('我家着火了')];
  expect(started.stats()).toMatchObject({ busy: 1, queued: 3 });
  openGate();
  await Promise.all(all);
  expect(log()).toEqual(['wait', '我家着火了', '路灯不亮', '物业费']);
});

test('a thread that dies is replaced and its message is tried once more', async () => {
  const started = await echo();
  expect(await started.understand('die once')).toMatchObject({ text: 'die once', starts: 2 });
  expect(started.stats()).toMatchObject({ ready: 1, busy: 0, replaced: 1, done: 1 });
});

test('a message that kills two threads is given up; the next one is served', async () => {
  const started = await echo();
  expect(await codeOf(started.understand('die'))).toBe('model.unavailable');
  expect(await started.understand('停水了')).toMatchObject({ text: '停水了' });
});

test('a message that takes too long is refused with its reason', async () => {
  const started = await echo();
  expect(await codeOf(started.understand('hang', undefined, { timeoutMs: 30 }))).toBe('model.timeout');
});

test('a thread that hangs is stopped, and the pool goes on', async () => {
  const started = await echo({ stuckAfterMs: 60 });
  expect(await codeOf(started.understand('hang'))).toBe('model.unavailable');
  expect(await started.understand('停水了')).toMatchObject({ text: '停水了' });
});

test('a full queue refuses more at once, but never danger', async () => {
  const started = await echo({ maxQueued: 1 });
  const held = [started.understand('wait'), started.understand('路灯不亮')];
  expect(await codeOf(started.understand('物业费'))).toBe('model.busy');
  held.push(started.understand('我被困在电梯里了'));
  openGate();
  await expect(Promise.all(held)).resolves.toHaveLength(3);
});

test('an aborted call leaves the queue', async () => {
  const started = await echo();
  const first = started.understand('wait');
  const abort = new AbortController();
  const second = started.understand('路灯不亮', undefined, { signal: abort.signal });
  abort.abort(new Error('the resident left'));
  await expect(second).rejects.toThrow('the resident left');
  expect(started.stats().queued).toBe(0);
  openGate();
  await first;
  expect(log()).toEqual(['wait']);
});

test('the model\'s own error keeps its code', async () => {
  expect(await codeOf((await echo()).understand('throw'))).toBe('model.bad_output');
});

test('a thread that cannot start stops the start with the reason', async () => {
  writeFileSync(join(folder, 'refuse'), '');
  expect(await codeOf(echo())).toBe('model.missing');
});

test('a thread script that is not there stops the start', async () => {
  expect(await codeOf(echo({ script: new URL('../fixtures/understanding-threads/absent.js', import.meta.url) }))).toBe('model.unavailable');
});

test('closing refuses what waits and what comes later', async () => {
  const started = await echo();
  const waiting = [codeOf(started.understand('hang')), codeOf(started.understand('路灯不亮'))];
  await started.close();
  expect(await Promise.all(waiting)).toEqual(['server.stopping', 'server.stopping']);
  expect(await codeOf(started.understand('x'))).toBe('server.stopping');
});
