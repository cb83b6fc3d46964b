import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newWork } from '../../src/domain/ticket-work.ts';
import type { QueueEntry, User } from '../../src/domain/desk.ts';
import type { ConversationId, MediaId, ResidentId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import type { InboundMessage } from '../../src/domain/message.ts';
import type { TurnClaim } from '../../src/domain/ports.ts';
import type { Ticket } from '../../src/domain/ticket.ts';
import { verifyChain } from '../../src/tickets/history-chain.ts';
import { ENGINES, makeStore, type TestStore } from '../fakes/test-store.ts';

const NASTY = 'a\0b \uD83D lone \uDC00 🚰 停水<script>\'"; drop table tickets;--\u200B\u202E';

describe.each(ENGINES)('the store on %s', (engine) => {
  let made: TestStore;
  let serial = 0;
  beforeAll(async () => {
    made = await makeStore(engine, { handlersOf: (event) => (event === 'ticket_opened' ? ['first', 'second'] : ['only']) });
  });
  afterAll(() => made.drop());

  const resident = async (now = 1) => made.store.ensureResident('web', `person-${++serial}`, now);
  const text = (who: { residentId: ResidentId; conversationId: ConversationId }, words: string, over: Partial<InboundMessage> = {}): InboundMessage => ({
    channel: 'web', messageId: `m-${++serial}`, ...who, content: { kind: 'text', text: words }, receivedAt: 1_000 + serial, turnId: `t-${serial}`, ...over,
  });
  const claimOf = async (who: { conversationId: ConversationId }, owner = 'me', now = 1e9): Promise<TurnClaim> => {
    // Other tests' leftovers are put off, so that each test sees its own conversation.
    for (;;) {
      const claim = await made.store.claimTurn(owner, now, 60_000);
      if (!claim) throw new Error('nothing to claim');
      if (claim.conversation.id === who.conversationId) return claim;
    }
  };
  const ticketOf = (who: { residentId: ResidentId; conversationId: ConversationId }, over: Partial<Ticket> = {}): Ticket => ({
    id: `ticket-${++serial}` as TicketId, number: `2611230${String(serial).padStart(5, '0')}`, version: 1, ...who, state: { status: 'opened' }, type: 'utilities.water',
    nature: 'assistance', disposition: 'accept', urgency: 'h24', description: NASTY, address: { text: NASTY, place: { district: '110106', street: null, community: null }, label: '', location: null },
    media: ['m' as MediaId], openedAt: 5, dueAt: 100, openedBy: 'bot', unitId: 'u1' as UnitId, hops: 0, reopened: 0, versions: { model: 'm', directory: 'd' }, candidates: [], work: newWork(5),
    secret: { words: [NASTY], address: '302室', contact: null }, ...over,
  });

  test('a channel’s person is the same resident each time, even when two processes meet them at once', async () => {
    const both = await Promise.all(Array.from({ length: 8 }, () => made.store.ensureResident('web', 'same', 1)));
    expect(new Set(both.map((each) => each.residentId)).size).toBe(1);
    expect((await made.store.ensureResident('wecom-kf', 'same', 1)).residentId).not.toBe(both[0]?.residentId);
  });

  test('any Unicode comes back from the transcript as it was put in', async () => {
    const who = await resident();
    await made.store.receive(text(who, NASTY));
    const [message] = await made.store.transcript(who.conversationId, { afterSeq: 0, limit: 10 });
    expect(message?.body).toEqual({ kind: 'text', text: NASTY });
  });

  test('nothing of a message stands in clear in the database', async () => {
    const who = await resident();
    await made.store.receive(text(who, '我叫王小明电话13800000123'));
    const rows = await made.store.db.selectFrom('messages').select('body').where('conversation_id', '=', who.conversationId).execute();
    expect(rows).toHaveLength(1);
    for (const row of rows) for (const seen of [row.body, Buffer.from(row.body, 'base64').toString('utf8')]) expect(seen).not.toMatch(/13800000123|王小明/);
  });

  test('a value an engine would change is refused before it reaches the engine', async () => {
    for (const bad of [true, Number.NaN, Infinity, {}, 'a\0b', '\uD800']) {
      await expect(made.store.db.insertInto('settings').values({ name: 'bad', value: bad as string }).execute()).rejects.toMatchObject({ code: 'store.bad_value' });
    }
  });

  test('the same message delivered again, at once or later, is stored once and takes no number', async () => {
    const who = await resident();
    const message = text(who, '停水了');
    const outcomes = await Promise.all(Array.from({ length: 9 }, () => made.store.receive(message)));
    expect(outcomes.filter((each) => each.outcome === 'stored')).toHaveLength(1);
    expect(new Set(outcomes.map((each) => each.id)).size).toBe(1);
    expect((await made.store.receive(text(who, '第二句'))).seq).toBe(2);
    expect((await made.store.transcript(who.conversationId, { afterSeq: 0, limit: 99 })).map((each) => each.seq)).toEqual([1, 2]);
  });

  test('a message to another resident’s conversation is refused', async () => {
    const [a, b] = [await resident(), await resident()];
    await expect(made.store.receive(text({ residentId: a.residentId, conversationId: b.conversationId }, 'x'))).rejects.toMatchObject({ code: 'conversation.not_found' });
  });

  test('one conversation’s messages are taken one at a time, oldest first', async () => {
    const who = await resident();
    const other = await resident();
    await made.store.receive(text(who, '一', { receivedAt: 2 }));
    await made.store.receive(text(who, '二', { receivedAt: 3 }));
    await made.store.receive(text(other, '别人', { receivedAt: 4 }));
    const first = await claimOf(who);
    expect(first.message.content).toEqual({ kind: 'text', text: '一' });
    const next = await made.store.claimTurn('someone', 1e9, 60_000);
    expect(next?.conversation.id).not.toBe(who.conversationId);
    await made.store.transaction(async (tx) => {
      expect(await tx.lockTurn(first)).toBe(true);
      await tx.finishTurn(first, first.conversation, 10);
    });
    expect((await claimOf(who)).message.content).toEqual({ kind: 'text', text: '二' });
  });

  test('a lapsed lease lets another take over, and the first can no longer commit', async () => {
    const who = await resident();
    await made.store.receive(text(who, '停水了'));
    const slow = await claimOf(who, 'slow', 1e9);
    const quick = await claimOf(who, 'quick', 1e9 + 60_001);
    expect(await made.store.transaction((tx) => tx.lockTurn(slow))).toBe(false);
    expect(await made.store.transaction((tx) => tx.lockTurn(quick))).toBe(true);
  });

  test('a turn judged on an old version of the conversation is refused', async () => {
    const who = await resident();
    await made.store.receive(text(who, '停水了'));
    const claim = await claimOf(who);
    const conversation = await made.store.conversation(who.conversationId);
    await made.store.saveConversation({ ...conversation!, mode: 'operator' });
    expect(await made.store.transaction((tx) => tx.lockTurn(claim))).toBe(false);
    await made.store.failTurn(claim, null, 1e9, 1e9);
    const again = await claimOf(who);
    expect(again.conversation.mode).toBe('operator');
    expect(again.attempts).toBe(0);
  });

  test('a message that failed waits, and a dead one no longer blocks the next', async () => {
    const who = await resident();
    await made.store.receive(text(who, '坏的'));
    await made.store.receive(text(who, '好的'));
    await made.store.failTurn(await claimOf(who), 'boom', 2e9, 1e9);
    await expect(claimOf(who, 'me', 1.5e9)).rejects.toThrow('nothing to claim');
    const again = await claimOf(who, 'me', 3e9);
    expect(again.attempts).toBe(1);
    await made.store.failTurn(again, 'boom', null, 3e9);
    expect((await claimOf(who, 'me', 4e9)).message.content).toEqual({ kind: 'text', text: '好的' });
    expect((await made.store.deadLetters({ limit: 50 })).items).toContainEqual(expect.objectContaining({ kind: 'inbox', error: 'boom' }));
  });

  test('an urgent message goes before everything that waits', async () => {
    const [early, late] = [await resident(), await resident()];
    await made.store.receive(text(early, '路灯', { receivedAt: 1 }));
    await made.store.receive(text(late, '煤气漏了', { receivedAt: 9_000, urgent: true }));
    const order = [await made.store.claimTurn('x', 1e10, 60_000), await made.store.claimTurn('x', 1e10, 60_000)].map((each) => each?.conversation.id);
    expect(order).toEqual([late.conversationId, early.conversationId]);
  });

  test('what is said twice under one key appears and is sent once, in order', async () => {
    const who = await resident();
    const conversation = (await made.store.conversation(who.conversationId))!;
    const entry = (key: string) => ({ author: 'bot' as const, body: { kind: 'text' as const, text: key }, idempotencyKey: `${who.conversationId}:${key}` });
    await made.store.say(conversation, [entry('a'), entry('b')], 10, 'turn');
    await made.store.say(conversation, [entry('b'), entry('c')], 11, 'turn');
    expect((await made.store.transcript(who.conversationId, { afterSeq: 0, limit: 9 })).map((each) => (each.body as { text: string }).text)).toEqual(['a', 'b', 'c']);
    const sent: string[] = [];
    for (;;) {
      const claimed = await made.store.claimOutbox('me', 1e9, 60_000, 20);
      if (claimed.length === 0) break;
      expect(new Set(claimed.map((each) => each.conversationId)).size).toBe(claimed.length); // one at a time per conversation
      for (const each of claimed) {
        if (each.conversationId === who.conversationId) sent.push((each.message.body as { text: string }).text);
        await made.store.outboxSent(each.outboxId, 'proof', 20);
      }
    }
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  test('an event becomes one job per handler; of one subject they run in order; a job done twice is refused', async () => {
    const event = { kind: 'ticket_opened' as const, ticketId: 'tk' as TicketId, conversationId: 'c' as ConversationId, historySeq: 1, at: 7 };
    await made.store.emit([event, { ...event, historySeq: 2 }]);
    const taken = [await made.store.claimJob('me', 1e9, 60_000), await made.store.claimJob('me', 1e9, 60_000)];
    expect(taken.map((job) => job?.handler).sort()).toEqual(['first', 'second']);
    expect(taken.every((job) => (job?.payload as typeof event).historySeq === 1)).toBe(true);
    expect(await made.store.claimJob('me', 1e9, 60_000)).toBeNull();
    expect(await made.store.finishJob(taken[0]!, 'me')).toBe(true);
    expect(await made.store.finishJob(taken[0]!, 'me')).toBe(false);
    expect(((await made.store.claimJob('me', 1e9, 60_000))?.payload as typeof event).historySeq).toBe(2);
  });

  test('a timer runs when it is due and not before', async () => {
    await made.store.schedule([{ kind: 'ticket_due', dueAt: 5e9, ticketId: 'late' as TicketId }]);
    const due = async (now: number): Promise<readonly string[]> => {
      const handlers: string[] = [];
      for (let job = await made.store.claimJob('me', now, 10); job; job = await made.store.claimJob('me', now, 10)) {
        handlers.push(job.handler);
        await made.store.finishJob(job, 'me');
      }
      return handlers;
    };
    expect(await due(4.9e9)).not.toContain('ticket_due');
    expect(await due(5e9)).toEqual(['ticket_due']);
  });

  test('serials of a day never repeat, however many ask at once', async () => {
    const starts = await Promise.all(Array.from({ length: 12 }, () => made.store.reserveSerials('261123', 10)));
    expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index * 10 + 1));
  });

  test('a ticket comes back as it was, and a save on an old version is refused', async () => {
    const ticket = ticketOf(await resident());
    await made.store.insertTicket(ticket);
    expect(await made.store.ticket(ticket.id)).toEqual(ticket);
    const moved = { ...ticket, version: 2, state: { status: 'withdrawn' as const } };
    await made.store.saveTicket(moved);
    await expect(made.store.saveTicket(moved)).rejects.toMatchObject({ code: 'ticket.changed' });
    expect(await made.store.ticketByNumber(ticket.number)).toEqual(moved);
  });

  test('the history chain verifies, shows every alteration, and verifies still after erasure', async () => {
    const who = await resident();
    await made.store.receive(text(who, NASTY));
    const ticket = ticketOf(who);
    await made.store.insertTicket(ticket);
    const event = (note: string) => ({ kind: 'ticket_progress' as const, ticketId: ticket.id, at: 9, actor: { role: 'system' as const }, open: { note: 'n', count: 1 }, sealed: { note } });
    await made.store.transaction(async (tx) => void (await tx.appendHistory(ticket, [event('一'), event('二')])));
    await made.store.transaction(async (tx) => void (await tx.appendHistory(ticket, [event('三')])));
    const whole = (await made.store.chain(ticket.id))!;
    expect(verifyChain(whole.links, whole.expected)).toEqual({ ok: true, entries: 3, unreadable: 0 });
    const altered = whole.links.map((link, index) => (index === 1 ? { ...link, open: { note: 'changed', count: 1 } } : link));
    expect(verifyChain(altered, whole.expected)).toMatchObject({ ok: false, seq: 2, why: 'altered' });
    expect(verifyChain(whole.links.slice(0, 2), whole.expected)).toMatchObject({ ok: false, why: 'cut_off' });
    const swapped = whole.links.map((link, index) => (index === 0 ? { ...link, opened: { salt: link.opened!.salt, sealed: { note: '别的' } } } : link));
    expect(verifyChain(swapped, whole.expected)).toMatchObject({ ok: false, seq: 1, why: 'sealed_altered' });

    await made.store.eraseResident(who.residentId, 50);
    const after = (await made.store.chain(ticket.id))!;
    expect(verifyChain(after.links, after.expected)).toEqual({ ok: true, entries: 3, unreadable: 3 });
    expect((await made.store.ticket(ticket.id))?.secret).toBeNull();
    expect((await made.store.transcript(who.conversationId, { afterSeq: 0, limit: 9 })).map((each) => each.body)).toEqual([{ kind: 'text', text: '' }]);
    await expect(made.store.receive(text(who, '还在吗'))).rejects.toMatchObject({ code: 'key.destroyed' });
    expect(await made.store.residentExists(who.residentId)).toBe(false);
    await made.store.transaction(async (tx) => void (await tx.appendHistory(ticket, [{ ...event('四'), sealed: null }])));
    const later = (await made.store.chain(ticket.id))!;
    expect(verifyChain(later.links, later.expected)).toMatchObject({ ok: true, entries: 4 });
  });

  test('a unit’s list is paged by deadline without gaps or repeats', async () => {
    const who = await resident();
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const ticket = ticketOf(who, { unitId: 'paged' as UnitId, dueAt: 100 + (index % 3) });
      ids.push(ticket.id);
      await made.store.insertTicket(ticket);
    }
    const seen: Ticket[] = [];
    let cursor: string | undefined;
    do {
      const page = await made.store.tickets({ unitId: 'paged' as UnitId, statuses: ['opened'] }, { limit: 3, cursor });
      seen.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen.map((each) => each.id).sort()).toEqual([...ids].sort());
    expect(seen.map((each) => each.dueAt)).toEqual([100, 100, 100, 101, 101, 102, 102]);
  });

  test('the queue is paged without gaps or repeats, who waits before who is served, the most urgent first', async () => {
    const ids: string[] = [];
    for (const [mode, urgency] of [['operator', 'h2'], ['waiting', 'd7'], ['waiting', 'h2'], ['waiting', 'd7'], ['waiting', 'h24']] as const) {
      const who = await resident();
      const conversation = (await made.store.conversation(who.conversationId))!;
      await made.store.saveConversation({ ...conversation, mode, operatorId: 'pager' as UserId, handoff: { reason: 'angry', note: NASTY, urgency }, waitingSince: 7 });
      ids.push(who.conversationId);
    }
    const seen: QueueEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await made.store.queue({ limit: 2, cursor }, { operatorId: 'pager' as UserId });
      seen.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen.map((each) => each.conversationId).sort()).toEqual([...ids].sort());
    expect(seen.map((each) => [each.mode, each.handoff.urgency])).toEqual([['waiting', 'h2'], ['waiting', 'h24'], ['waiting', 'd7'], ['waiting', 'd7'], ['operator', 'h2']]);
    expect(seen.every((each) => each.handoff.note === NASTY)).toBe(true);
  });

  test.each(['x', 'x:y:z:1', '1e999:0:0:a', ':'.repeat(5) + 'a', '0.5:1:1:a'])('a cursor that no page gave (%s) is the asker’s mistake', async (cursor) => {
    const asked = [() => made.store.queue({ limit: 2, cursor: `q${cursor}` }), () => made.store.tickets({}, { limit: 2, cursor: `q${cursor}` }), () => made.store.deadLetters({ limit: 2, cursor: `job:q${cursor}` })];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'message.invalid' });
    await made.store.users({ limit: 2, cursor });
  });

  test('of two who take one login at once the second is told that it is taken', async () => {
    const user = (id: string): User => ({ id: id as UserId, login: 'twice', name: '两人', roles: ['operator'], unitId: null, disabled: false });
    const outcomes = await Promise.allSettled(['u-1', 'u-2'].map((id) => made.store.insertUser(user(id), 'hash', 1)));
    expect(outcomes.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find((each) => each.status === 'rejected')).toMatchObject({ reason: { code: 'user.login_taken' } });
  });

  test.runIf(engine === 'postgres')('a process that still holds the key of a resident erased by another takes no more of their words', async () => {
    const who = await resident();
    const other = await made.openAnother();
    await other.receive(text(who, '第一句')); // now it holds the key
    await made.store.eraseResident(who.residentId, 50);
    await expect(other.receive(text(who, '还在吗'))).rejects.toMatchObject({ code: 'key.destroyed' });
    expect(await made.store.db.selectFrom('inbox').select('seq').where('conversation_id', '=', who.conversationId).execute()).toHaveLength(1);
  });

  test('what was given up and then erased may be tried again: it comes to its end, nothing empty is sent, nothing waits for ever', async () => {
    const who = await resident();
    await made.store.receive(text(who, '坏的'));
    await made.store.failTurn(await claimOf(who), 'boom', null, 1e9);
    const conversation = (await made.store.conversation(who.conversationId))!;
    await made.store.say(conversation, [{ author: 'bot', body: { kind: 'text', text: '在' }, idempotencyKey: `${who.conversationId}:last` }], 10, 'turn');
    await made.store.eraseResident(who.residentId, 50);
    const rowsOf = async (table: 'inbox' | 'outbox') => made.store.db.selectFrom(table).select(['id', 'state']).where('conversation_id', '=', who.conversationId).execute();
    const [[unread], [unsent]] = [await rowsOf('inbox'), await rowsOf('outbox')];
    expect([unread?.state, unsent?.state]).toEqual(['dead', 'dead']);
    expect(await made.store.retryDead('inbox', unread!.id, 1e9)).toBe(true);
    expect(await made.store.retryDead('outbox', unsent!.id, 1e9)).toBe(true);
    await expect(claimOf(who, 'me', 1e11)).rejects.toThrow('nothing to claim');
    expect((await made.store.claimOutbox('me', 1e11, 60_000, 50)).filter((each) => each.conversationId === who.conversationId)).toEqual([]);
    expect([(await rowsOf('inbox'))[0]?.state, (await rowsOf('outbox'))[0]?.state]).toEqual(['done', 'dead']);
  });

  test('of tickets opened in one moment the later number is the newer', async () => {
    const who = await resident();
    const [first, second, third] = [ticketOf(who), ticketOf(who), ticketOf(who)];
    for (const ticket of [second, third, first]) await made.store.insertTicket(ticket);
    expect((await made.store.ticketsOfResident(who.residentId, 9)).map((each) => each.number)).toEqual([third.number, second.number, first.number]);
  });

  test('an error in a transaction undoes all of it', async () => {
    const ticket = ticketOf(await resident());
    await expect(made.store.transaction(async (tx) => {
      await tx.insertTicket(ticket);
      throw new Error('no');
    })).rejects.toThrow('no');
    expect(await made.store.ticket(ticket.id)).toBeNull();
  });
});
