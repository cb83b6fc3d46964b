import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { Instant, TicketId, UnitId } from '../domain/ids.ts';
import type { Page } from '../domain/ports.ts';
import { NEXT, type HistoryEntry, type Ticket, type TicketEventKind, type TicketStatus } from '../domain/ticket.ts';
import type { UnitRole } from '../domain/ticket-work.ts';
import type { Urgency } from '../domain/understanding.ts';
import { typeName } from '../domain/catalogue.ts';
import type { DeskDeps } from './deps.ts';
import { peopleOf, unitName } from './names.ts';
import { asTicket, hiddenHistory, hiddenReport, readsHidden } from './hidden-reporter.ts';
import { may, mayOn, mayReadReporter, reach } from './permissions.ts';
import { workView } from './work-view.ts';
import type { PageOf, TicketAction, TicketSummary, TicketView, TimelineLine } from './views.ts';

/** Nearest deadline first; a unit's handler gets the own unit's only, whatever the query says. */
export async function listTickets(deps: DeskDeps, user: User, { statuses, role, ...page }: Page & { readonly statuses: readonly TicketStatus[] | null; readonly role?: UnitRole | undefined }): Promise<PageOf<TicketSummary>> {
  const own = reach(user, 'ticket.list') === 'all' ? null : user.unitId;
  const { items, next } = await deps.store.tickets({ ...(own !== null && { unitId: own, ...(role && { role }) }), ...(statuses !== null && { statuses }) }, page);
  return { items: items.map((ticket) => ticketSummary(deps, shownTo(deps, user, ticket))), next };
}

/** The ticket as this reader may know it. */
const shownTo = (deps: DeskDeps, user: User, ticket: Ticket): Ticket => (readsHidden(deps, user, ticket) ? asTicket(hiddenReport(ticket)) : ticket);

/** By id or by number. Another unit's ticket and none at all look the same. @throws AppError `ticket.not_found` */
export async function findTicket(deps: Pick<DeskDeps, 'store'>, user: User, idOrNumber: string): Promise<Ticket> {
  const ticket = await deps.store.ticket(idOrNumber as TicketId) ?? await deps.store.ticketByNumber(idOrNumber);
  if (!ticket || !mayOn(user, 'ticket.read', ticket)) throw new AppError('ticket.not_found', 'no such ticket');
  return ticket;
}

export async function readTicket(deps: DeskDeps, user: User, idOrNumber: string): Promise<TicketView> {
  const whole = await findTicket(deps, user, idOrNumber);
  const ticket = shownTo(deps, user, whole);
  const read = await deps.store.history(whole.id);
  const history = readsHidden(deps, user, whole) ? hiddenHistory(read) : read;
  const nameOf = peopleOf(deps.store);
  const reporter = mayReadReporter(user, ticket);
  const readsAll = reach(user, 'conversation.read') === 'all';
  const readsWords = reach(user, 'ticket.read_words') === 'all';
  return {
    ...ticketSummary(deps, ticket),
    place: ticket.address.place, label: ticket.address.label, location: reporter || reach(user, 'ticket.read') === 'all' ? ticket.address.location : null,
    secret: reporter && ticket.secret ? { ...ticket.secret, words: readsWords ? ticket.secret.words : [] } : null,
    secretHidden: hiddenBecause(user, ticket, reporter),
    media: ticket.media, work: { ...workView(deps, user, ticket), can: workView(deps, user, whole).can },
    timeline: await Promise.all(history.map((entry) => timelineLine(deps, entry, nameOf, readsWords))),
    openedByBot: ticket.openedBy === 'bot',
    conversationId: readsAll ? ticket.conversationId : null,
    candidates: readsAll ? ticket.candidates : [],
    can: actionsOn(user, whole, deps.now()), now: deps.now(),
  };
}

function hiddenBecause(user: User, ticket: Ticket, reporter: boolean): TicketView['secretHidden'] {
  if (!reporter) return may(user, 'ticket.read_reporter', ticket.unitId) ? 'reporter_protected' : 'not_for_you';
  return ticket.secret === null ? 'erased' : null;
}

/** What the state table and the rights allow at once; the use-cases judge again. */
function actionsOn(user: User, ticket: Ticket, now: Instant): readonly TicketAction[] {
  const next = NEXT[ticket.state.status];
  const possible: Readonly<Record<TicketAction, boolean>> = {
    accept: next.includes('accepted'), progress: next.includes('in_progress'), return: next.includes('returned') && ticket.work.objectBy !== null && now <= ticket.work.objectBy, resolve: next.includes('resolved'),
    dispatch: next.includes('dispatched') && !['following_up', 'archived'].includes(ticket.state.status),
    correct: !['archived', 'withdrawn'].includes(ticket.state.status),
  };
  return (Object.keys(possible) as TicketAction[]).filter((action) => possible[action] && mayOn(user, `ticket.${action}`, ticket));
}

export function ticketSummary(deps: Pick<DeskDeps, 'catalogue' | 'units'>, ticket: Ticket): TicketSummary {
  const { id, number, state, type, nature, urgency, description, address, unitId, openedAt, dueAt, hops, reopened, media } = ticket;
  return {
    id, number, status: state.status, type, typeName: typeName(deps.catalogue, type), nature, urgency, description, address: address.text, unitId,
    unitName: unitName(deps, unitId), openedAt, dueAt, actBy: 'acceptBy' in state ? state.acceptBy : 'decideBy' in state ? state.decideBy : null,
    hops, reopened, pictures: media.length,
  };
}

async function timelineLine(deps: DeskDeps, entry: HistoryEntry, nameOf: ReturnType<typeof peopleOf>, readsWords: boolean): Promise<TimelineLine> {
  const { seq, at, kind, actor, open } = entry;
  const who = actor.role === 'operator' ? await nameOf(actor.userId) : actor.role === 'unit' ? unitName(deps, actor.unitId) : null;
  const named = open['to'] ?? open['units'] ?? (kind === 'ticket_overdue' ? open['unit'] : null);
  const to = typeof named === 'string' ? named.split(' ').map((id) => unitName(deps, id as UnitId)).join('、') : null;
  return { seq, at, kind, role: actor.role, who, text: wordsOf(entry, readsWords), unitName: to, pictures: Number(open['pictures'] ?? 0), changes: changesOf(deps, entry) };
}

const CITY_SIDE: ReadonlySet<TicketEventKind> = new Set(['ticket_progress', 'ticket_returned', 'ticket_resolved', 'ticket_whistled', 'ticket_task_answered', 'ticket_task_closed', 'ticket_stage_entered']);

/** The words of a step. A resident's own stay sealed from all but those who may read transcripts. */
function wordsOf({ kind, open, sealed }: HistoryEntry, readsWords: boolean): string | null {
  const readable = CITY_SIDE.has(kind) || readsWords ? { ...open, ...sealed } : open;
  for (const key of ['note', 'answer', 'ask', 'reason', 'because', 'comment', 'text']) {
    const words: unknown = readable[key];
    if (typeof words === 'string' && words !== '') return words;
  }
  return null;
}

function changesOf(deps: Pick<DeskDeps, 'catalogue'>, { kind, open }: HistoryEntry): TimelineLine['changes'] {
  if (kind !== 'ticket_corrected') return null;
  const { typeFrom, typeTo, urgencyFrom, urgencyTo, address, description } = open;
  return {
    type: typeof typeFrom === 'string' && typeof typeTo === 'string' ? [typeName(deps.catalogue, typeFrom), typeName(deps.catalogue, typeTo)] : null,
    urgency: typeof urgencyFrom === 'string' && typeof urgencyTo === 'string' ? [urgencyFrom as Urgency, urgencyTo as Urgency] : null,
    address: address === true, description: description === true,
  };
}
