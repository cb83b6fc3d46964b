import type { Timer, TimerKind } from '../domain/events.ts';
import type { Instant } from '../domain/ids.ts';
import { isUnderWay, type Ticket } from '../domain/ticket.ts';
import { isOpenTask, reminderAt, REMINDER_SHARES, type ReminderShare } from '../domain/ticket-work.ts';

/** One thing a ticket waits for, and the moment it gives up. */
export interface Wait {
  readonly kind: TimerKind;
  readonly dueAt: Instant;
  /** Tells two waits of one kind and moment apart: a task's id, a reminder's share. */
  readonly expects: string | number;
}

/**
 * All that a ticket waits for as it stands; nothing may wait that is not in here. `opened` and `resolved` wait for the handler of their
 * own event, which is a row of its own.
 */
export function waitsOf(ticket: Ticket): readonly Wait[] {
  const { state, work, dueAt } = ticket;
  const waits: Wait[] = [];
  const wait = (kind: TimerKind, at: Instant, expects: string | number = at): void => void waits.push({ kind, dueAt: at, expects });
  if (state.status === 'dispatched') wait('accept_overdue', state.acceptBy);
  if (state.status === 'unrouted' || state.status === 'returned') wait('route_overdue', state.decideBy);
  if (state.status === 'following_up') wait('follow_up_give_up', state.giveUpAt);
  if (!isUnderWay(state.status)) return waits;
  wait('ticket_due', dueAt);
  if (work.pause) wait('pause_over', work.pause.until);
  else for (const share of remindersLeft(work.reminded)) wait('reminder', reminderAt(share, work.clockFrom, dueAt), share);
  if (work.timeAsked) wait('time_undecided', work.timeAsked.decideBy);
  if (work.escalated) wait('escalation', work.escalated.nextAt);
  for (const task of work.tasks.filter(isOpenTask)) {
    if (task.reportedAt === null) wait('task_overdue', task.reportBy, `${task.id}:report_in`);
    wait('task_overdue', task.answerBy, `${task.id}:task`);
  }
  return waits;
}

const remindersLeft = (reminded: ReminderShare | null): readonly ReminderShare[] => REMINDER_SHARES.slice(reminded === null ? 0 : REMINDER_SHARES.indexOf(reminded) + 1);

const same = (a: Wait, b: Wait): boolean => a.kind === b.kind && a.dueAt === b.dueAt && a.expects === b.expects;

/** What must be swept from now on that was not before. */
export function timersFor(before: Ticket | null, after: Ticket): readonly Timer[] {
  const known = before === null ? [] : waitsOf(before);
  return waitsOf(after).filter((wait) => !known.some((each) => same(each, wait))).map((wait) => ({ ...wait, ticketId: after.id }));
}

/** The world may have moved on since a timer was set. */
export const stillWaits = (ticket: Ticket, timer: Timer): boolean => waitsOf(ticket).some((wait) => wait.kind === timer.kind && wait.dueAt === timer.dueAt && wait.expects === timer.expects);
