import type { Conversation, Draft } from './conversation.ts';
import type { ErrorCode } from './errors.ts';
import type { Instant, TicketId, UserId } from './ids.ts';
import type { Queries } from './ports.ts';
import type { Actor, Ticket, TicketCommand } from './ticket.ts';

/**
 * What one room does for another; `app.ts` hands them over, so that rooms of one rank need not import each other.
 */

export type CommandResult = { readonly ok: true; readonly ticket: Ticket } | { readonly ok: false; readonly code: ErrorCode; readonly reason: string };

/** Locks the ticket, judges the command by the state table, saves, appends history, emits its event. Effects are those of `tx`. */
export type ApplyTicketCommand = (
  tx: Queries, request: { readonly ticketId: TicketId; readonly command: TicketCommand; readonly actor: Actor; readonly now: Instant },
) => Promise<CommandResult>;

/** Makes a ticket of a draft: number, deadline, redaction, history, `ticket_opened`. */
export type OpenTicket = (
  tx: Queries,
  request: {
    readonly draft: Draft; readonly conversation: Conversation; readonly number: string; readonly openedBy: 'bot' | UserId; readonly now: Instant;
    /** What units read, where an operator wrote it; otherwise the resident's words. Redacted either way. */
    readonly description?: string;
  },
) => Promise<Ticket>;

/** The next ticket number; gaps are allowed, repeats are not. */
export type NextTicketNumber = (now: Instant) => Promise<string>;

/** A draft from an operator's or resident's words: understood, located, redacted, ready to open or to show. */
export type Interpret = (words: readonly string[], now: Instant) => Promise<Draft>;

/** Deadline of a class, counted from `from`. */
export type DueAt = (urgency: Draft['urgency'], from: Instant) => Instant;
