import type { Conversation } from '../domain/conversation.ts';
import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId, Instant } from '../domain/ids.ts';
import { write, type DeskDeps } from './deps.ts';
import { lockConversation, lockOwn } from './conversation-locks.ts';
import { deskLines } from './lines.zh.ts';

/**
 * operator → bot, and waiting → bot for whoever sees in the queue that nobody is needed. The resident is told; the bot starts
 * its counting of questions anew.
 *
 * @throws AppError `conversation.not_yours` when another operator holds it, `conversation.not_found`
 */
export function handBack(deps: DeskDeps, operator: User, id: ConversationId): Promise<void> {
  const now = deps.now();
  return write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockConversation(tx, id);
    if (conversation.mode === 'bot') return;
    if (conversation.mode === 'operator' && conversation.operatorId !== operator.id) {
      throw new AppError('conversation.not_yours', 'another operator has this conversation');
    }
    await tx.saveConversation(backWithBot(conversation));
    const turnId = deps.newId();
    await tx.say(conversation, [
      { author: 'system', body: { kind: 'text', text: deskLines.leftToBot }, idempotencyKey: `desk:${id}:back:${turnId}` },
    ], now, turnId);
    await tx.emit([{ kind: 'handoff_ended', conversationId: id, at: now }]);
  });
}

function backWithBot(conversation: Conversation): Conversation {
  return {
    ...conversation, mode: 'bot', operatorId: null, handoff: null, waitingSince: null, waitingUntil: null, escalation: 0,
    memory: { ...conversation.memory, asked: [], notUnderstood: 0, confirm: null },
  };
}

/** operator → waiting: back into the queue with its reason and a new deadline, for a colleague. @throws AppError `conversation.not_yours` */
export function releaseToQueue(deps: DeskDeps, operator: User, id: ConversationId): Promise<void> {
  const now = deps.now();
  return write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    const waiting = waitingAgain(deps, conversation, now);
    await tx.saveConversation(waiting);
    const turnId = deps.newId();
    await tx.say(conversation, [
      { author: 'system', body: { kind: 'text', text: deskLines.leftToQueue }, idempotencyKey: `desk:${id}:released:${turnId}` },
    ], now, turnId);
    await tx.schedule([{ kind: 'waiting_overdue', conversationId: id, dueAt: waiting.waitingUntil ?? now, expects: waiting.waitingUntil ?? now }]);
    await tx.emit([{ kind: 'handoff_requested', conversationId: id, at: now }]);
  });
}

function waitingAgain(deps: DeskDeps, conversation: Conversation, now: Instant): Conversation {
  const handoff = conversation.handoff ?? { reason: 'asked_for_human' as const, note: '', urgency: conversation.memory.draft?.urgency ?? 'd7' as const };
  return { ...conversation, mode: 'waiting', operatorId: null, handoff, waitingSince: conversation.waitingSince ?? now, waitingUntil: deps.waitingUntil(handoff.urgency, now), escalation: 0 };
}
