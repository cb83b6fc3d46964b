import type { InboundContent } from '../domain/message.ts';
import { addressOfTicket, addToDraft, withType } from './draft.ts';
import { isCorrection, splitChip } from './hear-words.ts';
import { answer } from './plan-answer.ts';
import { edit, image, keepEdit, keepImage, keepLocation, location } from './plan-gestures.ts';
import { advance, isPlaceOnly, matterAt, newDraft, noteOf, report, several } from './plan-report.ts';
import { beginSurvey, continueSurvey, surveyAnswer } from './plan-survey.ts';
import { angry, cancel, care, chat, confirmed, correctLast, human, rated, status, supplement } from './plan-wishes.ts';
import type { Heard, TurnInput, TurnPlan } from './plan.ts';
import { CHIPS, SAY, UNHEARD_NOTE } from './prompts.zh.ts';
import { objects, object } from './plan-objection.ts';
import { readYesNo } from './read-answer.ts';
import { Turn } from './turn.ts';

/**
 * Decides what one message leads to: what is said, what is done, what is remembered. Pure.
 *
 * Order of concern: danger to life; who has the floor (an operator's conversation is never answered here); what was asked before;
 * what the resident wants now.
 */
export function planTurn(input: TurnInput): TurnPlan {
  const turn = new Turn(input);
  const { content } = input.message;
  const { mode } = input.conversation;
  if (content.kind === 'system') beginSurvey(turn, content.ticketId);
  else if (mode === 'operator') underOperator(turn);
  else {
    sayDanger(turn);
    if (mode === 'waiting') whileWaiting(turn, content);
    else asBot(turn, content);
  }
  return turn.result();
}

/** The number to call stands first, before any question and whatever else is said. */
function sayDanger(turn: Turn): void {
  const { numbers } = turn.in.lifeSafety;
  if (numbers.length === 0) return;
  turn.replies.push({ kind: 'emergency', text: SAY.emergency(numbers), numbers });
}

function underOperator(turn: Turn): void {
  if (objects(turn)) object(turn);
  turn.alarmOperator();
  keepForOperator(turn);
  // What was done stays done; to the resident only the operator speaks.
  turn.replies.length = 0;
}

function whileWaiting(turn: Turn, content: InboundContent): void {
  const { conversation, now } = turn.in;
  if (content.kind === 'tap' && content.chip === CHIPS.stopWaiting.id) {
    turn.endWaiting = true;
    const { draft } = turn.memory;
    return draft ? advance(turn, draft, []) : turn.text(SAY.backToBot);
  }
  if (objects(turn)) return object(turn);
  turn.alarmOperator();
  keepForOperator(turn);
  const left = Math.max(1, Math.ceil(((conversation.waitingUntil ?? now) - now) / 60_000));
  if (content.kind === 'tap' && (content.chip === CHIPS.human.id || content.chip === CHIPS.status.id)) turn.text(SAY.stillWaiting(left), CHIPS.stopWaiting);
  else if (!turn.danger) turn.text(SAY.waitingAck, CHIPS.stopWaiting);
}

/** While people talk, the bot only collects what belongs to the matter in hand. */
function keepForOperator(turn: Turn): void {
  const { message: { content }, understanding, text } = turn.in;
  switch (content.kind) {
    case 'image': return void keepImage(turn, content);
    case 'location': return void keepLocation(turn, content);
    case 'edit': return void keepEdit(turn, content);
    default:
      if (understanding === null || text === '') return;
      return keepWords(turn, { text, understanding });
  }
}

function keepWords(turn: Turn, heard: Heard): void {
  const { draft } = turn.memory;
  const reports = heard.understanding.intent.value === 'report';
  if (draft === null && reports) turn.remember({ draft: newDraft(turn, heard) });
  else if (draft !== null && isPlaceOnly(draft) && reports) turn.remember({ draft: matterAt(turn, draft, heard) });
  else if (draft !== null) turn.remember({ draft: addToDraft(draft, heard.text, heard.understanding, 'add', turn.in.needs) });
}

function asBot(turn: Turn, content: Exclude<InboundContent, { kind: 'system' }>): void {
  if (!turn.danger && objects(turn)) return object(turn);
  switch (content.kind) {
    case 'tap': return tap(turn, content.chip, content.label);
    case 'edit': return edit(turn, content);
    case 'image': return image(turn, content);
    case 'unheard': return turn.handOver('unheard', 'h24', UNHEARD_NOTE[content.medium]);
    case 'location': return location(turn, content);
    case 'text': return words(turn);
    default: return content satisfies never;
  }
}

function words(turn: Turn): void {
  const { text, understanding, modelDown, matters } = turn.in;
  if (continueSurvey(turn, text)) return;
  if (modelDown || (understanding === null && text !== '')) return withoutModel(turn);
  if (understanding === null) return turn.text(SAY.empty);
  if (turn.memory.confirm !== null) {
    const answer = readYesNo(text);
    if (answer !== null) return confirmed(turn, answer);
    turn.remember({ confirm: null });
  }
  const { intent } = understanding;
  const { danger } = turn;
  if (!danger && intent.value === 'human' && intent.probability >= 0.5) return human(turn);
  if (!danger && understanding.anger.length > 0) return angry(turn, understanding);
  if (!danger && turn.memory.draft !== null && intent.value === 'cancel' && intent.probability >= 0.5) return cancel(turn);
  if (matters.length >= 2) return several(turn, matters);
  if (turn.memory.draft !== null && turn.memory.asked.length > 0) return answer(turn, turn.memory.draft, understanding);
  if (isCorrection(text) && correctLast(turn, understanding)) return;
  const wish = danger ? 'report' : intent.value;
  switch (wish) {
    case 'human': return turn.text(SAY.rephrase, CHIPS.human);
    case 'status': return status(turn, understanding.ticketNumber);
    case 'cancel': return cancel(turn);
    case 'rate': return rated(turn, understanding);
    case 'chat': return chat(turn, understanding);
    case 'supplement': return supplement(turn, understanding);
    case 'question':
    case 'report': return report(turn, { text, understanding });
    default: return wish satisfies never;
  }
}

function withoutModel(turn: Turn): void {
  turn.handOver('model_unavailable', turn.danger ? 'h2' : 'h24', '识别服务不可用，原话未经分类，请直接阅读。');
}

function tap(turn: Turn, chip: string, label: string): void {
  const { draft, merged } = turn.memory;
  const [kind = '', value = ''] = splitChip(chip);
  if (turn.memory.followUp !== null && kind === 'fu') return surveyAnswer(turn, value);
  if (chip === CHIPS.human.id) return human(turn);
  if (chip === CHIPS.status.id) return status(turn, null);
  if (chip === CHIPS.care.id) return care(turn);
  if (chip === CHIPS.cancelDraft.id) return cancel(turn);
  if (kind === 'withdraw' && turn.memory.confirm !== null) return confirmed(turn, value === 'yes');
  if (chip === CHIPS.notSame.id && merged !== null) {
    turn.remember({ merged: null });
    return advance(turn, merged.draft, []);
  }
  if (draft !== null) {
    if (chip === CHIPS.otherType.id) return advance(turn, { ...draft, type: null }, [...turn.memory.asked]);
    if (kind === 'type') return advance(turn, withType(draft, value, 'resident'), turn.memory.asked);
    const rival = kind === 'place' ? draft.address.rivals[Number(value)] : undefined;
    if (rival) return advance(turn, { ...draft, address: { ...draft.address, place: rival.place, label: rival.label, rivals: [] } }, turn.memory.asked);
    if (chip === CHIPS.lastAddress.id) {
      const last = turn.recentTicket();
      if (last) return advance(turn, { ...draft, address: addressOfTicket(last), missing: [] }, turn.memory.asked);
    }
    if (kind === 'skip') {
      const asked = turn.memory.asked.at(-1);
      if (chip === CHIPS.skipAddress.id) {
        turn.remember({ draft });
        return turn.handOver(draft.lifeSafety.rules.length > 0 ? 'emergency' : 'no_address', draft.urgency, noteOf(turn, draft, 'no_address'));
      }
      return advance(turn, { ...draft, missing: draft.missing.filter((field) => field !== asked) }, turn.memory.asked);
    }
  }
  // A chip of a question long answered, or of another channel's menu: its label is what the resident meant to say.
  if (turn.in.understanding !== null && label !== '') return words(turn);
  turn.text(SAY.nonsense, CHIPS.human);
}
