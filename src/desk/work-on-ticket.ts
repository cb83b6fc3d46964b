import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { Instant, TaskId, TicketId, UnitId } from '../domain/ids.ts';
import type { Ticket, TicketCommand } from '../domain/ticket.ts';
import type { TimeWish } from '../domain/ticket-work.ts';
import { nextStage } from '../domain/stages.ts';
import type { DeskDeps } from './deps.ts';
import { ANSWER_MIN, asUnit, move, words } from './move-ticket.ts';
import { reach, type Action } from './permissions.ts';

const DAY_MS = 86_400_000;
/** Nobody is granted more than this at once; a longer matter has stages. */
const LONGEST_WISH_DAYS = 90;
const MOST_CALLED = 8;

/** 吹哨: other units are called; each gets its task, clock and answer. @throws AppError `unit.unknown` */
export function whistle(deps: DeskDeps, user: User, id: TicketId, order: { readonly units: readonly UnitId[]; readonly ask: string }): Promise<Ticket> {
  const ask = deps.redact(words(order.ask, 4));
  const units = [...new Set(order.units)];
  if (units.length === 0 || units.length > MOST_CALLED) throw new AppError('message.invalid', `call between one unit and ${MOST_CALLED}`);
  for (const unit of units) if (!deps.units.has(unit)) throw new AppError('unit.unknown', `the directory has no unit ${unit}`);
  return eitherSide(deps, user, id, 'ticket.whistle', (ticket) => ({ do: 'whistle', calls: units.map((unit) => deps.callOf(ticket, { id: deps.newId() as TaskId, unit, ask }, deps.now())) }));
}

/** 报到: a called unit is there. */
export const reportIn = (deps: DeskDeps, user: User, id: TicketId, taskId: TaskId) => asUnit(deps, user, id, 'ticket.answer_task', () => ({ do: 'report_in', taskId }));

/** What the called unit did, or why it is not its part; the lead makes one answer of all. */
export const answerTask = (deps: DeskDeps, user: User, id: TicketId, { taskId, answer, outcome }: { readonly taskId: TaskId; readonly answer: string; readonly outcome: 'done' | 'declined' }) =>
  asUnit(deps, user, id, 'ticket.answer_task', () => ({ do: 'answer_task', taskId, outcome, answer: words(answer, ANSWER_MIN) }));

export const closeTask = (deps: DeskDeps, user: User, id: TicketId, { taskId, reason }: { readonly taskId: TaskId; readonly reason: string }) =>
  eitherSide(deps, user, id, 'ticket.whistle', () => ({ do: 'close_task', taskId, reason: words(reason, 4) }));

/** Art. 15: asked before the deadline, with the reason and the new date; the resident reads the reason as it is written. */
export const askTime = (deps: DeskDeps, user: User, id: TicketId, { want, until, reason }: { readonly want: TimeWish; readonly until: Instant; readonly reason: string }) =>
  asUnit(deps, user, id, 'ticket.ask_time', (ticket) => {
    if (until > Math.max(ticket.dueAt, deps.now()) + LONGEST_WISH_DAYS * DAY_MS) throw new AppError('message.invalid', `ask for ${LONGEST_WISH_DAYS} days at most`);
    if (want === 'stages' && !deps.stagesOf(ticket.type)) throw new AppError('message.invalid', 'the city has no stages for this type');
    return { do: 'ask_time', want, until, reason: deps.redact(words(reason, 4)), decideBy: deps.decideBy(ticket, deps.now()) };
  });

/** A named person decides; with stages the first one begins. @throws AppError `ticket.not_neutral` */
export const decideTime = (deps: DeskDeps, user: User, id: TicketId, { granted, because }: { readonly granted: boolean; readonly because: string }) =>
  asDecider(deps, user, id, (ticket) => {
    const why = deps.redact(words(because, 2));
    if (!granted) return { do: 'refuse_time', because: why };
    const asked = ticket.work.timeAsked;
    const plan = asked?.want === 'stages' ? deps.stagesOf(ticket.type) : null;
    const first = plan ? nextStage(plan, null, deps.now()) : null;
    return { do: 'grant_time', because: why, ...(first && { stage: first }) };
  });

/** The dispatcher finds against the unit that objected. To find for it is to dispatch elsewhere. @throws AppError `ticket.not_neutral` */
export const refuseObjection = (deps: DeskDeps, user: User, id: TicketId, because: string) =>
  asDecider(deps, user, id, (ticket) => ({ do: 'refuse_objection', because: deps.redact(words(because, 4)), acceptBy: deps.acceptBy(ticket, deps.now()) }));

export const resumeClock = (deps: DeskDeps, user: User, id: TicketId, reason: string) =>
  eitherSide(deps, user, id, 'ticket.stage', () => ({ do: 'resume', reason: deps.redact(words(reason, 2)) }));

/** 挂账: the present stage is done, the next one of the plan begins. */
export const enterNextStage = (deps: DeskDeps, user: User, id: TicketId, note: string) =>
  eitherSide(deps, user, id, 'ticket.stage', (ticket) => {
    const plan = deps.stagesOf(ticket.type);
    if (!plan || !ticket.work.stage) throw new AppError('ticket.wrong_state', 'this ticket does not go by stages');
    const stage = nextStage(plan, ticket.work.stage.key, deps.now());
    if (!stage) throw new AppError('ticket.wrong_state', 'this was the last stage; resolve the ticket');
    return { do: 'enter_stage', stage, note: words(note, 4) };
  });

/** 剔除: does not count in the three rates, for a reason that stays with it. */
export const excludeTicket = (deps: DeskDeps, user: User, id: TicketId, reason: string) => asDecider(deps, user, id, () => ({ do: 'exclude', reason: deps.redact(words(reason, 4)) }));

function asDecider(deps: DeskDeps, user: User, id: TicketId, command: (ticket: Ticket) => TicketCommand): Promise<Ticket> {
  return move(deps, user, id, 'ticket.decide', { role: 'operator', userId: user.id }, (ticket) => {
    const parties = [ticket.unitId, ...ticket.work.leads, ...ticket.work.tasks.map((task) => task.unit)];
    if (user.unitId !== null && parties.includes(user.unitId)) throw new AppError('ticket.not_neutral', 'you belong to one of the sides');
    return command(ticket);
  });
}

/** The lead does it, or a dispatcher in its place. */
function eitherSide(deps: DeskDeps, user: User, id: TicketId, action: Action, command: (ticket: Ticket) => TicketCommand): Promise<Ticket> {
  if (reach(user, action) === 'all') return move(deps, user, id, action, { role: 'operator', userId: user.id }, command);
  return asUnit(deps, user, id, action, command);
}
