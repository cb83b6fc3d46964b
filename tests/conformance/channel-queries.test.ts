import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaId } from '../../src/domain/ids.ts';
import type { InboundMessage } from '../../src/domain/message.ts';
import { ENGINES, makeStore, type TestStore } from '../fakes/test-store.ts';

const LEASE = { leaseMs: 20_000, limit: 10 };

describe.each(ENGINES)('what push channels ask of the store on %s', (engine) => {
  let made: TestStore;
  let serial = 0;
  beforeAll(async () => { made = await makeStore(engine); });
  afterAll(() => made.drop());

  const arrival = async (over: Partial<InboundMessage> = {}): Promise<InboundMessage> => {
    const id = `openid-${++serial}`;
    const who = await made.store.ensureResident('wechat-official', id, 1);
    const message: InboundMessage = { channel: 'wechat-official', messageId: `m-${serial}`, ...who, content: { kind: 'text', text: '停水了' }, receivedAt: 1_000, turnId: `t-${serial}`, ...over };
    await made.store.receive(message);
    return message;
  };
  const say = (message: InboundMessage, now: number, ...texts: string[]) => made.store.say(
    { id: message.conversationId, residentId: message.residentId, channel: message.channel },
    texts.map((text) => ({ author: 'bot' as const, body: { kind: 'text' as const, text }, idempotencyKey: `${message.turnId}:${text}` })), now, message.turnId);
  const finish = async (message: InboundMessage): Promise<void> => {
    for (;;) {
      const claim = await made.store.claimTurn('w', 2e9, 1e9);
      if (!claim) throw new Error('no turn');
      if (claim.conversation.id !== message.conversationId) continue;
      return made.store.transaction(async (tx) => { await tx.lockTurn(claim); await tx.finishTurn(claim, claim.conversation, 2_000); });
    }
  };
  const texts = (claimed: { replies: readonly { message: { body: object } }[] }): string[] => claimed.replies.map((each) => (each.message.body as { text: string }).text);

  test('the channel’s own id comes back to send to, and is gone with the resident', async () => {
    const { residentId } = await made.store.ensureResident('wechat-official', 'oABC', 1);
    expect(await made.store.externalId(residentId)).toBe('oABC');
    const row = await made.store.db.selectFrom('residents').select('external_id').where('id', '=', residentId).executeTakeFirst();
    expect(row?.external_id).not.toContain('oABC');
    await made.store.eraseResident(residentId, 2);
    expect(await made.store.externalId(residentId)).toBeNull();
  });

  test('while a callback waits, no worker sends what is said; the callback has it first', async () => {
    const message = await arrival({ answerBy: 5_000 });
    await say(message, 2_000, '一', '二');
    expect((await made.store.claimOutbox('worker', 4_999, 1, 50)).filter((each) => each.conversationId === message.conversationId)).toEqual([]);
    const answer = await made.store.claimAnswer(message, { now: 3_000, ...LEASE });
    expect(texts(answer)).toEqual(['一', '二']);
    expect(answer.settled).toBe(false);
    await finish(message);
    expect((await made.store.claimAnswer(message, { now: 3_000, ...LEASE })).settled).toBe(true);
  });

  test('the same message asks again and gets the same answer, before and after it was sent; no worker and no other message does', async () => {
    const message = await arrival({ answerBy: 5_000 });
    const other: InboundMessage = { ...message, messageId: `${message.messageId}-b` };
    await made.store.receive(other);
    await say(message, 2_000, '一');
    const first = await made.store.claimAnswer(message, { now: 3_000, ...LEASE });
    expect(texts(await made.store.claimAnswer(message, { now: 3_500, ...LEASE }))).toEqual(['一']);
    expect(texts(await made.store.claimAnswer(other, { now: 3_500, ...LEASE }))).toEqual([]);
    for (const reply of first.replies) await made.store.outboxSent(reply.outboxId, `answer:${message.messageId}`, 4_000);
    await say(message, 4_500, '后来的');
    const again = await made.store.claimAnswer(message, { now: 6_000, ...LEASE });
    expect(again.replies.map((each) => each.sent)).toEqual([true, false]);
    expect(texts(await made.store.claimAnswer(other, { now: 6_000, ...LEASE }))).toEqual([]);
    await made.store.releaseOutbox(again.replies.map((each) => each.outboxId), 6_500);
    const worker = (await made.store.claimOutbox('worker', 7_000, 60_000, 50)).filter((each) => each.conversationId === message.conversationId);
    expect(worker.map((each) => (each.message.body as { text: string }).text)).toEqual(['后来的']);
    expect(texts(await made.store.claimAnswer(other, { now: 7_000, ...LEASE }))).toEqual([]);
  });

  test('a callback that died with the answer in hand leaves it to the workers when its lease is over', async () => {
    const message = await arrival({ answerBy: 5_000 });
    await say(message, 2_000, '一');
    await made.store.claimAnswer(message, { now: 3_000, ...LEASE });
    const worker = async (now: number) => (await made.store.claimOutbox('worker', now, 1, 50)).filter((each) => each.conversationId === message.conversationId).length;
    expect(await worker(22_999)).toBe(0);
    expect(await worker(23_000)).toBe(1);
  });

  test('when the callback has its answer, what comes after it is the workers’ at once; a later callback’s hold stays', async () => {
    const message = await arrival({ answerBy: 5_000 });
    await say(message, 2_000, '一');
    const mine = async (now: number) => (await made.store.claimOutbox('worker', now, 1, 500)).filter((each) => each.conversationId === message.conversationId).length;
    await made.store.endAnswer(message.conversationId, 4_999, 2_500);
    expect(await mine(2_500)).toBe(0);
    await made.store.endAnswer(message.conversationId, 5_000, 2_500);
    expect(await mine(2_500)).toBe(1);
  });

  test('worker and callback at once: each row goes to exactly one of them', async () => {
    for (let round = 0; round < 20; round += 1) {
      const message = await arrival();
      await say(message, 2_000, '一');
      const [answer, worker] = await Promise.all([made.store.claimAnswer(message, { now: 9_000, ...LEASE }), made.store.claimOutbox('worker', 9_000, 60_000, 200)]);
      expect(answer.replies.length + worker.filter((each) => each.conversationId === message.conversationId).length).toBe(1);
    }
  });

  test('what bounced is shown as dead; an unknown proof is no harm', async () => {
    const message = await arrival();
    await say(message, 2_000, '一');
    const [row] = (await made.store.claimOutbox('worker', 1e12, 1, 500)).filter((each) => each.conversationId === message.conversationId);
    await made.store.outboxSent(row!.outboxId, 'proof-1', 3_000);
    expect(await made.store.outboxBounced('wechat-official', 'proof-x', 'kf.4', 4_000)).toBe(false);
    expect(await made.store.outboxBounced('wechat-official', 'proof-1', 'kf.4', 4_000)).toBe(true);
    expect((await made.store.deadLetters({ limit: 500 })).items).toContainEqual(expect.objectContaining({ kind: 'outbox', id: row!.outboxId, error: 'kf.4' }));
  });

  test('what the resident has already read is kept and not sent', async () => {
    const message = await arrival();
    await made.store.say({ id: message.conversationId, residentId: message.residentId, channel: message.channel }, [{ author: 'operator', body: { kind: 'text', text: '企业微信里说的' }, idempotencyKey: `e:${message.turnId}`, alreadySent: true }], 2_000, 't');
    expect((await made.store.transcript(message.conversationId, { afterSeq: 1, limit: 5 })).length).toBe(1);
    expect((await made.store.claimAnswer(message, { now: 9_000, ...LEASE })).replies).toEqual([]);
  });

  test('a lease has one holder, who may extend it; it passes on when it is over or given back', async () => {
    expect(await made.store.takeLease('sync', 'a', 1_000, 500)).toBe(true);
    expect(await made.store.takeLease('sync', 'b', 1_400, 500)).toBe(false);
    expect(await made.store.takeLease('sync', 'a', 1_400, 500)).toBe(true);
    expect(await made.store.takeLease('sync', 'b', 1_899, 500)).toBe(false);
    expect(await made.store.takeLease('sync', 'b', 1_900, 500)).toBe(true);
    await made.store.endLease('sync', 'a');
    expect(await made.store.takeLease('sync', 'a', 2_000, 500)).toBe(false);
    await made.store.endLease('sync', 'b');
    const takers = await Promise.all(Array.from({ length: 20 }, (_, n) => made.store.takeLease('sync', `p${n}`, 2_000, 500)));
    expect(takers.filter(Boolean)).toHaveLength(1);
  });

  test('a file that lies at the platform is fetched by one, and again later after a failure', async () => {
    const { residentId, conversationId } = await arrival();
    const file = { id: 'file-1' as MediaId, residentId, conversationId, channel: 'wechat-official' as const, medium: 'image' as const, remoteId: 'remote' };
    await made.store.awaitMedia(file, 10);
    await made.store.awaitMedia(file, 10);
    const claims = await Promise.all([1, 2, 3].map((n) => made.store.claimMedia(`p${n}`, 20, 1_000)));
    expect(claims.filter((each) => each !== null)).toEqual([{ ...file, attempts: 1 }]);
    await made.store.endMedia(file.id, 500);
    expect(await made.store.claimMedia('p', 499, 1_000)).toBeNull();
    expect((await made.store.claimMedia('p', 500, 1_000))?.attempts).toBe(2);
    await made.store.endMedia(file.id, null);
    expect(await made.store.claimMedia('p', 1e9, 1_000)).toBeNull();
  });
});
