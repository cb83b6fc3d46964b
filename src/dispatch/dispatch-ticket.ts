import { COMMUNITY, type Directory, type Routable, type Routed } from '../domain/directory.ts';
import type { Instant, NewId, TaskId, TicketId, UnitId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { ApplyTicketCommand, DueAt } from '../domain/use-cases.ts';
import type { Ticket, TicketCommand } from '../domain/ticket.ts';
import type { Call } from '../domain/ticket-work.ts';
import { URGENCIES } from '../domain/understanding.ts';
import { CALLED_BY_DIRECTORY, CARE_ASK, REPORT_NEEDS_PERSON } from './lines.zh.ts';
import { unitsFor } from './route-ticket.ts';

export interface DispatchDeps {
  readonly route: (matter: Routable) => Routed;
  readonly dueAt: DueAt;
  readonly applyCommand: ApplyTicketCommand;
  /** Until when the unit may object to what is dispatched now. */
  readonly objectBy: ObjectBy;
  readonly newId: NewId;
  /** Whether it is this unit's office to look into what others do. */
  readonly investigates: (unit: UnitId) => boolean;
}

export type ObjectBy = (ticket: Pick<Ticket, 'dueAt'>, now: Instant) => Instant;

const MINUTE_MS = 60_000;
/** A unit answers within a tenth of the ticket's time, 10 minutes at least and one day at most. */
export const acceptBy = (ticket: Pick<Ticket, 'dueAt'>, now: Instant): Instant =>
  now + Math.min(24 * 60 * MINUTE_MS, Math.max(10 * MINUTE_MS, Math.round((ticket.dueAt - now) / 10)));
/** A dispatcher decides as fast as a unit would have to answer. */
export const decideBy = acceptBy;

/** Of the time that is left, a called unit has four fifths: the lead still has to make one answer of all. */
const CALLED_SHARE = 0.8;

/** 吹哨: what a unit is called to, and by when it must be there and answer. */
export const callOf = (ticket: Pick<Ticket, 'dueAt'>, call: { readonly id: TaskId; readonly unit: UnitId; readonly ask: string; readonly kind?: Call['kind'] }, now: Instant): Call =>
  ({ kind: 'whistle', ...call, reportBy: acceptBy(ticket, now), answerBy: now + Math.max(10 * MINUTE_MS, Math.round((ticket.dueAt - now) * CALLED_SHARE)) });

/** 送水上门: the community of the place, or its street; they are called beside the lead and answer to it. */
export function careCall(deps: { readonly directory: () => Directory | null; readonly newId: NewId }) {
  return (ticket: Ticket, now: Instant): Call | null => {
    const directory = deps.directory();
    const { place } = ticket.address;
    const here = place?.community ?? place?.street ?? '';
    const unit = directory && [COMMUNITY, 'subdistrict'].flatMap((kind) => unitsFor(directory, { kind }, here)).find((each) => each.area.length >= 9);
    return unit ? callOf(ticket, { id: deps.newId() as TaskId, unit: unit.id, ask: CARE_ASK, kind: 'care' }, now) : null;
  };
}

/** What the directory looks at: the type, the place, words that may name whose the thing is, and when it was reported. */
export const routable = (ticket: Pick<Ticket, 'type' | 'address' | 'description' | 'openedAt'>): Routable =>
  ({ type: ticket.type, place: ticket.address.place, text: `${ticket.description}\n${ticket.address.text}`, at: ticket.openedAt });

/** What follows `ticket_opened`: the unit that can act gets it, or a dispatcher sees that none is known. */
export function dispatchTicket(deps: DispatchDeps) {
  return async (tx: Queries, event: { readonly ticketId: TicketId }, now: Instant): Promise<void> => {
    const ticket = await tx.ticket(event.ticketId, 'lock');
    if (!ticket || ticket.state.status !== 'opened') return; // an operator or the resident was quicker
    const routed = forPerson(deps, ticket, deps.route(routable(ticket)));
    await deps.applyCommand(tx, { ticketId: ticket.id, actor: { role: 'system' }, now, command: commandOf(deps, ticket, routed, now) });
  };
}

/**
 * After a correction of type or place: a ticket that nobody has accepted yet goes to the unit it now belongs to. Where none is known any
 * more, a dispatcher sees it; it doesn't stay with a unit that the directory no longer names.
 */
export function redispatchTicket(deps: DispatchDeps) {
  return async (tx: Queries, event: { readonly ticketId: TicketId; readonly historySeq: number }, now: Instant): Promise<void> => {
    const ticket = await tx.ticket(event.ticketId, 'lock');
    if (!ticket || (ticket.state.status !== 'dispatched' && ticket.state.status !== 'unrouted')) return;
    // A new description or urgency is no reason to undo what a dispatcher has decided.
    const corrected = (await tx.history(event.ticketId))[event.historySeq - 1]?.open;
    if (corrected?.['typeTo'] === undefined && corrected?.['address'] !== true) return;
    const routed = forPerson(deps, ticket, deps.route(routable(ticket)));
    const stays = routed.kind === 'unrouted' ? ticket.state.status === 'unrouted' : ticket.state.status === 'dispatched' && routed.to === ticket.unitId;
    if (stays) return;
    await deps.applyCommand(tx, { ticketId: ticket.id, actor: { role: 'system' }, now, command: commandOf(deps, ticket, { ...routed, because: `更正后${routed.because}` }, now) });
  };
}

/** Whom a 举报 accuses stands in its words, and it may be the very unit of the directory: only an investigator gets it without a person, and nobody else hears of it. */
function forPerson(deps: Pick<DispatchDeps, 'investigates'>, ticket: Pick<Ticket, 'nature'>, routed: Routed): Routed {
  if (ticket.nature !== 'misconduct_report' || routed.kind === 'unrouted') return routed;
  if (deps.investigates(routed.to)) return { ...routed, co: [], call: [], copies: [] };
  return { kind: 'unrouted', because: REPORT_NEEDS_PERSON, version: routed.version, why: 'not_dispatched', rule: routed.rule, rivals: [routed.to] };
}

function commandOf(deps: Pick<DispatchDeps, 'dueAt' | 'objectBy' | 'newId'>, ticket: Ticket, routed: Routed, now: Instant): TicketCommand {
  if (routed.kind === 'unrouted') {
    const { because, version, rule, why, rivals } = routed;
    return { do: 'leave_unrouted', because, directoryVersion: version, rule, why, rivals, decideBy: decideBy(ticket, now) };
  }
  const { to, rule, because, version, way, co, call, copies } = routed;
  const clock = stricter(deps, ticket, routed);
  const timed = clock ?? ticket;
  const calls = call.map((unit) => callOf(timed, { id: deps.newId() as TaskId, unit, ask: CALLED_BY_DIRECTORY }, now));
  return {
    do: 'dispatch', to, rule, because, directoryVersion: version, way, co, copies, calls, acceptBy: acceptBy(timed, now), objectBy: deps.objectBy(timed, now), ...(clock && { clock }),
  };
}

/** The row's class where it is more urgent than the ticket's and ends earlier; a row never gives a unit more time than the resident was told. */
function stricter(deps: Pick<DispatchDeps, 'dueAt'>, ticket: Ticket, { clock }: Extract<Routed, { kind: 'routed' }>) {
  if (clock === null || URGENCIES.indexOf(clock) >= URGENCIES.indexOf(ticket.urgency)) return undefined;
  const dueAt = deps.dueAt(clock, ticket.openedAt);
  return dueAt < ticket.dueAt ? { urgency: clock, dueAt } : undefined;
}
