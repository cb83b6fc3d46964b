import type { Role, User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { UnitId, UserId } from '../domain/ids.ts';
import type { Page, Queries } from '../domain/ports.ts';
import type { DeskDeps } from './deps.ts';
import { unitName } from './names.ts';
import type { PageOf, UserView } from './views.ts';

export const PASSWORD_MIN = 10;
const LOGIN = /^[a-z0-9][a-z0-9._-]{1,31}$/;

export interface NewUser {
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly unitId: UnitId | null;
}

/** A user as the form gives it, or the reason why not. `unitId` is set exactly for role `unit`, which stands alone. */
export function newUser({ units }: Pick<DeskDeps, 'units'>, id: UserId, { login, name, roles, unitId }: NewUser): User {
  const refuse = (why: string) => new AppError('message.invalid', why);
  if (!LOGIN.test(login)) throw refuse('a login is 2–32 of a–z, 0–9, dot, dash, underscore');
  if (name.trim() === '') throw refuse('a name is missing');
  if (roles.length === 0 || (roles.includes('unit') && roles.length > 1)) throw refuse('choose one or more roles; a unit’s handler has that role alone');
  if (roles.includes('unit') !== (unitId !== null)) throw refuse('a unit’s handler, and nobody else, belongs to a unit');
  if (unitId !== null && !units.has(unitId)) throw new AppError('unit.unknown', `the directory has no unit ${unitId}`);
  return { id, login, name: name.trim(), roles: [...new Set(roles)], unitId, disabled: false };
}

/** @throws AppError `user.login_taken` */
export async function addUser(queries: Queries, user: User, passwordHash: string, now: number): Promise<void> {
  if (await queries.userByLogin(user.login)) throw new AppError('user.login_taken', `the login ${user.login} is taken`);
  await queries.insertUser(user, passwordHash, now);
}

export async function listUsers(deps: Pick<DeskDeps, 'store' | 'units'>, page: Page): Promise<PageOf<UserView>> {
  const { items, next } = await deps.store.users(page);
  return { items: items.map((user) => userView(deps, user)), next };
}

export function userView(deps: Pick<DeskDeps, 'units'>, { unitId, ...user }: User): UserView {
  return { ...user, unit: unitId === null ? null : { id: unitId, name: unitName(deps, unitId) ?? unitId } };
}

/** Nobody locks the last door behind himself: one's own account stays. A new password ends the user's sessions. @throws AppError `user.not_found` */
export async function changeUser(
  { store }: Pick<DeskDeps, 'store'>, by: User, id: UserId, change: { readonly disabled?: boolean; readonly passwordHash?: string },
): Promise<void> {
  if (by.id === id && change.disabled === true) throw new AppError('message.invalid', 'you cannot disable your own account');
  if (!(await store.user(id))) throw new AppError('user.not_found', `no user ${id}`);
  await store.updateUser(id, change);
}
