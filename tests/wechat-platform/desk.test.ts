import { expect, test } from 'vitest';
import { PlatformClock, WechatPlatform } from '../fakes/wechat-platform/index.ts';
import { handleDesk } from '../fakes/wechat-platform/page/desk.ts';

function open() {
  const platform = new WechatPlatform({ clock: new PlatformClock(), official: { subscriptions: { notice: { term: 'long', content: '{{thing1.DATA}}' } } } });
  platform.connect(() => Promise.resolve({ status: 200, headers: {}, body: Buffer.alloc(0) }));
  platform.person('p1', 'Alice');
  const handle = handleDesk({ platform, settings: 'TOKEN=x' });
  const ask = async (method: 'GET' | 'POST', url: string, body: Buffer | object = {}, headers: Record<string, string> = { 'x-wechat-sim': '1' }) => {
    const answer = await handle({ method, url, headers, body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)) });
    if (answer === 'lost') throw new Error('lost');
    return { status: answer.status, type: answer.headers['content-type'] ?? '', text: answer.body.toString(), json: () => JSON.parse(answer.body.toString()) as Record<string, unknown> };
  };
  return { platform, ask };
}

test('the page is served without anything from elsewhere', async () => {
  const { ask } = open();
  for (const [path, type] of [['/', 'text/html'], ['/phone.css', 'text/css'], ['/phone.js', 'text/javascript']] as const) {
    const file = await ask('GET', path);
    expect([file.status, file.type.startsWith(type)]).toEqual([200, true]);
    const foreign = [...file.text.matchAll(/(?:src|href|url\(|import)\s*=?\s*["'(]?(https?:)?\/\//g)];
    expect(foreign).toEqual([]);
  }
});

test('gestures reach the platform, the state shows what came of them', async () => {
  const { platform, ask } = open();
  expect((await ask('POST', '/sim/do?person=p1', { act: 'official.follow' })).json()).toEqual({ ok: true });
  await ask('POST', '/sim/do?person=p1', { act: 'official.subscribe', templateId: 'notice', accept: true });
  await ask('POST', '/sim/file?person=p1&channel=official&kind=image', Buffer.of(1, 2, 3), { 'x-wechat-sim': '1', 'content-type': 'image/png' });
  await platform.settle();
  const state = (await ask('GET', '/sim/state?person=p1')).json();
  expect(state).toMatchObject({
    person: { name: 'Alice', screen: [{ content: { kind: 'notice' } }, { content: { kind: 'text' } }, { content: { kind: 'image' } }] },
    official: { following: true, left: 8, subscriptions: [{ id: 'notice', consents: -1 }] },
    deliveries: [{ label: 'subscribe', over: true, reply: 'nothing' }, { label: 'subscribe_msg_popup_event' }, { label: 'image' }],
  });
});

test('what makes no sense is said, not hidden', async () => {
  const { ask } = open();
  const refused = await ask('POST', '/sim/do?person=p1', { act: 'official.text', text: 'hi' });
  expect([refused.status, refused.json()['error']]).toEqual([400, expect.stringContaining('does not follow')]);
  expect((await ask('POST', '/sim/do?person=p1', { act: 'nonsense' })).status).toBe(400);
  expect((await ask('POST', '/sim/do?person=p1', { act: 'fault.force', fault: 'toString' })).status).toBe(400);
});

test('a page of another origin can do nothing', async () => {
  const { ask } = open();
  expect((await ask('POST', '/sim/do?person=p1', { act: 'official.follow' }, {})).status).toBe(403);
});

test('everything else is the API', async () => {
  const { ask } = open();
  expect((await ask('POST', '/cgi-bin/message/custom/send')).json()['errcode']).toBe(41_001);
});
