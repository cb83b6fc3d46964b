import type { Timer } from '../domain/events.ts';
import type { Instant, TaskId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { TicketCommand } from '../domain/ticket.ts';
import type { ReminderShare } from '../domain/ticket-work.ts';
import type { ApplyTicketCommand } from '../domain/use-cases.ts';
import { stillWaits } from './waits.ts';

/** A date a ticket carried has come. When the ticket no longer waits for it, nothing happens. */
export function ticketOverdue(applyCommand: ApplyTicketCommand) {
  return async (tx: Queries, timer: Timer, now: Instant): Promise<void> => {
    if (timer.ticketId === undefined) return;
    const ticket = await tx.ticket(timer.ticketId, 'lock');
    if (!ticket || !stillWaits(ticket, timer)) return;
    const command = commandOf(timer);
    if (command) await applyCommand(tx, { ticketId: ticket.id, command, actor: { role: 'system' }, now });
  };
}

function commandOf(timer: Timer): TicketCommand | null {
  switch (timer.kind) {
    case 'accept_overdue': return { do: 'mark_overdue', waitedFor: 'accept' };
    case 'route_overdue': return { do: 'mark_overdue', waitedFor: 'route' };
    case 'ticket_due': return { do: 'mark_overdue', waitedFor: 'resolve' };
    case 'time_undecided': return { do: 'mark_overdue', waitedFor: 'decision' };
    case 'task_overdue': {
      const [taskId = '', waitedFor] = String(timer.expects).split(':');
      return { do: 'mark_overdue', waitedFor: waitedFor === 'report_in' ? 'report_in' : 'task', taskId: taskId as TaskId };
    }
    case 'reminder': return { do: 'remind', share: timer.expects as ReminderShare };
    case 'pause_over': return { do: 'resume', reason: '暂停期满，时限继续计算' };
    case 'follow_up_give_up': return { do: 'give_up_follow_up' };
    // Others react to these.
    case 'waiting_overdue': case 'follow_up_start': case 'escalation': return null;
    default: return timer.kind satisfies never;
  }
}
