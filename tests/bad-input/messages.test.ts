import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerFrame, SessionAnswer } from '../../src/connectors/web/protocol.ts';
import { loadCity, type App } from '../../src/app.ts';
import { createUnderstandingPool, type UnderstandingPool } from '../../src/nlp/index.ts';
import { join } from 'node:path';
import { makeFleet, ROOT, until, type Fleet } from '../reliability/app-parts.ts';

/** The whole server with a real (tiny) model behind a real socket: what anyone on the network may send. */
let model: UnderstandingPool;
let fleet: Fleet;
let app: App;
let url: string;
beforeAll(async () => {
  model = await createUnderstandingPool({ modelDir: join(ROOT, 'tests', 'fixtures', 'tiny-model'), gazetteer: 'linjiang.json', catalogue: loadCity({ CITY_DIR: join(ROOT, 'config', 'beijing') }).catalogue, workers: 1, timeoutMs: 10_000 });
  fleet = await makeFleet({ understand: (text, context) => model.understand(text, context) });
  app = fleet.apps[0] as App;
  url = await app.listen();
}, 90_000);
afterAll(async () => {
  await fleet?.drop();
  await model?.close();
});

class Client {
  readonly frames: ServerFrame[] = [];
  readonly #socket: WebSocket;
  closed: number | null = null;
  constructor(token: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/chat/ws`, { headers: { authorization: `Bearer ${token}` } });
    this.#socket.on('message', (data) => this.frames.push(JSON.parse(String(data)) as ServerFrame));
    this.#socket.on('close', (code) => { this.closed = code; });
    this.#socket.on('error', () => undefined); // 'close' follows and is what is asserted
  }
  async hello(): Promise<this> {
    await until('the socket is open', () => this.#socket.readyState === WebSocket.OPEN);
    this.raw(JSON.stringify({ t: 'hello', v: 1, seq: 0 }));
    await this.frame('welcome');
    return this;
  }
  raw(data: string | Buffer): void {
    this.#socket.send(data);
  }
  say(text: string, id: string = randomUUID()): string {
    this.raw(JSON.stringify({ t: 'say', id, text }));
    return id;
  }
  async frame<T extends ServerFrame['t']>(t: T, fits: (frame: Extract<ServerFrame, { t: T }>) => boolean = () => true): Promise<Extract<ServerFrame, { t: T }>> {
    const find = () => this.frames.find((frame): frame is Extract<ServerFrame, { t: T }> => frame.t === t && fits(frame as Extract<ServerFrame, { t: T }>));
    await until(`a frame ${t}`, () => find() !== undefined);
    return find() as Extract<ServerFrame, { t: T }>;
  }
  close(): void {
    this.#socket.close();
  }
}

async function session(): Promise<SessionAnswer & { token: string }> {
  const response = await fetch(`${url}/chat/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"client":"cli"}' });
  return await response.json() as SessionAnswer & { token: string };
}
const client = async (): Promise<Client> => new Client((await session()).token).hello();
const isChinese = /[\u4e00-\u9fff]/u;

describe('a message of a strange kind is kept as it was said and answered', () => {
  test.each([
    ['lone surrogates', 'a\uD83Db\uDC00 停水了'],
    ['NUL and control characters', '停\0水\u0001\u0008\u001b[31m了\u007f'],
    ['zero-width and direction characters', '停\u200b水\u200d了\u202e\u2066\ufeff'],
    ['10 emoji short of the limit', '🚰'.repeat(3_990)],
    ['SQL', "'; drop table tickets; -- \" or 1=1"],
    ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>停水了'],
    ['a template', '{{{vars.number}}} ${7*7} {{7*7}} %s %n'],
    ['combining marks without end', `停水${'\u0301'.repeat(2_000)}`],
    ['digits without end', '1'.repeat(7_999)],
    ['one long word', 'あ'.repeat(7_999)],
    ['line breaks', `停水\r\n\u2028\u2029\v\f${'\n'.repeat(500)}了`],
    ['a format of another world', '\u{10FFFF}\u{1F468}\u200d\u{1F469}\u200d\u{1F467}𠮷𪚥'],
  ])('%s', async (_what, text) => {
    const who = await client();
    const id = who.say(text);
    const { seq } = await who.frame('stored', (frame) => frame.id === id);
    const own = await who.frame('message', (frame) => frame.clientId === id);
    expect(own.body).toEqual({ kind: 'text', text });
    const reply = await who.frame('message', (frame) => frame.seq > seq && frame.from === 'bot');
    expect('text' in reply.body && reply.body.text).toMatch(isChinese);
    who.close();
  });
});

describe('a message over the limit is refused in Chinese, and the line stays open', () => {
  test.each([
    ['1 MB of text', '水'.repeat(350_000)],
    ['10,000 emoji', '🚰'.repeat(10_000)],
    ['one character too many', '水'.repeat(8_001)],
  ])('%s', async (_what, text) => {
    const who = await client();
    const id = who.say(text);
    const error = await who.frame('error', (frame) => frame.id === id);
    expect(error).toMatchObject({ code: 'message.too_large', text: expect.stringMatching(isChinese) });
    expect(error.retry).toBeUndefined();
    const next = who.say('停水了');
    await who.frame('stored', (frame) => frame.id === next);
    who.close();
  });
});

test.each([
  ['no JSON', '{"t":"say","id":'], ['not an object', '[1,2,3]'], ['null', 'null'], ['no such frame', '{"t":"drop"}'], ['no text', '{"t":"say","id":"x","text":"   "}'],
  ['an id with a path', '{"t":"say","id":"../../etc/passwd","text":"停水"}'], ['a prototype', '{"t":"say","id":"x","__proto__":{"text":"停水"}}'],
  ['a place beyond the world', '{"t":"location","id":"x","latitude":1e400,"longitude":0,"label":""}'], ['nested without end', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['someone else’s picture', `{"t":"image","id":"x","mediaId":"${randomUUID()}"}`], ['bytes', Buffer.from([0xff, 0xfe, 0x00])],
])('a malformed frame (%s) is answered with an error and harms nothing', async (_what, frame) => {
  const who = await client();
  who.raw(frame);
  const error = await who.frame('error');
  expect(['message.invalid', 'media.not_found']).toContain(error.code);
  expect(error.text).toMatch(isChinese);
  who.raw('{"t":"ping"}');
  await who.frame('pong');
  who.close();
});

test('a frame of 5 MB cuts that line off and no other', async () => {
  const [giant, other] = [await client(), await client()];
  giant.raw('x'.repeat(5 * 1024 * 1024));
  await until('the line is cut', () => giant.closed !== null);
  expect(giant.closed).toBe(1009);
  other.raw('{"t":"ping"}');
  await other.frame('pong');
  other.close();
});

test.each([
  ['garbage', () => 'x.y.z'], ['another’s payload under one’s own signature', (good: string, other: string) => [good.split('.')[0], other.split('.')[1], good.split('.')[2]].join('.')],
  ['a cut signature', (good: string) => good.slice(0, -4)], ['no signature', (good: string) => good.split('.').slice(0, 2).join('.') + '.'], ['a huge one', () => 'v1.'.padEnd(5_000, 'A')],
])('a forged resident token (%s) opens nothing', async (_what, forge) => {
  const [good, other] = [await session(), await session()];
  const forged = forge(good.token, other.token);
  const who = new Client(forged);
  expect(await who.frame('error')).toMatchObject({ code: 'auth.invalid', text: expect.stringMatching(isChinese) });
  await until('the line is closed', () => who.closed !== null);
  expect(who.closed).toBe(4401);
  const response = await fetch(`${url}/chat/me/export`, { headers: { authorization: `Bearer ${forged}` } });
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ code: 'auth.invalid' });
});

test.each([
  ['text called a picture', Buffer.from('I am no picture'), 415], ['the head of a PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 415],
  ['a page called a GIF', Buffer.from('GIF89a<script>alert(1)</script>'), 415], ['nothing', Buffer.alloc(0), 415], ['11 MB', Buffer.alloc(11 * 1024 * 1024, 0xff), 413],
])('a picture that is not one (%s) is refused in Chinese', async (_what, bytes, status) => {
  const { token } = await session();
  const response = await fetch(`${url}/chat/media`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png' }, body: new Uint8Array(bytes) });
  const answer = await response.json() as { text: string; code: string };
  expect([response.status, answer.text]).toEqual([status, expect.stringMatching(isChinese)]);
});

test('after all of it the tables stand and every message has had its turn', async () => {
  await until('nothing is left to do', async () => (await app.store.backlog(Date.now())).inbox === 0, 20_000, 50);
  expect((await app.store.deadLetters({ limit: 10 })).items).toEqual([]);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(fleet.log()).not.toMatch(/drop table|alert\(1\)/);
});
