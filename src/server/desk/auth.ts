import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { User } from '../../domain/desk.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant, UserId } from '../../domain/ids.ts';
import type { Coordination, Store } from '../../domain/ports.ts';
import { addUser, newUser, PASSWORD_MIN } from '../../desk/manage-users.ts';
import type { DeskDeps } from '../../desk/deps.ts';

export const SESSION_MS = 12 * 3_600_000;
const FAILURES_ALLOWED = 5;
const LOCK_MS = 15 * 60_000;
/** Argon2id as OWASP's Password Storage Cheat Sheet sets it: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const SETUP = 'desk.setup';

export const newToken = (): string => randomBytes(32).toString('base64url');
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

export function sameToken(token: string, expectedHash: string): boolean {
  const [given, expected] = [Buffer.from(tokenHash(token)), Buffer.from(expectedHash)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** @throws AppError `message.invalid` when it is too short to be a password */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < PASSWORD_MIN) throw new AppError('message.invalid', `a password has at least ${PASSWORD_MIN} characters`);
  return hash(password, ARGON2);
}

/**
 * While nobody administers the desk, each start makes a new one-time link (the one before dies); null once somebody does.
 * Only the token's hash is stored.
 *
 * @returns path and query, e.g. `/desk/setup?token=…`
 */
export async function ensureSetupLink(store: Pick<Store, 'putSetting' | 'users'>): Promise<string | null> {
  if (await hasAdmin(store)) {
    await store.putSetting(SETUP, null);
    return null;
  }
  const token = newToken();
  await store.putSetting(SETUP, tokenHash(token));
  return `/desk/setup?token=${token}`;
}

async function hasAdmin(store: Pick<Store, 'users'>): Promise<boolean> {
  let cursor: string | null = null;
  do {
    const page: { items: readonly User[]; next: string | null } = await store.users({ limit: 200, ...(cursor !== null && { cursor }) });
    if (page.items.some((user) => user.roles.includes('admin') && !user.disabled)) return true;
    cursor = page.next;
  } while (cursor !== null);
  return false;
}

export async function isSetupOpen(store: Pick<Store, 'setting'>, token: string): Promise<boolean> {
  const expected = await store.setting(SETUP);
  return expected !== null && sameToken(token, expected);
}

/**
 * The first account, by the one-time link: administrator, operator and dispatcher at once. Of two who use the link at the
 * same moment one gets it.
 *
 * @throws AppError `auth.link_used`
 */
export async function setUpFirstUser(
  deps: Pick<DeskDeps, 'store' | 'units' | 'now' | 'newId'>, form: { readonly token: string; readonly name: string; readonly login: string; readonly password: string },
): Promise<User> {
  if (!(await isSetupOpen(deps.store, form.token))) throw new AppError('auth.link_used', 'this link was used or replaced; restart Jiban to print a new one');
  const user = newUser(deps, deps.newId() as UserId, { ...form, roles: ['admin', 'operator', 'dispatcher'], unitId: null });
  const passwordHash = await hashPassword(form.password);
  await deps.store.transaction(async (tx) => {
    // The name is free for one transaction only; whoever comes second reads the first one's id.
    const winner = await tx.setting(`${SETUP}.used.${tokenHash(form.token)}`, user.id);
    if (winner !== user.id) throw new AppError('auth.link_used', 'this link has just been used');
    await addUser(tx, user, passwordHash, deps.now());
    await tx.putSetting(SETUP, null);
  });
  return user;
}

/**
 * Five wrong passwords lock an account for a quarter of an hour, the right one included. A login that does not exist costs the
 * same time and gets the same answer.
 *
 * @throws AppError `auth.invalid` `auth.locked` `rate.limited`
 */
export async function signIn(
  deps: { readonly store: Store; readonly coordination: Coordination; readonly now: () => Instant },
  given: { readonly login: string; readonly password: string; readonly address: string },
): Promise<User> {
  const allowed = await deps.coordination.allow(`desk.sign-in:${given.address}`, 60, 60_000)
    && await deps.coordination.allow(`desk.sign-in.login:${tokenHash(given.login)}`, 20, 60_000);
  if (!allowed) throw new AppError('rate.limited', 'too many attempts; wait a minute');
  const found = await deps.store.userByLogin(given.login);
  if (found?.lockedUntil && found.lockedUntil > deps.now()) throw new AppError('auth.locked', 'too many wrong passwords; try again in 15 minutes');
  const right = await verify(found?.passwordHash ?? await decoyHash(), given.password);
  if (found) await countAttempt(deps, given.login, right);
  if (!found || !right || found.disabled) throw new AppError('auth.invalid', 'login or password is wrong');
  const { passwordHash: _, failedLogins: __, lockedUntil: ___, ...user } = found;
  return user;
}

async function countAttempt({ store, now }: { readonly store: Store; readonly now: () => Instant }, login: string, right: boolean): Promise<void> {
  await store.transaction(async (tx) => {
    const user = await tx.userByLogin(login);
    if (!user || (right && user.failedLogins === 0)) return;
    const failed = right ? 0 : user.failedLogins + 1;
    const locks = failed >= FAILURES_ALLOWED;
    await tx.noteLogin(user.id, { failedLogins: locks ? 0 : failed, lockedUntil: locks ? now() + LOCK_MS : null });
  });
}

let decoy: Promise<string> | undefined;
const decoyHash = (): Promise<string> => (decoy ??= hash(newToken(), ARGON2));

/** A new session; the answer is what the cookie carries, the store keeps its hash. */
export async function openSession({ store, now }: Pick<DeskDeps, 'store' | 'now'>, user: User): Promise<string> {
  const token = newToken();
  await store.insertSession(tokenHash(token), user.id, now() + SESSION_MS);
  return token;
}

/** Who holds `<dataDir>/admin.token`: accounts and stuck deliveries, nothing of the residents'. */
export const LOCAL_ADMINISTRATOR: User = {
  id: 'local-administrator' as UserId, login: 'local-administrator', name: '本机管理员', roles: ['admin'], unitId: null, disabled: false,
};
