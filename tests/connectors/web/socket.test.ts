import { afterEach, describe, expect, test } from 'vitest';
import { signIdentity, verifyIdentity } from '../../../src/connectors/web/identity.ts';
import type { ServerFrame } from '../../../src/connectors/web/protocol.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { ConversationId, ResidentId } from '../../../src/domain/ids.ts';
import { bearer, newResident, openPage, startEchoServer, type EchoOptions, type EchoServer, type TestPage } from './echo-server.ts';

let server: EchoServer | undefined;
afterEach(async () => { await server?.drop(); server = undefined; });

async function open(options: EchoOptions = {}): Promise<{ server: EchoServer; page: TestPage; token: string }> {
  server = await startEchoServer(options);
  const { token } = await newResident(server);
  const page = openPage(server, bearer(token));
  page.send({ t: 'hello', v: 1, seq: 0 });
  await page.until('welcome');
  return { server, page, token };
}

const lines = (page: TestPage) => page.frames.filter((frame) => frame.t === 'message');
const textOf = (frame: Extract<ServerFrame, { t: 'message' }>): string => (frame.body.kind === 'text' ? frame.body.text : frame.body.kind);

describe('one page', () => {
  test('a message is acknowledged after it is stored, and the reply follows in order', async () => {
    const { page, server } = await open();
    page.send({ t: 'say', id: 'm1', text: '路灯不亮' });
    const stored = await page.until('stored');
    expect(stored).toEqual({ t: 'stored', id: 'm1', seq: 1 });
    await page.until('message', (frame) => frame.from === 'bot');
    expect(lines(page).map((frame) => [frame.seq, frame.from, textOf(frame), frame.clientId])).toEqual([[1, 'resident', '路灯不亮', 'm1'], [2, 'bot', '收到：路灯不亮', undefined]]);
    expect(server.turns).toHaveLength(1);
  });

  test('the same id again is acknowledged with the same seq and does nothing', async () => {
    const { page, server } = await open();
    for (let i = 0; i < 3; i += 1) page.send({ t: 'say', id: 'once', text: '重复' });
    await page.until('message', (frame) => frame.from === 'bot');
    page.send({ t: 'say', id: 'after', text: '完' });
    await page.until('stored', (frame) => frame.id === 'after');
    await page.until('message', (frame) => frame.seq === 4);
    expect(page.frames.filter((frame) => frame.t === 'stored' && frame.id === 'once').map((frame) => frame.t === 'stored' && frame.seq)).toEqual([1, 1, 1]);
    expect(server.turns.map((turn) => turn.clientId)).toEqual(['once', 'after']);
  });

  test('two residents may choose the same id without meeting', async () => {
    const { page, server } = await open();
    const other = openPage(server, bearer((await newResident(server)).token));
    other.send({ t: 'hello', v: 1, seq: 0 });
    page.send({ t: 'say', id: 'same', text: '甲' });
    other.send({ t: 'say', id: 'same', text: '乙' });
    await Promise.all([page, other].map((each) => each.until('message', (frame) => frame.from === 'bot')));
    expect(lines(page).map(textOf)).toEqual(['甲', '收到：甲']);
    expect(lines(other).map(textOf)).toEqual(['乙', '收到：乙']);
  });

  test('lone surrogates, NUL and markup come back as they were sent', async () => {
    const { page } = await open();
    const odd = 'a\ud800b\u0000c<script>alert(1)</script>\u202e';
    page.send({ t: 'say', id: 'odd', text: odd });
    const own = await page.until('message', (frame) => frame.from === 'resident');
    expect(own.body).toEqual({ kind: 'text', text: odd });
  });

  test('tap, location and edit reach the turn with all their fields', async () => {
    const { page, server } = await open();
    page.send({ t: 'tap', id: 't', chip: 'human', label: '转人工' });
    page.send({ t: 'location', id: 'l', latitude: 39.8673, longitude: 116.3621, label: '西罗园第二社区' });
    page.send({ t: 'edit', id: 'e', target: 'draft-1', field: 'address', value: '12 号楼' });
    await page.until('stored', (frame) => frame.id === 'e');
    await page.until('message', (frame) => frame.seq === 6);
    expect(server.turns.map((turn) => turn.content)).toEqual([
      { kind: 'tap', chip: 'human', label: '转人工' },
      { kind: 'location', latitude: 39.8673, longitude: 116.3621, label: '西罗园第二社区' },
      { kind: 'edit', target: 'draft-1', field: 'address', value: '12 号楼' },
    ]);
  });
});

describe('bad frames', () => {
  test.each([
    ['not JSON', '{"t":', 'message.invalid', undefined],
    ['an unknown kind', '{"t":"shout","id":"x1"}', 'message.invalid', 'x1'],
    ['only white space', '{"t":"say","id":"x2","text":" \\n\\u3000"}', 'message.invalid', 'x2'],
    ['8,001 characters', JSON.stringify({ t: 'say', id: 'x3', text: '水'.repeat(8_001) }), 'message.too_large', 'x3'],
    ['10,000 emoji', JSON.stringify({ t: 'say', id: 'x4', text: '😀'.repeat(10_000) }), 'message.too_large', 'x4'],
    ['one megabyte', JSON.stringify({ t: 'say', id: 'x5', text: 'a'.repeat(1_000_000) }), 'message.too_large', 'x5'],
    ['an id with a colon', '{"t":"say","id":"a:b","text":"x"}', 'message.invalid', undefined],
    ['a latitude of 200', '{"t":"location","id":"x6","latitude":200,"longitude":0,"label":""}', 'message.invalid', 'x6'],
    ['somebody else’s picture', '{"t":"image","id":"x7","mediaId":"not-mine"}', 'media.not_found', 'x7'],
  ])('%s is refused in Chinese and the line stays usable', async (_name, raw, code, id) => {
    const { page, server } = await open();
    page.send(raw);
    const error = await page.until('error');
    expect(error).toMatchObject({ code, text: expect.stringMatching(/\p{Script=Han}/u) as string, ...(id === undefined ? {} : { id }) });
    expect(error.retry).toBeUndefined();
    page.send({ t: 'say', id: 'fine', text: '还在' });
    await page.until('stored');
    await page.until('message', (frame) => frame.from === 'bot');
    expect(server.turns).toHaveLength(1);
  });

  test('8,000 characters are still fine', async () => {
    const { page } = await open();
    page.send({ t: 'say', id: 'long', text: '水'.repeat(8_000) });
    await page.until('stored');
  });

  test('too many messages a minute are refused for now, not for good', async () => {
    const { page } = await open({ web: { limits: { messagesPerMinute: 2 } } });
    for (const id of ['a', 'b', 'c']) page.send({ t: 'say', id, text: id });
    const error = await page.until('error');
    expect(error).toMatchObject({ code: 'rate.limited', id: 'c', retry: true });
  });

  test('a store that fails makes an error that may be tried again, and the same id then works', async () => {
    let failure: Error | undefined = new AppError('store.full', 'disk full');
    const { page, server } = await open({ storeFails: () => failure });
    page.send({ t: 'say', id: 'kept', text: '先失败' });
    expect(await page.until('error')).toMatchObject({ id: 'kept', code: 'store.full', retry: true });
    failure = undefined;
    page.send({ t: 'say', id: 'kept', text: '先失败' });
    expect(await page.until('stored')).toMatchObject({ id: 'kept' });
    await page.until('message', (frame) => frame.from === 'bot');
    expect(server.turns).toHaveLength(1);
  });

  test('a frame before hello is not taken, and no hello at all for an unknown version', async () => {
    server = await startEchoServer();
    const page = openPage(server, bearer((await newResident(server)).token));
    page.send({ t: 'say', id: 'early', text: '早' });
    expect(await page.until('error')).toMatchObject({ id: 'early', retry: true });
    page.send('{"t":"hello","v":99,"seq":0}');
    expect(await page.closed).toBe(4400);
  });
});

describe('coming back', () => {
  test('what was missed is replayed in order, in pages, without gaps', async () => {
    const { server, page, token } = await open({ web: { limits: { messagesPerMinute: 1_000 } } });
    const ids = Array.from({ length: 130 }, (_, index) => `n${index}`);
    for (const id of ids) page.send({ t: 'say', id, text: id });
    await page.until('message', (frame) => frame.seq === 260);
    page.socket.terminate();
    const back = openPage(server, bearer(token));
    back.send({ t: 'hello', v: 1, seq: 7 });
    expect(await back.until('welcome')).toMatchObject({ seq: 260, after: 7, mode: 'bot' });
    await back.until('message', (frame) => frame.seq === 260);
    expect(lines(back).map((frame) => frame.seq)).toEqual(Array.from({ length: 253 }, (_, index) => index + 8));
    expect(new Set(server.turns.map((turn) => turn.clientId)).size).toBe(130);
  });

  test('a new page may ask for the newest lines only, and for older ones later', async () => {
    const { server, page, token } = await open();
    for (let i = 0; i < 40; i += 1) page.send({ t: 'say', id: `n${i}`, text: `第${i}句` });
    await page.until('message', (frame) => frame.seq === 80);
    const fresh = openPage(server, bearer(token));
    fresh.send({ t: 'hello', v: 1, seq: 0, last: 10 });
    expect(await fresh.until('welcome')).toMatchObject({ after: 70, seq: 80 });
    await fresh.until('message', (frame) => frame.seq === 80);
    expect(lines(fresh)[0]?.seq).toBe(71);
    fresh.send({ t: 'older', before: 71 });
    const older = await fresh.until('older');
    expect([older.lines[0]?.seq, older.lines.at(-1)?.seq, older.more]).toEqual([21, 70, true]);
    fresh.send({ t: 'older', before: 21 });
    const oldest = await fresh.until('older', (frame) => frame.lines[0]?.seq === 1);
    expect(oldest.more).toBe(false);
  });

  test('a restart closes with 1012 and the same token finds its conversation again', async () => {
    const { server: first, page, token } = await open();
    page.send({ t: 'say', id: 'before', text: '重启前' });
    await page.until('message', (frame) => frame.from === 'bot');
    const second = await first.restart();
    server = second;
    expect(await page.closed).toBe(1012);
    const back = openPage(second, bearer(token));
    back.send({ t: 'hello', v: 1, seq: 1 });
    await back.until('message', (frame) => frame.seq === 2);
    back.send({ t: 'say', id: 'before', text: '重启前' });
    expect(await back.until('stored')).toEqual({ t: 'stored', id: 'before', seq: 1 });
  });

  test('a dead nerve costs a poll, not a reply', async () => {
    const { page } = await open({ deadNerve: true, web: { pollMs: 40 } });
    page.send({ t: 'say', id: 'm', text: '没人叫醒' });
    await page.until('message', (frame) => frame.from === 'bot');
    expect(lines(page).map((frame) => frame.seq)).toEqual([1, 2]);
  });

  test('every tab of a resident sees both sides once, and the tab that did not speak too', async () => {
    const { server, page, token } = await open();
    const tab = openPage(server, bearer(token));
    tab.send({ t: 'hello', v: 1, seq: 0 });
    await tab.until('welcome');
    page.send({ t: 'say', id: 'm', text: '两个窗口' });
    await Promise.all([page, tab].map((each) => each.until('message', (frame) => frame.seq === 2)));
    expect(lines(tab).map((frame) => frame.seq)).toEqual([1, 2]);
  });

  test('what a page has shown is proof of delivery; it cannot prove more than it was sent', async () => {
    const { server, page } = await open();
    page.send({ t: 'say', id: 'm', text: '收条' });
    await page.until('message', (frame) => frame.seq === 2);
    page.send({ t: 'ack', seq: 999 });
    page.send({ t: 'ping' });
    await page.until('pong');
    const row = await server.test.store.db.selectFrom('conversations').select('delivered_seq').executeTakeFirstOrThrow();
    expect(row.delivered_seq).toBe(2);
  });

  test('the page hears when an operator takes over', async () => {
    const { server, page } = await open();
    const identity = await server.test.store.db.selectFrom('conversations').select('id').executeTakeFirstOrThrow();
    const conversation = await server.test.store.conversation(identity.id as ConversationId);
    if (!conversation) throw new Error('no conversation');
    await server.test.store.saveConversation({ ...conversation, mode: 'operator' });
    server.coordination.publish(`conversation:${conversation.id}`, '0');
    expect(await page.until('mode')).toEqual({ t: 'mode', mode: 'operator' });
    server.coordination.publish(`typing:${conversation.id}`, 'operator');
    await page.until('typing', (frame) => frame.from === 'operator');
  });
});

describe('who is there', () => {
  const key = Buffer.alloc(32, 7);
  const identity = { residentId: 'r' as ResidentId, conversationId: 'c' as ConversationId, expiresAt: 2_000 };

  test('a token proves its identity until it expires, under the present or a former key', () => {
    const token = signIdentity(identity, key);
    expect(verifyIdentity(token, [key], 1_999)).toEqual(identity);
    expect(verifyIdentity(token, [Buffer.alloc(32, 8), key], 1_999)).toEqual(identity);
    expect(verifyIdentity(token, [key], 2_000)).toBeNull();
    expect(verifyIdentity(token, [Buffer.alloc(32, 8)], 1_999)).toBeNull();
  });

  test('no change of a single character of a token is believed', () => {
    const token = signIdentity(identity, key);
    for (let index = 0; index < token.length; index += 1) {
      const forged = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`;
      const proved = verifyIdentity(forged, [key], 1_000);
      expect(proved === null || proved.residentId === 'r', forged).toBe(true); // the last character of base64url has spare bits
    }
    for (const nonsense of ['', '.', 'v1..', 'v1.e30', `${token}.x`, 'v2'.concat(token.slice(2)), 'x'.repeat(10_000)]) expect(verifyIdentity(nonsense, [key], 1_000)).toBeNull();
  });

  test('a forged token is told so and closed with 4401; the session route gives a new identity, never somebody else’s', async () => {
    const { server, token } = await open();
    const forged = `${token.slice(0, -6)}AAAAAA`;
    const page = openPage(server, bearer(forged));
    expect(await page.until('error')).toMatchObject({ code: 'auth.invalid' });
    expect(await page.closed).toBe(4401);
    const again = await newResident(server, forged);
    expect(again.identity).toBe('replaced');
    expect(again.resident).not.toBe((await newResident(server, token)).resident);
  });

  test('a cookie is only believed from our own page', async () => {
    const { server, token } = await open();
    const foreign = openPage(server, { cookie: `jiban_resident=${token}`, origin: 'https://evil.example' });
    expect(await foreign.until('error')).toMatchObject({ code: 'auth.forbidden' });
    expect(await foreign.closed).toBe(4401);
    const own = openPage(server, { cookie: `jiban_resident=${token}`, origin: server.url });
    own.send({ t: 'hello', v: 1, seq: 0 });
    await own.until('welcome');
  });

  test('after erasure open pages let go and the token is worth nothing', async () => {
    const { server, page, token } = await open();
    page.send({ t: 'say', id: 'm', text: '请忘记我' });
    await page.until('message', (frame) => frame.seq === 2);
    const answer = await fetch(`${server.url}/chat/me`, { method: 'DELETE', headers: bearer(token) });
    expect(await answer.json()).toEqual({ erased: true });
    expect(await page.closed).toBe(4401);
    expect((await newResident(server, token)).identity).toBe('replaced');
    expect((await fetch(`${server.url}/chat/me/export`, { headers: bearer(token) })).status).toBe(401);
  });
});
