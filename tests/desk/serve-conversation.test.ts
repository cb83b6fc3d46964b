import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimConversation } from '../../src/desk/claim-conversation.ts';
import { correctDraft, redraft } from '../../src/desk/correct-draft.ts';
import { handBack, releaseToQueue } from '../../src/desk/leave-conversation.ts';
import { openFromDraft } from '../../src/desk/open-from-draft.ts';
import { readQueue } from '../../src/desk/read-queue.ts';
import { sayAsOperator } from '../../src/desk/say-as-operator.ts';
import { isAppError } from '../../src/domain/errors.ts';
import type { ConversationId } from '../../src/domain/ids.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { draft, makeDesk, NOON, signedIn, waitingConversation, type Desk } from '../server/desk/desk-harness.ts';

describe.each(ENGINES)('serving a conversation on %s', (engine) => {
  let desk: Desk;
  beforeAll(async () => { desk = await makeDesk(engine); });
  afterAll(() => desk.close());
  const operator = async () => (await signedIn(desk, ['operator'])).user;
  const now = async (id: ConversationId) => await desk.deps.store.conversation(id) ?? expect.fail('the conversation is gone');
  const lines = async (id: ConversationId) => (await desk.deps.store.transcript(id, { limit: 50 })).map((line) => [line.author, 'text' in line.body ? line.body.text : line.body.kind]);

  test('of fifty operators who claim at once exactly one wins, and the others hear why', async () => {
    const { id } = await waitingConversation(desk);
    const operators = await Promise.all(Array.from({ length: 50 }, operator));
    const outcomes = await Promise.allSettled(operators.map((user) => claimConversation(desk.deps, user, id)));
    const winners = operators.filter((_, i) => outcomes[i]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected' && isAppError(outcome.reason, 'conversation.taken'))).toHaveLength(49);
    expect(await now(id)).toMatchObject({ mode: 'operator', operatorId: winners[0]?.id, waitingUntil: null });
    expect(await lines(id)).toHaveLength(1);
  });

  test('claiming again what one holds changes nothing; the bot’s conversation can be taken over unasked', async () => {
    const user = await operator();
    const { conversationId } = await desk.deps.store.ensureResident('web', desk.deps.newId(), NOON);
    await claimConversation(desk.deps, user, conversationId);
    const { version } = await now(conversationId);
    await claimConversation(desk.deps, user, conversationId);
    expect(await now(conversationId)).toMatchObject({ mode: 'operator', version });
  });

  test('a claim makes a turn that the bot has in hand void', async () => {
    const { store, newId } = desk.deps;
    const { residentId, conversationId } = await store.ensureResident('web', newId(), NOON);
    await store.receive({ channel: 'web', messageId: newId(), conversationId, residentId, content: { kind: 'text', text: '楼道灯坏了' }, receivedAt: NOON, turnId: newId() });
    const claim = await store.claimTurn('worker', NOON, 30_000);
    await claimConversation(desk.deps, await operator(), conversationId);
    expect(claim && await store.transaction((tx) => tx.lockTurn(claim))).toBe(false);
  });

  test('a double press sends once; who does not hold the conversation sends nothing', async () => {
    const { id } = await waitingConversation(desk);
    const user = await operator();
    await claimConversation(desk.deps, user, id);
    const press = () => sayAsOperator(desk.deps, user, id, { text: ' 请问是几单元？ ', key: 'press-0001' });
    await Promise.all([press(), press()]);
    await expect(sayAsOperator(desk.deps, await operator(), id, { text: '我也在', key: 'press-0002' })).rejects.toMatchObject({ code: 'conversation.not_yours' });
    await expect(sayAsOperator(desk.deps, user, id, { text: '  ', key: 'press-0003' })).rejects.toMatchObject({ code: 'message.invalid' });
    expect((await lines(id)).filter(([author]) => author === 'operator')).toEqual([['operator', '请问是几单元？']]);
    const queued = await desk.deps.store.claimOutbox('test', desk.clock.now, 1_000, 100);
    expect(queued.filter((entry) => entry.conversationId === id && entry.message.author === 'operator').length).toBeLessThanOrEqual(1);
  });

  test('what the operator changes is kept beside what the model thought', async () => {
    const { id } = await waitingConversation(desk);
    const user = await operator();
    await claimConversation(desk.deps, user, id);
    await correctDraft(desk.deps, user, id, { type: 'housing.repair', urgency: 'h2' });
    expect((await now(id)).memory.draft).toMatchObject({ type: 'housing.repair', typeBy: 'operator', urgency: 'h2' });
    const kept = await desk.test.store.db.selectFrom('corrections').selectAll().where('conversation_id', '=', id).execute();
    expect(kept).toHaveLength(1);
    expect(kept[0]?.model_version).toBe('test-model');
    expect(JSON.stringify(kept)).not.toContain('水管'); // sealed
    await correctDraft(desk.deps, user, id, { type: 'housing.repair' });
    expect(await desk.test.store.db.selectFrom('corrections').selectAll().where('conversation_id', '=', id).execute()).toHaveLength(1);
    await expect(correctDraft(desk.deps, user, id, { type: 'no.such' })).rejects.toMatchObject({ code: 'message.invalid' });
  });

  test('opening makes one ticket in the operator’s name, redacted, and the next matter becomes the draft', async () => {
    const next = draft({ type: 'utilities.power' });
    const { id } = await waitingConversation(desk);
    const before = await now(id);
    await desk.deps.store.saveConversation({ ...before, memory: { ...before.memory, later: [next] } });
    const user = await operator();
    await claimConversation(desk.deps, user, id);
    const opening = { draftId: before.memory.draft?.id ?? '', changes: { urgency: 'h2' as const }, description: '主管爆裂，全楼停水，联系13800138000' };
    const [first, second] = await Promise.allSettled([openFromDraft(desk.deps, user, id, opening), openFromDraft(desk.deps, user, id, opening)]);
    const opened = [first, second].flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(opened).toHaveLength(1);
    expect(opened[0]).toMatchObject({ openedBy: user.id, urgency: 'h2', description: '主管爆裂，全楼停水，联系〔电话〕', address: { text: '西罗园第二社区12号楼' } });
    expect(opened[0]?.secret?.words[0]).toContain('水管爆了');
    expect((await now(id)).memory).toMatchObject({ draft: { id: next.id }, later: [], lastTicketId: opened[0]?.id });
    expect((await now(id)).mode).toBe('operator');
  });

  test('without a type nothing opens; without a draft one can be made of the resident’s words', async () => {
    const user = await operator();
    const untyped = await waitingConversation(desk, { type: null });
    await claimConversation(desk.deps, user, untyped.id);
    const draftId = (await now(untyped.id)).memory.draft?.id ?? '';
    await expect(openFromDraft(desk.deps, user, untyped.id, { draftId, changes: {} })).rejects.toMatchObject({ code: 'message.invalid' });
    const { store, newId } = desk.deps;
    const { residentId, conversationId } = await store.ensureResident('web', newId(), NOON);
    await claimConversation(desk.deps, user, conversationId);
    await expect(redraft(desk.deps, user, conversationId, null)).rejects.toMatchObject({ code: 'message.invalid' });
    await store.receive({ channel: 'web', messageId: newId(), conversationId, residentId, content: { kind: 'text', text: '水管爆了' }, receivedAt: NOON, turnId: newId() });
    await store.receive({ channel: 'web', messageId: newId(), conversationId, residentId, content: { kind: 'text', text: '转人工！' }, receivedAt: NOON, turnId: newId() });
    await redraft(desk.deps, user, conversationId, null);
    expect((await now(conversationId)).memory.draft?.words).toEqual(['水管爆了']);
  });

  test('handing back gives the word to the bot and tells the resident; only the holder may', async () => {
    const { id } = await waitingConversation(desk);
    const user = await operator();
    await claimConversation(desk.deps, user, id);
    await expect(handBack(desk.deps, await operator(), id)).rejects.toMatchObject({ code: 'conversation.not_yours' });
    await handBack(desk.deps, user, id);
    expect(await now(id)).toMatchObject({ mode: 'bot', operatorId: null, handoff: null, waitingSince: null, waitingUntil: null });
    expect((await lines(id)).at(-1)?.[1]).toContain('人工服务已结束');
    await handBack(desk.deps, user, id); // again: nothing more is said
    expect(await lines(id)).toHaveLength(2);
  });

  test('who waits in vain can be handed back from the queue; who is released waits again with a deadline', async () => {
    const user = await operator();
    const waiting = await waitingConversation(desk);
    await handBack(desk.deps, user, waiting.id);
    expect((await now(waiting.id)).mode).toBe('bot');
    const { id } = await waitingConversation(desk);
    await claimConversation(desk.deps, user, id);
    await releaseToQueue(desk.deps, user, id);
    expect(await now(id)).toMatchObject({ mode: 'waiting', operatorId: null, handoff: { reason: 'low_confidence' }, waitingUntil: NOON + 120_000 });
    await expect(releaseToQueue(desk.deps, user, id)).rejects.toMatchObject({ code: 'conversation.not_yours' });
  });

  test('“mine” holds what this operator serves and nothing else', async () => {
    const user = await operator();
    const [mine, free] = [await waitingConversation(desk), await waitingConversation(desk)];
    await claimConversation(desk.deps, user, mine.id);
    const ids = (await readQueue(desk.deps, user, { mine: true, limit: 100 })).items.map((line) => line.conversationId);
    expect(ids).toEqual([mine.id]);
    const all = (await readQueue(desk.deps, user, { mine: false, limit: 100 })).items;
    expect(all.find((line) => line.conversationId === mine.id)?.operator).toEqual({ id: user.id, name: user.name });
    expect(all.map((line) => line.conversationId)).toContain(free.id);
    const firstServed = all.findIndex((line) => line.mode === 'operator');
    expect(all.slice(firstServed).every((line) => line.mode === 'operator')).toBe(true);
  });
});
