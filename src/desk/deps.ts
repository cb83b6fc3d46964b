import type { Catalogue } from '../domain/catalogue.ts';
import type { Routable, Routed, Unit } from '../domain/directory.ts';
import type { ConversationId, Instant, NewId, TaskId, TicketId, UnitId } from '../domain/ids.ts';
import type { Coordination, Queries, Store } from '../domain/ports.ts';
import { TOPICS } from '../domain/ports.ts';
import type { Ticket } from '../domain/ticket.ts';
import type { StagePlan } from '../domain/stages.ts';
import type { Call } from '../domain/ticket-work.ts';
import type { IssueType, PlaceCandidate } from '../domain/understanding.ts';
import type { ApplyTicketCommand, DueAt, Interpret, NextTicketNumber, OpenTicket } from '../domain/use-cases.ts';

/** What the desk needs of the other rooms; `app.ts` fills it. */
export interface DeskDeps {
  readonly store: Store;
  readonly coordination: Coordination;
  readonly now: () => Instant;
  readonly newId: NewId;
  readonly catalogue: Catalogue;
  readonly units: ReadonlyMap<UnitId, Unit>;
  /** The version in force now. */
  readonly directoryVersion: () => string;
  readonly route: (routable: Routable) => Routed;
  readonly placeSearch: (text: string) => readonly PlaceCandidate[];
  readonly applyTicketCommand: ApplyTicketCommand;
  readonly openTicket: OpenTicket;
  readonly nextTicketNumber: NextTicketNumber;
  readonly interpret: Interpret;
  /** Takes phone, ID, names and door out of what will stand in clear. */
  readonly redact: (text: string) => string;
  /** Deadline of a class, counted from the opening. */
  readonly dueAt: DueAt;
  /** By when a unit must accept what is dispatched to it now. */
  readonly acceptBy: (ticket: Pick<Ticket, 'dueAt'>, now: Instant) => Instant;
  /** By when a dispatcher must decide on what a unit returns now. */
  readonly decideBy: (ticket: Pick<Ticket, 'dueAt'>, now: Instant) => Instant;
  /** Until when a unit may object to what is dispatched to it now. */
  readonly objectBy: (ticket: Pick<Ticket, 'dueAt'>, now: Instant) => Instant;
  /** What a unit that is called now must do, and by when. */
  readonly callOf: (ticket: Pick<Ticket, 'dueAt'>, call: { readonly id: TaskId; readonly unit: UnitId; readonly ask: string }, now: Instant) => Call;
  /** The legal stages of a long matter of this type; null: it has none. */
  readonly stagesOf: (type: IssueType) => StagePlan | null;
  /** By when a person must take a conversation that starts to wait now. */
  readonly waitingUntil: DueAt;
}

/** What others must hear of once the transaction has committed. */
export interface Announcement {
  readonly conversationId?: ConversationId;
  readonly ticketId?: TicketId;
}

/** Wakes whoever waits for what has just been committed; losing a wake-up costs only time. */
export function announce({ coordination }: Pick<DeskDeps, 'coordination'>, what: Announcement): void {
  if (what.conversationId !== undefined) coordination.publish(`${TOPICS.conversation}:${what.conversationId}`, what.conversationId);
  coordination.publish(TOPICS.desk, JSON.stringify(what));
  coordination.publish(TOPICS.outbox, '');
  coordination.publish(TOPICS.jobs, '');
}

/** One write of the desk: all of it or nothing, and the news of it only when it stands. */
export async function write<T>(deps: DeskDeps, what: Announcement, work: (tx: Queries) => Promise<T>): Promise<T> {
  const result = await deps.store.transaction(work);
  announce(deps, what);
  return result;
}
