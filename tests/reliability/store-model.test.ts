import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newWork } from '../../src/domain/ticket-work.ts';
import type { ConversationId, ResidentId, TicketId, UserId } from '../../src/domain/ids.ts';
import type { Ticket } from '../../src/domain/ticket.ts';
import type { TurnClaim } from '../../src/domain/ports.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { verifyChain } from '../../src/tickets/history-chain.ts';
import { ENGINES, makeStore, type TestStore } from '../fakes/test-store.ts';

const PEOPLE = 3;
const WORKERS = ['a', 'b', 'c'] as const;
const LEASE_MS = 1_000;
const RUNS = 25;

/** One step of a random history. `who` picks a conversation, `worker` one of three processes. */
type Step =
  | { readonly do: 'receive'; readonly who: number; readonly twice: boolean; readonly urgent: boolean }
  | { readonly do: 'claim' | 'commit' | 'fail' | 'bury'; readonly worker: number }
  | { readonly do: 'operator' | 'erase'; readonly who: number }
  | { readonly do: 'wait' };

const who = fc.nat(PEOPLE - 1);
const worker = fc.nat(WORKERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('receive' as const), who, twice: fc.boolean(), urgent: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('claim' as const), worker }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'bury' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('operator' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), who }) },
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
);

interface Person {
  readonly residentId: ResidentId;
  readonly conversationId: ConversationId;
  readonly ticket: Ticket;
  erased: boolean;
  received: string[];
  /** Message ids in the order in which their turns were committed or buried. */
  ended: string[];
}

describe.each(ENGINES)('any history of messages, claims, failures, operators and erasures on %s', (engine) => {
  let made: TestStore;
  beforeAll(async () => { made = await makeStore(engine, { handlersOf: () => [] }); });
  afterAll(() => made.drop());

  test('keeps each message once and in order, never leases a conversation twice, and its chain of history verifies', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => new History(made).play(steps)), { numRuns: RUNS, seed: 20261123 });
  }, 120_000);
});

/** Plays one history on conversations of its own, and checks after every step what must hold. */
class History {
  readonly #made: TestStore;
  readonly #people: Person[] = [];
  readonly #claims = new Map<string, TurnClaim>();
  #now = 1_000_000;
  #serial = 0;
  constructor(made: TestStore) {
    this.#made = made;
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#clear();
    for (let index = 0; index < PEOPLE; index += 1) this.#people.push(await this.#person());
    for (const each of steps) await this.#take(each);
    await this.#finish();
    for (const person of this.#people) await this.#check(person);
  }

  /** What an earlier (failed) history left to claim would be taken for ours. */
  async #clear(): Promise<void> {
    await this.#made.store.db.updateTable('conversations').set({ ready_at: null }).execute();
  }

  async #person(): Promise<Person> {
    const { store } = this.#made;
    const ids = await store.ensureResident('web', randomUUID(), this.#now);
    const id = randomUUID() as TicketId;
    const ticket: Ticket = {
      id, number: id, version: 1, ...ids, state: { status: 'opened' }, type: 'utilities.water', nature: 'assistance', disposition: 'accept', urgency: 'h24', description: '停水',
      address: { text: '', place: null, label: '', location: null }, media: [], openedAt: 1, dueAt: 2, openedBy: 'bot', unitId: null, hops: 0, reopened: 0, work: newWork(1),
      versions: { model: 'm', directory: 'd' }, candidates: [], secret: { words: ['停水'], address: '302室', contact: null },
    };
    await store.insertTicket(ticket);
    return { ...ids, ticket, erased: false, received: [], ended: [] };
  }

  async #take(each: Step): Promise<void> {
    this.#now += 10;
    switch (each.do) {
      case 'receive': return this.#receive(this.#people[each.who] as Person, each);
      case 'claim': return this.#claim(WORKERS[each.worker] as string);
      case 'commit': return this.#commit(WORKERS[each.worker] as string);
      case 'fail': return this.#fail(WORKERS[each.worker] as string, this.#now + 5);
      case 'bury': return this.#fail(WORKERS[each.worker] as string, null);
      case 'operator': return this.#operator(this.#people[each.who] as Person);
      case 'erase': return this.#erase(this.#people[each.who] as Person);
      case 'wait': this.#now += LEASE_MS + 1; return;
      default: return each satisfies never;
    }
  }

  async #receive(person: Person, { twice, urgent }: { twice: boolean; urgent: boolean }): Promise<void> {
    const messageId = `m-${randomUUID()}`;
    const message = {
      channel: 'web' as const, messageId, residentId: person.residentId, conversationId: person.conversationId, receivedAt: this.#now, turnId: `t-${++this.#serial}`,
      content: { kind: 'text' as const, text: messageId }, ...(urgent ? { urgent } : {}),
    };
    const outcomes = await Promise.allSettled(Array.from({ length: twice ? 2 : 1 }, () => this.#made.store.receive(message)));
    if (person.erased) {
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'key.destroyed' } });
      return;
    }
    const stored = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : expect.fail(String(outcome.reason))));
    expect(stored.filter((each) => each.outcome === 'stored')).toHaveLength(1);
    person.received.push(messageId);
  }

  async #claim(owner: string): Promise<void> {
    if (this.#claims.has(owner)) return;
    const claim = await this.#made.store.claimTurn(owner, this.#now, LEASE_MS);
    if (!claim) return;
    for (const other of this.#claims.values()) {
      if (other.conversation.id === claim.conversation.id) expect(other.leaseUntil).toBeLessThanOrEqual(this.#now);
    }
    const person = this.#personOf(claim);
    expect(person.erased).toBe(false);
    expect(claim.message.messageId).toBe(person.received[person.ended.length]); // the oldest that is not done
    this.#claims.set(owner, claim);
  }

  async #commit(owner: string): Promise<void> {
    const claim = this.#claims.get(owner);
    if (!claim) return;
    this.#claims.delete(owner);
    const person = this.#personOf(claim);
    const committed = await this.#made.store.transaction(async (tx) => {
      if (!(await tx.lockTurn(claim))) return false;
      await tx.say(claim.conversation, [{ author: 'bot', body: { kind: 'text', text: '好' }, idempotencyKey: `${claim.message.turnId}:${claim.message.messageId}` }], this.#now, claim.message.turnId);
      await tx.appendHistory(person.ticket, [{ kind: 'ticket_progress', ticketId: person.ticket.id, at: this.#now, actor: { role: 'system' }, open: { note: 'n', count: 1 }, sealed: { note: claim.message.messageId } }]);
      await tx.finishTurn(claim, claim.conversation, this.#now);
      return true;
    });
    if (committed) person.ended.push(claim.message.messageId);
    else await this.#made.store.failTurn(claim, null, this.#now, this.#now);
  }

  async #fail(owner: string, retryAt: number | null): Promise<void> {
    const claim = this.#claims.get(owner);
    if (!claim) return;
    this.#claims.delete(owner);
    const before = await this.#stateOf(claim);
    await this.#made.store.failTurn(claim, 'boom', retryAt, this.#now);
    if (before === 'ready' && (await this.#stateOf(claim)) === 'dead') this.#personOf(claim).ended.push(claim.message.messageId);
  }

  async #stateOf(claim: TurnClaim): Promise<string | undefined> {
    return (await this.#made.store.db.selectFrom('inbox').select('state').where('id', '=', claim.inboxId).executeTakeFirst())?.state;
  }

  async #operator(person: Person): Promise<void> {
    const conversation = await this.#made.store.conversation(person.conversationId);
    if (!conversation?.readable) return;
    const claims = ['one', 'two'].map((operator) => this.#made.store.saveConversation({ ...conversation, mode: 'operator', operatorId: operator as UserId }));
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected' && isAppError(outcome.reason, 'conversation.taken'))).toHaveLength(1);
  }

  async #erase(person: Person): Promise<void> {
    await this.#made.store.eraseResident(person.residentId, this.#now);
    person.erased = true;
  }

  /** Until nothing is left to take: every message must come to an end. */
  async #finish(): Promise<void> {
    this.#now += 10 * LEASE_MS;
    this.#claims.clear();
    const open = (): number => this.#people.filter((person) => !person.erased).reduce((sum, person) => sum + person.received.length - person.ended.length, 0);
    for (let left = open(); left > 0; left = open()) {
      await this.#claim('a');
      await this.#commit('a');
      this.#now += 10;
      expect(open()).toBe(left - 1);
    }
  }

  async #check(person: Person): Promise<void> {
    const { store } = this.#made;
    if (!person.erased) expect(person.ended).toEqual(person.received);
    const inbox = await store.db.selectFrom('inbox').select(['message_id', 'state']).where('conversation_id', '=', person.conversationId).orderBy('seq').execute();
    expect(inbox.map((row) => row.message_id)).toEqual(person.received);
    expect(inbox.filter((row) => row.state === 'ready')).toEqual([]);
    const lines = await store.db.selectFrom('messages').select('seq').where('conversation_id', '=', person.conversationId).orderBy('seq').execute();
    expect(lines.map((row) => row.seq)).toEqual(lines.map((_, index) => index + 1));
    const chain = await store.chain(person.ticket.id);
    if (!chain) throw new Error('the chain is gone');
    const entries = chain.links.length;
    expect(verifyChain(chain.links, chain.expected)).toEqual({ ok: true, entries, unreadable: person.erased ? entries : 0 });
  }

  #personOf(claim: TurnClaim): Person {
    const person = this.#people.find((each) => each.conversationId === claim.conversation.id);
    if (!person) throw new Error('a conversation of another history was claimed');
    return person;
  }
}
