import type { ConversationId, Instant, TicketId } from './ids.ts';
import type { TicketEventKind } from './ticket.ts';

/** What happened, by reference: a handler reads the row it needs, so no resident's word travels in a job. */
export type DomainEvent =
  | { readonly kind: TicketEventKind; readonly ticketId: TicketId; readonly conversationId: ConversationId; readonly historySeq: number; readonly at: Instant }
  | { readonly kind: 'handoff_requested' | 'handoff_ended' | 'operator_claimed'; readonly conversationId: ConversationId; readonly at: Instant };
export type DomainEventKind = DomainEvent['kind'];

/** A promise with a date: due work that no event starts. */
export type TimerKind = 'waiting_overdue' | 'accept_overdue' | 'ticket_due' | 'route_overdue' | 'follow_up_give_up' | 'follow_up_start'
  | 'reminder' | 'task_overdue' | 'time_undecided' | 'pause_over' | 'escalation';

export interface Timer {
  readonly kind: TimerKind;
  readonly dueAt: Instant;
  readonly ticketId?: TicketId;
  readonly conversationId?: ConversationId;
  /** Handlers compare it with the row and do nothing when the world has moved on. */
  readonly expects?: string | number;
}
