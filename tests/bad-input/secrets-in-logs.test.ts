import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { Sent } from '../../src/domain/message.ts';
import { FakeConnector } from '../fakes/fake-connector.ts';
import { reportText, givenUnderstand } from '../fakes/understanding.ts';
import { makeFleet, until, type Fleet } from '../reliability/app-parts.ts';

const PEOPLE = 1_000;
const MESSAGES = 10_000;
/** Numbers of a range that is not handed out, and words no log line of ours holds. */
const phone = (n: number): string => `199${String(10_000_000 + n * 7).slice(-8)}`;
const words = (n: number): string => `暗号词${String(n).padStart(5, '0')}`;

let fleet: Fleet | undefined;
afterAll(() => fleet?.drop());

test('10,000 messages with a phone number each, one in ten of them going wrong somewhere: no number and no word of them is in the log or in clear in the database', async () => {
  let asked = 0;
  let sends = 0;
  const flaky = (): Sent => {
    sends += 1;
    if (sends % 211 === 0) throw new Error(`platform said: ${phone(sends % MESSAGES)} is unknown`);
    return { ok: true };
  };
  fleet = await makeFleet({
    connectors: [new FakeConnector('wecom-kf', flaky)],
    understand: async (text) => {
      asked += 1;
      if (asked % 97 === 0) throw new AppError('model.bad_output', `bad output for ${/199\d{8}/.exec(text)?.[0] ?? 'it'}`);
      if (asked % 499 === 0) throw new Error(`cannot read ${/199\d{8}/.exec(text)?.[0] ?? 'it'}`);
      return givenUnderstand(text);
    },
  });
  const [app] = fleet.apps;
  if (!app) throw new Error('no app');
  const people = [];
  for (let n = 0; n < PEOPLE; n += 1) people.push(await app.store.ensureResident('wecom-kf', `person-${n}`, Date.now()));
  app.work();
  for (let n = 0; n < MESSAGES; n += 1) {
    const text = `${n % 50 === 0 ? reportText(n) : '您好'}，${words(n)}，我的电话${phone(n)}`;
    await app.receive({ channel: 'wecom-kf', messageId: randomUUID(), ...(people[n % PEOPLE] as (typeof people)[0]), content: { kind: 'text', text }, receivedAt: Date.now(), turnId: randomUUID() });
    if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  await until('every message had its turn', async () => (await app.store.backlog(Date.now())).inbox === 0, 180_000, 250);

  const log = fleet.log();
  expect(log.split('\n').length).toBeGreaterThan(MESSAGES); // every turn is told of
  expect(log).toContain('turn.failed');
  expect(log).toContain('outbox.connector_threw');
  const numbers = new Set(Array.from({ length: MESSAGES }, (_, n) => phone(n)));
  expect([...log.matchAll(/199\d{8}/g)].map(([number]) => number).filter((number) => numbers.has(number))).toEqual([]);
  expect(log).not.toContain('暗号词');

  // What a ticket shows in clear has been through the redaction; everything else is sealed.
  for (const table of ['messages', 'tickets', 'conversations', 'outbox', 'jobs', 'inbox'] as const) {
    const rows = JSON.stringify(await app.store.db.selectFrom(table).selectAll().execute());
    expect([table, [...rows.matchAll(/199\d{8}/g)].map(([number]) => number).filter((number) => numbers.has(number)).slice(0, 3)]).toEqual([table, []]);
  }
}, 300_000);
