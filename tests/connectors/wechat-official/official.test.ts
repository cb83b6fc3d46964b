import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TranscriptMessage } from '../../../src/domain/message.ts';
import { sealFrame, signatureOf } from '../../../src/connectors/wechat/crypto.ts';
import { reportText } from '../../fakes/understanding.ts';
import { ENGINES } from '../../fakes/test-store.ts';
import { ACCOUNT, key, makeOfficial, nextId, post, pushXml, signedUrl } from './harness.ts';

type Made = Awaited<ReturnType<typeof makeOfficial>>;
let serial = 0;
const openid = (): string => `oTest${++serial}abcdefghijklmnopqrstu`;
const idsOf = (made: Made['made'], who: string) => made.app.store.ensureResident('wechat-official', who, made.now());
const transcript = async (made: Made['made'], who: string): Promise<readonly TranscriptMessage[]> => made.app.store.transcript((await idsOf(made, who)).conversationId, { afterSeq: 0, limit: 100 });
const said = async (made: Made['made'], who: string) => (await transcript(made, who)).filter((each) => each.author === 'resident').map((each) => each.body);

describe.each(ENGINES)('an official account on %s', (engine) => {
  let made: Made['made'];
  let platform: Made['platform'];
  beforeAll(async () => { ({ made, platform } = await makeOfficial({ engine })); });
  afterAll(() => made.drop());

  test('the console’s test of the address is answered with echostr as it is', async () => {
    const [timestamp, nonce] = [String(Math.floor(made.now() / 1_000)), '1320562132'];
    const url = (signature: string): string => `/wechat/official?${new URLSearchParams({ signature, timestamp, nonce, echostr: '4234234234' }).toString()}`;
    const good = await made.app.server.inject(url(signatureOf(ACCOUNT.token, timestamp, nonce)));
    expect([good.statusCode, good.body]).toEqual([200, '4234234234']);
    expect((await made.app.server.inject(url('0'.repeat(40)))).statusCode).toBe(403);
  });

  test('a message is answered inside its callback, and nothing is sent beside it', async () => {
    const who = openid();
    const answer = await post(made, pushXml(who, { Content: '你好', MsgId: nextId() }));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('您好，我是12345');
    expect(answer.text).toContain('<a href="weixin://bizmsgmenu?msgmenucontent=转人工&msgmenuid=human">转人工</a>');
    await made.settle();
    expect(platform.sent().filter((each) => each['touser'] === who)).toEqual([]);
  });

  test('a report becomes a ticket; what is said after the answer goes by customer-service message', async () => {
    const who = openid();
    const answer = await post(made, pushXml(who, { Content: reportText(++serial), MsgId: nextId() }));
    expect(answer.text).toContain('已为您立单');
    await made.settle();
    expect((await made.app.store.ticketsOfResident((await idsOf(made, who)).residentId, 5))).toHaveLength(1);
    const heard = (await transcript(made, who)).filter((each) => each.author !== 'resident').length;
    expect(platform.sent().filter((each) => each['touser'] === who).length).toBe(heard - 1);
  });

  test('the second and third delivery of a message get the same answer, and nothing happens twice', async () => {
    const who = openid();
    const xml = pushXml(who, { Content: '你好', MsgId: nextId() });
    const answers = [await post(made, xml), await post(made, xml), await post(made, xml)];
    expect(answers[0]?.text).not.toBe('');
    expect(new Set(answers.map((each) => each.text)).size).toBe(1);
    await made.settle();
    expect(await said(made, who)).toHaveLength(1);
    expect(platform.sent().filter((each) => each['touser'] === who)).toEqual([]);
  });

  test('three deliveries at once: one message, each reply reaches the resident once', async () => {
    const who = openid();
    const xml = pushXml(who, { Content: '你好', MsgId: nextId() });
    const answers = await Promise.all([post(made, xml), post(made, xml), post(made, xml)]);
    expect(answers.every((each) => each.status === 200)).toBe(true);
    await made.settle();
    expect(await said(made, who)).toHaveLength(1);
    const inside = new Set(answers.map((each) => each.text).filter((text) => text !== '')).size;
    expect(inside + platform.sent().filter((each) => each['touser'] === who).length).toBe(1);
  });

  test.each(['safe', 'compatible'] as const)('a %s body', async (mode) => {
    const who = openid();
    const strict = mode === 'safe' ? { made, drop: async () => undefined } : await makeOfficial({ env: { WECHAT_MODE: 'compatible' } }).then((other) => ({ made: other.made, drop: () => other.made.drop() }));
    const answer = await post(strict.made, pushXml(who, { Content: '你好', MsgId: nextId() }), mode);
    expect(answer.text).toContain('您好');
    expect(answer.body).toContain('<Encrypt>');
    await strict.drop();
  });

  test('what residents send arrives as what it is', async () => {
    const who = openid();
    await post(made, pushXml(who, { MsgType: 'location', Location_X: '39.86', Location_Y: '116.37', Scale: '16', Label: '西罗园第二社区', MsgId: nextId() }));
    await post(made, pushXml(who, { MsgType: 'voice', MediaId: 'v1', Format: 'amr', Recognition: '你好', MsgId: nextId() }));
    await post(made, pushXml(who, { MsgType: 'link', Title: '题', Description: '述', Url: 'http://a.cn', MsgId: nextId() }));
    await post(made, pushXml(who, { Content: '转人工', bizmsgmenuid: 'human', MsgId: nextId() }));
    const bodies = await said(made, who);
    expect(bodies).toEqual([
      { kind: 'location', latitude: 39.86, longitude: 116.37, label: '西罗园第二社区' }, { kind: 'text', text: '你好' }, { kind: 'text', text: '题\n述\nhttp://a.cn' }, { kind: 'tap', chip: 'human', label: '转人工' },
    ]);
  });

  test('a picture is acknowledged before it is fetched, then stands cleaned and sealed where the transcript names it', async () => {
    const who = openid();
    const answer = await post(made, pushXml(who, { MsgType: 'image', PicUrl: 'http://x', MediaId: 'pic-1', MsgId: nextId() }));
    expect(answer.text).toContain('图片收到了');
    const [body] = await said(made, who);
    if (body?.kind !== 'image') throw new Error('no picture');
    for (let n = 0; n < 300 && !(await made.app.store.media(body.mediaId)); n += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await made.app.store.media(body.mediaId)).toMatchObject({ mime: 'image/jpeg' });
  });

  test('a picture that is none is told to the resident', async () => {
    const who = openid();
    platform.answers.set('/cgi-bin/media/get', [() => new Response('<script>', { headers: { 'content-type': 'image/jpeg' } })]);
    await post(made, pushXml(who, { MsgType: 'image', PicUrl: 'http://x', MediaId: 'pic-2', MsgId: nextId() }));
    for (let n = 0; n < 300 && (await transcript(made, who)).at(-1)?.author !== 'system'; n += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await transcript(made, who)).at(-1)?.body).toMatchObject({ kind: 'text', text: expect.stringContaining('没能收到') });
  });

  test.each([['voice', { MsgType: 'voice', MediaId: 'v9', Format: 'amr', Recognition: '' }], ['video', { MsgType: 'video', MediaId: 'v9', ThumbMediaId: 't' }], ['video', { MsgType: 'shortvideo', MediaId: 'v9', ThumbMediaId: 't' }], ['other', { MsgType: 'file', MediaId: 'f' }]])('%s without words goes to an operator: %j', async (medium, fields) => {
    const who = openid();
    const answer = await post(made, pushXml(who, { ...fields, MsgId: nextId() }));
    expect(answer.text).toContain('已请人工');
    expect(await said(made, who)).toEqual([expect.objectContaining({ kind: 'unheard', medium })]);
    expect(await made.app.store.conversation((await idsOf(made, who)).conversationId)).toMatchObject({ mode: 'waiting', handoff: { reason: 'unheard' } });
  });

  test('whoever follows is greeted once, however often the event comes; two events of one second are two', async () => {
    const who = openid();
    const at = Math.floor(made.now() / 1_000);
    const subscribe = pushXml(who, { MsgType: 'event', Event: 'subscribe', EventKey: '' }, at);
    const first = await post(made, subscribe);
    expect(first.text).toContain('即办');
    expect((await post(made, subscribe)).text).toBe(first.text);
    await post(made, pushXml(who, { MsgType: 'event', Event: 'CLICK', EventKey: 'status' }, at));
    await post(made, pushXml(who, { MsgType: 'event', Event: 'CLICK', EventKey: 'status' }, at));
    expect(await said(made, who)).toEqual([{ kind: 'tap', chip: 'status', label: '' }]);
    await made.settle();
    expect(platform.sent().filter((each) => each['touser'] === who)).toEqual([]);
  });

  test.each([
    { Event: 'unsubscribe', EventKey: '' }, { Event: 'VIEW', EventKey: 'http://www.qq.com', MenuId: '1' }, { Event: 'LOCATION', Latitude: '23.1', Longitude: '113.3', Precision: '119.3' },
    { Event: 'TEMPLATESENDJOBFINISH', MsgID: '200163836', Status: 'success' },
    { Event: 'subscribe_msg_popup_event', SubscribeMsgPopupEvent: '<List><TemplateId>a</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List><List><TemplateId>b</TemplateId></List>' },
  ])('%j is acknowledged and starts no conversation', async (fields) => {
    const who = openid();
    expect(await post(made, pushXml(who, { MsgType: 'event', ...fields }))).toMatchObject({ status: 200, body: 'success' });
    expect(await said(made, who)).toEqual([]);
  });

  test('a place picked from the menu', async () => {
    const who = openid();
    await post(made, pushXml(who, { MsgType: 'event', Event: 'location_select', EventKey: '6', SendLocationInfo: '<Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>广州市</Label><Poiname></Poiname>' }));
    expect(await said(made, who)).toEqual([{ kind: 'location', latitude: 23, longitude: 113, label: '广州市' }]);
  });

  test('who types a choice’s words has chosen it', async () => {
    const who = openid();
    await post(made, pushXml(who, { Content: '你好', MsgId: nextId() }));
    await post(made, pushXml(who, { Content: '转人工', MsgId: nextId() }));
    expect((await said(made, who))[1]).toEqual({ kind: 'tap', chip: 'human', label: '转人工' });
  });

  test('refused alike and for a reason: wrong signature, wrong receiver, stale, cut, not XML; a plain body where all must be sealed', async () => {
    const xml = pushXml(openid(), { Content: 'x', MsgId: nextId() });
    const inject = async (encrypted: string, now = made.now(), token: string = ACCOUNT.token) =>
      (await made.app.server.inject({ method: 'POST', url: signedUrl(encrypted, now, token), headers: { 'content-type': 'text/xml' }, payload: `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>` }));
    const sealed = sealFrame(xml, key, ACCOUNT.appId);
    const answers = [
      await inject(sealed, made.now(), 'other'), await inject(sealFrame(xml, key, 'wx0000000000000000')), await inject(sealed, made.now() - 3_600_000), await inject(sealed.slice(0, -4)),
      await inject(Buffer.from(sealed, 'base64').subarray(0, -16).toString('base64')), await inject(sealFrame('not xml', key, ACCOUNT.appId)),
    ];
    expect(answers.map((each) => each.statusCode)).toEqual(answers.map(() => 403));
    expect(new Set(answers.map((each) => each.json<{ message: string }>().message)).size).toBe(1);
    expect((await post(made, xml, 'plain')).status).toBe(403);
    expect((await inject(sealed)).statusCode).toBe(200);
  });
});

test('plain mode, where it is configured', async () => {
  const { made } = await makeOfficial({ env: { WECHAT_MODE: 'plain', WECHAT_AES_KEY: '' } });
  const answer = await post(made, pushXml(openid(), { Content: '你好', MsgId: nextId() }), 'plain');
  expect(answer.text).toContain('您好');
  expect(answer.body).not.toContain('Encrypt');
  await made.drop();
});
