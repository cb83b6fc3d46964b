import { coarse } from '../domain/coarse-time.ts';
import type { User } from '../domain/desk.ts';
import { INVESTIGATORS } from '../domain/directory.ts';
import type { HistoryEntry, Ticket, TicketPrivate } from '../domain/ticket.ts';
import type { DeskDeps } from './deps.ts';
import { reach } from './permissions.ts';

/**
 * What a unit may be shown of a 举报: a type of its own, so that what is not in it cannot be shown by mistake. None of the reporter's words,
 * no contact, no conversation, nothing of the place but the district, no pictures, no time finer than the day. What the unit has to look
 * into, the person who dispatches writes into the reason.
 */
export interface HiddenReport extends Pick<Ticket, 'id' | 'number' | 'version' | 'state' | 'type' | 'nature' | 'urgency' | 'unitId' | 'hops' | 'reopened' | 'openedAt' | 'dueAt' | 'work'> {
  readonly district: string | null;
  readonly taskAnswers: TicketPrivate['taskAnswers'];
}

/** Whoever sees only the own unit's tickets reads a 举报 as `HiddenReport`, for the unit may be the one accused; an investigator reads the matter, and never the reporter. */
export function readsHidden({ units }: Pick<DeskDeps, 'units'>, user: User, ticket: Pick<Ticket, 'nature'>): boolean {
  if (ticket.nature !== 'misconduct_report' || reach(user, 'ticket.read') === 'all') return false;
  return user.unitId === null || !INVESTIGATORS.has(units.get(user.unitId)?.kind ?? '');
}

export function hiddenReport(ticket: Ticket): HiddenReport {
  const { id, number, version, state, type, nature, urgency, unitId, hops, reopened, address, openedAt, dueAt, work, secret } = ticket;
  const said: Ticket['state'] = state.status === 'archived' ? { ...state, outcome: { kind: 'unreached' } } : state;
  return coarse({ id, number, version, state: said, type, nature, urgency, unitId, hops, reopened, openedAt, dueAt, work, district: address.place?.district ?? null, taskAnswers: secret?.taskAnswers });
}

/** The same as a ticket again, for the one builder of views: everything the projection lacks is empty. */
export function asTicket({ district, taskAnswers, ...rest }: HiddenReport): Ticket {
  return {
    ...rest, description: '', address: { text: '', place: district === null ? null : { district, street: null, community: null }, label: '', location: null },
    media: [], openedBy: 'bot', candidates: [], disposition: 'accept', versions: { model: '', directory: '' },
    secret: taskAnswers === undefined ? null : { words: [], address: '', contact: null, taskAnswers },
    conversationId: '' as Ticket['conversationId'], residentId: '' as Ticket['residentId'],
  };
}

/** Of what the machine wrote only who has it; its reasons name streets. */
const MACHINE_SAYS = ['to', 'unit', 'units', 'waitedFor', 'level'] as const;

/** The steps such a reader sees, numbered anew: the resident's own and corrections are left out, the rest keep their day. */
export function hiddenHistory(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  return history.filter(({ actor, kind }) => actor.role !== 'resident' && kind !== 'ticket_corrected').map((entry, index) => {
    const byPerson = entry.actor.role === 'unit' || (entry.actor.role === 'operator' && entry.kind !== 'ticket_opened');
    const open = byPerson ? entry.open : Object.fromEntries(MACHINE_SAYS.flatMap((name) => (entry.open[name] === undefined ? [] : [[name, entry.open[name]]])));
    return { ...entry, seq: index + 1, at: coarse(entry.at), open: coarse(open), sealed: byPerson ? entry.sealed : null };
  });
}
