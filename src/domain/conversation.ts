import type { ConversationId, Instant, MediaId, ResidentId, TicketId, UserId } from './ids.ts';
import type { Channel } from './message.ts';
import type { SpecialKey } from './special-ways.ts';
import type { Disposition, IssueType, LifeSafety, MissingField, Nature, Place, PlaceCandidate, Scored, Urgency, UrgencyEvidence } from './understanding.ts';

/** Exactly one side speaks: `bot → waiting → operator → bot`. */
export type Mode = 'bot' | 'waiting' | 'operator';

export const HANDOFF_REASONS = [
  'asked_for_human', 'low_confidence', 'no_address', 'angry', 'sensitive', 'emergency',
  'model_unavailable', 'turn_failed', 'not_understood', 'objection', 'unheard',
] as const;
export type HandoffReason = (typeof HANDOFF_REASONS)[number];

/** A matter being taken in, before it is a ticket. */
export interface Draft {
  readonly id: string;
  readonly words: readonly string[];
  readonly media: readonly MediaId[];
  readonly type: IssueType | null;
  readonly typeProbability: number;
  readonly typeBy: 'model' | 'resident' | 'operator';
  readonly candidates: readonly Scored<IssueType>[];
  readonly nature: Nature;
  readonly disposition: Disposition;
  /** Calibrated, 0–1; absent in drafts of before it was kept. */
  readonly dispositionProbability?: number;
  readonly urgency: Urgency;
  readonly urgencyEvidence: readonly UrgencyEvidence[];
  readonly lifeSafety: LifeSafety;
  readonly address: DraftAddress;
  readonly missing: readonly MissingField[];
  readonly modelVersion: string;
  readonly startedAt: Instant;
}

export interface DraftAddress {
  /** As the resident said it, pieces joined in order. */
  readonly text: string;
  /** The same without room and unit. */
  readonly publicText: string;
  readonly place: Place | null;
  readonly label: string;
  readonly building: string;
  readonly rivals: readonly PlaceCandidate[];
  readonly location: { readonly latitude: number; readonly longitude: number } | null;
}

export type Asked = MissingField | 'type' | 'rephrase' | 'place';

/** Everything the planner remembers of a conversation; sealed under the resident's key when stored. */
export interface ConversationMemory {
  readonly draft: Draft | null;
  /** Further matters of the same message, taken in after the first. */
  readonly later: readonly Draft[];
  /** What was asked about the present draft, in order; never more than three. */
  readonly asked: readonly Asked[];
  /** Ticket last spoken of here. */
  readonly lastTicketId: TicketId | null;
  /** Pictures sent before anything was said. */
  readonly looseMedia: readonly MediaId[];
  readonly notUnderstood: number;
  /** Waiting for yes/no on something that cannot be undone. */
  readonly confirm: { readonly kind: 'withdraw'; readonly ticketId: TicketId } | null;
  /** A matter of which the bot thinks it is the ticket already open; the resident may say it is another. */
  readonly merged: { readonly draft: Draft; readonly ticketId: TicketId } | null;
  /** Botkit's own storage (dialog stack); opaque to the planner. */
  readonly dialog: Readonly<Record<string, unknown>> | null;
  /** Ticket and script of the survey under way. */
  readonly followUp: { readonly ticketId: TicketId; readonly script: string } | null;
  /** The way of art. 11(3) told last; the resident may object to it. */
  readonly special: { readonly tellingId: string; readonly outcome: SpecialKey; readonly objected: boolean } | null;
  readonly greeted: boolean;
}

export const EMPTY_MEMORY: ConversationMemory = {
  draft: null, later: [], asked: [], lastTicketId: null, looseMedia: [], notUnderstood: 0, confirm: null, merged: null,
  dialog: null, followUp: null, special: null, greeted: false,
};

export interface Handoff {
  readonly reason: HandoffReason;
  /** One sentence for the operator: what the machine made of it and why it stops. */
  readonly note: string;
  readonly urgency: Urgency;
}

export interface Conversation {
  readonly id: ConversationId;
  readonly residentId: ResidentId;
  readonly channel: Channel;
  readonly version: number;
  readonly mode: Mode;
  readonly operatorId: UserId | null;
  readonly handoff: Handoff | null;
  readonly waitingSince: Instant | null;
  /** When waiting gives up: the resident is told the truth and the queue escalates. */
  readonly waitingUntil: Instant | null;
  readonly escalation: number;
  readonly memory: ConversationMemory;
  /** false once the resident's key is destroyed. */
  readonly readable: boolean;
}
