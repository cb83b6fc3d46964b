import type { Draft, Handoff, Mode } from '../domain/conversation.ts';
import type { QueueEntry, Role, User } from '../domain/desk.ts';
import type { DirectoryVersion } from '../domain/directory-version.ts';
import type { ConversationId, Instant, MediaId, TicketId, UnitId, UserId } from '../domain/ids.ts';
import type { Channel, TranscriptMessage } from '../domain/message.ts';
import type { Paged } from '../domain/ports.ts';
import type { TicketEventKind, TicketStatus } from '../domain/ticket.ts';
import type { EscalationLevel, Pause, Stage, Task, TimeWish } from '../domain/ticket-work.ts';
import type { IssueType, Nature, Place, Scored, Urgency } from '../domain/understanding.ts';
import type { Action } from './permissions.ts';

/** What the desk's pages get as JSON. The pages import these types and nothing else of the desk. */

export interface Me {
  readonly id: UserId;
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly unit: { readonly id: UnitId; readonly name: string } | null;
  readonly may: readonly Action[];
  readonly catalogue: { readonly types: readonly TypeOption[]; readonly natures: Readonly<Record<Nature, string>> };
  /** Units one may dispatch to or call; empty for an operator. */
  readonly units: readonly { readonly id: UnitId; readonly name: string }[];
  /** The server's clock: pages count from it, not from the device's. */
  readonly now: Instant;
}
export interface TypeOption {
  readonly code: IssueType;
  readonly name: string;
  readonly group: string;
  readonly means: string;
}

export interface QueueLine extends Omit<QueueEntry, 'operatorId'> {
  readonly operator: { readonly id: UserId; readonly name: string } | null;
}

export interface ConversationView {
  readonly id: ConversationId;
  readonly channel: Channel;
  readonly mode: Mode;
  readonly operator: { readonly id: UserId; readonly name: string } | null;
  readonly handoff: Handoff | null;
  readonly waitingSince: Instant | null;
  readonly waitingUntil: Instant | null;
  readonly escalation: number;
  readonly draft: Draft | null;
  /** Matters that wait behind the draft. */
  readonly later: number;
  /** Where the draft would go if it were opened now. */
  readonly route: { readonly unitName: string | null; readonly because: string } | null;
  readonly messages: readonly TranscriptMessage[];
  readonly tickets: readonly TicketSummary[];
  /** false once the resident has had everything erased. */
  readonly readable: boolean;
  readonly now: Instant;
}

export interface TicketSummary {
  readonly id: TicketId;
  readonly number: string;
  readonly status: TicketStatus;
  readonly type: IssueType;
  readonly typeName: string;
  readonly nature: Nature;
  readonly urgency: Urgency;
  readonly description: string;
  readonly address: string;
  readonly unitId: UnitId | null;
  readonly unitName: string | null;
  readonly openedAt: Instant;
  readonly dueAt: Instant;
  /** The nearer moment somebody must move: to accept, or to decide on a return. */
  readonly actBy: Instant | null;
  readonly hops: number;
  readonly reopened: number;
  readonly pictures: number;
}

export interface TicketView extends TicketSummary {
  readonly place: Place | null;
  readonly label: string;
  readonly location: { readonly latitude: number; readonly longitude: number } | null;
  /** Room, phone and words, as far as this reader may know them; null: nothing of it. */
  readonly secret: { readonly address: string; readonly contact: string | null; readonly words: readonly string[] } | null;
  /** Why `secret` is null. */
  readonly secretHidden: 'not_for_you' | 'reporter_protected' | 'erased' | null;
  readonly media: readonly MediaId[];
  readonly work: WorkView;
  readonly timeline: readonly TimelineLine[];
  readonly openedByBot: boolean;
  /** Operators only. */
  readonly conversationId: ConversationId | null;
  readonly candidates: readonly Scored<IssueType>[];
  /** What this reader may do with it now. */
  readonly can: readonly TicketAction[];
  readonly now: Instant;
}
/** Calls, clock and stages of a ticket. */
export interface WorkView {
  /** Until then the lead may object; null: it may not. */
  readonly objectBy: Instant | null;
  readonly tasks: readonly TaskView[];
  readonly timeAsked: { readonly want: TimeWish; readonly unitName: string; readonly until: Instant; readonly decideBy: Instant; readonly reason: string } | null;
  readonly pause: Pause | null;
  readonly stage: Stage | null;
  /** Names of the stages a matter of this type may go by; null: none. */
  readonly stages: readonly string[] | null;
  readonly escalated: { readonly level: EscalationLevel; readonly unitName: string | null; readonly at: Instant } | null;
  /** Every unit that had it, in order. */
  readonly leads: readonly string[];
  readonly excluded: string | null;
  readonly can: readonly WorkAction[];
}
export type WorkAction = 'whistle' | 'ask-time' | 'decide-time' | 'refuse-objection' | 'resume' | 'next-stage' | 'exclude';

export interface TaskView extends Pick<Task, 'id' | 'kind' | 'ask' | 'calledAt' | 'reportBy' | 'answerBy' | 'reportedAt' | 'end'> {
  readonly unitName: string;
  /** null: none yet, or not for this reader. */
  readonly answer: string | null;
  /** The reader's unit is called and has not answered. */
  readonly mine: boolean;
}

export type TicketAction = 'accept' | 'progress' | 'return' | 'resolve' | 'dispatch' | 'correct';

export interface TimelineLine {
  readonly seq: number;
  readonly at: Instant;
  readonly kind: TicketEventKind;
  readonly role: 'bot' | 'system' | 'resident' | 'operator' | 'unit';
  /** The person's or the unit's name; null for machine and resident. */
  readonly who: string | null;
  /** The words of the step: note, answer, reason. */
  readonly text: string | null;
  /** Where a dispatch sent it. */
  readonly unitName: string | null;
  readonly pictures: number;
  readonly changes: {
    readonly type: readonly [string, string] | null;
    readonly urgency: readonly [Urgency, Urgency] | null;
    readonly address: boolean;
    readonly description: boolean;
  } | null;
}

export interface DirectoryList {
  readonly inForce: string | null;
  /** `YYYY-MM-DD`, the city's time. */
  readonly today: string;
  readonly versions: readonly DirectoryVersion[];
}
export interface DirectoryReport {
  readonly version: string;
  readonly validFrom: string;
  readonly rows: number;
  readonly mistakes: readonly string[];
  readonly notes: readonly string[];
}
export interface DirectoryReplay {
  readonly tickets: number;
  readonly elsewhere: number;
  readonly toDispatcher: number;
  /** The first of them; units by name, null = a dispatcher. */
  readonly shown: readonly { readonly number: string; readonly from: string | null; readonly to: string | null; readonly rule: string | null; readonly because: string }[];
}

export interface UserView extends Omit<User, 'unitId'> {
  readonly unit: { readonly id: UnitId; readonly name: string } | null;
}

export type PageOf<T> = Paged<T>;
