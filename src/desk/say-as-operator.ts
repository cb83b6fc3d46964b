import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId } from '../domain/ids.ts';
import type { TranscriptMessage } from '../domain/message.ts';
import { write, type DeskDeps } from './deps.ts';
import { lockOwn } from './conversation-locks.ts';

/** `key`: made by the page for one press of the button; the same key again says nothing more. */
export interface Saying {
  readonly text: string;
  readonly key: string;
}

/** Longest line an operator can send, in UTF-16 code units; WeCom refuses texts beyond 2048 bytes. */
export const SAY_MAX = 2000;

/** The operator's words, into the transcript and on their way to the resident. @throws AppError `conversation.not_yours` */
export async function sayAsOperator(deps: DeskDeps, operator: User, id: ConversationId, saying: Saying): Promise<TranscriptMessage | null> {
  const text = saying.text.trim();
  if (text === '') throw new AppError('message.invalid', 'there is nothing to send');
  const [said] = await write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    return tx.say(conversation, [
      { author: 'operator', authorName: operator.name, body: { kind: 'text', text }, idempotencyKey: `desk:${id}:${operator.id}:${saying.key}` },
    ], deps.now(), deps.newId());
  });
  return said ?? null;
}
