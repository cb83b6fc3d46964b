import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildAccessTokens, type AccessTokens, type FetchedToken } from '../../../src/connectors/wechat/access-tokens.ts';
import { officialToken, wecomToken } from '../../../src/connectors/wechat/fetch-token.ts';
import { buildPlatformApi } from '../../../src/connectors/wechat/platform-api.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { buildLogger } from '../../../src/server/logger.ts';
import { sealedSetting } from '../../../src/store/sealed-settings.ts';
import { ENGINES, makeStore, type TestStore } from '../../fakes/test-store.ts';

const log = buildLogger({ level: 'silent' });
const HOUR = 3_600_000;

/** The platform: each refresh gives the next token; asked too slowly it still answers. */
function platform(lifetimeMs = 2 * HOUR) {
  const asked: boolean[] = [];
  return {
    asked,
    fetchToken: async (insist: boolean): Promise<FetchedToken> => {
      asked.push(insist);
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { token: `token-${asked.length}`, lifetimeMs };
    },
  };
}

describe.each(ENGINES)('access tokens on %s', (engine) => {
  const worker = (made: TestStore, fetchToken: (insist: boolean) => Promise<FetchedToken>, owner: string, now: () => number): AccessTokens =>
    buildAccessTokens({ name: 'official:wx1', fetchToken, store: made.store, secret: sealedSetting(made.store, made.store.keyring, 'wechat.token'), owner, now, log });

  test('50 workers at expiry make one refresh, and none of them waits for it while the old one lives', async () => {
    const made = await makeStore(engine);
    let now = 1_000_000;
    const { asked, fetchToken } = platform();
    const workers = Array.from({ length: 50 }, (_, n) => worker(made, fetchToken, `p${n}`, () => now));
    expect(new Set(await Promise.all(workers.map((each) => each.get())))).toEqual(new Set(['token-1']));
    expect(asked).toHaveLength(1);
    now += 2 * HOUR - 4 * 60_000; // early: in its last five minutes
    const early = new Set(await Promise.all(workers.map((each) => each.get())));
    expect([...early].every((token) => token === 'token-1' || token === 'token-2')).toBe(true);
    expect(asked).toHaveLength(2);
    now += 2 * HOUR + 1; // all of them find it dead
    expect(new Set(await Promise.all(workers.map((each) => each.get())))).toEqual(new Set(['token-3']));
    expect(asked).toHaveLength(3);
    await made.drop();
  });

  test('50 workers told that the token is refused make one refresh', async () => {
    const made = await makeStore(engine);
    const { asked, fetchToken } = platform();
    const workers = Array.from({ length: 50 }, (_, n) => worker(made, fetchToken, `p${n}`, () => 5_000));
    await Promise.all(workers.map((each) => each.get()));
    expect(new Set(await Promise.all(workers.map((each) => each.renew('token-1'))))).toEqual(new Set(['token-2']));
    expect(asked).toEqual([false, false]);
    await made.drop();
  });

  test('the token lies sealed in the database', async () => {
    const made = await makeStore(engine);
    await worker(made, platform().fetchToken, 'p', () => 1).get();
    const rows = await made.store.db.selectFrom('settings').selectAll().execute();
    expect(JSON.stringify(rows)).toContain('wechat.token');
    expect(JSON.stringify(rows.map(({ value }) => [value, Buffer.from(value, 'base64').toString('latin1')]))).not.toContain('token-1');
    await made.drop();
  });
});

test('a platform that gives the dead token again is asked to force a new one; one that cannot be reached is an error only when the old one is dead', async () => {
  const made = await makeStore('sqlite');
  let now = 0;
  const insisted: boolean[] = [];
  let down = false;
  const tokens = buildAccessTokens({
    name: 'a', store: made.store, secret: sealedSetting(made.store, made.store.keyring, 's'), owner: 'p', now: () => now, log,
    fetchToken: async (insist) => {
      if (down) throw new AppError('platform.unreachable', 'down');
      insisted.push(insist);
      return { token: insist ? 'new' : 'same', lifetimeMs: HOUR };
    },
  });
  expect(await tokens.get()).toBe('same');
  expect(await tokens.renew('same')).toBe('new');
  expect(insisted).toEqual([false, false, true]);
  down = true;
  now = HOUR - 60_000;
  expect(await tokens.get()).toBe('new');
  now = HOUR + 60_000;
  await expect(tokens.get()).rejects.toMatchObject({ code: 'platform.unreachable' });
  await made.drop();
});

describe('a call with a token', () => {
  const answering = (...answers: unknown[]) => {
    const urls: string[] = [];
    const fetchStub = (async (url: string) => {
      urls.push(url);
      const answer = answers[Math.min(urls.length, answers.length) - 1];
      return answer instanceof Response ? answer : Response.json(answer);
    }) as typeof fetch;
    return { urls, fetchStub };
  };
  const fixed = (): AccessTokens & { renewed: string[] } => {
    const renewed: string[] = [];
    return { renewed, get: async () => 'old', renew: async (refused) => { renewed.push(refused); return 'new'; } };
  };
  const api = (fetchStub: typeof fetch, tokens: AccessTokens) => buildPlatformApi({ baseUrl: 'http://gateway.dmz:8080/wechat/', timeoutMs: 50, fetch: fetchStub }, tokens);

  test.each([40001, 40014, 42001])('%i renews once and tries once more', async (errcode) => {
    const tokens = fixed();
    const { urls, fetchStub } = answering({ errcode, errmsg: 'x' }, { errcode: 0 });
    expect(await api(fetchStub, tokens).post('/cgi-bin/x', {}, z.object({}))).toMatchObject({ ok: true });
    expect(urls).toEqual(['http://gateway.dmz:8080/wechat/cgi-bin/x?access_token=old', 'http://gateway.dmz:8080/wechat/cgi-bin/x?access_token=new']);
    expect(tokens.renewed).toEqual(['old']);
  });
  test('a token refused again is an answer, not a loop', async () => {
    const { urls, fetchStub } = answering({ errcode: 40001 });
    expect(await api(fetchStub, fixed()).post('/x', {}, z.object({}))).toMatchObject({ ok: false, errcode: 40001 });
    expect(urls).toHaveLength(2);
  });
  test('other errors, silence, a page in place of JSON and a file too large are told apart', async () => {
    expect(await api(answering({ errcode: 45015, errmsg: 'm' }).fetchStub, fixed()).post('/x', {}, z.object({}))).toEqual({ ok: false, reason: 'refused', errcode: 45015, message: 'm' });
    expect(await api(answering(new Response('<html>', { status: 502 })).fetchStub, fixed()).post('/x', {}, z.object({}))).toMatchObject({ reason: 'http' });
    expect(await api(answering(new Response('<html>')).fetchStub, fixed()).post('/x', {}, z.object({}))).toMatchObject({ reason: 'unreadable' });
    expect(await api(answering(new Response(new Uint8Array(99), { headers: { 'content-type': 'image/jpeg' } })).fetchStub, fixed()).download('/x', {}, 98)).toMatchObject({ reason: 'too_large' });
    expect(await api(answering({ errcode: 40007 }).fetchStub, fixed()).download('/x', {}, 98)).toMatchObject({ reason: 'refused', errcode: 40007 });
    const silent = ((_url: string, init: RequestInit) => new Promise((_resolve, reject) => init.signal?.addEventListener('abort', () => reject(new Error('https://x?access_token=old'))))) as typeof fetch;
    expect(JSON.stringify(await api(silent, fixed()).post('/x', {}, z.object({})))).not.toContain('old');
  });
  test('the account’s token is fetched by its own call; a refusal says what to check', async () => {
    const deps = (fetchStub: typeof fetch) => ({ baseUrl: 'http://x', timeoutMs: 500, fetch: fetchStub });
    const { urls, fetchStub } = answering({ access_token: 't', expires_in: 7200 });
    expect(await officialToken(deps(fetchStub), { appId: 'wx1', secret: 's' })(false)).toEqual({ token: 't', lifetimeMs: 7_200_000 });
    expect(await wecomToken(deps(fetchStub), { corpId: 'ww1', secret: 's' })()).toEqual({ token: 't', lifetimeMs: 7_200_000 });
    expect(urls).toEqual(['http://x/cgi-bin/stable_token?', 'http://x/cgi-bin/gettoken?corpid=ww1&corpsecret=s']);
    await expect(officialToken(deps(answering({ errcode: 40164, errmsg: 'ip' }).fetchStub), { appId: 'wx1', secret: 's' })(false)).rejects.toMatchObject({ code: 'platform.refused' });
  });
});
