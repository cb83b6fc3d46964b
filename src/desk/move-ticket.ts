import type { User } from '../domain/desk.ts';
import { COMMUNITY } from '../domain/directory.ts';
import { AppError } from '../domain/errors.ts';
import type { MediaId, TicketId, UnitId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { Actor, Ticket, TicketAddress, TicketCommand, TicketCorrection } from '../domain/ticket.ts';
import type { IssueType, Nature, Urgency } from '../domain/understanding.ts';
import { announce, type DeskDeps } from './deps.ts';
import { checkType } from './correct-draft.ts';
import { mayOn, type Action } from './permissions.ts';

/** An answer that closes a ticket must say what was done; so many characters are the least that can. */
export const ANSWER_MIN = 10;

export const acceptTicket = (deps: DeskDeps, user: User, id: TicketId) => asUnit(deps, user, id, 'ticket.accept', () => ({ do: 'accept' }));

export const noteProgress = (deps: DeskDeps, user: User, id: TicketId, progress: { readonly note: string; readonly media: readonly MediaId[] }) =>
  asUnit(deps, user, id, 'ticket.progress', () => ({ do: 'progress', note: words(progress.note, 2), ...(progress.media.length > 0 && { media: progress.media }) }));

/** 退单: the unit says why it is not its matter; a dispatcher decides by `decideBy`. */
export const returnTicket = (deps: DeskDeps, user: User, id: TicketId, { reason, suggests, media }: { readonly reason: string; readonly suggests?: UnitId | undefined; readonly media: readonly MediaId[] }) =>
  asUnit(deps, user, id, 'ticket.return', (ticket) => {
    if (suggests !== undefined && !deps.units.has(suggests)) throw new AppError('unit.unknown', `the directory has no unit ${suggests}`);
    return { do: 'return', reason: words(reason, 4), decideBy: deps.decideBy(ticket, deps.now()), media, ...(suggests !== undefined && { suggests }) };
  });

export const resolveTicket = (deps: DeskDeps, user: User, id: TicketId, answer: string) =>
  asUnit(deps, user, id, 'ticket.resolve', () => ({ do: 'resolve', answer: words(answer, ANSWER_MIN) }));

/** 人工派单: a dispatcher sends a ticket to a unit and says why; the reason stands in the history. @throws AppError `unit.unknown` */
export async function dispatchByHand(deps: DeskDeps, user: User, id: TicketId, order: { readonly to: UnitId; readonly because: string }): Promise<Ticket> {
  if (!deps.units.has(order.to)) throw new AppError('unit.unknown', `the directory has no unit ${order.to}`);
  if (deps.units.get(order.to)?.kind === COMMUNITY) throw new AppError('message.invalid', 'a community (社区/居委会) is called to a matter, it does not lead one (art. 17)');
  return move(deps, user, id, 'ticket.dispatch', { role: 'operator', userId: user.id }, (ticket) => ({
    do: 'dispatch', to: order.to, rule: 'by_hand', because: words(order.because, 2), directoryVersion: deps.directoryVersion(),
    acceptBy: deps.acceptBy(ticket, deps.now()), objectBy: deps.objectBy(ticket, deps.now()),
  }));
}

export interface TicketChanges {
  readonly type?: IssueType | undefined;
  readonly nature?: Nature | undefined;
  readonly urgency?: Urgency | undefined;
  readonly description?: string | undefined;
  readonly address?: TicketAddress | undefined;
}

/** A change of the urgency moves the deadline, counted from the opening. What the model had thought is kept as a training example. */
export async function correctTicket(deps: DeskDeps, user: User, id: TicketId, changes: TicketChanges): Promise<Ticket> {
  checkType(deps, changes.type);
  return move(deps, user, id, 'ticket.correct', { role: 'operator', userId: user.id },
    (ticket) => ({ do: 'correct', changes: changedOnly(deps, ticket, changes) }),
    async (tx, before, { command }) => {
      if (command.do !== 'correct' || before.secret === null) return;
      await tx.insertCorrection({
        conversationId: before.conversationId, ticketId: id, userId: user.id, at: deps.now(), words: before.secret.words,
        before: valuesBefore(before, command.changes), after: command.changes, modelVersion: before.versions.model,
      });
    });
}

function changedOnly(deps: DeskDeps, ticket: Ticket, changes: TicketChanges): TicketCorrection {
  const { type, nature, urgency, description, address } = changes;
  const changed: TicketCorrection = {
    ...(type !== undefined && type !== ticket.type && { type }),
    ...(nature !== undefined && nature !== ticket.nature && { nature }),
    ...(urgency !== undefined && urgency !== ticket.urgency && { urgency, dueAt: deps.dueAt(urgency, ticket.openedAt) }),
    ...(description !== undefined && description.trim() !== ticket.description && { description: deps.redact(words(description, 2)) }),
    ...(address !== undefined && { address: { ...address, text: deps.redact(address.text) }, addressPrivate: address.text }),
  };
  if (Object.keys(changed).length === 0) throw new AppError('message.invalid', 'nothing is different from what the ticket says');
  return changed;
}

function valuesBefore(ticket: Ticket, changes: TicketCorrection): TicketCorrection {
  const names = Object.keys(changes).filter((name) => name in ticket) as (keyof TicketCorrection & keyof Ticket)[];
  return Object.fromEntries(names.map((name) => [name, ticket[name]]));
}

export function words(text: string, atLeast: number): string {
  const said = text.trim();
  if ([...said].length < atLeast) throw new AppError('message.invalid', `say it in at least ${atLeast} characters`);
  return said;
}

export async function asUnit(deps: DeskDeps, user: User, id: TicketId, action: Action, command: (ticket: Ticket) => TicketCommand): Promise<Ticket> {
  const { unitId } = user;
  if (unitId === null) throw new AppError('auth.forbidden', 'only a unit’s handler does this');
  return move(deps, user, id, action, { role: 'unit', unitId, userId: user.id }, command);
}

type After = (tx: Queries, before: Ticket, done: { readonly command: TicketCommand; readonly ticket: Ticket }) => Promise<void>;

/** Locks, checks once more under the lock that the ticket is still this user's, and lets the state table judge. */
export async function move(
  deps: DeskDeps, user: User, id: TicketId, action: Action, actor: Actor, command: (ticket: Ticket) => TicketCommand, after?: After,
): Promise<Ticket> {
  const moved = await deps.store.transaction(async (tx) => {
    const before = await tx.ticket(id, 'lock');
    if (!before || !mayOn(user, action, before)) throw new AppError('ticket.not_found', 'no such ticket');
    const asked = command(before);
    const result = await deps.applyTicketCommand(tx, { ticketId: id, command: asked, actor, now: deps.now() });
    if (!result.ok) throw new AppError(result.code, result.reason);
    await after?.(tx, before, { command: asked, ticket: result.ticket });
    return result.ticket;
  });
  announce(deps, { conversationId: moved.conversationId, ticketId: id });
  return moved;
}
