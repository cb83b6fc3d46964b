import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newWork } from '../../src/domain/ticket-work.ts';
import type { ConversationId, ResidentId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import { isOpen, NEXT, TICKET_STATUSES, type Actor, type Ticket, type TicketCommand, type TicketStatus } from '../../src/domain/ticket.ts';
import { moveTicket } from '../../src/tickets/move-ticket.ts';

const WATER = 'water' as UnitId;
const OTHER = 'power' as UnitId;
const unit = (unitId: UnitId): Actor => ({ role: 'unit', unitId, userId: 'u' as UserId });
const system: Actor = { role: 'system' };

const fresh: Ticket = {
  id: 't' as TicketId, number: '261123000001', version: 1, conversationId: 'c' as ConversationId, residentId: 'r' as ResidentId, state: { status: 'opened' },
  type: 'utilities.water', nature: 'assistance', disposition: 'accept', urgency: 'h24', description: '没水', address: { text: '12号楼', place: null, label: '', location: null },
  media: [], openedAt: 0, dueAt: 1_000, openedBy: 'bot', unitId: null, hops: 0, reopened: 0, versions: { model: 'm', directory: 'd' }, candidates: [], work: newWork(0),
  secret: { words: ['没水'], address: '12号楼302', contact: null },
};
const dispatch = (to: UnitId): TicketCommand => ({ do: 'dispatch', to, rule: 'r', because: 'b', directoryVersion: 'd2', acceptBy: 50, objectBy: 400 });
const answers = (solved: boolean): TicketCommand => ({ do: 'answer_follow_up', answers: { contacted: true, solved, satisfied: solved }, dueAt: 9_000, acceptBy: 8_000 });

function after(...steps: readonly (readonly [TicketCommand, Actor])[]): Ticket {
  let ticket = fresh;
  for (const [command, actor] of steps) {
    const moved = moveTicket(ticket, command, actor, 10);
    if (!moved.ok) throw new Error(`${command.do}: ${moved.reason}`);
    ticket = moved.ticket;
  }
  return ticket;
}
const road = [[dispatch(WATER), system], [{ do: 'accept' }, unit(WATER)], [{ do: 'progress', note: '到场' }, unit(WATER)], [{ do: 'resolve', answer: '修好了' }, unit(WATER)], [{ do: 'ask_follow_up', giveUpAt: 99 }, system]] as const;

describe('the way of a ticket', () => {
  test('goes dispatched, accepted, in progress, resolved, followed up, archived', () => {
    expect(after(...road.slice(0, 1)).state).toEqual({ status: 'dispatched', to: WATER, acceptBy: 50 });
    expect(after(...road.slice(0, 2)).state.status).toBe('accepted');
    expect(after(...road.slice(0, 3)).state.status).toBe('in_progress');
    expect(after(...road.slice(0, 4)).state).toEqual({ status: 'resolved', by: WATER, resolvedAt: 10 });
    expect(after(...road, [answers(true), { role: 'resident' }]).state.status).toBe('archived');
  });

  test('“not solved” goes back to the same unit with a new deadline, and is counted', () => {
    const again = after(...road, [answers(false), { role: 'resident' }]);
    expect(again.state).toEqual({ status: 'dispatched', to: WATER, acceptBy: 8_000 });
    expect(again).toMatchObject({ dueAt: 9_000, reopened: 1, unitId: WATER });
  });

  test('a dispatch records version, row, reason, way, co-units and copies; a stricter class moves the deadline', () => {
    const moved = moveTicket(fresh, { ...dispatch(WATER), co: [OTHER], copies: [OTHER, 'district' as UnitId], way: 'direct', clock: { urgency: 'h2', dueAt: 500 } } as TicketCommand, system, 10);
    expect(moved).toMatchObject({
      ticket: { urgency: 'h2', dueAt: 500, versions: { directory: 'd2' } },
      events: [{ open: { to: WATER, rule: 'r', because: 'b', directory: 'd2', way: 'direct', co: 'power', copies: 'power district', urgencyFrom: 'h24', urgencyTo: 'h2', dueAt: 500 } }],
    });
    const left = moveTicket(fresh, { do: 'leave_unrouted', because: 'b', decideBy: 3, directoryVersion: 'd2', rule: 'r', why: 'confer', rivals: [WATER, OTHER] }, system, 10);
    expect(left).toMatchObject({ events: [{ open: { because: 'b', directory: 'd2', rule: 'r', why: 'confer', rivals: 'water power' } }] });
    const plain = moveTicket(fresh, dispatch(WATER), system, 10);
    expect(plain.ok && Object.keys(plain.events[0]?.open ?? {}).sort()).toEqual(['acceptBy', 'because', 'directory', 'rule', 'to']);
  });

  test.each([
    ['accept', { do: 'accept' }, road.slice(0, 1)], ['progress', { do: 'progress', note: 'x' }, road.slice(0, 2)],
    ['resolve', { do: 'resolve', answer: 'x' }, road.slice(0, 2)], ['return', { do: 'return', reason: 'x', decideBy: 1 }, road.slice(0, 1)],
  ] as const)('another unit cannot %s it', (_name, command, before) => {
    const ticket = after(...before);
    expect(moveTicket(ticket, command, unit(OTHER), 20)).toMatchObject({ ok: false });
    expect(moveTicket(ticket, command, unit(WATER), 20)).toMatchObject({ ok: true });
  });

  test('progress before acceptance, a second answer and anything after withdrawal are refused', () => {
    expect(moveTicket(after(...road.slice(0, 1)), { do: 'progress', note: 'x' }, unit(WATER), 1).ok).toBe(false);
    expect(moveTicket(after(...road, [answers(true), { role: 'resident' }]), answers(true), { role: 'resident' }, 1).ok).toBe(false);
    expect(moveTicket(after([{ do: 'withdraw', reason: '来水了' }, { role: 'resident' }]), dispatch(WATER), system, 1).ok).toBe(false);
  });

  test('each new unit is a hop; the same unit again is none', () => {
    const objected = after(...road.slice(0, 1), [{ do: 'return', reason: '不归我', decideBy: 5 }, unit(WATER)]);
    expect(after([dispatch(WATER), system]).hops).toBe(1);
    expect((moveTicket(objected, dispatch(OTHER), system, 1) as { ticket: Ticket }).ticket.hops).toBe(2);
    expect((moveTicket(objected, dispatch(WATER), system, 1) as { ticket: Ticket }).ticket.hops).toBe(1);
  });

  test('words and notes are sealed; only facts without a person stand in clear', () => {
    const moved = moveTicket(after(...road.slice(0, 2)), { do: 'progress', note: '给王女士打过电话' }, unit(WATER), 3);
    expect(moved).toMatchObject({ ok: true, events: [{ sealed: { note: '给王女士打过电话' } }] });
    expect(JSON.stringify(moved.ok && moved.events.map((event) => event.open))).not.toContain('王女士');
  });

  test('every status can be left for an end, save the two ends themselves', () => {
    for (const status of TICKET_STATUSES) {
      const reached = new Set<TicketStatus>([status]);
      for (const each of reached) for (const next of NEXT[each]) reached.add(next);
      expect([...reached].some((each) => !isOpen(each)), status).toBe(true);
      expect(NEXT[status].length === 0, status).toBe(!isOpen(status));
    }
  });

  test('no sequence of commands leaves the table, loses the deadline or forgets who holds it', () => {
    const command = fc.oneof(
      fc.constantFrom<TicketCommand>(dispatch(WATER), dispatch(OTHER), { do: 'accept' }, { do: 'progress', note: 'n' }, { do: 'return', reason: 'r', decideBy: 7 }, { do: 'resolve', answer: 'a' },
        { do: 'ask_follow_up', giveUpAt: 99 }, answers(true), answers(false), { do: 'give_up_follow_up' }, { do: 'withdraw', reason: 'w' }, { do: 'mark_overdue', waitedFor: 'accept' },
        { do: 'supplement', text: 't', redacted: 't' }, { do: 'correct', changes: { type: 'utilities.power' } }, { do: 'leave_unrouted', because: 'b', decideBy: 3 }),
    );
    const actor = fc.constantFrom<Actor>(unit(WATER), unit(OTHER), system, { role: 'resident' });
    fc.assert(fc.property(fc.array(fc.tuple(command, actor), { maxLength: 40 }), (steps) => {
      let ticket = fresh;
      for (const [next, who] of steps) {
        const before = ticket;
        const moved = moveTicket(ticket, next, who, 10);
        if (!moved.ok) continue;
        ticket = moved.ticket;
        expect(ticket.version).toBe(before.version + 1);
        if (ticket.state.status !== before.state.status) expect(NEXT[before.state.status]).toContain(ticket.state.status);
        expect(Number.isFinite(ticket.dueAt)).toBe(true);
        if ('by' in ticket.state) expect(ticket.state.by).toBe(ticket.unitId);
        expect(ticket.hops).toBeGreaterThanOrEqual(before.hops);
      }
    }), { numRuns: 500 });
  });
});
