import type { Draft } from '../domain/conversation.ts';
import type { Understanding } from '../domain/understanding.ts';
import { addressOf, addToDraft, mergeAddress, moreUrgent, NO_ADDRESS, stillMissing, withType } from './draft.ts';
import { isCorrection, SURE } from './hear-words.ts';
import { advance, ask, newDraft } from './plan-report.ts';
import { cancel, human, status } from './plan-wishes.ts';
import { SAY } from './prompts.zh.ts';
import type { Turn } from './turn.ts';

export function answer(turn: Turn, draft: Draft, understanding: Understanding): void {
  const { text } = turn.in;
  const asked = turn.memory.asked.at(-1);
  const { intent } = understanding;
  const { danger } = turn;
  const sure = intent.probability >= SURE;
  const saysPlace = understanding.address.spans.length > 0;
  if (!danger && sure && !saysPlace && intent.value === 'status') return status(turn, understanding.ticketNumber);
  if (!danger && !saysPlace && intent.value === 'cancel') return cancel(turn);
  if (!danger && !saysPlace && intent.value === 'human') return human(turn);
  if (!danger && !saysPlace && intent.value === 'chat' && asked !== 'what' && asked !== 'rephrase') return advance(turn, draft, turn.memory.asked); // no answer: the question counts again
  if (asked === 'type' || asked === 'rephrase') return answerType(turn, draft, understanding);
  if (isCorrection(text)) return advance(turn, corrected(turn, draft, text, understanding), turn.memory.asked);
  const other = sure && intent.value === 'report' && understanding.type !== null && understanding.type !== draft.type
    && (understanding.candidates[0]?.probability ?? 0) >= 0.75 && draft.typeProbability >= 0.5 && !danger;
  if (other && !saysPlace && asked !== 'what') {
    // Another matter instead of the answer: kept for afterwards, and the question stands.
    turn.remember({ later: [...turn.memory.later, newDraft(turn, { text, understanding })] });
    turn.text(SAY.noted(turn.typeName(understanding.type)));
    return ask(turn, draft, asked ?? 'address');
  }
  let next = addToDraft(draft, text, understanding, 'add', turn.in.needs, turn.memory.looseMedia);
  turn.remember({ looseMedia: [] });
  if ((asked === 'address' || asked === 'building') && !saysPlace) next = plainAddress(next, draft.words, text, asked);
  // Where life is in danger the place was asked before the type was known.
  if (next.type === null && understanding.type !== null) next = { ...withType(next, understanding.type, 'model'), typeProbability: understanding.candidates[0]?.probability ?? 0, candidates: understanding.candidates };
  advance(turn, next, turn.memory.asked);
}

/**
 * An answer the tagger sees no place in is still the resident's answer: 「3号」, 「就在门口大槐树那儿」.
 *
 * @param words what had been said of the matter before this answer
 */
function plainAddress(draft: Draft, words: Draft['words'], text: string, asked: 'address' | 'building'): Draft {
  if (text.length > 40 || /^(?:不知道|不清楚|没有|嗯|哦|好|算了)/u.test(text)) return draft;
  if (asked === 'address' && !/[\u4e00-\u9fffA-Za-z0-9]{2}/u.test(text)) return draft;
  const piece = { ...NO_ADDRESS, text, publicText: text, building: asked === 'building' ? text : '' };
  const address = mergeAddress(draft.address, piece, 'add');
  return { ...draft, words, address, missing: draft.missing.filter((field) => field !== asked) };
}

function answerType(turn: Turn, draft: Draft, understanding: Understanding): void {
  const { text } = turn.in;
  const chosen = draft.candidates.find((each) => text.includes(turn.typeName(each.value)));
  if (chosen) return advance(turn, addToDraft(withType(draft, chosen.value, 'resident'), text, understanding, 'add', turn.in.needs), turn.memory.asked);
  const placeOnly = understanding.address.spans.reduce((sum, span) => sum + span.text.length, 0) >= text.length * 0.6;
  if (placeOnly && turn.memory.asked.filter((each) => each === 'type').length === 1) {
    // They told where instead of what: kept, and the same choice stands.
    const placed = addToDraft(draft, text, understanding, 'add', turn.in.needs);
    turn.remember({ draft: placed, asked: [...turn.memory.asked, 'type'] });
    return ask(turn, placed, 'type');
  }
  const again: Draft = { ...turn.draftOf({ text: [...draft.words, text].join('，'), understanding }, draft.media, draft.id), words: [...draft.words, text], urgency: moreUrgent(draft.urgency, understanding.urgency?.value ?? 'd15') };
  const address = mergeAddress(draft.address, addressOf(understanding.address), 'add');
  advance(turn, { ...again, address, missing: stillMissing(again, address, false, turn.in.needs) }, turn.memory.asked, understanding);
}

function corrected(turn: Turn, draft: Draft, text: string, understanding: Understanding): Draft {
  const piece = addressOf(understanding.address);
  const words = [...draft.words, text];
  let next: Draft = { ...draft, words };
  if (piece.text !== '') {
    const address = mergeAddress(draft.address, piece, 'replace');
    next = { ...next, address, missing: stillMissing(draft, address, true, turn.in.needs) };
  }
  const newType = understanding.type !== null && understanding.type !== draft.type && (understanding.candidates[0]?.probability ?? 0) >= SURE && understanding.intent.value === 'report';
  return newType ? withType(next, understanding.type ?? 'other.unclassified', 'model') : next;
}
