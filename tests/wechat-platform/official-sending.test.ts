import { beforeEach, describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND, type Person, type WechatPlatform } from '../fakes/wechat-platform/index.ts';
import { SAMPLE_AMR, SAMPLE_JPEG } from '../fakes/wechat-platform/samples.ts';
import { field, play, type Play } from './play.ts';

const TEMPLATE = 'progress';
const TEMPLATES = { [TEMPLATE]: { content: '{{first.DATA}}\n工单编号：{{number.DATA}}\n进度：{{state.DATA}}\n{{remark.DATA}}' } };
const SUBSCRIPTIONS = { once: { term: 'once', content: '{{thing1.DATA}}' }, long: { term: 'long', content: '{{thing1.DATA}}' } } as const;

let stage: Play;
let platform: WechatPlatform;
let alice: Person;
let token: string;

async function begin(options: Parameters<typeof play>[0] = {}): Promise<void> {
  stage = play({ ...options, official: { templates: TEMPLATES, subscriptions: SUBSCRIPTIONS, ...options.official } });
  platform = stage.platform;
  alice = platform.person('alice');
  platform.official.follower(alice).following = true;
  token = await stage.officialToken();
}
beforeEach(() => begin());

const post = async (path: string, body: unknown) => (await stage.call(`${path}?access_token=${token}`, body));
const say = async (text = 'hello') => (await post('/cgi-bin/message/custom/send', { touser: alice.openId, msgtype: 'text', text: { content: text } }))['errcode'];
const sayTimes = async (times: number) => {
  const codes: unknown[] = [];
  for (let n = 0; n < times; n++) codes.push(await say(`${n}`));
  return codes;
};
const inform = (data: Record<string, string>, more: object = {}) =>
  post('/cgi-bin/message/template/send', { touser: alice.openId, template_id: TEMPLATE, data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, { value }])), ...more });
const GOOD = { number: 'JB1', state: '已派单' };

describe('customer-service messages', () => {
  test('nobody who did nothing', async () => {
    expect(await say()).toBe(45_015);
  });

  test.each<[string, (official: WechatPlatform['official']) => void, number, number]>([
    ['a message', (official) => official.text(alice, 'hi'), 5, 48 * HOUR],
    ['a click', (official) => official.click(alice, 'K'), 3, MINUTE],
    ['a scan', (official) => official.scan(alice, '1'), 3, MINUTE],
    ['following', (official) => official.follow(alice), 3, MINUTE],
  ])('%s allows %i within its window', async (_name, gesture, count, windowMs) => {
    gesture(platform.official);
    const tokenBefore = token;
    expect(await sayTimes(count + 1)).toEqual([...Array<number>(count).fill(0), 45_047]);
    gesture(platform.official);
    await stage.clock.advance(windowMs - 1);
    token = await stage.officialToken();
    expect(await say('still')).toBe(0);
    await stage.clock.advance(1);
    expect([await say('too late'), tokenBefore.length]).toEqual([45_015, 512]);
    expect(alice.readTexts()).toEqual([...Array.from({ length: count }, (_, n) => `${n}`), 'still']);
  });

  test.each<[string, (official: WechatPlatform['official']) => void]>([
    ['opening a page', (official) => official.view(alice, 'https://example.org')],
    ['a place the phone reports', (official) => official.reportLocation(alice, { latitude: 1, longitude: 2, label: '' })],
  ])('%s allows none', async (_name, gesture) => {
    gesture(platform.official);
    expect(await say()).toBe(45_015);
  });

  test('a new message brings five, not five more; unless so configured', async () => {
    platform.official.text(alice, 'a');
    platform.official.text(alice, 'b');
    expect((await sayTimes(6)).at(-1)).toBe(45_047);
    await begin({ official: { grantsAdd: true } });
    platform.official.text(alice, 'a');
    platform.official.text(alice, 'b');
    expect(await sayTimes(11)).toEqual([...Array<number>(10).fill(0), 45_047]);
  });

  test('what ends first is used first', async () => {
    platform.official.text(alice, 'a');
    platform.official.click(alice, 'K');
    expect(await sayTimes(3)).toEqual([0, 0, 0]);
    await stage.clock.advance(MINUTE);
    expect(await sayTimes(6)).toEqual([0, 0, 0, 0, 0, 45_047]);
  });

  test('who left is out of reach', async () => {
    platform.official.text(alice, 'a');
    platform.official.unfollow(alice);
    expect(await say()).toBe(45_015);
  });

  test.each<[string, object, number]>([
    ['an unknown person', { touser: 'x', msgtype: 'text', text: { content: 'a' } }, 40_003],
    ['no text', { msgtype: 'text', text: {} }, 44_004],
    ['683 characters of three bytes', { msgtype: 'text', text: { content: '字'.repeat(683) } }, 45_002],
    ['an unknown kind', { msgtype: 'poem' }, 40_008],
    ['an unknown picture', { msgtype: 'image', image: { media_id: 'x' } }, 40_007],
    ['a menu without items', { msgtype: 'msgmenu', msgmenu: { head_content: 'a', list: [] } }, 47_001],
  ])('%s is refused with its code', async (_name, body, errcode) => {
    platform.official.text(alice, 'a');
    expect((await post('/cgi-bin/message/custom/send', { touser: alice.openId, ...body }))['errcode']).toBe(errcode);
  });

  test('the same call twice is the same message twice: the platform knows no key here', async () => {
    platform.official.text(alice, 'a');
    platform.faults.force('callAnswerLost');
    await expect(say('1')).rejects.toThrow(TypeError);
    expect(await say('1')).toBe(0);
    expect(alice.readTexts()).toEqual(['1', '1']);
  });

  test('a call that never arrives does nothing; a busy platform says -1 and does nothing', async () => {
    platform.official.text(alice, 'a');
    platform.faults.force('callLost');
    await expect(say('1')).rejects.toThrow(TypeError);
    platform.faults.force('busy');
    expect(await say('2')).toBe(-1);
    expect(alice.readTexts()).toEqual([]);
    expect(platform.calls.slice(-2).map(({ lost, errcode }) => [lost, errcode])).toEqual([['call', 0], [undefined, -1]]);
  });

  test('a day has so many calls, and begins at midnight in China', async () => {
    await begin({ official: { dailyCalls: 2 } });
    platform.official.text(alice, 'a');
    expect(await sayTimes(3)).toEqual([0, 0, 45_009]);
    await stage.clock.advance(15 * HOUR - 1);
    token = await stage.officialToken();
    expect(await say()).toBe(45_009);
    await stage.clock.advance(1);
    expect(await say()).toBe(0);
  });
});

describe('template messages', () => {
  test('are shown without first and remark, and reported', async () => {
    const sent = await inform({ first: '您好', ...GOOD, remark: '谢谢' });
    await platform.settle();
    expect(alice.received()[0]).toMatchObject({ via: 'template', content: { fields: GOOD } });
    expect(['Event', 'Status', 'MsgID', 'MsgId'].map((name) => field(stage.heard[0], name))).toEqual(['TEMPLATESENDJOBFINISH', 'success', String(sent['msgid']), undefined]);
  });

  test('need no window', async () => {
    await stage.clock.advance(100 * HOUR);
    token = await stage.officialToken();
    expect((await inform(GOOD))['errcode']).toBe(0);
  });

  test.each([
    ['21 characters', '一'.repeat(21), 47_003], ['20 characters', '一'.repeat(20), 0], ['a newline', 'a\nb', 47_003], ['an emoji', '好👍', 47_003], ['nothing', '', 47_003],
  ])('with %s in a field', async (_name, state, errcode) => {
    expect((await inform({ number: '1', state }))['errcode']).toBe(errcode);
  });

  test('are cut where the platform is set to cut', async () => {
    await begin({ official: { fieldOffence: 'cut' } });
    expect((await inform({ number: '1\n2', state: `👍${'一'.repeat(30)}` }))['errcode']).toBe(0);
    expect(alice.received()[0]).toMatchObject({ content: { fields: { number: '1 2', state: '一'.repeat(20) } } });
  });

  test('with a client_msg_id are sent once in ten minutes', async () => {
    const first = await inform(GOOD, { client_msg_id: 'a' });
    await stage.clock.advance(10 * MINUTE - 1);
    expect(await inform(GOOD, { client_msg_id: 'a' })).toEqual(first);
    expect(alice.received()).toHaveLength(1);
    await stage.clock.advance(1);
    expect((await inform(GOOD, { client_msg_id: 'a' }))['msgid']).not.toBe(first['msgid']);
    expect(alice.received()).toHaveLength(2);
  });

  test('fail afterwards for who blocks them, and for no reason', async () => {
    platform.official.follower(alice).blocksTemplates = true;
    await inform(GOOD);
    platform.official.follower(alice).blocksTemplates = false;
    platform.faults.force('templateFails');
    await inform(GOOD);
    await platform.settle();
    expect(stage.heard.map((heard) => field(heard, 'Status'))).toEqual(['failed:user block', 'failed: system failed']);
    expect(alice.received()).toEqual([]);
  });

  test('are refused at once without a template, and to who does not follow', async () => {
    expect((await inform(GOOD, { template_id: 'x' }))['errcode']).toBe(40_037);
    platform.official.unfollow(alice);
    expect((await inform(GOOD))['errcode']).toBe(43_004);
  });
});

describe('subscription notices', () => {
  const notify = async (template: string) => (await post('/cgi-bin/message/subscribe/bizsend', { touser: alice.openId, template_id: template, data: { thing1: { value: '已办结' } } }))['errcode'];

  test('one consent, one notice, however late', async () => {
    expect(await notify('once')).toBe(43_101);
    platform.official.answerSubscriptions(alice, [{ templateId: 'once', status: 'accept' }, { templateId: 'long', status: 'reject' }]);
    await platform.settle();
    await stage.clock.advance(1000 * HOUR);
    token = await stage.officialToken();
    expect([await notify('once'), await notify('once'), await notify('long')]).toEqual([0, 43_101, 43_101]);
    const lists = stage.heard[0]?.xml?.children.find(({ name }) => name === 'SubscribeMsgPopupEvent')?.children ?? [];
    expect(lists.map(({ children }) => children.map(({ text }) => text))).toEqual([['once', 'accept', '2'], ['long', 'reject', '2']]);
  });

  test('a long-term consent stands', async () => {
    platform.official.answerSubscriptions(alice, [{ templateId: 'long', status: 'accept' }]);
    expect([await notify('long'), await notify('long'), await notify('long')]).toEqual([0, 0, 0]);
  });
});

describe('media', () => {
  const get = (mediaId: string) => platform.fetch(`https://api.invalid/cgi-bin/media/get?access_token=${token}&media_id=${mediaId}`);
  const upload = async (type: string, bytes: Buffer) => {
    const form = new FormData();
    form.append('media', new File([new Uint8Array(bytes)], 'a.jpg', { type: 'image/jpeg' }));
    return await (await platform.fetch(`https://api.invalid/cgi-bin/media/upload?access_token=${token}&type=${type}`, { method: 'POST', body: form })).json() as Record<string, unknown>;
  };

  test('what a person sent is fetched with its type, for three days', async () => {
    platform.official.voice(alice);
    await platform.settle();
    const mediaId = field(stage.heard[0], 'MediaId') ?? '';
    const response = await get(mediaId);
    expect([response.headers.get('content-type'), Buffer.from(await response.arrayBuffer()).equals(SAMPLE_AMR)]).toEqual(['audio/amr', true]);
    await stage.clock.advance(72 * HOUR);
    token = await stage.officialToken();
    expect(await (await get(mediaId)).json()).toMatchObject({ errcode: 40_007 });
  });

  test('a picture is also behind its PicUrl, without a token', async () => {
    platform.official.image(alice);
    await platform.settle();
    const response = await platform.fetch(field(stage.heard[0], 'PicUrl') ?? '');
    expect(Buffer.from(await response.arrayBuffer()).equals(SAMPLE_JPEG)).toBe(true);
  });

  test('a video is an address', async () => {
    platform.official.video(alice);
    await platform.settle();
    expect(await (await get(field(stage.heard[0], 'MediaId') ?? '')).json()).toEqual({ video_url: expect.stringContaining('/mmbiz/') as string });
  });

  test('what was uploaded can be sent', async () => {
    platform.official.text(alice, 'a');
    const { media_id: mediaId } = await upload('image', SAMPLE_JPEG);
    expect((await post('/cgi-bin/message/custom/send', { touser: alice.openId, msgtype: 'image', image: { media_id: mediaId } }))['errcode']).toBe(0);
    expect(alice.received().at(-1)?.content).toEqual({ kind: 'image', mediaId });
  });

  test('uploads of no kind, of no bytes, and too large ones are refused', async () => {
    expect((await upload('poem', SAMPLE_JPEG))['errcode']).toBe(40_004);
    expect((await upload('image', Buffer.alloc(0)))['errcode']).toBe(41_005);
    expect((await upload('thumb', Buffer.alloc(65 * 1024)))['errcode']).toBe(40_009);
    expect((await post('/cgi-bin/media/upload', {}))['errcode']).toBe(40_004);
  });
});

test('a path the simulator does not have is 404 and recorded', async () => {
  expect((await post('/cgi-bin/nothing', {}))['errcode']).toBe(-404);
  expect(platform.calls.at(-1)).toMatchObject({ path: '/cgi-bin/nothing', status: 404 });
});

test('POST with GET, and a body that is no JSON', async () => {
  expect((await stage.call(`/cgi-bin/message/custom/send?access_token=${token}`))['errcode']).toBe(43_002);
  const response = await platform.fetch(`https://api.invalid/cgi-bin/message/custom/send?access_token=${token}`, { method: 'POST', body: 'hello' });
  expect(await response.json()).toMatchObject({ errcode: 47_001 });
  await stage.clock.advance(SECOND);
});
