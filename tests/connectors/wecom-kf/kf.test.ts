import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { afterState, MODE_OF_STATE } from '../../../src/connectors/wecom-kf/service-state.ts';
import { kfParts, messageId } from '../../../src/connectors/wecom-kf/outbound.ts';
import { makeApp, type TestApp } from '../../fakes/test-app.ts';
import { ENGINES } from '../../fakes/test-store.ts';
import { givenUnderstand, reportText } from '../../fakes/understanding.ts';
import { KF, KF_ENV, kfCallback, KfPlatform, kfUrl, sealed } from './kf-platform.ts';

let serial = 0;
const user = (): string => `wmTest${++serial}`;

describe.each(ENGINES)('WeChat Customer Service on %s', (engine) => {
  let made: TestApp;
  let platform: KfPlatform;
  beforeAll(async () => {
    platform = new KfPlatform();
    made = await makeApp({ engine, understand: givenUnderstand, fetch: platform.fetch, env: KF_ENV });
  });
  afterAll(() => made.drop());

  const callback = async () => made.app.server.inject({ method: 'POST', ...kfCallback(), headers: { 'content-type': 'text/xml' } });
  const idsOf = (who: string) => made.app.store.ensureResident('wecom-kf', `${KF.account}/${who}`, made.now());
  const transcript = async (who: string) => made.app.store.transcript((await idsOf(who)).conversationId, { afterSeq: 0, limit: 100 });
  const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
    for (let n = 0; n < 500; n += 1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('never');
  };

  test('the console’s test is answered with the opened text and nothing around it', async () => {
    const good = await made.app.server.inject(kfUrl(sealed('1616140317555161061'), {}, true));
    expect([good.statusCode, good.body]).toEqual([200, '1616140317555161061']);
    expect((await made.app.server.inject(kfUrl(sealed('1'), { token: 'other' }, true))).statusCode).toBe(403);
    expect((await made.app.server.inject({ method: 'POST', ...kfCallback({ receiver: 'ww0000' }), headers: { 'content-type': 'text/xml' } })).statusCode).toBe(403);
    expect((await made.app.server.inject({ method: 'POST', ...kfCallback({ now: Date.now() - 3_600_000 }), headers: { 'content-type': 'text/xml' } })).statusCode).toBe(403);
  });

  test('a message comes in once over any number of callbacks, and is answered with a menu', async () => {
    const who = user();
    platform.text(who, '你好');
    const answers = await Promise.all([callback(), callback(), callback()]);
    expect(answers.map((each) => [each.statusCode, each.body])).toEqual(answers.map(() => [200, 'success']));
    await until(async () => platform.sent().some((each) => each['touser'] === who));
    await made.settle();
    const sent = platform.sent().filter((each) => each['touser'] === who);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ open_kfid: KF.account, msgtype: 'msgmenu', msgmenu: { head_content: expect.stringContaining('您好'), list: [{ type: 'click', click: { id: 'human', content: '转人工' } }] } });
    expect(sent[0]?.['msgid']).toMatch(/^[\w-]{32}$/);
    expect((await transcript(who)).filter((each) => each.author === 'resident')).toHaveLength(1);
  });

  test('a tapped choice, a place, a report', async () => {
    const who = user();
    platform.says(who, { msgtype: 'text', text: { content: '查进度', menu_id: 'status' } });
    platform.says(who, { msgtype: 'location', location: { latitude: 39.86, longitude: 116.37, name: '西罗园第二社区', address: '' } });
    platform.text(who, reportText(++serial));
    await callback();
    await until(async () => (await made.app.store.ticketsOfResident((await idsOf(who)).residentId, 5)).length === 1);
    expect((await transcript(who)).filter((each) => each.author === 'resident').map((each) => each.body.kind)).toEqual(['tap', 'location', 'text']);
  });

  test('pages, an empty page with more to come, and a token that is over', async () => {
    const who = user();
    platform.pageSize = 2;
    for (const n of [1, 2, 3, 4, 5]) platform.text(who, `第${n}句`);
    platform.answers.set('/cgi-bin/kf/sync_msg', [
      () => ({ errcode: 95007, errmsg: 'invalid msg token' }),
      () => ({ errcode: 0, next_cursor: platform.calls.at(-1)?.body['cursor'] as string, has_more: 1, msg_list: [] }),
    ]);
    await callback();
    await until(async () => (await transcript(who)).filter((each) => each.author === 'resident').length === 5);
    platform.pageSize = 1_000;
    expect((await transcript(who)).filter((each) => each.author === 'resident').map((each) => (each.body as { text: string }).text)).toEqual([1, 2, 3, 4, 5].map((n) => `第${n}句`));
  });

  test('who enters is welcomed once by the event’s code', async () => {
    const who = user();
    platform.event({ event_type: 'enter_session', external_userid: who, welcome_code: `CODE-${who}` });
    await callback();
    await until(() => platform.calls.some(({ path, body }) => path === '/cgi-bin/kf/send_msg_on_event' && body['code'] === `CODE-${who}`));
    expect((await transcript(who)).map((each) => each.author)).toEqual(['bot']);
  });

  test('a servicer inside WeCom: the bot is silent, their words stand in our transcript, and it goes on when they end', async () => {
    const who = user();
    platform.event({ event_type: 'session_status_change', external_userid: who, change_type: 1, new_servicer_userid: 'lisi' });
    platform.says(who, { msgtype: 'text', text: { content: '您好，我是小李' }, servicer_userid: 'lisi' }, 5);
    platform.text(who, '你好');
    await callback();
    await until(async () => (await transcript(who)).length === 2);
    await made.settle();
    expect((await transcript(who)).map((each) => each.author)).toEqual(['operator', 'resident']);
    expect(platform.sent().filter((each) => each['touser'] === who)).toEqual([]);
    platform.event({ event_type: 'session_status_change', external_userid: who, change_type: 3, msg_code: `END-${who}` });
    await callback();
    await until(() => platform.calls.some(({ body }) => body['code'] === `END-${who}`));
    expect((await made.app.store.conversation((await idsOf(who)).conversationId))?.mode).toBe('bot');
  });

  test('what never arrived is recorded as such', async () => {
    const who = user();
    platform.text(who, '你好');
    await callback();
    await until(() => platform.sent().some((each) => each['touser'] === who));
    await made.settle();
    const failed = platform.sent().find((each) => each['touser'] === who)?.['msgid'];
    platform.event({ event_type: 'msg_send_fail', external_userid: who, fail_msgid: failed, fail_type: 10 });
    await callback();
    await until(async () => (await made.app.store.deadLetters({ limit: 100 })).items.some((each) => each.error === 'kf.user_refused'));
  });

  test('sent again after a lost answer it carries the same msgid; refusals are told apart', async () => {
    const who = user();
    platform.answers.set('/cgi-bin/kf/send_msg', [() => ({ errcode: -1, errmsg: 'system busy' })]);
    platform.text(who, '你好');
    await callback();
    await until(() => platform.sent().filter((each) => each['touser'] === who).length === 2);
    expect(new Set(platform.sent().filter((each) => each['touser'] === who).map((each) => each['msgid'])).size).toBe(1);
    const other = user();
    platform.answers.set('/cgi-bin/kf/send_msg', [() => ({ errcode: 95018, errmsg: 'send msg session status invalid' })]);
    platform.answers.set('/cgi-bin/kf/service_state/get', [() => ({ errcode: 0, service_state: 4 })]);
    platform.text(other, '你好');
    await callback();
    await until(async () => (await made.app.store.deadLetters({ limit: 100 })).items.some((each) => each.error === 'kf.session_over'));
  });
});

test('service states as modes: ours are 0 and 1; what our own operator holds stays theirs', () => {
  expect(MODE_OF_STATE).toEqual({ 0: 'bot', 1: 'bot', 2: 'waiting', 3: 'operator', 4: 'bot' });
  const base = { mode: 'operator' as const, operatorId: 'op' as never, handoff: null, waitingSince: null, waitingUntil: null, escalation: 0 } as never;
  expect(afterState(base, 3, '')).toBeNull();
  expect(afterState(base, 4, '')).toBeNull();
});

test('parts keep to the platform’s bounds: 2,048 bytes a text, 1,024 a menu’s head, 10 choices, 64 bytes an id, 32 characters a msgid', () => {
  const text = '停水🚰了。'.repeat(900);
  const chips = Array.from({ length: 14 }, (_, n) => ({ id: n === 0 ? 'x'.repeat(65) : `type:${n}`, label: `选择${n}` }));
  const parts = kfParts({ text, chips });
  const texts = parts.map((part) => (part.msgtype === 'text' ? part.text.content : part.msgtype === 'msgmenu' ? part.msgmenu.head_content : ''));
  expect(texts.join('')).toBe(text);
  for (const part of parts) {
    if (part.msgtype === 'text') expect(Buffer.byteLength(part.text.content)).toBeLessThanOrEqual(2_048);
    if (part.msgtype === 'msgmenu') {
      expect(Buffer.byteLength(part.msgmenu.head_content)).toBeLessThanOrEqual(1_024);
      expect(part.msgmenu.list).toHaveLength(10);
      expect(part.msgmenu.list.every((each) => Buffer.byteLength(each.click.id) <= 64)).toBe(true);
    }
  }
  expect(texts.every((each) => each.isWellFormed())).toBe(true);
  expect(messageId('k', 0)).toMatch(/^[0-9a-zA-Z_-]{32}$/);
  expect(messageId('k', 0)).not.toBe(messageId('k', 1));
});
