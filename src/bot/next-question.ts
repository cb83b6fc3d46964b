import type { Asked, Draft, HandoffReason } from '../domain/conversation.ts';
import type { MissingField, Understanding } from '../domain/understanding.ts';

/** Questions about one matter; after them an operator knows better than a fourth question would. */
const MOST_QUESTIONS = 3;
/** A choice of types of which none is likely would only puzzle. */
const WORTH_OFFERING = 0.1;

export type NextStep =
  | { readonly kind: 'open' }
  | { readonly kind: 'handoff'; readonly reason: HandoffReason }
  | { readonly kind: 'ask'; readonly ask: Asked };

/**
 * What a draft needs next: one more question, a person, or nothing.
 *
 * @param asked what was asked about this draft already, in order
 * @param understanding of the newest message, when it spoke of the matter itself
 */
export function nextQuestion(draft: Draft, asked: readonly Asked[], understanding?: Understanding): NextStep {
  const danger = draft.lifeSafety.rules.length > 0;
  const times = (what: Asked): number => asked.filter((each) => each === what).length;
  const mayAsk = asked.length < MOST_QUESTIONS;
  const unsure = draft.type === null || (understanding?.decision.kind === 'operator' && draft.typeBy === 'model');
  if (unsure && !danger) {
    // One question about what it is; a second would be the machine's trouble put on the resident.
    if (times('type') + times('rephrase') >= 1 || !mayAsk) return { kind: 'handoff', reason: 'low_confidence' };
    return { kind: 'ask', ask: (draft.candidates[0]?.probability ?? 0) >= WORTH_OFFERING ? 'type' : 'rephrase' };
  }
  if (draft.address.rivals.length > 0 && draft.address.place === null && draft.address.location === null) {
    if (times('place') === 0 && mayAsk) return { kind: 'ask', ask: 'place' };
    return { kind: 'handoff', reason: danger ? 'emergency' : 'no_address' };
  }
  if (draft.missing.includes('address')) {
    if (times('address') < (danger ? 1 : 2) && mayAsk) return { kind: 'ask', ask: 'address' };
    return { kind: 'handoff', reason: danger ? 'emergency' : 'no_address' };
  }
  // What remains would help, but a ticket without it can be acted on: asked once, and never of someone in danger.
  const helpful = draft.missing.find((field): field is MissingField => field !== 'address' && field !== 'ticket' && times(field) === 0);
  if (helpful !== undefined && mayAsk && !danger) return { kind: 'ask', ask: helpful };
  return { kind: 'open' };
}
