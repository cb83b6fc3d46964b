import type { Instant, TaskId, UnitId, UserId } from './ids.ts';

/**
 * What goes on around a ticket besides its one state: who had it, who was called, how its clock was moved. Each part that waits for
 * someone carries the moment it gives up, and `timersOf` (tickets/) sees to it that the moment is swept.
 */
export interface TicketWork {
  /** From when the deadline counts: the opening, or the last reopening or stage. */
  readonly clockFrom: Instant;
  /** Every unit that was made lead, in order, repeats included: A B A is a matter played back and forth. */
  readonly leads: readonly UnitId[];
  /** Units told and not asked (art. 12). */
  readonly copies: readonly UnitId[];
  /** Until then the lead may object; null before the first dispatch and once an objection was refused. */
  readonly objectBy: Instant | null;
  /** Units whose objection was heard and refused: they don't object to this ticket again. */
  readonly refused: readonly UnitId[];
  readonly tasks: readonly Task[];
  readonly timeAsked: TimeAsked | null;
  readonly pause: Pause | null;
  readonly stage: Stage | null;
  /** What of the present clock the lead was reminded of. */
  readonly reminded: ReminderShare | null;
  readonly escalated: { readonly level: EscalationLevel; readonly to: UnitId | null; readonly at: Instant; readonly nextAt: Instant } | null;
  /** Why it does not count in the three rates; null = it counts. */
  readonly excluded: string | null;
}

export const newWork = (clockFrom: Instant): TicketWork => ({
  clockFrom, leads: [], copies: [], objectBy: null, refused: [], tasks: [], timeAsked: null, pause: null, stage: null, reminded: null, escalated: null, excluded: null,
});

/** 吹哨: what a called unit is asked. */
export interface Call {
  readonly id: TaskId;
  readonly unit: UnitId;
  readonly ask: string;
  /** `care`: a side task for someone alone, old, ill or with infants (送水上门). */
  readonly kind: 'whistle' | 'care';
  /** 报到: by when the unit must say it is there. */
  readonly reportBy: Instant;
  readonly answerBy: Instant;
}

/** A called unit's own piece of work, with its own clock and answer (art. 14, 16). */
export interface Task extends Call {
  readonly calledAt: Instant;
  readonly by: 'directory' | UnitId | UserId;
  readonly reportedAt: Instant | null;
  /** The answer itself is sealed (`TicketPrivate.taskAnswers`). */
  readonly end: { readonly how: 'done' | 'declined' | 'closed'; readonly at: Instant } | null;
}

export const isOpenTask = (task: Task): boolean => task.end === null;
/** When the task next gives up waiting. */
export const taskDue = (task: Task): Instant => (task.reportedAt === null ? Math.min(task.reportBy, task.answerBy) : task.answerBy);

/** More time, a stopped clock with a reason, or 挂账: the long way by named legal stages. */
export const TIME_WISHES = ['extend', 'pause', 'stages'] as const;
export type TimeWish = (typeof TIME_WISHES)[number];

/** Asked before the deadline; a named person decides; until then the clock runs. */
export interface TimeAsked {
  readonly want: TimeWish;
  readonly by: UnitId;
  readonly at: Instant;
  /** New deadline; end of the pause; for stages: end of the first one. */
  readonly until: Instant;
  readonly decideBy: Instant;
  /** Told to the resident as it is (art. 15), so it stands in clear: redacted before. */
  readonly reason: string;
}

export interface Pause {
  readonly since: Instant;
  /** The clock runs again by then, whoever forgets. */
  readonly until: Instant;
  readonly reason: string;
}

/** One legal stage of a long matter, with the date by which it ends and what comes next. */
export interface Stage {
  readonly key: string;
  readonly name: string;
  /** '' = this is the last one. */
  readonly next: string;
  readonly until: Instant;
}

export const REMINDER_SHARES = ['half', 'four_fifths'] as const;
export type ReminderShare = (typeof REMINDER_SHARES)[number];
/** When a share of the ticket's time is used up. */
export const reminderAt = (share: ReminderShare, from: Instant, dueAt: Instant): Instant => from + Math.round((dueAt - from) * (share === 'half' ? 0.5 : 0.8));

/** 社区 → 街道 → 区 → 市; who looks after what is late. */
export const ESCALATION_LEVELS = ['street', 'district', 'city'] as const;
export type EscalationLevel = (typeof ESCALATION_LEVELS)[number];

export type WaitedFor = 'accept' | 'resolve' | 'route' | 'report_in' | 'task' | 'decision';

/** What a unit is to a ticket; it sees no ticket to which it is nothing. */
export const UNIT_ROLES = ['lead', 'called', 'copied', 'overseer'] as const;
export type UnitRole = (typeof UNIT_ROLES)[number];
