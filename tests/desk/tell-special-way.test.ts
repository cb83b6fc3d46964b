import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SPECIAL_KEYS, SPECIAL_OUTCOMES } from '../../src/domain/special-ways.ts';
import { OBJECT_CHIP, SPECIAL_WAY_ZH, suggestedWay } from '../../src/domain/special-ways.zh.ts';
import { ask, makeDesk, signedIn, waitingConversation, type Desk } from '../server/desk/desk-harness.ts';

let desk: Desk;
beforeAll(async () => { desk = await makeDesk(); });
afterAll(() => desk.close());

describe('the six ways', () => {
  test.each(SPECIAL_KEYS)('%s cites its item of art. 11 and is its own key', (key) => {
    const { way, channel, item, article } = SPECIAL_OUTCOMES[key];
    expect(`${way}:${channel}`).toBe(key);
    expect(SPECIAL_WAY_ZH[key].say).toContain(`第十一条第三款第（${'一二三四五六'[item - 1] ?? ''}）项`);
    expect(article).toBe(11);
  });
  test.each([
    ['仲裁赢了，老板不给钱，执行法官也不接电话', 'legal_channel', 'legal_channel:enforcement'], ['公司把我辞退了，我想去劳动仲裁', 'legal_channel', 'legal_channel:labour_arbitration'],
    ['城管罚了我，我要复议', 'legal_channel', 'legal_channel:reconsideration'], ['科长吃拿卡要', 'legal_channel', 'legal_channel:discipline'], ['停水了', 'accept', null],
  ] as const)('%s (%s) → %s', (words, disposition, way) => {
    expect(suggestedWay({ words: [words], disposition })).toBe(way);
  });
});

describe('an operator answers with a way', () => {
  const KEY = 'press-00000001';
  const held = async () => {
    const { cookie, user } = await signedIn(desk, ['operator']);
    const { id } = await waitingConversation(desk, { disposition: 'legal_channel', dispositionProbability: 0.81 });
    await ask(desk, cookie, 'POST', `/conversations/${id}/claim`);
    return { cookie, user, id };
  };

  test('the resident reads it once with the chip to object, and the audit has its row', async () => {
    const { cookie, user, id } = await held();
    const tell = () => ask(desk, cookie, 'POST', `/conversations/${id}/special-way`, { outcome: 'legal_channel:court', key: KEY });
    expect([(await tell()).status, (await tell()).status]).toEqual([200, 200]);
    const said = (await desk.deps.store.transcript(id, { limit: 10 })).filter(({ body }) => 'chips' in body);
    expect(said.map(({ body }) => body)).toEqual([{ kind: 'text', text: SPECIAL_WAY_ZH['legal_channel:court'].say, chips: [OBJECT_CHIP] }]);
    expect(await desk.deps.store.specialWays(id)).toMatchObject([{ kind: 'told', outcome: 'legal_channel:court', type: 'utilities.water', probability: 0.81, by: user.id, decision: null }]);
  });

  test('after an objection, the ticket that comes of it is noted as the decision', async () => {
    const { cookie, id } = await held();
    await ask(desk, cookie, 'POST', `/conversations/${id}/special-way`, { outcome: 'market_channel:market', key: 'press-00000002' });
    const conversation = await desk.deps.store.conversation(id);
    if (!conversation?.memory.special || !conversation.memory.draft) throw new Error('nothing was told');
    await desk.deps.store.saveConversation({ ...conversation, memory: { ...conversation.memory, special: { ...conversation.memory.special, objected: true } } });
    expect((await ask(desk, cookie, 'POST', `/conversations/${id}/open`, { draftId: conversation.memory.draft.id, changes: {} })).status).toBe(201);
    expect((await desk.deps.store.specialWays(id)).map(({ kind, decision, probability }) => [kind, decision, probability])).toEqual([['told', null, null], ['decided', 'ticket', null]]);
  });

  test('not without holding the conversation, nor with a way that the law does not have', async () => {
    const { id } = await held();
    const { cookie } = await signedIn(desk, ['operator']);
    expect((await ask(desk, cookie, 'POST', `/conversations/${id}/special-way`, { outcome: 'repeat:progress', key: KEY })).status).toBe(403);
    expect((await ask(desk, cookie, 'POST', `/conversations/${id}/special-way`, { outcome: 'refused', key: KEY })).status).toBe(400);
    const { cookie: dispatcher } = await signedIn(desk, ['dispatcher']);
    expect((await ask(desk, dispatcher, 'POST', `/conversations/${id}/special-way`, { outcome: 'repeat:progress', key: KEY })).status).toBe(403);
  });
});
