import type { Conversation } from '../domain/conversation.ts';
import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId } from '../domain/ids.ts';
import { write, type DeskDeps } from './deps.ts';
import { lockConversation } from './conversation-locks.ts';
import { deskLines } from './lines.zh.ts';

/**
 * Takes a conversation out of the queue, or over from the bot unasked. Of any number of operators who try at once exactly
 * one wins; trying again with what one already holds changes nothing. From the commit on the bot is silent.
 *
 * @throws AppError `conversation.taken` `conversation.not_found`
 */
export function claimConversation(deps: DeskDeps, operator: User, id: ConversationId): Promise<void> {
  const now = deps.now();
  return write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockConversation(tx, id);
    if (conversation.mode === 'operator') {
      if (conversation.operatorId === operator.id) return;
      throw new AppError('conversation.taken', 'another operator has this conversation');
    }
    await tx.saveConversation(claimedBy(conversation, operator));
    const turnId = deps.newId();
    await tx.say(conversation, [
      { author: 'system', body: { kind: 'text', text: deskLines.joined(operator.name) }, idempotencyKey: `desk:${id}:claimed:${turnId}` },
    ], now, turnId);
    await tx.emit([{ kind: 'operator_claimed', conversationId: id, at: now }]);
  });
}

function claimedBy(conversation: Conversation, operator: User): Conversation {
  return { ...conversation, mode: 'operator', operatorId: operator.id, waitingUntil: null };
}
