import { describe, expect, test } from 'vitest';
import type { ConversationId, ResidentId, TaskId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import type { Timer } from '../../src/domain/events.ts';
import { isOpen, isUnderWay, type Actor, type HistoryEntry, type Ticket, type TicketCommand, type TicketEvent, type TicketEventKind } from '../../src/domain/ticket.ts';
import { newWork } from '../../src/domain/ticket-work.ts';
import { timelineText, type Naming } from '../../src/domain/ticket-card.ts';
import { noticeText } from '../../src/notify/notices.zh.ts';
import { commitmentOf, GENESIS, linkHash, verifyChain, type ChainLink } from '../../src/tickets/history-chain.ts';
import { moveTicket } from '../../src/tickets/move-ticket.ts';
import { timersFor, waitsOf, type Wait } from '../../src/tickets/waits.ts';
import { seeded } from '../fakes/seeded.ts';

const HISTORIES = 100_000;
const STEPS = 14;
const UNITS = ['water', 'power', 'police', 'street'] as UnitId[];
const HOUR = 3_600_000;
const naming: Naming = { catalogue: { types: {}, groups: {}, units: {} } as never, unitName: (id) => id, utcOffsetMinutes: 480 };

const fresh: Ticket = {
  id: 't' as TicketId, number: '261123000001', version: 1, conversationId: 'c' as ConversationId, residentId: 'r' as ResidentId, state: { status: 'opened' },
  type: 'utilities.water', nature: 'assistance', disposition: 'accept', urgency: 'h24', description: '没水', address: { text: '12号楼', place: null, label: '', location: null },
  media: [], openedAt: 0, dueAt: 24 * HOUR, openedBy: 'bot', unitId: null, hops: 0, reopened: 0, versions: { model: 'm', directory: 'd' }, candidates: [], work: newWork(0),
  secret: { words: ['没水'], address: '12号楼302', contact: null },
};

/** What a resident must hear of, whatever else happens; the other steps are the city's own business or have just been answered in the chat. */
const MUST_TELL: ReadonlySet<TicketEventKind> = new Set<TicketEventKind>([
  'ticket_dispatched', 'ticket_unrouted', 'ticket_accepted', 'ticket_progress', 'ticket_returned', 'ticket_objection_refused', 'ticket_whistled', 'ticket_resolved',
  'ticket_time_granted', 'ticket_time_refused', 'ticket_resumed', 'ticket_stage_entered', 'ticket_escalated',
]);

type Random = () => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Any command by anyone, sensible or not: the table has to refuse what may not be. */
function anyMove(random: Random, ticket: Ticket, now: number): { readonly command: TicketCommand; readonly actor: Actor } {
  const unit = pick(random, UNITS);
  const { tasks } = ticket.work;
  const taskId = tasks.length > 0 ? pick(random, tasks).id : ('none' as TaskId);
  const soon = now + Math.ceil(random() * 30) * HOUR;
  const calls = [{ id: `k${String(Math.floor(random() * 1e9))}` as TaskId, unit: pick(random, UNITS), ask: '请到场', kind: random() < 0.8 ? 'whistle' as const : 'care' as const, reportBy: now + HOUR, answerBy: soon }];
  const stage = { key: 'a', name: '催告', next: '拆除', until: soon };
  const command = pick<() => TicketCommand>(random, [
    () => ({ do: 'dispatch', to: unit, rule: 'r', because: 'b', directoryVersion: 'd', acceptBy: now + HOUR, objectBy: soon, copies: [pick(random, UNITS)], calls: random() < 0.3 ? calls : [] }),
    () => ({ do: 'leave_unrouted', because: 'b', decideBy: soon }),
    () => ({ do: 'accept' }), () => ({ do: 'accept' }),
    () => ({ do: 'progress', note: '到场' }),
    () => ({ do: 'return', reason: 'r', decideBy: soon }),
    () => ({ do: 'refuse_objection', because: 'b', acceptBy: soon }),
    () => ({ do: 'whistle', calls }),
    () => ({ do: 'report_in', taskId }),
    () => ({ do: 'answer_task', taskId, answer: '办了', outcome: random() < 0.7 ? 'done' : 'declined' }),
    () => ({ do: 'close_task', taskId, reason: 'r' }),
    () => ({ do: 'ask_time', want: pick(random, ['extend', 'pause', 'stages'] as const), reason: 'r', until: ticket.dueAt + HOUR, decideBy: soon }),
    () => ({ do: 'grant_time', because: 'b', ...(random() < 0.8 && { stage }) }),
    () => ({ do: 'refuse_time', because: 'b' }),
    () => ({ do: 'resume', reason: 'r' }),
    () => ({ do: 'enter_stage', stage, note: 'n' }),
    () => ({ do: 'remind', share: 'half' }),
    () => ({ do: 'escalate', level: 'district', to: pick(random, [...UNITS, null]), nextAt: soon }),
    () => ({ do: 'exclude', reason: 'r' }),
    () => ({ do: 'resolve', answer: '修好了' }),
    () => ({ do: 'ask_follow_up', giveUpAt: soon }),
    () => ({ do: 'answer_follow_up', answers: { contacted: true, solved: pick(random, [true, false, null]), satisfied: null }, dueAt: now + 24 * HOUR, acceptBy: now + HOUR }),
    () => ({ do: 'give_up_follow_up' }),
    () => ({ do: 'withdraw', reason: 'r' }),
    () => ({ do: 'supplement', text: 't', redacted: 't' }),
    () => ({ do: 'correct', changes: random() < 0.5 ? { type: 'utilities.power' } : { urgency: 'h2', dueAt: now + 2 * HOUR } }),
    () => ({ do: 'mark_overdue', waitedFor: 'resolve' }),
  ])();
  const actor = pick<Actor>(random, [{ role: 'system' }, { role: 'system' }, { role: 'operator', userId: 'd' as UserId }, { role: 'operator', userId: 'd' as UserId }, { role: 'resident' }, { role: 'unit', unitId: unit, userId: 'u' as UserId }, { role: 'unit', unitId: ticket.unitId ?? unit, userId: 'u' as UserId }]);
  return { command, actor };
}

const key = ({ kind, dueAt, expects = '' }: Timer | Wait): string => `${kind} ${dueAt} ${expects}`;

/** What is wrong with a ticket as it stands; nothing may be, ever. */
function faults(before: Ticket, after: Ticket, events: readonly TicketEvent[], scheduled: ReadonlySet<string>): string | null {
  const waits = waitsOf(after);
  const byEvent = after.state.status === 'opened' || after.state.status === 'resolved';
  if (isOpen(after.state.status) && waits.length === 0 && !byEvent) return 'waits for nobody';
  if (!isOpen(after.state.status) && waits.length > 0) return 'closed, and still waits';
  if (waits.some((wait) => !scheduled.has(key(wait)))) return 'a wait without a timer';
  if (waits.some((wait) => !Number.isFinite(wait.dueAt))) return 'a wait without a date';
  if (isUnderWay(after.state.status) && !waits.some((wait) => wait.kind === 'ticket_due')) return 'a deadline is lost';
  const moved = events.some((event) => ['ticket_time_granted', 'ticket_resumed', 'ticket_stage_entered', 'ticket_reopened', 'ticket_corrected', 'ticket_dispatched', 'ticket_resolved', 'ticket_withdrawn'].includes(event.kind));
  if (after.dueAt !== before.dueAt && !moved) return 'a deadline moved without a word in the history';
  if (after.version !== before.version + 1) return 'the version';
  if (events.length === 0 && after.state !== before.state) return 'moved without history';
  if (after.work.leads.length > 0 && after.unitId !== after.work.leads.at(-1)) return 'the lead is not the last of the leads';
  return null;
}

function toldOf(ticket: Ticket, event: TicketEvent): boolean {
  const entry: HistoryEntry = { ...event, seq: 1, hash: '', readable: true };
  timelineText(entry, naming); // no step leaves the card without words for it
  return !MUST_TELL.has(event.kind) || (noticeText(ticket, entry, naming) ?? '') !== '';
}

describe(`${HISTORIES.toLocaleString('en')} random histories`, () => {
  test('no ticket waits for nobody, loses a deadline, leaves its resident untold or breaks its chain', () => {
    const random = seeded(20261124);
    const counted = new Map<string, number>();
    let done = 0;
    for (let nth = 0; nth < HISTORIES; nth += 1) {
      let ticket = fresh;
      let now = 0;
      const scheduled = new Set(timersFor(null, ticket).map((timer) => key(timer)));
      const links: ChainLink[] = [];
      let head = GENESIS;
      for (let step = 0; step < STEPS; step += 1) {
        now += Math.ceil(random() * 4) * HOUR;
        let { command, actor } = anyMove(random, ticket, now);
        let moved = moveTicket(ticket, command, actor, now);
        // Refused is refused: somebody else tries something else, so that the walk goes far.
        for (let tries = 0; !moved.ok && tries < 8; tries += 1) {
          ({ command, actor } = anyMove(random, ticket, now));
          moved = moveTicket(ticket, command, actor, now);
        }
        if (!moved.ok || moved.events.length === 0) continue;
        done += 1;
        for (const timer of timersFor(ticket, moved.ticket)) scheduled.add(key(timer));
        const fault = faults(ticket, moved.ticket, moved.events, scheduled) ?? (moved.events.every((event) => toldOf(moved.ticket, event)) ? null : 'the resident is not told');
        if (fault !== null) throw new Error(`history ${nth}, ${command.do} on ${ticket.state.status}: ${fault}\n${JSON.stringify(moved.ticket)}`);
        counted.set(moved.ticket.state.status, (counted.get(moved.ticket.state.status) ?? 0) + 1);
        if (nth % 50 === 0) {
          for (const event of moved.events) {
            const seq = links.length + 1;
            const commitment = commitmentOf('salt', event.sealed);
            const hash = linkHash(head, seq, event, commitment);
            links.push({ seq, kind: event.kind, ticketId: event.ticketId, at: event.at, actor: event.actor, open: event.open, hash, commitment, opened: { salt: 'salt', sealed: event.sealed } });
            head = hash;
          }
        }
        ticket = moved.ticket;
      }
      if (links.length > 0) expect(verifyChain(links, { head, length: links.length }).ok).toBe(true);
    }
    // The walk is no proof unless it really goes everywhere.
    expect(done).toBeGreaterThan(HISTORIES * 8);
    expect([...counted.keys()].sort()).toEqual(['accepted', 'archived', 'dispatched', 'following_up', 'in_progress', 'opened', 'resolved', 'returned', 'unrouted', 'withdrawn']);
    expect(Math.min(...counted.values())).toBeGreaterThan(100);
  }, 120_000);
});
