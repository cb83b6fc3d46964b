import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureSetupLink, tokenHash } from '../../../src/server/desk/auth.ts';
import { ask, inject, makeDesk, makeTicket, PASSWORD, signedIn, WATER, type Desk } from './desk-harness.ts';

const cookieOf = (headers: Record<string, unknown>): string => String(headers['set-cookie']).split(';')[0] ?? '';

describe('the one-time link', () => {
  let desk: Desk;
  beforeAll(async () => { desk = await makeDesk(); });
  afterAll(() => desk.close());
  const form = { name: '王芳', login: 'wangfang', password: PASSWORD };
  const tokenIn = (link: string | null) => new URLSearchParams(link?.split('?')[1]).get('token') ?? '';

  test('only its hash is stored, and a new start makes the old one worthless', async () => {
    const first = tokenIn(await ensureSetupLink(desk.deps.store));
    expect(await desk.deps.store.setting('desk.setup')).toBe(tokenHash(first));
    const second = tokenIn(await ensureSetupLink(desk.deps.store));
    expect((await ask(desk, null, 'GET', `/setup?token=${first}`)).body).toEqual({ open: false });
    expect((await ask(desk, null, 'GET', `/setup?token=${second}`)).body).toEqual({ open: true });
    expect((await ask(desk, null, 'POST', '/setup', { ...form, token: first })).status).toBe(410);
  });

  test('a short password is refused and does not use the link up', async () => {
    const token = tokenIn(await ensureSetupLink(desk.deps.store));
    expect((await ask(desk, null, 'POST', '/setup', { ...form, token, password: 'ninechars' })).status).toBe(400);
    expect((await ask(desk, null, 'GET', `/setup?token=${token}`)).body).toEqual({ open: true });
  });

  test('of twenty who use it at once one gets an account; afterwards no link is made any more', async () => {
    await signedIn(desk, ['operator']); // other accounts don't close the way for the first administrator
    const token = tokenIn(await ensureSetupLink(desk.deps.store));
    const tries = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(desk, null, 'POST', '/setup', { ...form, login: `first-${i}`, token })));
    expect(tries.map((asked) => asked.status).sort()).toEqual([200, ...Array<number>(19).fill(410)]);
    const won = tries.find((asked) => asked.status === 200);
    expect(won?.body).toMatchObject({ roles: ['admin', 'operator', 'dispatcher'] });
    expect((await ask(desk, cookieOf(won?.headers ?? {}), 'GET', '/me')).status).toBe(200);
    expect(await ensureSetupLink(desk.deps.store)).toBeNull();
    expect((await ask(desk, null, 'POST', '/setup', { ...form, token })).status).toBe(410);
  });
});

describe('sessions', () => {
  let desk: Desk;
  beforeAll(async () => { desk = await makeDesk(); });
  afterAll(() => desk.close());

  test('the cookie is HttpOnly, SameSite=Strict, below /desk, and stored as a hash', async () => {
    const { user } = await signedIn(desk, ['operator']);
    const asked = await ask(desk, null, 'POST', '/sign-in', { login: user.login, password: PASSWORD });
    expect(asked.status).toBe(200);
    expect(asked.headers['set-cookie']).toMatch(/^jiban_desk=[\w-]{43}; Max-Age=43200; Path=\/desk; HttpOnly; SameSite=Strict$/);
    const token = cookieOf(asked.headers).split('=')[1] ?? '';
    expect(await desk.deps.store.session(token, desk.clock.now)).toBeNull();
    expect((await desk.deps.store.session(tokenHash(token), desk.clock.now))?.user.id).toBe(user.id);
  });

  test.each([[true, 'a trusted proxy', true], [false, 'anyone', false]])('https as told (%s) by %s makes the cookie Secure: %s', async (trustProxy, _, secure) => {
    const behind = await makeDesk('sqlite', { trustProxy });
    const { user } = await signedIn(behind, ['operator']);
    const response = await inject(behind, { method: 'POST', url: '/desk/api/sign-in', headers: { 'x-jiban': '1', 'x-forwarded-proto': 'https' }, payload: { login: user.login, password: PASSWORD } });
    expect(String(response.headers['set-cookie']).includes('; Secure')).toBe(secure);
    await behind.close();
  });

  test('signing out, disabling and twelve hours each end a session', async () => {
    const { cookie: admin } = await signedIn(desk, ['admin']);
    const signedOut = await signedIn(desk, ['operator']);
    const disabled = await signedIn(desk, ['operator']);
    const old = await signedIn(desk, ['operator']);
    await ask(desk, signedOut.cookie, 'POST', '/sign-out');
    expect((await ask(desk, admin, 'PATCH', `/users/${disabled.user.id}`, { disabled: true })).status).toBe(200);
    expect((await ask(desk, signedOut.cookie, 'GET', '/me')).status).toBe(401);
    expect((await ask(desk, disabled.cookie, 'GET', '/me')).status).toBe(401);
    expect((await ask(desk, null, 'POST', '/sign-in', { login: disabled.user.login, password: PASSWORD })).status).toBe(401);
    desk.clock.now += 12 * 3_600_000;
    expect((await ask(desk, old.cookie, 'GET', '/me')).status).toBe(401);
  });

  test('five wrong passwords lock the account for 15 minutes, the right password included', async () => {
    const { user } = await signedIn(desk, ['operator']);
    const attempt = (password: string) => ask(desk, null, 'POST', '/sign-in', { login: user.login, password });
    for (let i = 0; i < 5; i += 1) expect((await attempt(`wrong password ${i}`)).status).toBe(401);
    expect(await attempt(PASSWORD)).toMatchObject({ status: 429, body: { code: 'auth.locked' } });
    desk.clock.now += 15 * 60_000 + 1;
    expect((await attempt(PASSWORD)).status).toBe(200);
  });

  test('four wrong ones and a right one start the count anew', async () => {
    const { user } = await signedIn(desk, ['operator']);
    const attempt = (password: string) => ask(desk, null, 'POST', '/sign-in', { login: user.login, password });
    for (const round of [1, 2]) {
      for (let i = 0; i < 4; i += 1) expect((await attempt(`wrong ${round} ${i}`)).status).toBe(401);
      expect((await attempt(PASSWORD)).status).toBe(200);
    }
  });

  test('a login that does not exist is answered as a wrong password is', async () => {
    const { user } = await signedIn(desk, ['operator']);
    const wrong = await ask(desk, null, 'POST', '/sign-in', { login: user.login, password: 'wrong password' });
    const none = await ask(desk, null, 'POST', '/sign-in', { login: 'nobody-here', password: 'wrong password' });
    expect({ ...none.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
    expect(none.status).toBe(wrong.status);
  });
});

describe('requests of other sites', () => {
  let desk: Desk;
  let cookie: string;
  beforeAll(async () => {
    desk = await makeDesk();
    cookie = (await signedIn(desk, ['unit'], WATER)).cookie;
  });
  afterAll(() => desk.close());

  test.each([
    ['no x-jiban header', 403, {}],
    ['another site’s origin', 403, { 'x-jiban': '1', origin: 'https://evil.example' }],
    ['an origin that is none', 403, { 'x-jiban': '1', origin: 'null' }],
    ['our host on another port', 403, { 'x-jiban': '1', host: 'desk.example:3000', origin: 'http://desk.example:3001' }],
    ['our own page’s origin', 200, { 'x-jiban': '1', host: 'desk.example', origin: 'http://desk.example' }],
  ])('a state-changing request with %s is answered %i', async (_, status, headers) => {
    const ticket = await makeTicket(desk, { to: WATER });
    const response = await inject(desk, { method: 'POST', url: `/desk/api/tickets/${ticket.id}/accept`, headers: { cookie, ...headers } });
    expect(response.statusCode).toBe(status);
  });
});

describe('the local administrator’s token', () => {
  let desk: Desk;
  beforeAll(async () => { desk = await makeDesk(); });
  afterAll(() => desk.close());
  const users = (headers: Record<string, string>, remoteAddress: string) => inject(desk, { method: 'GET', url: '/desk/api/users', headers, remoteAddress });

  test('works from this machine only, not through a proxy, and only as an administrator', async () => {
    const authorization = `Bearer ${desk.adminToken}`;
    expect((await users({ authorization }, '127.0.0.1')).statusCode).toBe(200);
    expect((await users({ authorization }, '10.1.2.3')).statusCode).toBe(401);
    expect((await users({ authorization, 'x-forwarded-for': '10.1.2.3' }, '127.0.0.1')).statusCode).toBe(401);
    expect((await users({ authorization: `Bearer ${randomBytes(32).toString('base64url')}` }, '127.0.0.1')).statusCode).toBe(401);
    const queue = await inject(desk, { method: 'GET', url: '/desk/api/queue', headers: { authorization }, remoteAddress: '127.0.0.1' });
    expect(queue.statusCode).toBe(403);
  });

  test('creates accounts by the rules', async () => {
    const create = (body: object) => inject(desk, { method: 'POST', url: '/desk/api/users', headers: { authorization: `Bearer ${desk.adminToken}`, 'x-jiban': '1' }, payload: body });
    const good = { login: 'li.na', name: '李娜', password: PASSWORD, roles: ['operator'], unitId: null };
    expect((await create(good)).statusCode).toBe(201);
    expect((await create(good)).json()).toMatchObject({ code: 'user.login_taken' });
    expect((await create({ ...good, login: 'Li Na' })).statusCode).toBe(400);
    expect((await create({ ...good, login: 'li2', password: 'short' })).statusCode).toBe(400);
    expect((await create({ ...good, login: 'li3', roles: ['unit'] })).statusCode).toBe(400);
    expect((await create({ ...good, login: 'li4', unitId: WATER })).statusCode).toBe(400);
    expect((await create({ ...good, login: 'li5', roles: ['unit'], unitId: 'no-such-unit' })).statusCode).toBe(422);
    expect((await create({ ...good, login: 'li6', roles: ['unit'], unitId: WATER })).statusCode).toBe(201);
  });
});
