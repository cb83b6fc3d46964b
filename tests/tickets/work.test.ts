import { describe, expect, test } from 'vitest';
import type { ConversationId, ResidentId, TaskId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import { roleOf, type Actor, type Ticket, type TicketCommand } from '../../src/domain/ticket.ts';
import { newWork, type Call } from '../../src/domain/ticket-work.ts';
import { moveTicket } from '../../src/tickets/move-ticket.ts';
import { stillWaits, timersFor, waitsOf } from '../../src/tickets/waits.ts';

const [WATER, POWER, POLICE, STREET] = ['water', 'power', 'police', 'street'] as UnitId[] as [UnitId, UnitId, UnitId, UnitId];
const unit = (unitId: UnitId): Actor => ({ role: 'unit', unitId, userId: 'u' as UserId });
const system: Actor = { role: 'system' };
const dispatcher: Actor = { role: 'operator', userId: 'd' as UserId };
const HOUR = 3_600_000;

const fresh: Ticket = {
  id: 't' as TicketId, number: '261123000001', version: 1, conversationId: 'c' as ConversationId, residentId: 'r' as ResidentId, state: { status: 'opened' },
  type: 'utilities.water', nature: 'assistance', disposition: 'accept', urgency: 'h24', description: '没水', address: { text: '12号楼', place: null, label: '', location: null },
  media: [], openedAt: 0, dueAt: 24 * HOUR, openedBy: 'bot', unitId: null, hops: 0, reopened: 0, versions: { model: 'm', directory: 'd' }, candidates: [], work: newWork(0),
  secret: { words: ['没水'], address: '12号楼302', contact: null },
};
const dispatch = (to: UnitId, calls: readonly Call[] = []): TicketCommand => ({ do: 'dispatch', to, rule: 'r', because: 'b', directoryVersion: 'd2', acceptBy: 2 * HOUR, objectBy: 10 * HOUR, calls, copies: [STREET] });
const call = (id: string, to: UnitId): Call => ({ id: id as TaskId, unit: to, ask: '请到场', kind: 'whistle', reportBy: HOUR, answerBy: 5 * HOUR });

type Step = readonly [TicketCommand, Actor, number?];
function run(from: Ticket, ...steps: readonly Step[]): Ticket {
  return steps.reduce((ticket, [command, actor, at = 10]) => {
    const moved = moveTicket(ticket, command, actor, at);
    if (!moved.ok) throw new Error(`${command.do}: ${moved.reason}`);
    return moved.ticket;
  }, from);
}
const refusal = (ticket: Ticket, command: TicketCommand, actor: Actor, at = 10): string => {
  const moved = moveTicket(ticket, command, actor, at);
  return moved.ok ? 'done' : moved.reason;
};
const accepted = run(fresh, [dispatch(WATER), system], [{ do: 'accept' }, unit(WATER)]);

describe('首接负责: an objection, not a forwarding', () => {
  const objection: TicketCommand = { do: 'return', reason: '属物业二次供水', decideBy: 3 * HOUR, suggests: POWER };

  test('is heard within the window, and only from the unit that holds it', () => {
    expect(run(accepted, [objection, unit(WATER)]).state).toEqual({ status: 'returned', by: WATER, decideBy: 3 * HOUR });
    expect(refusal(accepted, objection, unit(WATER), 11 * HOUR)).toMatch(/time to object is over/);
    expect(refusal(accepted, objection, unit(POWER))).toMatch(/holds the ticket/);
  });

  test('refused, the unit has it for good', () => {
    const kept = run(accepted, [objection, unit(WATER)], [{ do: 'refuse_objection', because: '权属已核', acceptBy: 4 * HOUR }, dispatcher]);
    expect(kept.state).toEqual({ status: 'dispatched', to: WATER, acceptBy: 4 * HOUR });
    expect(kept.dueAt).toBe(fresh.dueAt);
    expect(refusal(kept, objection, unit(WATER))).toMatch(/heard and refused/);
    expect(refusal(run(accepted, [objection, unit(WATER)]), { do: 'refuse_objection', because: 'x', acceptBy: 1 }, unit(POWER))).toMatch(/dispatcher/);
  });

  test('A → B → A raises an alarm and counts the hops; the clock never starts anew', () => {
    const there = run(accepted, [objection, unit(WATER)], [dispatch(POWER), dispatcher], [objection, unit(POWER)]);
    const back = moveTicket(there, dispatch(WATER), dispatcher, 20);
    expect(back).toMatchObject({ ok: true, ticket: { hops: 3, dueAt: fresh.dueAt, work: { leads: [WATER, POWER, WATER] } } });
    expect(back.ok && back.events.map((event) => [event.kind, event.open['why']])).toEqual([['ticket_dispatched', undefined], ['ticket_bounced', 'back_again']]);
  });
});

describe('吹哨: called units', () => {
  const called = run(fresh, [dispatch(WATER, [call('k1', POLICE), call('k2', WATER)]), system], [{ do: 'accept' }, unit(WATER)]);

  test('are opened by the directory, never for the lead itself, each with its own clock', () => {
    expect(called.work.tasks.map((task) => [task.unit, task.by, task.answerBy])).toEqual([[POLICE, 'directory', 5 * HOUR]]);
    expect(roleOf(called, POLICE)).toBe('called');
    expect(roleOf(called, STREET)).toBe('copied');
    expect(roleOf(called, POWER)).toBeNull();
    expect(waitsOf(called).filter((wait) => wait.kind === 'task_overdue').map((wait) => wait.expects)).toEqual(['k1:report_in', 'k1:task']);
  });

  test('answer to the lead, which cannot close the ticket before; late ones no longer hold it up', () => {
    const resolve: TicketCommand = { do: 'resolve', answer: '已修好' };
    expect(refusal(called, resolve, unit(WATER))).toMatch(/awaited from police/);
    expect(run(called, [resolve, unit(WATER), 6 * HOUR]).work.tasks[0]?.end).toEqual({ how: 'closed', at: 6 * HOUR });
    const answered = run(called, [{ do: 'report_in', taskId: 'k1' as TaskId }, unit(POLICE)], [{ do: 'answer_task', taskId: 'k1' as TaskId, answer: '已维持秩序', outcome: 'done' }, unit(POLICE)]);
    expect(answered.secret?.taskAnswers).toEqual({ k1: '已维持秩序' });
    expect(run(answered, [resolve, unit(WATER)]).state.status).toBe('resolved');
    expect(refusal(called, { do: 'report_in', taskId: 'k1' as TaskId }, unit(POWER))).toMatch(/another unit/);
  });

  test('are not called twice, and a unit that becomes the lead is no longer called', () => {
    expect(refusal(called, { do: 'whistle', calls: [call('k3', POLICE)] }, unit(WATER))).toMatch(/already called/);
    const moved = run(called, [{ do: 'return', reason: 'r', decideBy: 1 }, unit(WATER)], [dispatch(POLICE), dispatcher]);
    expect(moved.work.tasks[0]?.end?.how).toBe('closed');
    expect(roleOf(moved, POLICE)).toBe('lead');
    expect(roleOf(moved, WATER)).toBeNull();
  });
});

describe('the clock', () => {
  const ask = (want: 'extend' | 'pause' | 'stages', until: number): TicketCommand => ({ do: 'ask_time', want, reason: '等配件', until, decideBy: 3 * HOUR });
  const grant: TicketCommand = { do: 'grant_time', because: '属实' };

  test('an extension is asked before the deadline, granted by a person, and told with reason and both dates', () => {
    const asked = run(accepted, [ask('extend', 48 * HOUR), unit(WATER)]);
    expect(asked.dueAt).toBe(24 * HOUR);
    expect(refusal(accepted, ask('extend', 48 * HOUR), unit(WATER), 25 * HOUR)).toMatch(/before the deadline/);
    expect(refusal(asked, grant, unit(WATER))).toMatch(/person of the city/);
    const granted = moveTicket(asked, grant, dispatcher, 20);
    expect(granted).toMatchObject({ ok: true, ticket: { dueAt: 48 * HOUR, work: { timeAsked: null } }, events: [{ open: { want: 'extend', reason: '等配件', from: 24 * HOUR, dueAt: 48 * HOUR } }] });
    expect(run(asked, [{ do: 'refuse_time', because: '可以先抢修' }, dispatcher]).dueAt).toBe(24 * HOUR);
  });

  test.each([
    ['resumed early, what was not used is given back', 10 * HOUR, 24 * HOUR + 6 * HOUR],
    ['left to run out, the deadline moves by the whole pause', 16 * HOUR, 24 * HOUR + 12 * HOUR],
  ])('a pause: %s', (_, resumedAt, due) => {
    const paused = run(accepted, [ask('pause', 16 * HOUR), unit(WATER)], [grant, dispatcher, 4 * HOUR]);
    expect(paused.dueAt).toBe(36 * HOUR);
    expect(waitsOf(paused).map((wait) => wait.kind)).toEqual(['ticket_due', 'pause_over']);
    expect(run(paused, [{ do: 'resume', reason: '配件到了' }, unit(WATER), resumedAt]).dueAt).toBe(due);
  });

  test('a long matter goes by stages, each with its date and what comes next', () => {
    const first = { key: 'order', name: '责令限期改正', next: '催告', until: 200 * HOUR };
    const staged = run(accepted, [ask('stages', 200 * HOUR), unit(WATER)], [{ ...grant, stage: first }, dispatcher]);
    expect(staged).toMatchObject({ dueAt: 200 * HOUR, work: { stage: first, clockFrom: 10 } });
    const next = run(staged, [{ do: 'enter_stage', stage: { key: 'urge', name: '催告', next: '', until: 400 * HOUR }, note: '已送达' }, unit(WATER), 100 * HOUR]);
    expect(next).toMatchObject({ dueAt: 400 * HOUR, work: { stage: { name: '催告' }, clockFrom: 100 * HOUR } });
    expect(refusal(accepted, { do: 'enter_stage', stage: first, note: 'x' }, unit(WATER))).toMatch(/first stage/);
  });

  test('half and four fifths are reminded once each; timers of a deadline that moved do nothing', () => {
    const timers = timersFor(fresh, accepted).concat(timersFor(null, fresh));
    expect(timers.filter((timer) => timer.kind === 'reminder').map((timer) => [timer.expects, timer.dueAt / HOUR])).toEqual([['half', 12], ['four_fifths', 19.2]]);
    const half = timers.find((timer) => timer.expects === 'half');
    expect(half && stillWaits(accepted, half)).toBe(true);
    const reminded = run(accepted, [{ do: 'remind', share: 'half' }, system, 12 * HOUR]);
    expect(half && stillWaits(reminded, half)).toBe(false);
    const longer = run(accepted, [ask('extend', 48 * HOUR), unit(WATER)], [grant, dispatcher]);
    expect(half && stillWaits(longer, half)).toBe(false);
    expect(waitsOf(longer).find((wait) => wait.expects === 'half')?.dueAt).toBe(24 * HOUR);
  });

  test('what is late goes up, and up again', () => {
    const up = run(accepted, [{ do: 'escalate', level: 'district', to: STREET, nextAt: 30 * HOUR }, system, 24 * HOUR]);
    expect(waitsOf(up).find((wait) => wait.kind === 'escalation')?.dueAt).toBe(30 * HOUR);
    expect(roleOf(up, STREET)).toBe('overseer');
  });
});
