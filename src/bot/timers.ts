import type { DomainEvent, Timer } from '../domain/events.ts';
import type { Instant, NewId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import { WAITING_OVERDUE_SAY, WAIT_MINUTES, CHIPS } from './prompts.zh.ts';

const MINUTE_MS = 60_000;

/** Nobody took the conversation in time: the resident hears the truth, the queue shows it higher, and a new date is set. */
export async function waitingOverdue(tx: Queries, timer: Timer, now: Instant): Promise<void> {
  if (timer.conversationId === undefined) return;
  const conversation = await tx.conversation(timer.conversationId, 'lock');
  if (!conversation?.handoff || conversation.mode !== 'waiting' || conversation.waitingUntil !== timer.expects) return;
  const escalation = conversation.escalation + 1;
  const minutes = WAIT_MINUTES[conversation.handoff.urgency];
  const waitingUntil = now + minutes * MINUTE_MS;
  // Every repetition would be noise: told at the first and the second time, then only the queue climbs.
  if (escalation <= 2) {
    await tx.say(conversation, [{ author: 'bot', body: { kind: 'text', text: WAITING_OVERDUE_SAY(minutes, escalation), chips: [CHIPS.stopWaiting] }, idempotencyKey: `waiting:${conversation.id}:${timer.dueAt}` }], now, `waiting:${conversation.id}`);
  }
  await tx.saveConversation({ ...conversation, escalation, waitingUntil });
  await tx.schedule([{ kind: 'waiting_overdue', dueAt: waitingUntil, conversationId: conversation.id, expects: waitingUntil }]);
}

/**
 * The survey is asked inside the conversation, in its order: as a message of the city's side, through the same inbox.
 * `of` names the occasion, so that an occasion handled twice asks once.
 */
export function startFollowUp(newId: NewId) {
  return async (tx: Queries, what: DomainEvent | Timer, now: Instant): Promise<void> => {
    if (!('ticketId' in what) || what.ticketId === undefined) return;
    const ticket = await tx.ticket(what.ticketId);
    if (!ticket || (ticket.state.status !== 'resolved' && ticket.state.status !== 'following_up')) return;
    const conversation = await tx.conversation(ticket.conversationId, 'lock');
    if (!conversation?.readable) return; // erased: it gives up at its date, nobody is left to ask
    const occasion = 'historySeq' in what ? `h${what.historySeq}` : `t${what.dueAt}`;
    await tx.receive({
      channel: 'internal', messageId: `follow-up:${ticket.id}:${occasion}`, conversationId: conversation.id, residentId: conversation.residentId,
      content: { kind: 'system', event: 'follow_up_due', ticketId: ticket.id }, receivedAt: now, turnId: newId(),
    });
  };
}
