import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import { applyTicketCommand } from '../../src/tickets/apply-command.ts';
import type { TicketCommand } from '../../src/domain/ticket.ts';
import { carryByInject, PlatformClock, WechatPlatform, type Person } from '../fakes/wechat-platform/index.ts';
import { makeApp, type TestApp } from '../fakes/test-app.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { givenUnderstand, reportText } from '../fakes/understanding.ts';

/** Our connectors and the simulator were written apart, from the same page: here they meet. */
describe.each(ENGINES)('Jiban on the simulated WeChat, %s', (engine) => {
  let made: TestApp;
  let platform: WechatPlatform;
  beforeAll(async () => {
    platform = new WechatPlatform({ clock: new PlatformClock({ wall: Date.now }), wireNow: Date.now, seed: 7 });
    const { official: { settings: official }, kf: { settings: kf } } = platform;
    made = await makeApp({
      engine, understand: givenUnderstand, fetch: platform.fetch,
      env: {
        WECHAT_APP_ID: official.appId, WECHAT_APP_SECRET: official.secret, WECHAT_TOKEN: official.token, WECHAT_AES_KEY: official.aesKey, WECHAT_MODE: 'safe',
        WECOM_CORP_ID: kf.corpId, WECOM_KF_SECRET: kf.secret, WECOM_TOKEN: kf.token, WECOM_AES_KEY: kf.aesKey, WECOM_KF_IDS: kf.openKfId,
      },
    });
    platform.connect(carryByInject((request) => made.app.server.inject(request)));
  });
  afterAll(async () => {
    platform.close();
    await made.drop();
  });

  const reads = (person: Person): string => person.readTexts().join('\n');
  const count = (person: Person, words: string): number => person.readTexts().filter((text) => text.includes(words)).length;
  const sees = (person: Person, words: string) => expect.poll(() => reads(person), { timeout: 15_000 }).toContain(words);
  async function ticketNumbered(unit: TicketCommand, number: string): Promise<void> {
    const ticket = await made.app.store.ticketByNumber(number);
    const result = await made.app.store.transaction((tx) => applyTicketCommand(tx, {
      ticketId: ticket?.id as TicketId, command: unit, actor: { role: 'unit', unitId: ticket?.unitId as UnitId, userId: 'u' as UserId }, now: made.now(),
    }));
    if (!result.ok) throw new Error(result.reason);
    await made.settle();
  }
  const numberIn = (text: string): string => /(\d{6})-(\d{6})/.exec(text)?.slice(1).join('') ?? '';

  test.each([
    ['an Official Account', 'official'], ['customer service', 'kf'],
  ] as const)('through %s a report becomes a ticket, told once, and its progress follows', async (name, channel) => {
    const who = platform.person(`alice of ${name}`);
    if (channel === 'official') platform.official.follow(who);
    else platform.kf.enter(who);
    await sees(who, '12345');
    platform[channel].text(who, reportText(name.length));
    await sees(who, '已为您立单');
    await made.settle();
    await sees(who, '已派给');
    expect(count(who, '已为您立单')).toBe(1);
    const number = numberIn(reads(who));
    expect(await made.app.store.ticketByNumber(number)).toMatchObject({ type: 'utilities.water', unitId: 'water-110106' });
    await ticketNumbered({ do: 'accept' }, number);
    await ticketNumbered({ do: 'progress', note: '抢修队已到现场' }, number);
    await sees(who, '抢修队已到现场');
    expect(count(who, '抢修队已到现场')).toBe(1);
  });

  test('answers that get lost and callbacks that come twice make no second ticket and no second answer', async () => {
    platform.faults.set({ answerLost: 0.25, callbackTwice: 0.5 });
    const people = Array.from({ length: 12 }, (_, index) => platform.person(`crowd ${index}`));
    for (const who of people) platform.official.follow(who);
    await platform.settle();
    for (const [index, who] of people.entries()) platform.official.text(who, reportText(1_000 + index));
    await platform.settle();
    platform.faults.set({ answerLost: 0, callbackTwice: 0 });
    await made.settle();
    for (const who of people) await sees(who, '已为您立单');
    for (const who of people) expect(count(who, '已为您立单')).toBe(1);
    expect(new Set(people.map((who) => numberIn(reads(who)))).size).toBe(people.length);
  });
});
