import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { isAppError } from '../../src/domain/errors.ts';
import type { ConversationId, ResidentId } from '../../src/domain/ids.ts';
import { FakeConnector } from '../fakes/fake-connector.ts';
import { makeStore } from '../fakes/test-store.ts';
import { givenUnderstand, reportText } from '../fakes/understanding.ts';
import { makeFleet, until, type Fleet } from '../reliability/app-parts.ts';

/** Stands in front of a server and can be cut like a cable. */
class Cable {
  readonly #open = new Set<Socket>();
  readonly #to: { host: string; port: number };
  #server: Server | null = null;
  port = 0;
  constructor(to: { host: string; port: number }) {
    this.#to = to;
  }
  async plug(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#to);
      for (const [from, to] of [[near, far], [far, near]] as const) {
        this.#open.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.once('close', () => { this.#open.delete(from); to.destroy(); });
      }
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

const hostOf = (url: string, usual: number): { host: string; port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || usual) };
};
const through = (url: string, cable: Cable): string => {
  const parsed = new URL(url);
  parsed.hostname = '127.0.0.1';
  parsed.port = String(cable.port);
  return parsed.href;
};

let fleet: Fleet | undefined;
const cables: Cable[] = [];
afterEach(async () => {
  await fleet?.drop();
  fleet = undefined;
  for (const cable of cables.splice(0)) await cable.cut();
});

/** Sends like a client: again and again until it is acknowledged. */
async function sendAll(app: Fleet['apps'][0], ids: { residentId: ResidentId; conversationId: ConversationId }, from: number, to: number): Promise<{ refusals: Set<string> }> {
  const refusals = new Set<string>();
  for (let n = from; n < to; n += 1) {
    for (;;) {
      try {
        await app.receive({ channel: 'wecom-kf', messageId: `m-${n}`, ...ids, content: { kind: 'text', text: reportText(n) }, receivedAt: Date.now(), turnId: randomUUID() });
        break;
      } catch (error) {
        refusals.add(isAppError(error) ? error.code : String(error));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
  return { refusals };
}

const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;

describe.runIf(databaseUrl !== undefined && redisUrl !== undefined)('with two processes', () => {
  test.each(['database', 'redis'] as const)('the %s goes away in the middle and comes back: nothing is lost, nothing is done twice, both processes live on', async (what) => {
    const cable = new Cable(what === 'database' ? hostOf(databaseUrl ?? '', 5432) : hostOf(redisUrl ?? '', 6379));
    cables.push(cable);
    await cable.plug();
    const connector = new FakeConnector();
    fleet = await makeFleet({
      engine: 'postgres', size: 2, understand: givenUnderstand, connectors: [connector],
      env: what === 'database' ? { DATABASE_URL: through(databaseUrl ?? '', cable) } : { REDIS_URL: through(redisUrl ?? '', cable) },
    });
    const [first, second] = fleet.apps;
    if (!first || !second) throw new Error('two apps were asked for');
    const people = await Promise.all([1, 2, 3, 4].map((n) => first.store.ensureResident('wecom-kf', `p${n}`, Date.now())));
    for (const app of fleet.apps) app.work();
    const sending = Promise.all(people.map((ids, index) => sendAll(index % 2 === 0 ? first : second, ids, index * 25, index * 25 + 25)));
    await until('work is under way', () => connector.seen.size >= 10);
    await cable.cut();
    if (what === 'database') {
      await expect(first.store.ping()).rejects.toMatchObject({ code: 'store.unreachable' });
      const ready = await first.server.inject('/readyz');
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toMatchObject({ ok: false, checks: { store: { ok: false, detail: 'store.unreachable' } } });
      expect((await first.server.inject('/healthz')).statusCode).toBe(200);
    } else {
      await until('the loss is noticed', async () => !(await first.coordination.ping()));
      await first.receive({ channel: 'wecom-kf', messageId: 'without-redis', ...(people[0] as (typeof people)[0]), content: { kind: 'text', text: '您好' }, receivedAt: Date.now(), turnId: 'without-redis' });
      await until('a turn is done without it', () => connector.seen.has('without-redis:0'), 30_000);
    }
    await cable.plug();
    const sent = await sending;
    // While the database is away a resident's message is refused under a code (the page keeps it and sends it again), never with a driver's words.
    for (const { refusals } of sent) for (const code of refusals) expect(code).toBe('store.unreachable');
    await until('everything is done', async () => {
      const left = await first.store.backlog(Date.now());
      return left.inbox + left.outbox + left.jobs === 0;
    }, 100_000, 200); // a turn in hand at the cut is taken up again when its lease of a minute has run out
    const tickets = await first.store.db.selectFrom('tickets').select('description').execute();
    const reported = tickets.map((row) => Number(/第(\d{6})号/.exec(row.description)?.[1])).sort((a, b) => a - b);
    expect(reported).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect((await first.store.deadLetters({ limit: 9 })).items).toEqual([]);
    const due = await first.store.db.selectFrom('outbox').select('idempotency_key').execute();
    expect([...connector.seen.keys()].sort()).toEqual(due.map((row) => row.idempotency_key).sort());
    if (what === 'redis') await until('the nerve is back', async () => (await first.coordination.ping()) && (await second.coordination.ping()));
  }, 180_000);
});

test('a disk that is full: the message is refused under a code and not half stored; with room again it is taken and answered', async () => {
  const connector = new FakeConnector();
  fleet = await makeFleet({ understand: givenUnderstand, connectors: [connector] });
  const [app] = fleet.apps;
  if (!app) throw new Error('no app');
  const { db } = app.store;
  const ids = await app.store.ensureResident('wecom-kf', 'p', Date.now());
  const { rows: [size] } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
  await sql.raw(`pragma max_page_count = ${(size?.page_count ?? 0) + 1}`).execute(db);
  const message = (n: number) => ({ channel: 'wecom-kf' as const, messageId: `m-${n}`, ...ids, content: { kind: 'text' as const, text: reportText(n) + '。'.repeat(4_000) }, receivedAt: Date.now(), turnId: `t-${n}` });
  const taken: number[] = [];
  let refused: number | null = null;
  for (let n = 0; n < 50 && refused === null; n += 1) {
    try {
      await app.receive(message(n));
      taken.push(n);
    } catch (error) {
      expect(error).toMatchObject({ code: 'store.full' });
      refused = n;
    }
  }
  if (refused === null) throw new Error('the disk never got full');
  const lines = await app.store.transcript(ids.conversationId, { afterSeq: 0, limit: 100 });
  expect(lines.map((line) => line.seq)).toEqual(taken.map((_, index) => index + 1));
  expect((await app.server.inject('/healthz')).statusCode).toBe(200);

  await sql.raw('pragma max_page_count = 1073741823').execute(db);
  expect(await app.receive(message(refused))).toMatchObject({ outcome: 'stored', seq: taken.length + 1 });
  app.work();
  await until('all are answered', async () => { const left = await app.store.backlog(Date.now()); return left.inbox + left.outbox + left.jobs === 0; }, 20_000, 20);
  expect((await db.selectFrom('tickets').select('id').execute()).length).toBe(taken.length + 1);
});

test('a full disk in the middle of the turn leaves nothing of it, and the turn is done once there is room', async () => {
  const made = await makeStore('sqlite');
  try {
    const { store } = made;
    const ids = await store.ensureResident('web', 'p', 1);
    await store.receive({ channel: 'web', messageId: 'm', ...ids, content: { kind: 'text', text: '停水' }, receivedAt: 1, turnId: 't' });
    const claim = await store.claimTurn('me', 10, 60_000);
    if (!claim) throw new Error('nothing to take');
    const { rows: [size] } = await sql<{ page_count: number }>`pragma page_count`.execute(store.db);
    await sql.raw(`pragma max_page_count = ${size?.page_count ?? 0}`).execute(store.db);
    const turn = () => store.transaction(async (tx) => {
      if (!(await tx.lockTurn(claim))) throw new Error('the lease is gone');
      const replies = Array.from({ length: 40 }, (_, n) => ({ author: 'bot' as const, body: { kind: 'text' as const, text: '好'.repeat(500) }, idempotencyKey: `t:${n}` }));
      await tx.say(claim.conversation, replies, 11, 't');
      await tx.finishTurn(claim, claim.conversation, 11);
    });
    await expect(turn()).rejects.toMatchObject({ code: 'store.full' });
    expect(await store.transcript(ids.conversationId, { afterSeq: 0, limit: 100 })).toHaveLength(1);
    expect(await store.backlog(20)).toMatchObject({ inbox: 1, outbox: 0 });
    await sql.raw('pragma max_page_count = 1073741823').execute(store.db);
    await turn();
    expect(await store.transcript(ids.conversationId, { afterSeq: 0, limit: 100 })).toHaveLength(41);
  } finally {
    await made.drop();
  }
});
