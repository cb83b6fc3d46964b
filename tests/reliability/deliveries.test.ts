import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { ConversationId, ResidentId } from '../../src/domain/ids.ts';
import type { InboundMessage } from '../../src/domain/message.ts';
import { FakeConnector } from '../fakes/fake-connector.ts';
import { seeded } from '../fakes/seeded.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { givenUnderstand, reportText } from '../fakes/understanding.ts';
import { makeFleet, until, type Fleet } from './app-parts.ts';

const CONVERSATIONS = 500;
const MESSAGES = 10_000;
const DELIVERIES = 3;
/** Every fifth message is a report, so 2,000 tickets are due. */
const isReport = (n: number): boolean => n % 5 === 0;
const AT_ONCE = 64;

let fleet: Fleet;
afterEach(() => fleet.drop());

function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}

test.each(ENGINES)('on %s, 10,000 messages delivered three times each, shuffled and at once: each is stored, answered and ticketed once', async (engine) => {
  const connector = new FakeConnector();
  fleet = await makeFleet({ engine, size: engine === 'postgres' ? 2 : 1, understand: givenUnderstand, connectors: [connector] });
  const [first] = fleet.apps;
  if (!first) throw new Error('no app');
  const { store } = first;
  const people: { residentId: ResidentId; conversationId: ConversationId }[] = [];
  for (let index = 0; index < CONVERSATIONS; index += 1) people.push(await store.ensureResident('wecom-kf', `person-${index}`, Date.now()));

  const deliveries = shuffle(Array.from({ length: MESSAGES * DELIVERIES }, (_, index) => index % MESSAGES), seeded(20261123));
  for (const app of fleet.apps) app.work();
  let next = 0;
  const outcomes = { stored: 0, duplicate: 0 };
  const seqOf = new Map<number, number>();
  const deliver = async (): Promise<void> => {
    for (let at = next++; at < deliveries.length; at = next++) {
      const n = deliveries[at] as number;
      const message: InboundMessage = {
        channel: 'wecom-kf', messageId: `m-${n}`, ...(people[n % CONVERSATIONS] as (typeof people)[0]), receivedAt: Date.now(), turnId: randomUUID(),
        content: { kind: 'text', text: isReport(n) ? reportText(n) : `您好，我是第${n}条` },
      };
      const app = fleet.apps[at % fleet.apps.length] as (typeof fleet.apps)[0];
      const { outcome, seq } = await app.receive(message);
      outcomes[outcome] += 1;
      // Whoever delivers it again hears the number it was first given.
      expect(seqOf.get(n) ?? seq).toBe(seq);
      seqOf.set(n, seq);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, deliver));
  expect(outcomes).toEqual({ stored: MESSAGES, duplicate: MESSAGES * (DELIVERIES - 1) });

  await until('everything is done and delivered', async () => {
    const left = await store.backlog(Date.now());
    return left.inbox + left.outbox + left.jobs === 0;
  }, 180_000, 500);

  const inbox = await store.db.selectFrom('inbox').select(['message_id', 'state', 'turn_id', 'conversation_id', 'seq']).execute();
  expect(inbox).toHaveLength(MESSAGES);
  expect(inbox.filter((row) => row.state !== 'done')).toEqual([]);

  // One turn a message: one answer, whichever of the two processes took it.
  const replies = await store.db.selectFrom('outbox').select(['turn_id', 'idempotency_key', 'id', 'conversation_id']).orderBy('id').execute();
  const answers = new Map<string, number>();
  for (const reply of replies) if (!reply.turn_id.startsWith('ticket:')) answers.set(reply.turn_id, (answers.get(reply.turn_id) ?? 0) + 1);
  expect(inbox.filter((row) => answers.get(row.turn_id) !== 1)).toEqual([]);
  expect(answers.size).toBe(MESSAGES);

  // Answers come in the order in which the messages were stored.
  const asked = new Map(inbox.map((row) => [row.turn_id, row.seq]));
  const lastOf = new Map<string, number>();
  for (const reply of replies) {
    const seq = asked.get(reply.turn_id);
    if (seq === undefined) continue;
    expect(seq).toBeGreaterThan(lastOf.get(reply.conversation_id) ?? 0);
    lastOf.set(reply.conversation_id, seq);
  }

  // One ticket a report, each told once to the channel that takes keys.
  const tickets = await store.db.selectFrom('tickets').select('description').execute();
  const reported = tickets.map((row) => Number(/第(\d{6})号/.exec(row.description)?.[1])).sort((a, b) => a - b);
  expect(reported).toEqual(Array.from({ length: MESSAGES }, (_, n) => n).filter(isReport));
  expect(connector.seen.size).toBe(replies.length);
  expect(connector.deliveries.length).toBe(replies.length);
  expect((await store.deadLetters({ limit: 10 })).items).toEqual([]);

  // A transcript has no gaps: what was said and what was answered share one numbering.
  const lines = await store.db.selectFrom('messages').select(['conversation_id']).select((eb) => [eb.fn.countAll<number>().as('n'), eb.fn.max('seq').as('last')]).groupBy('conversation_id').execute();
  expect(lines.filter((line) => Number(line.n) !== Number(line.last))).toEqual([]);
}, 300_000);
