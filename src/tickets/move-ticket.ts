import type { Instant } from '../domain/ids.ts';
import { isOpen, NEXT, type Actor, type Ticket, type TicketCommand, type TicketEvent, type TicketEventKind, type TicketState } from '../domain/ticket.ts';

export type Moved =
  | { readonly ok: true; readonly ticket: Ticket; readonly events: readonly TicketEvent[] }
  | { readonly ok: false; readonly code: 'ticket.wrong_state'; readonly reason: string };

/** The rule of art. 14 by which a ticket goes back to the unit that had it; no row of the directory. */
const FIRST_UNIT = 'first_unit';

/** History holds plain values: ids in one string, apart by spaces; none = no key. */
const idList = (key: string, ids: readonly string[] = []): TicketEvent['open'] => (ids.length === 0 ? {} : { [key]: ids.join(' ') });

/**
 * What a command makes of a ticket: the next ticket (version + 1) and the lines of history it leaves, or why not.
 * Pure; the table of allowed moves is `NEXT`.
 */
export function moveTicket(ticket: Ticket, command: TicketCommand, actor: Actor, now: Instant): Moved {
  const { state } = ticket;
  const event = (kind: TicketEventKind, open: TicketEvent['open'] = {}, sealed: TicketEvent['sealed'] = null): TicketEvent => ({ kind, ticketId: ticket.id, at: now, actor, open, sealed });
  const refused = (reason: string): Moved => ({ ok: false, code: 'ticket.wrong_state', reason });
  const stay = (changes: Partial<Ticket>, ...events: TicketEvent[]): Moved => ({ ok: true, ticket: { ...ticket, ...changes, version: ticket.version + 1 }, events });
  const go = (next: TicketState, changes: Partial<Ticket>, ...events: TicketEvent[]): Moved =>
    NEXT[state.status].includes(next.status) ? stay({ ...changes, state: next }, ...events) : refused(`a ticket that is ${state.status} cannot become ${next.status}`);
  const holder = 'by' in state ? state.by : state.status === 'dispatched' ? state.to : null;
  const heldByActor = actor.role !== 'unit' || actor.unitId === holder;
  const needsHolder = (move: () => Moved): Moved => (holder !== null && heldByActor ? move() : refused('only the unit that holds the ticket may do this'));

  switch (command.do) {
    case 'dispatch':
      return go(
        { status: 'dispatched', to: command.to, acceptBy: command.acceptBy },
        { unitId: command.to, hops: ticket.hops + (ticket.unitId === command.to ? 0 : 1), versions: { ...ticket.versions, directory: command.directoryVersion }, ...command.clock },
        event('ticket_dispatched', {
          to: command.to, rule: command.rule, because: command.because, directory: command.directoryVersion, acceptBy: command.acceptBy,
          ...(command.way && { way: command.way }), ...idList('co', command.co), ...idList('copies', command.copies),
          ...(command.clock && { urgencyFrom: ticket.urgency, urgencyTo: command.clock.urgency, dueAt: command.clock.dueAt }),
        }),
      );
    case 'leave_unrouted':
      return go({ status: 'unrouted', because: command.because, decideBy: command.decideBy }, {}, event('ticket_unrouted', {
        because: command.because, ...(command.directoryVersion !== undefined && { directory: command.directoryVersion }), ...(command.why && { why: command.why }),
        ...(command.rule && { rule: command.rule }), ...idList('rivals', command.rivals),
      }));
    case 'accept':
      return needsHolder(() => (holder === null ? refused('nobody holds it') : go({ status: 'accepted', by: holder }, {}, event('ticket_accepted', { unit: holder }))));
    case 'progress':
      if (state.status !== 'accepted' && state.status !== 'in_progress') return refused('only an accepted ticket has progress');
      return needsHolder(() => go({ status: 'in_progress', by: state.by }, { media: [...ticket.media, ...(command.media ?? [])] }, event('ticket_progress', { unit: state.by, pictures: command.media?.length ?? 0 }, { note: command.note })));
    case 'return':
      return needsHolder(() => (holder === null ? refused('nobody holds it')
        : go({ status: 'returned', by: holder, decideBy: command.decideBy }, {}, event('ticket_returned', { unit: holder }, { reason: command.reason }))));
    case 'resolve':
      return needsHolder(() => (holder === null ? refused('nobody holds it')
        : go({ status: 'resolved', by: holder, resolvedAt: now }, {}, event('ticket_resolved', { unit: holder, late: now > ticket.dueAt }, { answer: command.answer }))));
    case 'ask_follow_up':
      if (state.status === 'following_up') return stay({}); // asked already: the same question twice would be a nuisance
      if (state.status !== 'resolved') return refused('only a resolved ticket is followed up');
      return go({ status: 'following_up', by: state.by, askedAt: now, giveUpAt: command.giveUpAt }, {}, event('ticket_follow_up_asked', { giveUpAt: command.giveUpAt }));
    case 'answer_follow_up': {
      if (state.status !== 'following_up') return refused('no follow-up is open');
      const { contacted, solved, satisfied, comment } = command.answers;
      const answered = event('ticket_follow_up_answered', { contacted, solved, satisfied }, comment === undefined ? null : { comment });
      if (solved !== false) {
        return go({ status: 'archived', outcome: { kind: 'answered', answers: command.answers }, by: state.by }, {}, answered, event('ticket_archived', { outcome: 'answered' }));
      }
      // Not solved: back to the same unit (首接负责), the clock starts anew and the count is shown.
      return go(
        { status: 'dispatched', to: state.by, acceptBy: command.acceptBy }, { dueAt: command.dueAt, reopened: ticket.reopened + 1 },
        answered, event('ticket_reopened', {
          to: state.by, dueAt: command.dueAt, times: ticket.reopened + 1,
          rule: FIRST_UNIT, because: '居民反映没有解决，按首接负责退回原承办单位', directory: ticket.versions.directory,
        }),
      );
    }
    case 'give_up_follow_up':
      if (state.status !== 'following_up') return refused('no follow-up is open');
      return go({ status: 'archived', outcome: { kind: 'unreached' }, by: state.by }, {}, event('ticket_archived', { outcome: 'unreached' }));
    case 'withdraw':
      return go({ status: 'withdrawn' }, {}, event('ticket_withdrawn', {}, { reason: command.reason }));
    case 'supplement': {
      if (!isOpen(state.status)) return refused('the ticket is closed');
      const secret = ticket.secret === null ? null : { ...ticket.secret, words: [...ticket.secret.words, command.text] };
      return stay(
        { secret, media: [...ticket.media, ...(command.media ?? [])], description: command.redacted === '' ? ticket.description : `${ticket.description}\n补充：${command.redacted}` },
        event('ticket_supplemented', { pictures: command.media?.length ?? 0 }, { text: command.text }),
      );
    }
    case 'correct': {
      if (!isOpen(state.status)) return refused('the ticket is closed');
      const { changes } = command;
      const { addressPrivate, ...plain } = changes;
      const secret = addressPrivate === undefined || ticket.secret === null ? ticket.secret : { ...ticket.secret, address: addressPrivate };
      const open = {
        ...(changes.type === undefined ? {} : { typeFrom: ticket.type, typeTo: changes.type }),
        ...(changes.urgency === undefined ? {} : { urgencyFrom: ticket.urgency, urgencyTo: changes.urgency }),
        address: changes.address !== undefined, description: changes.description !== undefined,
      };
      return stay({ ...plain, secret }, event('ticket_corrected', open, { changes }));
    }
    case 'mark_overdue':
      if (!isOpen(state.status)) return refused('the ticket is closed');
      return stay({}, event('ticket_overdue', { waitedFor: command.waitedFor }));
    default:
      return command satisfies never;
  }
}
