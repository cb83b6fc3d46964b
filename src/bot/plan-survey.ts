import type { TicketId } from '../domain/ids.ts';
import { numberZh } from '../domain/words.zh.ts';
import { SURE } from './hear-words.ts';
import { readYesNo } from './read-answer.ts';
import type { Turn } from './turn.ts';

/** 「解决了吗」: put off while somebody is in the middle of something. */
export function beginSurvey(turn: Turn, ticketId: TicketId): void {
  const ticket = turn.in.tickets.find((each) => each.id === ticketId);
  if (!ticket || (ticket.state.status !== 'resolved' && ticket.state.status !== 'following_up')) return;
  const busy = turn.in.conversation.mode !== 'bot' || turn.memory.draft !== null || turn.memory.followUp !== null;
  if (busy) return void turn.commands.push({ do: 'follow_up_later', ticketId });
  turn.commands.push({ do: 'ask_follow_up', ticketId });
  turn.survey = { do: 'begin', ticketId, number: numberZh(ticket.number), title: `${turn.typeName(ticket.type)}${ticket.address.text === '' ? '' : ` · ${ticket.address.text}`}` };
  turn.remember({ lastTicketId: ticketId });
}

/** true: the words were the survey's, nothing else is to be said. */
export function continueSurvey(turn: Turn, text: string): boolean {
  const { followUp } = turn.memory;
  if (followUp === null) return false;
  const { understanding } = turn.in;
  const answer = readYesNo(text);
  const wish = understanding?.intent;
  const turnsAway = turn.danger
    || (answer === null && wish !== undefined && wish.probability >= SURE && ['report', 'human', 'question', 'status'].includes(wish.value) && !(wish.value === 'report' && awaitsComment(turn)));
  if (!turnsAway) {
    surveyAnswer(turn, answer === null ? text : answer ? 'yes' : 'no');
    return true;
  }
  turn.survey = { do: 'drop' };
  turn.remember({ followUp: null, dialog: null });
  return false;
}

export function surveyAnswer(turn: Turn, answer: string): void {
  turn.survey = { do: 'continue', answer };
}

/** The script's own question for free words; Botkit keeps where it stands in its dialog state. */
function awaitsComment(turn: Turn): boolean {
  return JSON.stringify(turn.memory.dialog ?? {}).includes('"thread":"unsolved"');
}
