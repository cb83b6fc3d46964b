import type { ApplyTicketCommand } from '../domain/use-cases.ts';
import { appendAndEmit } from './open-ticket.ts';
import { moveTicket } from './move-ticket.ts';
import { timersFor } from './waits.ts';

/** Lock, judge, save, record, emit: one use-case for every move of a ticket. Everything it now waits for gets its timer in the same write. */
export const applyTicketCommand: ApplyTicketCommand = async (tx, { ticketId, command, actor, now }) => {
  const ticket = await tx.ticket(ticketId, 'lock');
  if (!ticket) return { ok: false, code: 'ticket.not_found', reason: 'no such ticket' };
  const moved = moveTicket(ticket, command, actor, now);
  if (!moved.ok) return moved;
  if (moved.events.length === 0) return { ok: true, ticket };
  await tx.saveTicket(moved.ticket);
  await appendAndEmit(tx, moved.ticket, moved.events);
  await tx.schedule(timersFor(ticket, moved.ticket));
  return { ok: true, ticket: moved.ticket };
};
