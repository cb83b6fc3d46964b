import type { Conversation } from '../domain/conversation.ts';
import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';

/** The conversation, locked until the transaction ends. @throws AppError `conversation.not_found` */
export async function lockConversation(tx: Queries, id: ConversationId): Promise<Conversation> {
  const conversation = await tx.conversation(id, 'lock');
  if (!conversation) throw new AppError('conversation.not_found', `no conversation ${id}`);
  return conversation;
}

/** The same, held by this operator. @throws AppError `conversation.not_yours` */
export async function lockOwn(tx: Queries, id: ConversationId, operator: User): Promise<Conversation> {
  const conversation = await lockConversation(tx, id);
  if (conversation.mode !== 'operator' || conversation.operatorId !== operator.id) {
    throw new AppError('conversation.not_yours', 'claim the conversation before you act in it');
  }
  return conversation;
}
