import type { Role, User } from '../domain/desk.ts';
import type { UnitId } from '../domain/ids.ts';
import { unitRoles, type Ticket } from '../domain/ticket.ts';
import { isOpenTask, type UnitRole } from '../domain/ticket-work.ts';

/** How far a role's right reaches: everywhere, to its own unit's tickets, or not at all. */
export type Reach = 'all' | 'own' | 'none';

/**
 * Who may do what: role × action × own unit or other. The server enforces it, and a test walks through every cell over HTTP.
 * An administrator keeps accounts and stuck deliveries; residents' words are the operators' business only.
 */
export const PERMISSIONS = {
  'feed.read':          { admin: 'all',  operator: 'all',  dispatcher: 'all',  unit: 'all' },
  'queue.read':         { admin: 'none', operator: 'all',  dispatcher: 'none', unit: 'none' },
  'conversation.read':  { admin: 'none', operator: 'all',  dispatcher: 'none', unit: 'none' },
  'conversation.serve': { admin: 'none', operator: 'all',  dispatcher: 'none', unit: 'none' },
  'place.search':       { admin: 'none', operator: 'all',  dispatcher: 'all',  unit: 'none' },
  'ticket.list':        { admin: 'none', operator: 'all',  dispatcher: 'all',  unit: 'own' },
  'ticket.read':        { admin: 'none', operator: 'all',  dispatcher: 'all',  unit: 'own' },
  'ticket.read_reporter': { admin: 'none', operator: 'all', dispatcher: 'none', unit: 'own' },
  'ticket.read_words':  { admin: 'none', operator: 'all',  dispatcher: 'none', unit: 'none' },
  'ticket.accept':      { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.progress':    { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.return':      { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.resolve':     { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.correct':     { admin: 'none', operator: 'all',  dispatcher: 'all',  unit: 'none' },
  'ticket.whistle':     { admin: 'none', operator: 'none', dispatcher: 'all',  unit: 'own' },
  'ticket.answer_task': { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.ask_time':    { admin: 'none', operator: 'none', dispatcher: 'none', unit: 'own' },
  'ticket.stage':       { admin: 'none', operator: 'none', dispatcher: 'all',  unit: 'own' },
  'ticket.decide':      { admin: 'none', operator: 'none', dispatcher: 'all',  unit: 'none' },
  'ticket.dispatch':    { admin: 'none', operator: 'none', dispatcher: 'all',  unit: 'none' },
  'directory.edit':     { admin: 'none', operator: 'none', dispatcher: 'all',  unit: 'none' },
  'user.manage':        { admin: 'all',  operator: 'none', dispatcher: 'none', unit: 'none' },
  'dead.manage':        { admin: 'all',  operator: 'none', dispatcher: 'none', unit: 'none' },
} as const satisfies Record<string, Record<Role, Reach>>;

export type Action = keyof typeof PERMISSIONS;
export const ACTIONS = Object.keys(PERMISSIONS) as readonly Action[];

/** The furthest that any of a user's roles reaches. */
export function reach(user: User, action: Action): Reach {
  if (user.disabled) return 'none';
  const reaches = user.roles.map((role): Reach => PERMISSIONS[action][role]);
  if (reaches.includes('all')) return 'all';
  return reaches.includes('own') && user.unitId !== null ? 'own' : 'none';
}

/** `holder`: the unit that holds what is acted upon; leave it out where nothing belongs to a unit. */
export function may(user: User, action: Action, holder: UnitId | null = null): boolean {
  const far = reach(user, action);
  return far === 'all' || (far === 'own' && holder !== null && holder === user.unitId);
}

/** What a unit must be to a ticket to do this; the lead where nothing else is said. */
const AS: Partial<Record<Action, readonly UnitRole[]>> = { 'ticket.read': ['lead', 'called', 'copied', 'overseer'], 'ticket.answer_task': ['called'] };

/** As `may`, for one ticket: a unit reaches those it is something to, and moves those it leads. */
export function mayOn(user: User, action: Action, ticket: Pick<Ticket, 'state' | 'unitId' | 'work' | 'dueAt'>): boolean {
  const far = reach(user, action);
  if (far !== 'own') return far === 'all';
  return unitRoles(ticket).some(({ unit, role }) => unit === user.unitId && (AS[action] ?? ['lead']).includes(role));
}

/** Whoever was asked to come to the door (送水上门), at the resident's own wish, must know which one. */
const looksAfter = (user: User, { work }: Pick<Ticket, 'work'>): boolean =>
  !user.disabled && user.unitId !== null && work.tasks.some((task) => task.kind === 'care' && task.unit === user.unitId && isOpenTask(task));

/** A report of misconduct may be about the very unit that reads it: it never learns who wrote. */
export function mayReadReporter(user: User, ticket: Pick<Ticket, 'nature' | 'unitId' | 'work'>): boolean {
  if (!may(user, 'ticket.read_reporter', ticket.unitId) && !looksAfter(user, ticket)) return false;
  return ticket.nature !== 'misconduct_report' || reach(user, 'ticket.read_reporter') === 'all';
}
