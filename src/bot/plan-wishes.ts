import { isOpen, isBeforeAcceptance, isUnderWay, type Ticket } from '../domain/ticket.ts';
import { isOpenTask } from '../domain/ticket-work.ts';
import type { Understanding } from '../domain/understanding.ts';
import { STATUS_ZH } from '../domain/words.zh.ts';
import { addressOf, addressOfTicket, addToDraft, mergeAddress } from './draft.ts';
import { digits, SURE, THANKS } from './hear-words.ts';
import { newDraft, report } from './plan-report.ts';
import { CHIPS, SAY } from './prompts.zh.ts';
import { readYesNo } from './read-answer.ts';
import type { Turn } from './turn.ts';

const MOST_SHOWN = 3;

export function human(turn: Turn): void {
  const { draft } = turn.memory;
  turn.handOver('asked_for_human', draft?.urgency ?? 'd7', draft ? `居民要求人工。已知：${turn.typeName(draft.type)}，${draft.address.publicText || '地点未知'}。` : '居民要求人工。');
}

export function angry(turn: Turn, understanding: Understanding): void {
  const { text } = turn.in;
  const draft = turn.memory.draft ? addToDraft(turn.memory.draft, text, understanding, 'add', turn.in.needs) : newDraft(turn, { text, understanding });
  turn.remember({ draft });
  turn.handOver('angry', draft.urgency, `居民情绪激动（${understanding.anger.map((span) => span.text).join('、')}）。机器判断：${turn.typeName(draft.type)}。`);
}

export function status(turn: Turn, number: string | null): void {
  const { tickets } = turn.in;
  const named = number === null ? undefined : tickets.find((ticket) => digits(number) !== '' && ticket.number.endsWith(digits(number)));
  const open = tickets.filter((ticket) => isOpen(ticket.state.status));
  const shown = named ? [named] : (open.length > 0 ? open : tickets).slice(0, MOST_SHOWN);
  if (shown.length === 0) return turn.text(SAY.noTicket);
  for (const ticket of shown) turn.showTicket(ticket, (title, status) => SAY.status(title, status) + turn.stage(ticket), CHIPS.human);
}

export function cancel(turn: Turn): void {
  if (turn.memory.draft !== null) {
    turn.remember({ draft: null, asked: [], later: [] });
    return turn.text(SAY.draftDropped);
  }
  const ticket = turn.in.tickets.find((each) => each.id === turn.memory.lastTicketId && isOpen(each.state.status)) ?? turn.in.tickets.find((each) => isOpen(each.state.status));
  if (!ticket) return turn.text(SAY.nothingToCancel);
  if (!isUnderWay(ticket.state.status)) return turn.text(SAY.cannotWithdraw(turn.title(ticket), STATUS_ZH[ticket.state.status]));
  turn.remember({ confirm: { kind: 'withdraw', ticketId: ticket.id } });
  turn.text(SAY.confirmWithdraw(turn.title(ticket)), CHIPS.withdrawYes, CHIPS.withdrawNo);
}

export function confirmed(turn: Turn, yes: boolean): void {
  const { confirm } = turn.memory;
  turn.remember({ confirm: null });
  const ticket = turn.in.tickets.find((each) => each.id === confirm?.ticketId);
  if (!ticket || !yes) return turn.text(SAY.keptTicket);
  if (!isUnderWay(ticket.state.status)) return turn.text(SAY.cannotWithdraw(turn.title(ticket), STATUS_ZH[ticket.state.status]));
  turn.commands.push({ do: 'withdraw', ticketId: ticket.id, reason: turn.in.text || '居民撤回' });
  turn.showTicket(ticket, SAY.withdrawn);
}

export function rated(turn: Turn, understanding: Understanding): void {
  if (THANKS.test(turn.in.text) && turn.in.text.length <= 12) return turn.text(SAY.thanks);
  // The survey was put aside for something else; the word that comes late still counts.
  const asked = turn.in.tickets.find((ticket) => ticket.state.status === 'following_up');
  const solved = readYesNo(turn.in.text);
  if (asked && solved !== null) {
    turn.commands.push({ do: 'follow_up', ticketId: asked.id, answers: { contacted: null, solved, satisfied: solved ? null : false, comment: turn.in.text } });
    return turn.showTicket(asked, (title, status) => SAY.status(title, status));
  }
  turn.text(understanding.nature?.value === 'praise' ? SAY.praise : SAY.rateNone);
}

export function chat(turn: Turn, understanding: Understanding): void {
  const { text } = turn.in;
  if (THANKS.test(text) && text.length <= 12) return turn.text(SAY.thanks);
  // Someone with a ticket under way who says something unclear most likely asks about it.
  const asksStatus = understanding.intents.find((each) => each.value === 'status')?.probability ?? 0;
  if (asksStatus >= 0.15 && turn.in.tickets.some((ticket) => isOpen(ticket.state.status))) return status(turn, understanding.ticketNumber);
  if (!turn.memory.greeted || /(?:你好|您好|在吗|早上好|晚上好|hello|hi)/iu.test(text)) return turn.text(SAY.greeting, CHIPS.human);
  turn.remember({ notUnderstood: turn.memory.notUnderstood + 1 });
  turn.text(understanding.intent.probability >= SURE ? SAY.chat : SAY.nonsense, CHIPS.human);
}

export function supplement(turn: Turn, understanding: Understanding): void {
  const { text, tickets } = turn.in;
  const number = understanding.ticketNumber;
  const named = number === null ? undefined : tickets.find((each) => isOpen(each.state.status) && digits(number) !== '' && each.number.endsWith(digits(number)));
  const ticket = named ?? tickets.find((each) => each.id === turn.memory.lastTicketId && isOpen(each.state.status)) ?? tickets.find((each) => isOpen(each.state.status));
  if (!ticket) return report(turn, { text, understanding });
  turn.commands.push({ do: 'supplement', ticketId: ticket.id, text, media: turn.memory.looseMedia });
  turn.remember({ looseMedia: [], merged: { draft: turn.draftOf({ text, understanding }, []), ticketId: ticket.id } });
  turn.showTicket(ticket, SAY.supplemented, CHIPS.notSame);
}

/** 「不对，是8号楼」 after the ticket is open. */
export function correctLast(turn: Turn, understanding: Understanding): boolean {
  const ticket = turn.recentTicket();
  const piece = addressOf(understanding.address);
  if (!ticket || piece.text === '') return false;
  correctAddress(turn, ticket, piece);
  return true;
}

/** Said once, by one tap: the community looks after them. Where nobody has the matter yet or the street is unknown, a person does. */
export function care(turn: Turn): void {
  const open = turn.in.tickets.filter((each) => isUnderWay(each.state.status));
  const ticket = open.find((each) => each.id === turn.memory.lastTicketId) ?? open[0];
  if (ticket?.work.tasks.some((task) => task.kind === 'care' && isOpenTask(task))) return turn.text(SAY.careAlready);
  const held = ticket !== undefined && ticket.unitId !== null && ['dispatched', 'accepted', 'in_progress'].includes(ticket.state.status);
  if (!held || (ticket.address.place?.street ?? null) === null) return turn.handOver('asked_for_human', 'h24', '居民说家里有老人、病人或婴幼儿，需要照应；地点或承办单位还不清楚，请联系街道、社区。');
  turn.commands.push({ do: 'call_care', ticketId: ticket.id });
  turn.showTicket(ticket, (title) => SAY.careAsked(title));
}

export function correctAddress(turn: Turn, ticket: Ticket, piece: ReturnType<typeof addressOf>): void {
  const { text } = turn.in;
  if (!isBeforeAcceptance(ticket.state.status)) {
    turn.commands.push({ do: 'supplement', ticketId: ticket.id, text, media: [] });
    return turn.showTicket(ticket, SAY.correctionAdded);
  }
  const known = addressOfTicket(ticket);
  const address = mergeAddress(known, piece, 'replace');
  turn.commands.push({ do: 'correct', ticketId: ticket.id, changes: { address: { text: address.publicText, place: address.place, label: address.label, location: address.location }, addressPrivate: address.text } });
  turn.showTicket(ticket, SAY.corrected);
}
