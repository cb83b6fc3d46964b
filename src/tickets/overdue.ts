import type { Timer } from '../domain/events.ts';
import type { Instant } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { ApplyTicketCommand } from '../domain/use-cases.ts';

const WORKING = new Set(['opened', 'unrouted', 'dispatched', 'accepted', 'in_progress', 'returned']);

/**
 * A date a ticket carried has come. Each timer names the moment it was set for; when the ticket has moved on since, nothing happens.
 */
export function ticketOverdue(applyCommand: ApplyTicketCommand) {
  return async (tx: Queries, timer: Timer, now: Instant): Promise<void> => {
    if (timer.ticketId === undefined) return;
    const ticket = await tx.ticket(timer.ticketId, 'lock');
    if (!ticket) return;
    const { state } = ticket;
    const apply = async (command: Parameters<ApplyTicketCommand>[1]['command']): Promise<void> => {
      await applyCommand(tx, { ticketId: ticket.id, command, actor: { role: 'system' }, now });
    };
    switch (timer.kind) {
      case 'accept_overdue':
        if (state.status === 'dispatched' && state.acceptBy === timer.expects) await apply({ do: 'mark_overdue', waitedFor: 'accept' });
        return;
      case 'route_overdue':
        if ((state.status === 'unrouted' || state.status === 'returned') && state.decideBy === timer.expects) await apply({ do: 'mark_overdue', waitedFor: 'route' });
        return;
      case 'ticket_due':
        if (WORKING.has(state.status) && ticket.dueAt === timer.expects) await apply({ do: 'mark_overdue', waitedFor: 'resolve' });
        return;
      case 'follow_up_give_up':
        if (state.status === 'following_up' && state.giveUpAt === timer.expects) await apply({ do: 'give_up_follow_up' });
        return;
      case 'waiting_overdue': case 'follow_up_start': return;
      default: return timer.kind satisfies never;
    }
  };
}
