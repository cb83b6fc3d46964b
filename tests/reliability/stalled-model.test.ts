import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { patient } from '../../src/bot/patience.ts';
import type { Reply } from '../../src/domain/message.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { understandingOf } from '../fakes/understanding.ts';
import { makeFleet, until, type Fleet } from './app-parts.ts';

let fleet: Fleet | undefined;
const stalled: (() => void)[] = [];
afterEach(async () => {
  for (const release of stalled.splice(0)) release();
  await fleet?.drop();
  fleet = undefined;
});

/** Never answers while the test runs. */
const never = (text: string) => new Promise<ReturnType<typeof understandingOf>>((resolve) => stalled.push(() => resolve(understandingOf(text))));

async function start(engine: 'sqlite' | 'postgres') {
  fleet = await makeFleet({ engine, understand: never });
  const [app] = fleet.apps;
  if (!app) throw new Error('no app');
  const say = async (text: string) => {
    const ids = await app.store.ensureResident('web', randomUUID(), Date.now());
    const speak = (words: string) => app.receive({ channel: 'web', messageId: randomUUID(), ...ids, receivedAt: Date.now(), turnId: randomUUID(), content: { kind: 'text', text: words } });
    return { ...ids, stored: await speak(text), speak };
  };
  const heard = async (conversationId: Awaited<ReturnType<typeof say>>['conversationId']) =>
    (await app.store.transcript(conversationId, { afterSeq: 0, limit: 50 })).filter((line) => line.author === 'bot').map((line) => line.body as Reply);
  return { app, say, heard };
}

test.each(ENGINES)('on %s, a model that never answers: messages are stored, each resident hears the truth and waits for an operator', async (engine) => {
  const { app, say, heard } = await start(engine);
  app.work();
  const people = await Promise.all(Array.from({ length: 40 }, (_, n) => say(`楼下路灯不亮了${n}`)));
  // All of them are stored although no turn can have ended yet: receiving waits for nobody.
  expect(people.map((each) => each.stored.outcome)).toEqual(people.map(() => 'stored'));
  await until('every resident was answered', async () => (await app.store.backlog(Date.now())).inbox === 0, 25_000, 50);
  for (const { conversationId } of people) {
    expect((await heard(conversationId)).map((reply) => reply.text)).toEqual([expect.stringContaining('已完整记录，并已转给人工')]);
    expect(await app.store.conversation(conversationId)).toMatchObject({ mode: 'waiting', handoff: { reason: 'model_unavailable' } });
  }
  expect((await app.store.deadLetters({ limit: 10 })).items).toEqual([]);
}, 40_000);

test.each(ENGINES)('on %s, someone in danger gets the number while every other hand waits for the stalled model', async (engine) => {
  const { app, say, heard } = await start(engine);
  const others = await Promise.all(Array.from({ length: 40 }, (_, n) => say(`楼下路灯不亮了${n}`)));
  app.work();
  await until('the usual hands are full', () => stalled.length >= 8);
  const inDanger = await say('家里煤气泄漏了，老人昏倒了');
  await until('the number is said', async () => (await heard(inDanger.conversationId)).length > 0);
  const [first] = await heard(inDanger.conversationId);
  expect(first).toMatchObject({ kind: 'emergency', numbers: expect.arrayContaining(['119', '120']) });
  expect(await app.store.conversation(inDanger.conversationId)).toMatchObject({ mode: 'waiting', handoff: { urgency: 'h2' } });
  // Not merely first in a line that moved on: the others, who came before, still wait.
  const answered = await Promise.all(others.map(async ({ conversationId }) => (await heard(conversationId)).length > 0));
  expect(answered.filter(Boolean).length).toBeLessThan(others.length / 2);
}, 40_000);

test('an emergency that stands behind another message of its own conversation is not overtaken by other conversations', async () => {
  const { app, say } = await start('sqlite');
  const early = await say('路灯不亮');
  const two = await say('你好');
  await two.speak('着火了，有人被困');
  const order: string[] = [];
  for (let claim = await app.store.claimTurn('me', Date.now(), 60_000); claim; claim = await app.store.claimTurn('me', Date.now(), 60_000)) {
    order.push(claim.conversation.id);
    const taken = claim;
    await app.store.transaction(async (tx) => {
      expect(await tx.lockTurn(taken)).toBe(true);
      await tx.finishTurn(taken, taken.conversation, Date.now());
    });
  }
  expect(order).toEqual([two.conversationId, two.conversationId, early.conversationId]);
});

test('a model that stalls is asked briefly after three timeouts, and in full again after one answer', async () => {
  const limits = { usualMs: 60, urgentMs: 30, tiredAfter: 3, tiredMs: 10 };
  let answers = false;
  const understand = patient((text) => (answers ? Promise.resolve(understandingOf(text)) : never(text)), limits);
  const messageOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'answered', (error: unknown) => (error instanceof Error ? error.message : String(error)));
  expect(await messageOf(understand('一'))).toContain('60 ms');
  expect(await messageOf(understand('二', undefined, { urgent: true }))).toContain('30 ms');
  expect(await messageOf(understand('三'))).toContain('60 ms');
  expect(await messageOf(understand('四'))).toContain('10 ms');
  answers = true;
  expect(await messageOf(understand('五'))).toBe('answered');
  answers = false;
  expect(await messageOf(understand('六'))).toContain('60 ms');
});
