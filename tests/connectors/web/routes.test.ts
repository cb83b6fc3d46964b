import { afterEach, describe, expect, test } from 'vitest';
import { bearer, newResident, openPage, startEchoServer, type EchoServer } from './echo-server.ts';

let server: EchoServer | undefined;
afterEach(async () => { await server?.drop(); server = undefined; });
const start = async (options: Parameters<typeof startEchoServer>[0] = {}): Promise<EchoServer> => (server = await startEchoServer(options));

describe('POST /chat/session', () => {
  test('sets a cookie that no script reads and no other site sends; the token stays out of the answer', async () => {
    const { app } = await start();
    const answer = await app.inject({ method: 'POST', url: '/chat/session', payload: {} });
    const [cookie] = answer.cookies;
    expect(cookie).toMatchObject({ name: 'jiban_resident', httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 400 * 86_400 });
    expect(cookie?.secure).toBeUndefined();
    expect(answer.json()).toEqual({ resident: expect.any(String) as string, identity: 'new', expiresAt: expect.any(Number) as number });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('with no body at all it works too', async () => {
    const { app } = await start();
    expect((await app.inject({ method: 'POST', url: '/chat/session' })).json()).toMatchObject({ identity: 'new' });
  });

  test('a good identity is kept and its life begins anew', async () => {
    let now = 1_800_000_000_000;
    const { app } = await start({ web: { now: () => now } });
    const ask = (token?: string) => app.inject({ method: 'POST', url: '/chat/session', payload: { client: 'cli' }, headers: token === undefined ? {} : bearer(token) });
    const first = (await ask()).json<{ resident: string; token: string; expiresAt: number }>();
    now += 300 * 86_400_000;
    const second = (await ask(first.token)).json<{ resident: string; identity: string; expiresAt: number }>();
    expect(second).toMatchObject({ resident: first.resident, identity: 'kept', expiresAt: now + 400 * 86_400_000 });
    now = first.expiresAt + 1;
    expect((await ask(first.token)).json()).toMatchObject({ identity: 'replaced' });
  });

  test('a former key is still believed, and the new token is of the present one', async () => {
    const [old, present] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const first = await start({ web: { tokenKey: old } });
    const before = await newResident(first);
    server = await first.restart({ tokenKey: present, previousTokenKeys: [old] });
    const between = await newResident(server, before.token);
    server = await server.restart({ tokenKey: present, previousTokenKeys: [] });
    expect([between.identity, between.resident]).toEqual(['kept', before.resident]);
    expect((await newResident(server, between.token)).resident).toBe(before.resident);
    expect((await newResident(server, before.token)).identity).toBe('replaced');
  });

  test('another site’s page may neither make, erase nor upload for the resident', async () => {
    const { app, url } = await start();
    const origin = 'https://evil.example';
    for (const [method, path] of [['POST', '/chat/session'], ['DELETE', '/chat/me'], ['POST', '/chat/media']] as const) {
      expect((await app.inject({ method, url: path, headers: { origin, host: new URL(url).host } })).json(), path).toMatchObject({ code: 'auth.forbidden' });
    }
    expect((await app.inject({ method: 'POST', url: '/chat/session', headers: { origin: 'null', host: 'a' } })).statusCode).toBe(403);
    expect((await app.inject({ method: 'POST', url: '/chat/session', headers: { origin: 'http://city.example:8080', host: 'city.example:8080' } })).statusCode).toBe(200);
  });

  test('an origin on the list may', async () => {
    const { app } = await start({ web: { allowedOrigins: ['https://www.city.example'] } });
    expect((await app.inject({ method: 'POST', url: '/chat/session', headers: { origin: 'https://www.city.example', host: '12345.city.example' } })).statusCode).toBe(200);
  });

  test('one address cannot make residents without end', async () => {
    const { app } = await start({ web: { limits: { sessionsPerHourOfAddress: 1 } } });
    const ask = () => app.inject({ method: 'POST', url: '/chat/session', remoteAddress: '198.51.100.7' });
    expect([(await ask()).statusCode, (await ask()).statusCode]).toEqual([200, 429]);
  });
});

describe('one’s own data', () => {
  test('the export holds every line in order, and nobody else’s', async () => {
    const started = await start();
    const [mine, other] = [await newResident(started), await newResident(started)];
    for (const [who, words] of [[mine, ['一', '二', '三']], [other, ['别人的']]] as const) {
      const page = openPage(started, bearer(who.token));
      page.send({ t: 'hello', v: 1, seq: 0 });
      for (const text of words) page.send({ t: 'say', id: text.codePointAt(0)?.toString() ?? '', text });
      await page.until('message', (frame) => frame.seq === words.length * 2);
    }
    const answer = await fetch(`${started.url}/chat/me/export`, { headers: bearer(mine.token) });
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    const data = await answer.json() as { resident: string; transcript: { seq: number; from: string; body: { text: string } }[]; tickets: object[] };
    expect(data.resident).toBe(mine.resident);
    expect(data.transcript.map((line) => line.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(data.transcript.filter((line) => line.from === 'resident').map((line) => line.body.text)).toEqual(['一', '二', '三']);
    expect(data.tickets).toEqual([]);
  });

  test('without identity there is nothing to export, erase or upload', async () => {
    const { app } = await start();
    for (const [method, url] of [['GET', '/chat/me/export'], ['DELETE', '/chat/me'], ['POST', '/chat/media']] as const) {
      expect((await app.inject({ method, url })).statusCode, url).toBe(401);
    }
  });
});

test('a stop lets frames in hand be stored, tells pages to come back, and takes no more', async () => {
  const started = await start({ web: { limits: { messagesPerMinute: 1_000 } } });
  const { token } = await newResident(started);
  const page = openPage(started, bearer(token));
  page.send({ t: 'hello', v: 1, seq: 0 });
  await page.until('welcome');
  for (let i = 0; i < 30; i += 1) page.send({ t: 'say', id: `n${i}`, text: `${i}` });
  await page.until('stored');
  await started.stop();
  expect(await page.closed).toBe(1012);
  const acknowledged = page.frames.filter((frame) => frame.t === 'stored').length;
  const { count } = await started.test.store.db.selectFrom('inbox').select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  expect(Number(count)).toBeGreaterThanOrEqual(acknowledged);
  await expect(fetch(`${started.url}/healthz`)).rejects.toThrow();
  server = { ...started, drop: () => started.test.drop() };
});
