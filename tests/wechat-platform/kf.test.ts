import { beforeEach, describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND, type Person, type WechatPlatform } from '../fakes/wechat-platform/index.ts';
import { open } from '../fakes/wechat-platform/seal.ts';
import { field, keysOf, play, type Play } from './play.ts';

let stage: Play;
let platform: WechatPlatform;
let alice: Person;
let token: string;

async function begin(options: Parameters<typeof play>[0] = {}): Promise<void> {
  stage = play(options);
  platform = stage.platform;
  alice = platform.person('alice');
  token = await stage.kfToken();
}
beforeEach(() => begin());

const post = (path: string, body: object) => stage.call(`/cgi-bin/kf/${path}?access_token=${token}`, { open_kfid: platform.kf.settings.openKfId, ...body });
const send = (body: object) => post('send_msg', { touser: alice.externalUserId, ...body });
const say = async (text = 'hello', msgid?: string) => (await send({ msgtype: 'text', text: { content: text }, ...(msgid === undefined ? {} : { msgid }) }))['errcode'];
const menu = async (items: object[], more: object = {}) => (await send({ msgtype: 'msgmenu', msgmenu: { head_content: '请选择', list: items, ...more } }))['errcode'];
const sync = async (body: object = {}) => await post('sync_msg', body) as { errcode: number; next_cursor: string; has_more: number; msg_list: Record<string, unknown>[] };
const trans = (state: number, servicer?: string) => post('service_state/trans', { external_userid: alice.externalUserId, service_state: state, ...(servicer === undefined ? {} : { servicer_userid: servicer }) });
const state = async () => (await post('service_state/get', { external_userid: alice.externalUserId }))['service_state'];
const onEvent = async (code: unknown, text = 'bye') => (await post('send_msg_on_event', { code, msgtype: 'text', text: { content: text } }))['errcode'];
const click = (id: string, content = '是') => ({ type: 'click', click: { id, content } });

async function later(ms: number): Promise<void> {
  await stage.clock.advance(ms);
  token = await stage.kfToken();
}

describe('the address is verified', () => {
  const plainOf = (url: URL): string => {
    const query = (name: string): string => url.searchParams.get(name) ?? '';
    const opened = open(keysOf(platform, 'kf'), { encrypt: query('echostr'), signature: query('msg_signature'), timestamp: query('timestamp'), nonce: query('nonce') });
    return opened.ok ? opened.text : opened.reason;
  };
  test.each([['the text of echostr', '', '', true], ['quotes', '"', '"', false], ['a newline', '', '\n', false], ['a BOM', '\ufeff', '', false]])('with %s: %s', async (_name, before, after, ok) => {
    stage.answer(({ url }) => before + plainOf(url) + after);
    expect((await platform.kf.verify()).ok).toBe(ok);
  });

  test('within one second', async () => {
    stage.answer(() => new Promise(() => undefined));
    const verified = platform.kf.verify();
    await stage.clock.advance(SECOND);
    expect(await verified).toEqual({ ok: false, why: 'timeout' });
  });
});

describe('callback and sync_msg', () => {
  test('the callback says only that there is something', async () => {
    platform.kf.text(alice, '楼道灯坏了');
    await platform.settle();
    const [heard] = stage.heard;
    expect([field(heard, 'Event'), field(heard, 'OpenKfId'), field(heard, 'Content')]).toEqual(['kf_msg_or_event', platform.kf.settings.openKfId, undefined]);
    const page = await sync({ token: field(heard, 'Token'), cursor: '' });
    expect(page).toMatchObject({ errcode: 0, has_more: 0, msg_list: [{ external_userid: alice.externalUserId, origin: 3, msgtype: 'text', text: { content: '楼道灯坏了' } }] });
    expect(Buffer.byteLength(page.next_cursor)).toBeLessThanOrEqual(64);
  });

  test('the Token is good for ten minutes', async () => {
    platform.kf.text(alice, 'a');
    await platform.settle();
    const given = field(stage.heard[0], 'Token');
    await stage.clock.advance(10 * MINUTE - 1);
    expect((await sync({ token: given })).errcode).toBe(0);
    await stage.clock.advance(1);
    expect((await sync({ token: given })).errcode).toBe(95_007);
    expect((await sync({ token: 'made up' })).errcode).toBe(95_007);
  });

  test('without a Token only so many calls a minute', async () => {
    await begin({ kf: { syncsWithoutToken: 2 } });
    expect([(await sync()).errcode, (await sync()).errcode, (await sync()).errcode]).toEqual([0, 0, 45_009]);
    await stage.clock.advance(MINUTE);
    expect((await sync()).errcode).toBe(0);
  });

  test('cursors go on where they stopped, and read the same again', async () => {
    for (const text of ['a', 'b', 'c']) platform.kf.text(alice, text);
    const texts = (page: { msg_list: Record<string, unknown>[] }) => page.msg_list.map((entry) => (entry['text'] as { content: string }).content);
    const first = await sync({ limit: 2 });
    const [second, again] = [await sync({ limit: 2, cursor: first.next_cursor }), await sync({ limit: 2, cursor: first.next_cursor })];
    expect([texts(first), first.has_more, texts(second), second.has_more]).toEqual([['a', 'b'], 1, ['c'], 0]);
    expect(again.msg_list).toEqual(second.msg_list);
    expect((await sync({ cursor: second.next_cursor })).msg_list).toEqual([]);
  });

  test.each([[{ cursor: 'x' }], [{ limit: 1001 }], [{ limit: 0 }], [{ limit: '10' }], [{ cursor: `0.${'A'.repeat(8)}.${'A'.repeat(24)}` }], [{ cursor: 'c'.repeat(65) }]])('%o is refused', async (body) => {
    expect((await sync(body)).errcode).toBe(40_058);
  });

  test('a cursor of an earlier run reads from the beginning where so configured', async () => {
    await begin({ kf: { foreignCursors: 'from_start' }, seed: 2 });
    platform.kf.text(alice, 'a');
    const { next_cursor: earlier } = await sync();
    await begin({ kf: { foreignCursors: 'from_start' }, seed: 3 });
    platform.kf.text(alice, 'b');
    expect((await sync({ cursor: earlier })).msg_list).toMatchObject([{ text: { content: 'b' } }]);
  });

  test('has_more may be 1 with an empty list; what there is comes after it', async () => {
    platform.kf.text(alice, 'a');
    platform.faults.force('emptyPage');
    const empty = await sync();
    expect(empty).toMatchObject({ has_more: 1, msg_list: [] });
    expect((await sync({ cursor: empty.next_cursor })).msg_list).toHaveLength(1);
  });

  test('empty pages end by themselves', async () => {
    await begin({ faults: { emptyPage: 1 } });
    platform.kf.text(alice, 'a');
    expect([(await sync()).msg_list.length, (await sync()).msg_list.length, (await sync()).msg_list.length]).toEqual([0, 0, 1]);
  });

  test('reaches back three days', async () => {
    platform.kf.text(alice, 'old');
    await later(73 * HOUR);
    platform.kf.text(alice, 'new');
    expect((await sync()).msg_list).toMatchObject([{ text: { content: 'new' } }]);
    await later(73 * HOUR);
    expect((await sync()).msg_list).toEqual([]);
  });

  test('many callbacks for one message, each with a Token of its own', async () => {
    platform.kf.text(alice, 'a');
    platform.kf.ringAgain();
    platform.faults.force('answerLost');
    platform.kf.ringAgain();
    await platform.settle();
    expect(stage.heard).toHaveLength(4);
    expect(new Set(stage.heard.map((heard) => field(heard, 'Token'))).size).toBe(3);
    expect((await sync()).msg_list).toHaveLength(1);
  });

  test('any status but 200 is tried again, three times in all', async () => {
    stage.answer(() => ({ status: 204 }));
    const delivery = platform.kf.text(alice, 'a');
    await platform.settle();
    expect([await delivery.done, stage.heard.length]).toEqual(['failed', 3]);
  });

  test.each<[string, (kf: WechatPlatform['kf']) => void, object]>([
    ['image', (kf) => kf.image(alice), { msgtype: 'image', image: { media_id: expect.any(String) as string } }],
    ['voice', (kf) => kf.voice(alice), { msgtype: 'voice', voice: { media_id: expect.any(String) as string } }],
    ['video', (kf) => kf.video(alice), { msgtype: 'video', video: { media_id: expect.any(String) as string } }],
    ['location', (kf) => kf.location(alice, { latitude: 39.9, longitude: 116.4, label: '西罗园', address: '丰台区' }), { msgtype: 'location', location: { latitude: 39.9, longitude: 116.4, name: '西罗园', address: '丰台区' } }],
    ['link', (kf) => kf.link(alice, { title: 't', description: 'd', url: 'u' }), { msgtype: 'link', link: { title: 't', desc: 'd', url: 'u', pic_url: '' } }],
  ])('%s', async (_name, gesture, entry) => {
    gesture(platform.kf);
    expect((await sync()).msg_list).toMatchObject([entry]);
  });
});

describe('send_msg', () => {
  test('five after each message, for 48 hours', async () => {
    platform.kf.conversation(alice);
    expect(await say()).toBe(95_002);
    platform.kf.text(alice, 'a');
    const codes: unknown[] = [];
    for (let n = 0; n < 6; n++) codes.push(await say(`${n}`));
    expect(codes).toEqual([0, 0, 0, 0, 0, 95_001]);
    platform.kf.text(alice, 'b');
    await later(48 * HOUR - 1);
    expect(await say('still')).toBe(0);
    await later(1);
    expect(await say()).toBe(95_002);
    expect(alice.readTexts('kf')).toEqual(['0', '1', '2', '3', '4', 'still']);
  });

  test('or takes what is over and reports it as msg_send_fail', async () => {
    await begin({ kf: { overLimit: 'event', grant: { count: 1, windowMs: 48 * HOUR } } });
    platform.kf.text(alice, 'a');
    expect([await say('1'), await say('2', 'second')]).toEqual([0, 0]);
    await later(48 * HOUR);
    expect(await say('3', 'third')).toBe(0);
    await platform.settle();
    const events = (await sync()).msg_list.flatMap((entry) => (entry['msgtype'] === 'event' ? [entry['event']] : []));
    expect(events).toMatchObject([{ event_type: 'msg_send_fail', fail_msgid: 'second', fail_type: 6 }, { fail_msgid: 'third', fail_type: 4 }]);
    expect(alice.readTexts()).toEqual(['1']);
    expect(stage.heard).toHaveLength(3);
  });

  test('to who refuses it, or on demand, fails afterwards', async () => {
    platform.kf.text(alice, 'a');
    platform.kf.sending.failNext(1);
    await say('1', 'm1');
    platform.kf.refuse(alice);
    await say('2', 'm2');
    const entries = (await sync()).msg_list.slice(1);
    expect(entries.map((entry) => entry['event'])).toMatchObject([{ fail_msgid: 'm1', fail_type: 1 }, { fail_msgid: 'm2', fail_type: 10 }]);
    expect(entries[0]).toMatchObject({ origin: 4, msgtype: 'event', event: { external_userid: alice.externalUserId } });
    expect(entries[0]).not.toHaveProperty('external_userid');
  });

  test('the same msgid is the same message, also after its answer was lost', async () => {
    platform.kf.text(alice, 'a');
    platform.faults.force('callAnswerLost');
    await expect(say('once', 'key-1')).rejects.toThrow(TypeError);
    expect(await send({ msgid: 'key-1', msgtype: 'text', text: { content: 'once' } })).toEqual({ errcode: 0, errmsg: 'ok', msgid: 'key-1' });
    expect(alice.readTexts()).toEqual(['once']);
    expect([await say('x', 'k'.repeat(33)), await say('x', 'a.b')]).toEqual([40_058, 40_058]);
  });

  test.each<[string, () => Promise<unknown>, number]>([
    ['2,048 bytes', () => say('x'.repeat(2048)), 0],
    ['2,049 bytes', () => say(`${'字'.repeat(682)}xyz`), 45_002],
    ['no text', () => say(''), 44_004],
    ['10 items', () => menu(Array.from({ length: 10 }, (_, n) => click(`${n}`))), 0],
    ['11 items', () => menu(Array.from({ length: 11 }, (_, n) => click(`${n}`))), 95_008],
    ['an id of 64 bytes', () => menu([click('i'.repeat(64))]), 0],
    ['an id of 65 bytes', () => menu([click('i'.repeat(65))]), 40_058],
    ['a head of 1,025 bytes', () => menu([click('1')], { head_content: 'x'.repeat(1025) }), 45_002],
    ['a tail of 1,025 bytes', () => menu([click('1')], { tail_content: 'x'.repeat(1025) }), 45_002],
    ['an unknown kind of item', () => menu([{ type: 'poem', poem: { content: 'a' } }]), 95_009],
    ['an unknown picture', async () => (await send({ msgtype: 'image', image: { media_id: 'x' } }))['errcode'], 40_007],
    ['a place without degrees', async () => (await send({ msgtype: 'location', location: { name: 'x' } }))['errcode'], 40_058],
    ['another account', async () => (await send({ open_kfid: 'x', msgtype: 'text', text: { content: 'a' } }))['errcode'], 95_000],
    ['an unknown person', async () => (await send({ touser: 'x', msgtype: 'text', text: { content: 'a' } }))['errcode'], 40_003],
  ])('%s → the code', async (_name, sent, errcode) => {
    platform.kf.text(alice, 'a');
    expect(await sent()).toBe(errcode);
  });

  test('an item that is tapped comes back with its id', async () => {
    platform.kf.text(alice, 'a');
    await menu([click('yes'), { type: 'view', view: { url: 'https://example.org', content: '看看' } }]);
    platform.kf.tapMenu(alice, 'yes');
    expect((await sync()).msg_list.at(-1)).toMatchObject({ msgtype: 'text', text: { content: '是', menu_id: 'yes' } });
  });
});

describe('service states', () => {
  test.each([
    [0, 1, 0], [0, 2, 0], [0, 3, 0], [0, 4, 0], [1, 0, 95_016], [1, 2, 0], [1, 3, 0], [1, 4, 0], [1, 1, 95_016],
    [2, 1, 95_016], [2, 3, 0], [2, 4, 0], [3, 1, 95_016], [3, 2, 95_016], [3, 4, 0], [4, 1, 95_016], [4, 3, 95_016], [0, 5, 40_058],
  ] as const)('%i → %i answers %i', async (from, to, errcode) => {
    platform.kf.conversation(alice).state = from;
    expect((await trans(to, to === 3 ? 'zhangsan' : undefined))['errcode']).toBe(errcode);
    expect(await state()).toBe(errcode === 0 ? to : from);
  });

  test('3 → 3 needs another servicer, and a servicer must be one', async () => {
    platform.kf.conversation(alice);
    expect((await trans(3))['errcode']).toBe(95_014);
    expect((await trans(3, 'zhangsan'))['errcode']).toBe(0);
    expect([(await trans(3, 'zhangsan'))['errcode'], (await trans(3, 'lisi'))['errcode']]).toEqual([95_016, 0]);
    expect(await post('service_state/get', { external_userid: alice.externalUserId })).toMatchObject({ service_state: 3, servicer_userid: 'lisi' });
  });

  test('send_msg works in 0 and 1 only; the next message after the end begins anew', async () => {
    platform.kf.text(alice, 'a');
    const codes: unknown[] = [];
    for (const next of [1, 2, 4]) {
      codes.push(await say());
      await trans(next);
    }
    codes.push(await say());
    platform.kf.text(alice, 'again');
    expect([...codes, await state(), await say()]).toEqual([0, 0, 95_018, 95_018, 0, 0]);
  });

  test.each([[2, 48 * HOUR], [3, 48 * HOUR], [4, 20 * SECOND]])('the code for state %i is good for %i ms and one message', async (to, validMs) => {
    platform.kf.text(alice, 'a');
    const { msg_code: code } = await trans(to, 'zhangsan');
    await later(validMs - 1);
    expect([await onEvent(code), await onEvent(code)]).toEqual([0, 95_007]);
    await begin();
    platform.kf.text(alice, 'a');
    const { msg_code: stale } = await trans(to, 'zhangsan');
    await later(validMs);
    expect(await onEvent(stale)).toBe(95_007);
  });

  test('who enters is greeted once in 48 hours, within 20 seconds, with text or menu', async () => {
    platform.kf.enter(alice, 'qr');
    const code = ((await sync()).msg_list[0]?.['event'] as Record<string, unknown>)['welcome_code'];
    expect((await post('send_msg_on_event', { code, msgtype: 'image', image: { media_id: platform.kf.media.put({ kind: 'image', bytes: Buffer.of(1) }) } }))['errcode']).toBe(40_008);
    await stage.clock.advance(20 * SECOND - 1);
    expect(await onEvent(code, '您好')).toBe(0);
    platform.kf.enter(alice);
    expect((await sync()).msg_list[1]?.['event']).not.toHaveProperty('welcome_code');
    await later(48 * HOUR);
    platform.kf.enter(alice);
    expect((await sync()).msg_list[2]?.['event']).toHaveProperty('welcome_code');
    expect(alice.readTexts().filter((text) => text === '您好')).toHaveLength(1);
  });

  test('a servicer inside WeCom takes, answers, passes on and ends', async () => {
    platform.kf.text(alice, 'a');
    await trans(2);
    platform.kf.servicerTakes(alice, 'zhangsan');
    platform.kf.servicerSays(alice, '我来处理');
    platform.kf.servicerPasses(alice, 'lisi');
    platform.kf.servicerEnds(alice);
    const entries = (await sync()).msg_list.slice(1);
    expect(entries).toMatchObject([
      { origin: 4, event: { event_type: 'session_status_change', change_type: 1, new_servicer_userid: 'zhangsan' } },
      { origin: 5, servicer_userid: 'zhangsan', text: { content: '我来处理' } },
      { origin: 4, event: { change_type: 2, old_servicer_userid: 'zhangsan', new_servicer_userid: 'lisi' } },
      { origin: 4, event: { change_type: 3, old_servicer_userid: 'lisi' } },
    ]);
    expect(await onEvent((entries[3]?.['event'] as Record<string, unknown>)['msg_code'], '感谢')).toBe(0);
    expect([alice.readTexts(), await state()]).toEqual([['我来处理', '感谢'], 4]);
    expect(() => platform.kf.servicerSays(alice, 'x')).toThrow('state 4');
  });
});

test('media: what a person sent is fetched with the token of WeCom, not with the other', async () => {
  platform.kf.image(alice);
  const mediaId = ((await sync()).msg_list[0]?.['image'] as Record<string, string>)['media_id'] ?? '';
  const get = (given: string) => platform.fetch(`https://api.invalid/cgi-bin/media/get?access_token=${given}&media_id=${mediaId}`);
  expect((await get(token)).headers.get('content-type')).toBe('image/jpeg');
  expect(await (await get(await stage.officialToken())).json()).toMatchObject({ errcode: 40_007 });
});
