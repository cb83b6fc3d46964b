import type { Conversation, Handoff } from '../domain/conversation.ts';
import { AppError, isAppError } from '../domain/errors.ts';
import type { DomainEvent, Timer } from '../domain/events.ts';
import type { Instant, NewId, TicketId } from '../domain/ids.ts';
import type { InboundContent, Reply } from '../domain/message.ts';
import type { Logger, NewTranscriptEntry, Queries, Store, TurnClaim, UnderstandContext } from '../domain/ports.ts';
import { isOpen, type FollowUpAnswers, type Ticket } from '../domain/ticket.ts';
import { shortTitle, ticketCard, type Naming } from '../domain/ticket-card.ts';
import type { LifeSafety, Understanding } from '../domain/understanding.ts';
import type { Call } from '../domain/ticket-work.ts';
import type { ApplyTicketCommand, DueAt, NextTicketNumber, OpenTicket } from '../domain/use-cases.ts';
import { dateZh } from '../domain/words.zh.ts';
import type { BotRuntime } from './botkit-runtime.ts';
import { cleanText } from './clean-text.ts';
import type { PlaceNeeds } from './draft.ts';
import type { PatientUnderstand } from './patience.ts';
import type { Heard, PlannedReply, TurnCommand, TurnPlan } from './plan.ts';
import { planTurn } from './plan-turn.ts';
import { FOLLOW_UP_ZH, HANDOFF_SAY, WAIT_MINUTES } from './prompts.zh.ts';
import { findMatters } from './split-matters.ts';
import { FOLLOW_UP_SCRIPT } from './follow-up-script.ts';

export interface TurnDeps {
  readonly store: Store;
  readonly understand: PatientUnderstand;
  readonly checkLifeSafety: (text: string) => LifeSafety;
  readonly openTicket: OpenTicket;
  readonly applyCommand: ApplyTicketCommand;
  readonly nextNumber: NextTicketNumber;
  readonly redact: (text: string) => string;
  readonly dueAt: DueAt;
  /** Who is called to look after someone at this place; null: nobody is known. */
  readonly careCall: (ticket: Ticket, now: Instant) => Call | null;
  readonly acceptBy: (ticket: Pick<Ticket, 'dueAt'>, now: Instant) => Instant;
  readonly followUpGiveUpMs: number;
  readonly naming: Naming;
  readonly needs: PlaceNeeds;
  readonly runtime: BotRuntime;
  readonly newId: NewId;
  readonly now: () => Instant;
  readonly log: Logger;
}

export type TurnOutcome = 'done' | 'again' | 'failed' | 'dead';

/** A command that the world overtook between reading and writing: the turn is planned anew. */
class Overtaken extends Error {}

const MINUTE_MS = 60_000;
const FOLLOW_UP_LATER_MS = 30 * MINUTE_MS;
const MOST_TRIES = 4;
const TICKETS_IN_VIEW = 10;
const NO_DANGER: LifeSafety = { rules: [], numbers: [], evidence: [] };

/** Takes one claimed message through the turn; all its effects are committed at once or not at all. */
export async function handleTurn(deps: TurnDeps, claim: TurnClaim): Promise<TurnOutcome> {
  const { log } = deps;
  const about = { turnId: claim.message.turnId, conversationId: claim.conversation.id };
  try {
    const started = performance.now();
    const plan = await decide(deps, claim);
    const committed = await commit(deps, claim, plan);
    if (!committed) {
      await deps.store.failTurn(claim, null, deps.now(), deps.now());
      return 'again';
    }
    log.info({ ...about, ms: Math.round(performance.now() - started), replies: plan.replies.length, commands: plan.commands.map((each) => each.do), handoff: plan.handoff?.reason ?? null }, 'turn.done');
    return 'done';
  } catch (error) {
    if (error instanceof Overtaken) {
      await deps.store.failTurn(claim, null, deps.now(), deps.now());
      return 'again';
    }
    const tries = claim.attempts + 1;
    const code = isAppError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
    log.error({ ...about, tries, code, error: error instanceof Error ? error.stack : String(error) }, 'turn.failed');
    if (tries < MOST_TRIES) {
      await deps.store.failTurn(claim, code, deps.now() + 500 * 4 ** claim.attempts, deps.now());
      return 'failed';
    }
    await giveToOperator(deps, claim, code);
    return 'dead';
  }
}

async function decide(deps: TurnDeps, claim: TurnClaim): Promise<TurnPlan> {
  const { conversation, message } = claim;
  const { content } = message;
  const text = cleanText(wordsOf(content));
  const lifeSafety = content.kind === 'text' ? deps.checkLifeSafety(text) : NO_DANGER;
  const tickets = await deps.store.ticketsOfResident(conversation.residentId, TICKETS_IN_VIEW);
  const all = content.kind === 'system' && !tickets.some((ticket) => ticket.id === content.ticketId)
    ? [...tickets, ...[await deps.store.ticket(content.ticketId)].filter((ticket) => ticket !== null)] : tickets;
  const urgent = claim.urgent || lifeSafety.rules.length > 0;
  const heard = await hear(deps, { conversation, content, text, tickets: all, urgent });
  return planTurn({
    conversation, message, text, ...heard, lifeSafety: heard.understanding && content.kind === 'text' ? heard.understanding.lifeSafety : lifeSafety,
    tickets: all, now: deps.now(), newId: deps.newId, naming: deps.naming, needs: deps.needs,
  });
}

/** What there is to understand in a message: its words, an edited address, or the label of a place or chip. */
function wordsOf(content: InboundContent): string {
  switch (content.kind) {
    case 'text': return content.text;
    case 'tap': return content.label;
    case 'edit': return content.value;
    case 'location': return content.label;
    case 'image': case 'unheard': case 'system': return '';
    default: return content satisfies never;
  }
}

interface HeardAll { readonly understanding: Understanding | null; readonly modelDown: boolean; readonly matters: readonly Heard[] }

interface ToHear { readonly conversation: Conversation; readonly content: InboundContent; readonly text: string; readonly tickets: readonly Ticket[]; readonly urgent: boolean }

async function hear(deps: TurnDeps, { conversation, content, text, tickets, urgent }: ToHear): Promise<HeardAll> {
  const nothing = { understanding: null, modelDown: false, matters: [] };
  if (text === '') return nothing;
  if (content.kind === 'edit' && content.field !== 'address') return nothing;
  const asked = conversation.memory.draft === null ? undefined : conversation.memory.asked.at(-1);
  const expecting = content.kind === 'edit' || content.kind === 'location' ? 'address' : asked === 'place' ? 'address' : asked;
  const context: UnderstandContext = {
    ticketTypes: tickets.filter((ticket) => isOpen(ticket.state.status)).map((ticket) => ticket.type), ...(expecting === undefined ? {} : { expecting }),
  };
  try {
    const understanding = await deps.understand(text, context, { urgent });
    if (content.kind !== 'text' || expecting !== undefined || conversation.mode !== 'bot') return { ...nothing, understanding };
    return { ...nothing, understanding, matters: await findMatters(text, understanding, (part) => deps.understand(part, undefined, { urgent })) };
  } catch (error) {
    if (!isAppError(error) || !error.code.startsWith('model.')) throw error;
    deps.log.warn({ conversationId: conversation.id, code: error.code }, 'understand.unavailable');
    return { ...nothing, modelDown: true };
  }
}

async function commit(deps: TurnDeps, claim: TurnClaim, plan: TurnPlan): Promise<boolean> {
  const now = deps.now();
  const ran = await deps.runtime.run(plan, claim.conversation.id, claim.conversation.residentId);
  const closing = ran.answers && claim.conversation.memory.followUp
    ? [{ do: 'follow_up' as const, ticketId: claim.conversation.memory.followUp.ticketId, answers: ran.answers }] : [];
  const commands: readonly TurnCommand[] = [...plan.commands, ...closing];
  const numbers = new Map<string, string>();
  for (const command of commands) if (command.do === 'open') numbers.set(command.draft.id, await deps.nextNumber(now));

  return deps.store.transaction(async (tx) => {
    if (!(await tx.lockTurn(claim))) return false;
    const opened = new Map<string, Ticket>();
    for (const command of commands) await carryOut(deps, tx, claim, command, { now, numbers, opened });
    const replies: Reply[] = [];
    for (const planned of ran.replies) {
      const reply = await materialize(deps, tx, planned, opened);
      if (reply) replies.push(reply);
    }
    if (closing[0]) replies.push(await closingReply(deps, tx, closing[0].ticketId, ran.answers));
    const entries = replies.map((body, index): NewTranscriptEntry => ({ author: 'bot', body, idempotencyKey: `${claim.message.turnId}:${index}` }));
    await tx.say(claim.conversation, entries, now, claim.message.turnId);
    const { next, events, timers } = nextConversation(claim.conversation, plan, ran, opened, now);
    await tx.emit(events);
    await tx.schedule(timers);
    await tx.finishTurn(claim, next, now);
    return true;
  });
}

interface Effects { readonly now: Instant; readonly numbers: ReadonlyMap<string, string>; readonly opened: Map<string, Ticket> }

async function carryOut(deps: TurnDeps, tx: Queries, claim: TurnClaim, command: TurnCommand, { now, numbers, opened }: Effects): Promise<void> {
  const apply = async (ticketId: TicketId, ticketCommand: Parameters<ApplyTicketCommand>[1]['command'], role: 'resident' | 'system' = 'resident') => {
    const result = await deps.applyCommand(tx, { ticketId, command: ticketCommand, actor: { role }, now });
    if (!result.ok) throw new Overtaken(result.reason);
    return result.ticket;
  };
  switch (command.do) {
    case 'open': {
      const number = numbers.get(command.draft.id);
      if (number === undefined) throw new Overtaken('no number was reserved');
      opened.set(command.draft.id, await deps.openTicket(tx, { draft: command.draft, conversation: claim.conversation, number, openedBy: 'bot', now }));
      return;
    }
    case 'supplement': return void (await apply(command.ticketId, { do: 'supplement', text: command.text, redacted: deps.redact(command.text), media: command.media }));
    case 'call_care': {
      const ticket = await tx.ticket(command.ticketId, 'lock');
      const call = ticket && deps.careCall(ticket, now);
      if (!call) throw new AppError('unit.unknown', 'the directory names nobody who could look after someone there'); // after some tries a person hears of it
      return void (await apply(command.ticketId, { do: 'whistle', calls: [call] }, 'system'));
    }
    case 'withdraw': return void (await apply(command.ticketId, { do: 'withdraw', reason: command.reason }));
    case 'correct': return void (await apply(command.ticketId, { do: 'correct', changes: command.changes }));
    case 'object': return tx.recordSpecialWay({
      kind: 'objected', tellingId: command.special.tellingId, at: now, conversationId: claim.conversation.id, residentId: claim.conversation.residentId,
      outcome: command.special.outcome, type: claim.conversation.memory.draft?.type ?? null, probability: null, by: 'resident', decision: null,
    });
    case 'ask_follow_up': return void (await apply(command.ticketId, { do: 'ask_follow_up', giveUpAt: now + deps.followUpGiveUpMs }, 'system'));
    case 'follow_up': {
      const ticket = await tx.ticket(command.ticketId, 'lock');
      if (!ticket || ticket.state.status !== 'following_up') return; // it gave up waiting while the resident was typing; the closing words say so
      const dueAt = deps.dueAt(ticket.urgency, now);
      return void (await apply(command.ticketId, { do: 'answer_follow_up', answers: command.answers, dueAt, acceptBy: deps.acceptBy({ dueAt }, now) }));
    }
    case 'follow_up_later':
      return tx.schedule([{ kind: 'follow_up_start', dueAt: now + FOLLOW_UP_LATER_MS, ticketId: command.ticketId }]);
    default: return command satisfies never;
  }
}

async function materialize(deps: TurnDeps, tx: Queries, planned: PlannedReply, opened: ReadonlyMap<string, Ticket>): Promise<Reply | null> {
  if (planned.kind !== 'ticket_after') return planned;
  const ticket = 'draft' in planned.of ? opened.get(planned.of.draft) : await tx.ticket(planned.of.ticket);
  if (!ticket) return null;
  const card = ticketCard(ticket, await tx.history(ticket.id), deps.naming);
  return { kind: 'ticket', text: planned.say(card, shortTitle(ticket, deps.naming)), card, ...(planned.chips ? { chips: planned.chips } : {}) };
}

async function closingReply(deps: TurnDeps, tx: Queries, ticketId: TicketId, answers: FollowUpAnswers | null): Promise<Reply> {
  const ticket = await tx.ticket(ticketId);
  if (!ticket || answers?.solved !== false) return { kind: 'text', text: FOLLOW_UP_ZH.thanksSolved };
  const text = FOLLOW_UP_ZH.reopened(shortTitle(ticket, deps.naming), dateZh(ticket.dueAt, deps.naming.utcOffsetMinutes));
  return { kind: 'ticket', text, card: ticketCard(ticket, await tx.history(ticket.id), deps.naming) };
}

function nextConversation(before: Conversation, plan: TurnPlan, ran: Awaited<ReturnType<BotRuntime['run']>>, opened: ReadonlyMap<string, Ticket>, now: Instant):
  { next: Conversation; events: readonly DomainEvent[]; timers: readonly Timer[] } {
  const last = [...opened.values()].at(-1);
  const followUp = plan.survey.do === 'begin' ? { ticketId: plan.survey.ticketId, script: FOLLOW_UP_SCRIPT } : ran.surveyRuns ? plan.memory.followUp : null;
  const memory = { ...plan.memory, dialog: ran.dialog, followUp, ...(last ? { lastTicketId: last.id } : {}) };
  const next: Conversation = { ...before, memory };
  if (plan.endWaiting) return { next: { ...next, mode: 'bot', handoff: null, operatorId: null, waitingSince: null, waitingUntil: null, escalation: 0 }, events: [{ kind: 'handoff_ended', conversationId: before.id, at: now }], timers: [] };
  if (plan.handoff && before.mode === 'bot') return toWaiting(next, plan.handoff, now);
  if (plan.handoff) return { next: { ...next, handoff: plan.handoff }, events: [{ kind: 'handoff_requested', conversationId: before.id, at: now }], timers: [] };
  return { next, events: [], timers: [] };
}

/** Into the operators' queue, with the moment at which waiting gives up. */
export function toWaiting(conversation: Conversation, handoff: Handoff, now: Instant): { next: Conversation; events: readonly DomainEvent[]; timers: readonly Timer[] } {
  const waitingUntil = now + WAIT_MINUTES[handoff.urgency] * MINUTE_MS;
  return {
    next: { ...conversation, mode: 'waiting', operatorId: null, handoff, waitingSince: now, waitingUntil, escalation: 0 },
    events: [{ kind: 'handoff_requested', conversationId: conversation.id, at: now }],
    timers: [{ kind: 'waiting_overdue', dueAt: waitingUntil, conversationId: conversation.id, expects: waitingUntil }],
  };
}

/** The message failed every try: it goes to an operator as it is, the resident is told, and the next message is not blocked. */
async function giveToOperator(deps: TurnDeps, claim: TurnClaim, code: string): Promise<void> {
  const now = deps.now();
  // The promise first: a crash before the message is marked as failed only makes this run again, and it says nothing twice.
  await deps.store.transaction(async (tx) => {
    const conversation = await tx.conversation(claim.conversation.id, 'lock');
    if (!conversation || !conversation.readable || conversation.mode !== 'bot') return;
    const handoff: Handoff = { reason: 'turn_failed', urgency: 'h24', note: `系统处理居民最后一条消息时出错（${code}），原话见对话。` };
    const { next, events, timers } = toWaiting(conversation, handoff, now);
    await tx.say(conversation, [{ author: 'bot', body: { kind: 'text', text: HANDOFF_SAY.turn_failed(WAIT_MINUTES.h24) }, idempotencyKey: `${claim.message.turnId}:failed` }], now, claim.message.turnId);
    await tx.saveConversation(next);
    await tx.emit(events);
    await tx.schedule(timers);
  });
  await deps.store.failTurn(claim, code, null, now);
}
