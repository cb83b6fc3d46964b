import type { ConversationMemory } from '../domain/conversation.ts';
import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId } from '../domain/ids.ts';
import type { Ticket } from '../domain/ticket.ts';
import { announce, type DeskDeps } from './deps.ts';
import { lockOwn } from './conversation-locks.ts';
import { noteDecision } from './tell-special-way.ts';
import { applyChanges, checkType, correctionOf, draftOf, keepCorrection, type DraftChanges } from './correct-draft.ts';

export interface Opening {
  /** The draft the operator saw; a press on a stale page opens nothing twice. */
  readonly draftId: string;
  readonly changes: DraftChanges;
  /** What units should read, where the operator wrote it better than the machine cut it from the words. */
  readonly description?: string | undefined;
}

/**
 * The corrected draft becomes a ticket, in the operator's name. Dispatch follows from the event. A second matter that waited
 * behind the first becomes the draft.
 *
 * @throws AppError `conversation.not_yours` · `message.invalid` without a type or a draft
 */
export async function openFromDraft(deps: DeskDeps, operator: User, id: ConversationId, opening: Opening): Promise<Ticket> {
  checkType(deps, opening.changes.type);
  const now = deps.now();
  const number = await deps.nextTicketNumber(now);
  const ticket = await deps.store.transaction(async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    const before = draftOf(conversation);
    if (before.id !== opening.draftId) throw new AppError('ticket.changed', 'this draft has been opened or replaced: look again');
    const draft = applyChanges(before, opening.changes);
    if (draft.type === null) throw new AppError('message.invalid', 'choose a type first');
    const description = opening.description?.trim() ?? '';
    const opened = await deps.openTicket(tx, { draft, conversation, number, openedBy: operator.id, now, ...(description !== '' && { description }) });
    await noteDecision(tx, conversation, operator, 'ticket', now);
    await tx.saveConversation({ ...conversation, memory: afterOpening(conversation.memory, opened) });
    await keepCorrection(tx, correctionOf(conversation, before, opening.changes, operator, now), opened.id);
    return opened;
  });
  announce(deps, { conversationId: id, ticketId: ticket.id });
  return ticket;
}

function afterOpening(memory: ConversationMemory, ticket: Ticket): ConversationMemory {
  const [next = null, ...later] = memory.later;
  return { ...memory, draft: next, later, asked: [], merged: null, special: null, lastTicketId: ticket.id };
}
