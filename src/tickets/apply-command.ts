import type { ApplyTicketCommand } from '../domain/use-cases.ts';
import { appendAndEmit } from './open-ticket.ts';
import { moveTicket } from './move-ticket.ts';

/** Lock, judge, save, record, emit: one use-case for every move of a ticket. */
export const applyTicketCommand: ApplyTicketCommand = async (tx, { ticketId, command, actor, now }) => {
  const ticket = await tx.ticket(ticketId, 'lock');
  if (!ticket) return { ok: false, code: 'ticket.not_found', reason: 'no such ticket' };
  const moved = moveTicket(ticket, command, actor, now);
  if (!moved.ok) return moved;
  if (moved.events.length === 0) return { ok: true, ticket };
  await tx.saveTicket(moved.ticket);
  await appendAndEmit(tx, moved.ticket, moved.events);
  const { state, dueAt } = moved.ticket;
  if (state !== ticket.state) {
    // Every state that waits for someone has a date on which it gives up.
    if (state.status === 'dispatched') await tx.schedule([{ kind: 'accept_overdue', dueAt: state.acceptBy, ticketId, expects: state.acceptBy }]);
    if (state.status === 'unrouted' || state.status === 'returned') await tx.schedule([{ kind: 'route_overdue', dueAt: state.decideBy, ticketId, expects: state.decideBy }]);
    if (state.status === 'following_up') await tx.schedule([{ kind: 'follow_up_give_up', dueAt: state.giveUpAt, ticketId, expects: state.giveUpAt }]);
  }
  if (dueAt !== ticket.dueAt) await tx.schedule([{ kind: 'ticket_due', dueAt, ticketId, expects: dueAt }]);
  return { ok: true, ticket: moved.ticket };
};
