import type { DomainEvent } from '../domain/events.ts';
import type { Instant } from '../domain/ids.ts';
import type { Chip } from '../domain/message.ts';
import type { Queries } from '../domain/ports.ts';
import { ticketCard, type Naming } from '../domain/ticket-card.ts';
import { noticeText } from './notices.zh.ts';


/**
 * One step of a ticket becomes one notice in its resident's conversation. Idempotent by ticket and history entry, so an event
 * handled twice tells once.
 */
export function tellResident(naming: Naming) {
  return async (tx: Queries, event: Extract<DomainEvent, { ticketId: string }>, now: Instant): Promise<void> => {
    const ticket = await tx.ticket(event.ticketId);
    const history = await tx.history(event.ticketId);
    const entry = history[event.historySeq - 1];
    if (!ticket || !entry) return;
    const text = noticeText(ticket, entry, naming);
    const conversation = text === null ? null : await tx.conversation(ticket.conversationId);
    if (text === null || !conversation?.readable) return; // nothing to say, or nobody left to tell
    const card = ticketCard(ticket, history.slice(0, event.historySeq), naming);
    const chips: readonly Chip[] = [{ id: 'status', label: '查进度' }];
    await tx.say(conversation, [{ author: 'system', body: { kind: 'ticket', text, card, chips }, idempotencyKey: `notice:${ticket.id}:${entry.seq}` }], now, `ticket:${ticket.number}`);
  };
}

