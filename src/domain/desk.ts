import type { ConversationId, Instant, TicketId, UnitId, UserId } from './ids.ts';
import type { Handoff, Mode } from './conversation.ts';
import type { Channel } from './message.ts';
import type { TicketCorrection } from './ticket.ts';

export const ROLES = ['admin', 'operator', 'dispatcher', 'unit'] as const;
export type Role = (typeof ROLES)[number];

/** Someone who signs in at the desk. `unitId` is set exactly for role `unit`. */
export interface User {
  readonly id: UserId;
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly unitId: UnitId | null;
  readonly disabled: boolean;
}

/** One line of the operators' queue. */
export interface QueueEntry {
  readonly conversationId: ConversationId;
  readonly channel: Channel;
  readonly mode: Mode;
  readonly handoff: Handoff;
  readonly waitingSince: Instant;
  readonly waitingUntil: Instant | null;
  readonly escalation: number;
  readonly operatorId: UserId | null;
}

/** What an operator changed, kept as a training example (sealed under the resident's key). */
export interface Correction {
  readonly conversationId: ConversationId;
  readonly ticketId: TicketId | null;
  readonly userId: UserId;
  readonly at: Instant;
  readonly words: readonly string[];
  readonly before: TicketCorrection;
  readonly after: TicketCorrection;
  readonly modelVersion: string;
}
