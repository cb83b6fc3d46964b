import type { Instant, UnitId } from '../domain/ids.ts';
import { NEXT, type Actor, type Ticket, type TicketEvent, type TicketEventKind, type TicketState } from '../domain/ticket.ts';
import type { TicketWork } from '../domain/ticket-work.ts';
import { isOpenTask } from '../domain/ticket-work.ts';

export type Moved =
  | { readonly ok: true; readonly ticket: Ticket; readonly events: readonly TicketEvent[] }
  | { readonly ok: false; readonly code: 'ticket.wrong_state' | 'ticket.too_late'; readonly reason: string };

/** History holds plain values: ids in one string, apart by spaces; none = no key. */
export const idList = (key: string, ids: readonly string[] = []): TicketEvent['open'] => (ids.length === 0 ? {} : { [key]: ids.join(' ') });

/** One ticket about to be moved by one actor: the few verbs every command is made of. Pure. */
export class Mover {
  readonly ticket: Ticket;
  readonly actor: Actor;
  readonly now: Instant;
  constructor(ticket: Ticket, actor: Actor, now: Instant) {
    this.ticket = ticket;
    this.actor = actor;
    this.now = now;
  }

  get work(): TicketWork {
    return this.ticket.work;
  }
  /** The unit in whose hands it is; null while it is with a dispatcher or closed by withdrawal. */
  get holder(): UnitId | null {
    const { state } = this.ticket;
    return 'by' in state ? state.by : state.status === 'dispatched' ? state.to : null;
  }

  event(kind: TicketEventKind, open: TicketEvent['open'] = {}, sealed: TicketEvent['sealed'] = null): TicketEvent {
    return { kind, ticketId: this.ticket.id, at: this.now, actor: this.actor, open, sealed };
  }
  refused(reason: string, code: 'ticket.wrong_state' | 'ticket.too_late' = 'ticket.wrong_state'): Moved {
    return { ok: false, code, reason };
  }
  stay(changes: Partial<Ticket>, ...events: TicketEvent[]): Moved {
    return { ok: true, ticket: { ...this.ticket, ...changes, version: this.ticket.version + 1 }, events };
  }
  go(next: TicketState, changes: Partial<Ticket>, ...events: TicketEvent[]): Moved {
    const { status } = this.ticket.state;
    return NEXT[status].includes(next.status) ? this.stay({ ...changes, state: next }, ...events) : this.refused(`a ticket that is ${status} cannot become ${next.status}`);
  }
  works(changes: Partial<TicketWork>): Pick<Ticket, 'work'> {
    return { work: { ...this.work, ...changes } };
  }

  /** A unit's handler moves only what the unit holds; city staff and the machine may stand in. */
  asHolder(move: (holder: UnitId) => Moved): Moved {
    const { actor, holder } = this;
    if (holder === null) return this.refused('nobody holds it');
    return actor.role !== 'unit' || actor.unitId === holder ? move(holder) : this.refused('only the unit that holds the ticket may do this');
  }

  /** Nothing is waited for any longer: calls are closed, a stopped clock runs again. */
  settled(): Pick<Ticket, 'work' | 'dueAt'> {
    const { work, now } = this;
    const tasks = work.tasks.map((task) => (isOpenTask(task) ? { ...task, end: { how: 'closed' as const, at: now } } : task));
    return { work: { ...work, tasks, timeAsked: null, pause: null }, dueAt: this.dueWithoutPause() };
  }
  /** A pause moved the deadline by its whole length; what of it was not used is given back. */
  dueWithoutPause(): Instant {
    const { pause } = this.work;
    return pause === null ? this.ticket.dueAt : this.ticket.dueAt - Math.max(0, pause.until - this.now);
  }
}
