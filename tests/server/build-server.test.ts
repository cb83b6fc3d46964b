import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localCoordination } from '../../src/coordination/local.ts';
import { AppError } from '../../src/domain/errors.ts';
import { buildServer, type ServerDeps, type ServerPlugin } from '../../src/server/build-server.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { buildMetrics } from '../../src/server/metrics.ts';
import { makeStore, type TestStore } from '../fakes/test-store.ts';

let app: FastifyInstance | undefined;
let store: TestStore;
let logged: string[];
beforeEach(async () => { store = await makeStore('sqlite'); logged = []; });
afterEach(async () => { await app?.close(); app = undefined; await store.drop(); });

async function start(change: Partial<ServerDeps> = {}, ...plugins: ServerPlugin[]): Promise<FastifyInstance> {
  const destination = new Writable({ write(chunk, _encoding, done) { logged.push(String(chunk)); done(); } });
  app = await buildServer({
    plugins, store: store.store, coordination: localCoordination(), model: () => ({ ok: true, detail: 'enc-1' }),
    metrics: buildMetrics({ backlog: store.store.backlog, now: Date.now }), logger: buildLogger({ level: 'info', destination }),
    now: Date.now, newId: randomUUID, webRoot: join(store.dataDir, 'web'), version: '1.2.3', ...change,
  });
  return app;
}

const throwing = (error: unknown): ServerPlugin => async (scope) => { scope.get('/throw', async () => { throw error; }); };

describe('errors', () => {
  test('one of ours goes out as code, English and Chinese', async () => {
    const server = await start({}, throwing(new AppError('ticket.wrong_state', 'a withdrawn ticket cannot be accepted')));
    const answer = await server.inject('/throw');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'ticket.wrong_state', message: 'a withdrawn ticket cannot be accepted', text: '工单当前的状态不允许这个操作。' });
  });

  test.each([
    ['an unknown error', new Error('password=hunter2 at /var/lib/jiban'), 500, 'http.internal'],
    ['one of ours that is our fault', new AppError('store.unreachable', 'postgres://user:hunter2@db/x refused'), 503, 'store.unreachable'],
    ['something thrown that is no error', 'hunter2', 500, 'http.internal'],
    ['a driver’s error that carries a status of its own', Object.assign(new Error('hunter2'), { statusCode: 501 }), 500, 'http.internal'],
  ])('%s leaks nothing, and the log has it under the request id', async (_name, error, status, code) => {
    const server = await start({}, throwing(error));
    const answer = await server.inject('/throw');
    expect(answer.statusCode).toBe(status);
    expect(answer.body).not.toContain('hunter2');
    const body = answer.json<{ code: string; requestId: string }>();
    expect(body.code).toBe(code);
    expect(logged.some((line) => line.includes(body.requestId) && line.includes('http.failed'))).toBe(true);
  });

  test('bad JSON, a body too large and an unknown address are the caller’s', async () => {
    const server = await start({}, async (scope) => { scope.post('/echo', async (request) => request.body); });
    const post = (payload: string) => server.inject({ method: 'POST', url: '/echo', headers: { 'content-type': 'application/json' }, payload });
    expect((await post('{"a":')).json()).toMatchObject({ code: 'http.bad_request' });
    expect((await post(JSON.stringify('x'.repeat(300_000)))).json()).toMatchObject({ code: 'http.too_large' });
    expect((await server.inject('/api/none')).json()).toMatchObject({ code: 'http.not_found' });
    expect((await server.inject({ url: '/none', headers: { accept: 'text/html' } })).body).toContain('不存在');
    expect((await post('{"__proto__":{"admin":true}}')).statusCode).toBe(400);
  });
});

describe('headers', () => {
  test('no inline script or style, no upgrade to https, no HSTS: it works on a plain-http intranet', async () => {
    const answer = await (await start()).inject({ url: '/healthz', headers: { host: '10.1.2.3:3000' } });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain('ws://10.1.2.3:3000');
    expect(policy).not.toMatch(/unsafe|upgrade-insecure/);
    expect(answer.headers['strict-transport-security']).toBeUndefined();
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  test('a strange Host header does not get into the policy', async () => {
    const answer = await (await start()).inject({ url: '/healthz', headers: { host: "x; script-src 'unsafe-inline'" } });
    expect(String(answer.headers['content-security-policy'])).not.toContain('unsafe-inline');
  });
});

describe('health', () => {
  test('ready while store, model and queue are', async () => {
    const answer = await (await start()).inject('/readyz');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ ok: true, checks: { store: { ok: true, detail: 'sqlite' }, model: { ok: true, detail: 'enc-1' }, queue: { ok: true }, coordination: { ok: true } } });
    expect((await app?.inject('/healthz'))?.json()).toEqual({ ok: true, version: '1.2.3' });
  });

  test('not ready when the model is not, and says so', async () => {
    const answer = await (await start({ model: () => ({ ok: false, detail: 'model.hash_mismatch' }) })).inject('/readyz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ ok: false, checks: { model: { ok: false, detail: 'model.hash_mismatch' } } });
  });

  test('not ready when a message has waited too long for its turn', async () => {
    const { residentId, conversationId } = await store.store.ensureResident('web', 'x', 1_000);
    await store.store.receive({ channel: 'web', messageId: 'm', conversationId, residentId, content: { kind: 'text', text: '等' }, receivedAt: 1_000, turnId: 't' });
    const answer = await (await start({ now: () => 121_000, maxQueueAgeMs: 60_000 })).inject('/readyz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ checks: { queue: { ok: false, detail: '1 waiting, oldest 120 s' } } });
  });

  test('a dead nerve is told but no reason to be unready', async () => {
    const answer = await (await start({ coordination: { ...localCoordination(), engine: 'redis', ping: async () => false } })).inject('/readyz');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ ok: true, checks: { coordination: { ok: false } } });
  });

  test('a store that is gone is a failed check and an absent gauge, not a crash', async () => {
    const gone = async (): Promise<never> => { throw new AppError('store.unreachable', 'gone'); };
    const server = await start({ store: { engine: 'postgres', ping: gone, backlog: gone }, metrics: buildMetrics({ backlog: gone, now: Date.now }) });
    expect((await server.inject('/readyz')).json()).toMatchObject({ ok: false, checks: { store: { ok: false, detail: 'store.unreachable' } } });
    const scrape = (await server.inject('/metrics')).body;
    expect(scrape).toContain('jiban_store_up 0');
    expect(scrape).not.toContain('jiban_backlog{');
  });
});

describe('metrics', () => {
  test('turns, replies, deliveries, backlog, sockets and http are there', async () => {
    const metrics = buildMetrics({ backlog: store.store.backlog, now: Date.now });
    const server = await start({ metrics });
    metrics.observeTurn({ outcome: 'done', ms: 120 });
    metrics.observeReply(300);
    metrics.observeDelivery({ channel: 'web', outcome: 'sent' });
    await server.inject('/healthz');
    const scrape = (await server.inject('/metrics')).body;
    for (const line of [
      'jiban_turns_total{outcome="done"} 1', 'jiban_turn_seconds_bucket{le="0.25"} 1', 'jiban_reply_seconds_count 1', 'jiban_deliveries_total{channel="web",outcome="sent"} 1',
      'jiban_backlog{of="inbox"} 0', 'jiban_backlog{of="outbox"} 0', 'jiban_oldest_inbox_seconds 0', 'jiban_sockets 0', 'jiban_store_up 1', 'jiban_http_seconds_count{method="GET",route="/healthz",status="200"} 1', 'jiban_process_cpu_seconds_total',
    ]) expect(scrape).toContain(line);
  });
});

describe('pages', () => {
  test('not built yet: says how', async () => {
    const answer = await (await start()).inject('/');
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('npm run setup');
  });

  test('built: chat at /, the desk under /desk, hashed files cached for a year and already compressed', async () => {
    const webRoot = await mkdtemp(join(tmpdir(), 'jiban-web-'));
    for (const page of ['chat', 'desk']) {
      await mkdir(join(webRoot, page));
      await writeFile(join(webRoot, page, 'index.html'), `<title>${page}</title>`);
    }
    await mkdir(join(webRoot, 'assets'));
    await writeFile(join(webRoot, 'assets', 'a-1.js'), 'let a;');
    await writeFile(join(webRoot, 'assets', 'a-1.js.gz'), gzipSync('let a;'));
    const server = await start({ webRoot }, async (scope) => { scope.get('/desk/api/known', async () => ({ ok: true })); });
    expect((await server.inject('/')).body).toContain('chat');
    expect((await server.inject('/')).headers['cache-control']).toBe('no-cache');
    expect((await server.inject('/desk')).body).toContain('desk');
    expect((await server.inject({ url: '/desk/setup?token=abc', headers: { accept: 'text/html' } })).body).toContain('desk');
    expect((await server.inject({ url: '/desk/api/unknown', headers: { accept: 'text/html' } })).statusCode).toBe(404);
    const script = await server.inject({ url: '/assets/a-1.js', headers: { 'accept-encoding': 'gzip' } });
    expect(script.headers).toMatchObject({ 'content-encoding': 'gzip', 'cache-control': 'public, max-age=31536000, immutable' });
    expect((await server.inject('/assets/..%2fchat%2findex.html')).statusCode).toBe(403);
    await rm(webRoot, { recursive: true });
  });

  test('the API is described, and its page loads nothing from elsewhere', async () => {
    const server = await start({}, async (scope) => { scope.get('/chat/thing', { schema: { tags: ['chat'], summary: 'A thing' } }, async () => ({})); });
    const described = (await server.inject('/docs/json')).json<{ openapi: string; paths: object }>();
    expect(described.openapi).toBe('3.1.0');
    expect(Object.keys(described.paths)).toEqual(expect.arrayContaining(['/healthz', '/readyz', '/metrics', '/chat/thing']));
    expect((await server.inject('/docs')).body).not.toMatch(/(?:src|href)="https?:/);
  });
});

describe('load and logs', () => {
  test('one address has a limit; health and metrics are outside it', async () => {
    const server = await start({ requestsPerMinute: 2 }, async (scope) => { scope.get('/thing', async () => ({})); });
    const ask = (url: string) => server.inject({ url, remoteAddress: '198.51.100.7' });
    expect([await ask('/thing'), await ask('/thing'), await ask('/thing'), await ask('/healthz')].map((answer) => answer.statusCode)).toEqual([200, 200, 429, 200]);
    expect((await ask('/thing')).headers['retry-after']).toBe('5');
  });

  test('a process that cannot keep up says so at once, in words; health still answers', async () => {
    const server = await start({}, async (scope) => { scope.get('/thing', async () => ({})); });
    const answers: number[] = [];
    for (let i = 0; i < 8 && !answers.includes(503); i += 1) {
      for (const end = Date.now() + 600; Date.now() < end;); // a loop that is blocked again and again
      await new Promise((resolve) => setTimeout(resolve, 1));
      answers.push((await server.inject('/thing')).statusCode);
    }
    expect(answers).toContain(503);
    const answer = await server.inject('/thing');
    expect(answer.json()).toMatchObject({ code: 'http.busy', text: expect.stringContaining('稍等') as string });
    expect((await server.inject('/healthz')).statusCode).toBe(200);
  });

  test('a request is one line with its id, without query, headers or body', async () => {
    const server = await start({}, async (scope) => { scope.post('/say', async () => ({})); });
    await server.inject({ method: 'POST', url: '/say?token=s3cret', headers: { cookie: 'jiban_resident=s3cret', authorization: 'Bearer s3cret' }, payload: { text: '家里着火了' } });
    const line = JSON.parse(logged.find((each) => each.includes('http.done')) ?? '{}') as Record<string, unknown>;
    expect(line).toMatchObject({ method: 'POST', route: '/say', status: 200, msg: 'http.done', reqId: expect.any(String) as string });
    expect(logged.join('')).not.toMatch(/s3cret|家里着火了/);
  });
});
