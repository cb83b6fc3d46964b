import { beforeEach, describe, expect, test } from 'vitest';
import type { Person, WechatPlatform } from '../fakes/wechat-platform/index.ts';
import { encrypt, sign } from '../fakes/wechat-platform/seal.ts';
import { OUT_OF_ORDER } from '../fakes/wechat-platform/words.zh.ts';
import { writeXml } from '../fakes/wechat-platform/xml.ts';
import { field, keysOf, play, type Heard, type Play } from './play.ts';

const PLACE = { latitude: 39.856123, longitude: 116.37, label: '丰台区西罗园街道' };

let stage: Play;
let platform: WechatPlatform;
let alice: Person;

function begin(options: Parameters<typeof play>[0] = {}): void {
  stage = play(options);
  platform = stage.platform;
  alice = platform.person('alice');
  platform.official.follower(alice).following = true;
}
beforeEach(() => begin());

/** A passive reply as our side would write it. */
function reply(heard: Heard, text: string, changes: Record<string, string> = {}): string {
  return writeXml({ ToUserName: field(heard, 'FromUserName') ?? '', FromUserName: field(heard, 'ToUserName') ?? '', CreateTime: 1_791_765_600, MsgType: 'text', Content: text, ...changes });
}
function sealedReply(heard: Heard, text: string): string {
  const keys = keysOf(platform, 'official');
  const sealed = encrypt(keys, reply(heard, text), Buffer.alloc(16, 7));
  return writeXml({ Encrypt: sealed, MsgSignature: sign(keys.token, '1791765600', '42', sealed), TimeStamp: 1_791_765_600, Nonce: '42' });
}
const lastReply = () => platform.official.letters.replies.at(-1)?.reply;

describe('the address is verified', () => {
  test('by a signed GET whose echostr comes back raw', async () => {
    stage.answer(({ url }) => url.searchParams.get('echostr') ?? '');
    expect(await platform.official.verify()).toEqual({ ok: true, why: '' });
    const query = stage.heard[0]?.url.searchParams;
    expect(sign(platform.official.settings.token, query?.get('timestamp') ?? '', query?.get('nonce') ?? '')).toBe(query?.get('signature'));
  });

  test.each([['a quoted echostr', (echo: string) => `"${echo}"`], ['a newline behind it', (echo: string) => `${echo}\n`]])('and %s is not it', async (_name, wrap) => {
    stage.answer(({ url }) => wrap(url.searchParams.get('echostr') ?? ''));
    expect(await platform.official.verify()).toEqual({ ok: false, why: 'the answer is not the echostr' });
  });

  test('and a refusal is named', async () => {
    stage.answer(() => ({ status: 403 }));
    expect(await platform.official.verify()).toEqual({ ok: false, why: 'status 403' });
  });
});

describe('a message in each mode', () => {
  test.each([
    ['plain', /^<xml><ToUserName>.*<Content>.*<\/xml>$/, null],
    ['compatible', /^<xml><ToUserName>.*<Content>.*<Encrypt>.*<\/xml>$/, 'aes'],
    ['safe', /^<xml><ToUserName><!\[CDATA\[gh_0123456789ab\]\]><\/ToUserName><Encrypt>.*<\/Encrypt><\/xml>$/, 'aes'],
  ] as const)('%s', async (mode, body, encryptType) => {
    begin({ official: { mode } });
    platform.official.text(alice, '楼道灯坏了');
    await platform.settle();
    const [heard] = stage.heard;
    expect(heard?.raw).toMatch(body);
    expect(heard?.url.searchParams.get('encrypt_type')).toBe(encryptType);
    expect(heard?.url.searchParams.get('openid')).toBe(alice.openId);
    expect([field(heard, 'MsgType'), field(heard, 'Content'), field(heard, 'FromUserName')]).toEqual(['text', '楼道灯坏了', alice.openId]);
  });

  test('neighbouring MsgIds are alike for whoever reads them as numbers', async () => {
    platform.official.text(alice, 'a');
    platform.official.text(alice, 'b');
    await platform.settle();
    const [a, b] = stage.heard.map((heard) => field(heard, 'MsgId') ?? '');
    expect(a).not.toBe(b);
    expect(Number(a)).toBe(Number(b));
  });
});

describe('kinds of messages and events', () => {
  test.each<[string, (official: WechatPlatform['official']) => void, Record<string, string | undefined>]>([
    ['image', (official) => official.image(alice), { MsgType: 'image', PicUrl: expect.stringContaining('/mmbiz/') as string, MediaId: expect.any(String) as string }],
    ['voice of today', (official) => official.voice(alice), { MsgType: 'voice', Format: 'amr', Recognition: '' }],
    ['voice of old', (official) => official.voice(alice, { recognition: '井盖没了' }), { Recognition: '井盖没了' }],
    ['voice without the element', (official) => official.voice(alice, { recognition: null }), { Recognition: undefined }],
    ['video', (official) => official.video(alice), { MsgType: 'video', ThumbMediaId: expect.any(String) as string }],
    ['short video', (official) => official.video(alice, undefined, 'shortvideo'), { MsgType: 'shortvideo' }],
    ['location', (official) => official.location(alice, PLACE), { MsgType: 'location', Location_X: '39.856123', Location_Y: '116.37', Label: PLACE.label }],
    ['link', (official) => official.link(alice, { title: 't', description: 'd', url: 'https://example.org' }), { MsgType: 'link', Url: 'https://example.org' }],
    ['subscribe by a code', (official) => official.follow(alice, '7'), { MsgType: 'event', Event: 'subscribe', EventKey: 'qrscene_7', MsgId: undefined }],
    ['unsubscribe', (official) => official.unfollow(alice), { Event: 'unsubscribe' }],
    ['SCAN', (official) => official.scan(alice, '7'), { Event: 'SCAN', EventKey: '7' }],
    ['LOCATION', (official) => official.reportLocation(alice, PLACE), { Event: 'LOCATION', Latitude: '39.856123', Precision: '65' }],
    ['CLICK', (official) => official.click(alice, 'REPORT'), { Event: 'CLICK', EventKey: 'REPORT' }],
    ['VIEW', (official) => official.view(alice, 'https://example.org'), { Event: 'VIEW', EventKey: 'https://example.org' }],
  ])('%s', async (_name, gesture, fields) => {
    gesture(platform.official);
    await platform.settle();
    expect(Object.fromEntries(Object.keys(fields).map((name) => [name, field(stage.heard[0], name)]))).toEqual(fields);
  });

  test('location_select nests where the place is', async () => {
    platform.official.selectLocation(alice, 'WHERE', PLACE, '社区服务站');
    await platform.settle();
    const info = stage.heard[0]?.xml?.children.find(({ name }) => name === 'SendLocationInfo');
    expect(info?.children.map(({ name, text }) => [name, text])).toEqual([['Location_X', '39.856123'], ['Location_Y', '116.37'], ['Scale', '16'], ['Label', PLACE.label], ['Poiname', '社区服务站']]);
  });

  test('a tapped item of a menu is a text with bizmsgmenuid', async () => {
    const token = await stage.officialToken();
    platform.official.text(alice, 'hi');
    await platform.settle();
    await stage.call(`/cgi-bin/message/custom/send?access_token=${token}`, { touser: alice.openId, msgtype: 'msgmenu', msgmenu: { head_content: '是这里吗？', list: [{ id: 'yes', content: '是' }, { id: 'no', content: '不是' }], tail_content: '' } });
    platform.official.tapMenu(alice, 'yes');
    await platform.settle();
    expect([field(stage.heard[1], 'Content'), field(stage.heard[1], 'bizmsgmenuid')]).toEqual(['是', 'yes']);
    expect(() => platform.official.tapMenu(alice, 'other')).toThrow('no menu');
  });

  test('nothing comes from somebody who does not follow', () => {
    platform.official.unfollow(alice);
    expect(() => platform.official.text(alice, 'hi')).toThrow('does not follow');
  });
});

describe('what the person sees of an answer', () => {
  test.each([['plain', reply], ['compatible', reply], ['compatible', sealedReply], ['safe', sealedReply]] as const)('a right reply in %s mode', async (mode, write) => {
    begin({ official: { mode } });
    stage.answer((heard) => write(heard, '已受理'));
    platform.official.text(alice, '楼道灯坏了');
    await platform.settle();
    expect(alice.readTexts()).toEqual(['已受理']);
    expect(alice.screen.map(({ via }) => via)).toEqual(['self', 'passive']);
  });

  test.each(['', 'success'])('「%s」 is nothing', async (body) => {
    stage.answer(() => body);
    platform.official.text(alice, 'hi');
    await platform.settle();
    expect(alice.received()).toEqual([]);
  });

  test.each<[string, 'plain' | 'safe', (heard: Heard) => string, string]>([
    ['JSON', 'plain', () => '{"ok":true}', 'not the XML'],
    ['an open reply in safe mode', 'safe', (heard) => reply(heard, 'x'), 'must be encrypted'],
    ['an encrypted reply in plain mode', 'plain', (heard) => sealedReply(heard, 'x'), 'encrypted reply in plain mode'],
    ['a wrong signature', 'safe', (heard) => sealedReply(heard, 'x').replace(/<TimeStamp>\d+/, '<TimeStamp>1'), 'signature'],
    ['names not turned round', 'plain', (heard) => reply(heard, 'x', { ToUserName: 'gh_0123456789ab' }), 'ToUserName'],
    ['an unknown kind', 'plain', (heard) => reply(heard, 'x', { MsgType: 'poem' }), 'MsgType'],
    ['2,049 bytes', 'plain', (heard) => reply(heard, 'x'.repeat(2049)), '2048 bytes'],
    ['an empty text', 'plain', (heard) => reply(heard, ''), 'without Content'],
  ])('%s shows that the account is out of order, and is not tried again', async (_name, mode, write, why) => {
    begin({ official: { mode } });
    stage.answer(write);
    platform.official.text(alice, 'hi');
    await platform.settle();
    expect(alice.readTexts()).toEqual([OUT_OF_ORDER]);
    expect(lastReply()).toMatchObject({ kind: 'wrong', why: expect.stringContaining(why) as string });
    expect(stage.heard).toHaveLength(1);
  });

  test('transfer_customer_service hands over to the platform\'s own service', async () => {
    begin({ official: { mode: 'plain' } });
    stage.answer((heard) => reply(heard, '', { MsgType: 'transfer_customer_service' }));
    platform.official.text(alice, 'hi');
    await platform.settle();
    expect(lastReply()).toEqual({ kind: 'transfer' });
  });
});

describe('tries', () => {
  test('three, five seconds apart, when nobody answers; each try is signed anew', async () => {
    const { clock } = stage;
    stage.answer(() => new Promise(() => undefined));
    const delivery = platform.official.text(alice, 'hi');
    await clock.advance(4999);
    expect(stage.heard).toHaveLength(1);
    await clock.advance(1);
    expect(stage.heard).toHaveLength(2);
    await clock.advance(10_000);
    expect(await delivery.done).toBe('failed');
    expect(delivery.tries.map(({ outcome, tookMs }) => [outcome, tookMs])).toEqual(Array(3).fill(['timeout', 5000]));
    expect(new Set(stage.heard.map((heard) => field(heard, 'MsgId'))).size).toBe(1);
    expect(new Set(stage.heard.map(({ url }) => url.searchParams.get('nonce'))).size).toBe(3);
    expect(alice.readTexts()).toEqual([OUT_OF_ORDER]);
  });

  test('an answer that comes too late is not shown; the next try\'s is', async () => {
    let late: (answer: string) => void = () => undefined;
    stage.answer((heard) => (stage.heard.length === 1 ? new Promise((resolve) => (late = () => resolve(sealedReply(heard, 'late')))) : sealedReply(heard, 'in time')));
    platform.official.text(alice, 'hi');
    await stage.clock.advance(5000);
    late('');
    await platform.settle();
    expect(alice.readTexts()).toEqual(['in time']);
  });

  test('go on after a 500 and end with the first 200', async () => {
    stage.answer((heard) => (stage.heard.length < 3 ? { status: 500 } : sealedReply(heard, 'at last')));
    const delivery = platform.official.text(alice, 'hi');
    await platform.settle();
    expect(delivery.tries.map(({ outcome, status }) => [outcome, status])).toEqual([['not_200', 500], ['not_200', 500], ['answered', 200]]);
    expect(alice.readTexts()).toEqual(['at last']);
  });

  test('end without an apology where nobody waits for an answer', async () => {
    stage.answer(() => ({ status: 500 }));
    platform.official.reportLocation(alice, PLACE);
    await platform.settle();
    expect([stage.heard.length, alice.received().length]).toEqual([3, 0]);
  });
});

describe('faults', () => {
  test('an answer that gets lost brings the message again', async () => {
    platform.faults.force('answerLost');
    stage.answer((heard) => sealedReply(heard, `answer ${stage.heard.length}`));
    const delivery = platform.official.text(alice, 'hi');
    await platform.settle();
    expect(delivery.tries.map(({ outcome }) => outcome)).toEqual(['answer_lost', 'answered']);
    expect(alice.readTexts()).toEqual(['answer 2']);
  });

  test('a message that arrives twice at once is answered once', async () => {
    platform.faults.force('callbackTwice');
    stage.answer((heard) => sealedReply(heard, 'once'));
    platform.official.text(alice, 'hi');
    await platform.settle();
    expect([stage.heard.length, alice.readTexts()]).toEqual([2, ['once']]);
  });

  test('a late message is overtaken', async () => {
    platform.faults.force('callbackLate');
    platform.official.text(alice, 'first');
    platform.official.text(alice, 'second');
    await platform.settle();
    expect(stage.heard.map((heard) => field(heard, 'Content'))).toEqual(['second', 'first']);
  });

  test('the same seed brings the same schedule, another seed another', async () => {
    const run = async (seed: number): Promise<string> => {
      begin({ seed, faults: { callbackLost: 0.2, answerLost: 0.2, callbackTwice: 0.2, callbackLate: 0.3 } });
      for (let n = 0; n < 20; n++) platform.official.text(alice, `message ${n}`);
      await platform.settle();
      return stage.heard.map((heard) => field(heard, 'Content')).join();
    };
    const [once, again, other] = [await run(7), await run(7), await run(8)];
    expect(once).toBe(again);
    expect(once).not.toBe(other);
  });
});
