import type { Conversation } from '../domain/conversation.ts';
import type { User } from '../domain/desk.ts';
import type { ConversationId, Instant } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import { SPECIAL_OUTCOMES, type SpecialKey, type SpecialWayEntry } from '../domain/special-ways.ts';
import { OBJECT_CHIP, SPECIAL_WAY_ZH } from '../domain/special-ways.zh.ts';
import { write, type DeskDeps } from './deps.ts';
import { lockOwn } from './conversation-locks.ts';

export interface Telling {
  readonly outcome: SpecialKey;
  /** One for each press of the button; the same again tells nothing twice. */
  readonly key: string;
}

/**
 * The operator answers with one of the ways of art. 11(3): the resident reads its sentence with the chip to object, and the audit gets
 * its row. The draft stays, so that an objection can still become a ticket.
 *
 * @throws AppError `conversation.not_yours`
 */
export function tellSpecialWay(deps: DeskDeps, operator: User, id: ConversationId, { outcome, key }: Telling): Promise<void> {
  const now = deps.now();
  return write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    if (conversation.memory.special?.tellingId === key) return;
    await noteDecision(tx, conversation, operator, outcome, now);
    await tx.recordSpecialWay(entryOf(conversation, operator, { outcome, key }, now));
    await tx.saveConversation({ ...conversation, memory: { ...conversation.memory, special: { tellingId: key, outcome, objected: false } } });
    await tx.say(conversation, [{
      author: 'operator', authorName: operator.name, idempotencyKey: `desk:${id}:${operator.id}:special:${key}`,
      body: { kind: 'text', text: SPECIAL_WAY_ZH[outcome].say, chips: [OBJECT_CHIP] },
    }], now, deps.newId());
  });
}

function entryOf({ id, residentId, memory: { draft } }: Conversation, operator: User, { outcome, key }: Telling, at: Instant): SpecialWayEntry {
  const saidByModel = draft?.disposition === SPECIAL_OUTCOMES[outcome].way;
  return {
    kind: 'told', tellingId: key, at, conversationId: id, residentId, outcome, type: draft?.type ?? null,
    probability: saidByModel ? (draft.dispositionProbability ?? null) : null, by: operator.id, decision: null,
  };
}

/** After an objection: what the person made of it. Nothing where nobody objected. */
export async function noteDecision(tx: Queries, { id, residentId, memory: { draft, special } }: Conversation, operator: User, decision: SpecialKey | 'ticket', at: Instant): Promise<void> {
  if (!special?.objected) return;
  await tx.recordSpecialWay({
    kind: 'decided', tellingId: special.tellingId, at, conversationId: id, residentId, outcome: special.outcome, type: draft?.type ?? null, probability: null, by: operator.id, decision,
  });
}
