import type { Hardness, Way } from './directory.ts';
import type { ConversationId, Instant, MediaId, ResidentId, TaskId, TicketId, UnitId, UserId } from './ids.ts';
import { isOpenTask, taskDue, type Call, type EscalationLevel, type ReminderShare, type Stage, type TicketWork, type TimeWish, type UnitRole, type WaitedFor } from './ticket-work.ts';
import type { Disposition, IssueType, Nature, Place, Scored, Urgency } from './understanding.ts';

/**
 * Where a ticket stands. Every state that waits for someone carries (here or in `Ticket.dueAt`) the moment it gives up.
 * `opened` and `unrouted` wait for dispatch, `returned` for a dispatcher, `following_up` for the resident.
 */
export type TicketState =
  | { readonly status: 'opened' }
  | { readonly status: 'unrouted'; readonly because: string; readonly decideBy: Instant }
  | { readonly status: 'dispatched'; readonly to: UnitId; readonly acceptBy: Instant }
  | { readonly status: 'accepted'; readonly by: UnitId }
  | { readonly status: 'in_progress'; readonly by: UnitId }
  | { readonly status: 'returned'; readonly by: UnitId; readonly decideBy: Instant }
  | { readonly status: 'resolved'; readonly by: UnitId; readonly resolvedAt: Instant }
  | { readonly status: 'following_up'; readonly by: UnitId; readonly askedAt: Instant; readonly giveUpAt: Instant }
  | { readonly status: 'archived'; readonly outcome: FollowUpOutcome; readonly by: UnitId }
  | { readonly status: 'withdrawn' };
export type TicketStatus = TicketState['status'];

export const TICKET_STATUSES = [
  'opened', 'unrouted', 'dispatched', 'accepted', 'in_progress', 'returned', 'resolved', 'following_up', 'archived', 'withdrawn',
] as const satisfies readonly TicketStatus[];

/** The whole workflow on one screen. */
export const NEXT: Readonly<Record<TicketStatus, readonly TicketStatus[]>> = {
  opened: ['dispatched', 'unrouted', 'withdrawn'],
  unrouted: ['dispatched', 'withdrawn'],
  dispatched: ['accepted', 'returned', 'dispatched', 'unrouted', 'withdrawn'],
  accepted: ['in_progress', 'resolved', 'returned', 'dispatched', 'withdrawn'],
  in_progress: ['in_progress', 'resolved', 'dispatched', 'withdrawn'],
  returned: ['dispatched', 'withdrawn'],
  resolved: ['following_up', 'archived'],
  following_up: ['archived', 'dispatched'],
  archived: [],
  withdrawn: [],
};

export const isOpen = (status: TicketStatus): boolean => status !== 'archived' && status !== 'withdrawn';
/** Open and not yet said to be solved: it may still be corrected and withdrawn. */
export const isUnderWay = (status: TicketStatus): boolean => isOpen(status) && status !== 'resolved' && status !== 'following_up';
/** No unit has it in hand yet: what the resident corrects may still change where it goes. */
export const isBeforeAcceptance = (status: TicketStatus): boolean => status === 'opened' || status === 'unrouted' || status === 'dispatched';

/** 回访: was the resident contacted, is it solved, are they satisfied. null = not answered. */
export interface FollowUpAnswers {
  readonly contacted: boolean | null;
  readonly solved: boolean | null;
  readonly satisfied: boolean | null;
  readonly comment?: string;
}
export type FollowUpOutcome = { readonly kind: 'answered'; readonly answers: FollowUpAnswers } | { readonly kind: 'unreached' };

/** Where the matter is, as far as it may stand in clear; the room number and raw words are sealed under the resident's key. */
export interface TicketAddress {
  /** Place and building as the unit reads it, without the room. */
  readonly text: string;
  readonly place: Place | null;
  readonly label: string;
  readonly location: { readonly latitude: number; readonly longitude: number } | null;
}

/** Sealed under the resident's key: who and exactly where, and the words as typed. */
export interface TicketPrivate {
  readonly words: readonly string[];
  readonly address: string;
  readonly contact: string | null;
  /** What the called units answered, by task: the lead makes one answer of them. Absent = none yet. */
  readonly taskAnswers?: Readonly<Record<TaskId, string>>;
}

export interface Ticket {
  readonly id: TicketId;
  /** yyMMdd + six digits, what residents and units call it by. */
  readonly number: string;
  readonly version: number;
  readonly conversationId: ConversationId;
  readonly residentId: ResidentId;
  readonly state: TicketState;
  readonly type: IssueType;
  readonly nature: Nature;
  readonly disposition: Disposition;
  readonly urgency: Urgency;
  /** Redacted: no phone, name, ID or room number. Sealed text is in `secret`. */
  readonly description: string;
  readonly address: TicketAddress;
  readonly media: readonly MediaId[];
  readonly openedAt: Instant;
  readonly dueAt: Instant;
  readonly openedBy: 'bot' | UserId;
  /** Unit that holds or last held it. */
  readonly unitId: UnitId | null;
  /** How many units have held it; 接诉即转 shows here. */
  readonly hops: number;
  readonly reopened: number;
  readonly versions: { readonly model: string; readonly directory: string };
  readonly candidates: readonly Scored<IssueType>[];
  readonly work: TicketWork;
  /** null once the resident's key is destroyed. */
  readonly secret: TicketPrivate | null;
}

/**
 * What each unit is to a ticket, and by when it must act; a unit that is several things has the weightiest. Whoever is not in here does not
 * see it. A former lead is no longer in it.
 */
export function unitRoles(ticket: Pick<Ticket, 'state' | 'unitId' | 'work' | 'dueAt'>): readonly { readonly unit: UnitId; readonly role: UnitRole; readonly dueAt: Instant }[] {
  const { work, dueAt, unitId } = ticket;
  const roles = new Map<UnitId, { readonly role: UnitRole; readonly dueAt: Instant }>();
  for (const unit of work.copies) roles.set(unit, { role: 'copied', dueAt });
  if (work.escalated?.to) roles.set(work.escalated.to, { role: 'overseer', dueAt });
  for (const task of work.tasks) if (isOpenTask(task) || !roles.has(task.unit)) roles.set(task.unit, { role: 'called', dueAt: isOpenTask(task) ? taskDue(task) : dueAt });
  if (unitId !== null) roles.set(unitId, { role: 'lead', dueAt });
  return [...roles].map(([unit, as]) => ({ unit, ...as }));
}
export const roleOf = (ticket: Ticket, unit: UnitId): UnitRole | null => unitRoles(ticket).find((each) => each.unit === unit)?.role ?? null;

/** Who did it. A unit's handler acts for the unit. */
export type Actor =
  | { readonly role: 'bot' } | { readonly role: 'system' } | { readonly role: 'resident' }
  | { readonly role: 'operator'; readonly userId: UserId }
  | { readonly role: 'unit'; readonly unitId: UnitId; readonly userId: UserId };

/** What may be done to a ticket; `tickets/move-ticket.ts` says what follows. */
export type TicketCommand =
  | {
    readonly do: 'dispatch'; readonly to: UnitId; readonly rule: string; readonly because: string; readonly directoryVersion: string; readonly acceptBy: Instant;
    /** What the directory says besides; absent where a person dispatches. */
    readonly way?: Way; readonly co?: readonly UnitId[]; readonly copies?: readonly UnitId[];
    /** Units that are called at once (吹哨), because the directory's row says so. */
    readonly calls?: readonly Call[];
    /** Until then the unit may object. */
    readonly objectBy: Instant;
    /** A stricter deadline than the ticket had. */
    readonly clock?: { readonly urgency: Urgency; readonly dueAt: Instant };
  }
  | {
    readonly do: 'leave_unrouted'; readonly because: string; readonly decideBy: Instant;
    readonly directoryVersion?: string; readonly rule?: string | null; readonly why?: Hardness; readonly rivals?: readonly UnitId[];
  }
  | { readonly do: 'accept' }
  | { readonly do: 'progress'; readonly note: string; readonly media?: readonly MediaId[] }
  /** 退单: not forwarding but an objection; a dispatcher of neither side decides. */
  | { readonly do: 'return'; readonly reason: string; readonly decideBy: Instant; readonly suggests?: UnitId; readonly media?: readonly MediaId[] }
  | { readonly do: 'refuse_objection'; readonly because: string; readonly acceptBy: Instant }
  | { readonly do: 'whistle'; readonly calls: readonly Call[] }
  | { readonly do: 'report_in'; readonly taskId: TaskId }
  | { readonly do: 'answer_task'; readonly taskId: TaskId; readonly answer: string; readonly outcome: 'done' | 'declined' }
  | { readonly do: 'close_task'; readonly taskId: TaskId; readonly reason: string }
  | { readonly do: 'ask_time'; readonly want: TimeWish; readonly reason: string; readonly until: Instant; readonly decideBy: Instant }
  | { readonly do: 'grant_time'; readonly because: string; readonly stage?: Stage }
  | { readonly do: 'refuse_time'; readonly because: string }
  | { readonly do: 'resume'; readonly reason: string }
  | { readonly do: 'enter_stage'; readonly stage: Stage; readonly note: string }
  | { readonly do: 'remind'; readonly share: ReminderShare }
  | { readonly do: 'escalate'; readonly to: UnitId | null; readonly level: EscalationLevel; readonly nextAt: Instant }
  | { readonly do: 'exclude'; readonly reason: string }
  | { readonly do: 'resolve'; readonly answer: string }
  | { readonly do: 'ask_follow_up'; readonly giveUpAt: Instant }
  | { readonly do: 'answer_follow_up'; readonly answers: FollowUpAnswers; readonly dueAt: Instant; readonly acceptBy: Instant }
  | { readonly do: 'give_up_follow_up' }
  | { readonly do: 'withdraw'; readonly reason: string }
  | { readonly do: 'supplement'; readonly text: string; readonly redacted: string; readonly media?: readonly MediaId[] }
  | { readonly do: 'correct'; readonly changes: TicketCorrection }
  | { readonly do: 'mark_overdue'; readonly waitedFor: WaitedFor; readonly taskId?: TaskId };

export interface TicketCorrection {
  readonly type?: IssueType;
  readonly urgency?: Urgency;
  readonly nature?: Nature;
  readonly address?: TicketAddress;
  readonly addressPrivate?: string;
  readonly description?: string;
  readonly dueAt?: Instant;
}

export type TicketEventKind =
  | 'ticket_opened' | 'ticket_dispatched' | 'ticket_unrouted' | 'ticket_accepted' | 'ticket_progress' | 'ticket_returned'
  | 'ticket_resolved' | 'ticket_follow_up_asked' | 'ticket_follow_up_answered' | 'ticket_reopened' | 'ticket_archived'
  | 'ticket_withdrawn' | 'ticket_supplemented' | 'ticket_corrected' | 'ticket_overdue'
  | 'ticket_objection_refused' | 'ticket_bounced' | 'ticket_whistled' | 'ticket_reported_in' | 'ticket_task_answered' | 'ticket_task_closed'
  | 'ticket_time_asked' | 'ticket_time_granted' | 'ticket_time_refused' | 'ticket_resumed' | 'ticket_stage_entered'
  | 'ticket_reminded' | 'ticket_escalated' | 'ticket_excluded';

/** One line of history: appended, chained, never edited. `open` is in clear, `sealed` is under the resident's key. */
export interface TicketEvent {
  readonly kind: TicketEventKind;
  readonly ticketId: TicketId;
  readonly at: Instant;
  readonly actor: Actor;
  readonly open: Readonly<Record<string, string | number | boolean | null>>;
  readonly sealed: Readonly<Record<string, unknown>> | null;
}

export interface HistoryEntry extends TicketEvent {
  readonly seq: number;
  readonly hash: string;
  /** false once the resident's key is destroyed: `sealed` can no longer be read. */
  readonly readable: boolean;
}
