import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Logger, Store } from '../../domain/ports.ts';

export interface AccessTokens {
  /** One that is good for some minutes. @throws AppError `platform.unreachable` */
  get(): Promise<string>;
  /** After the platform refused `refused`: another one, fetched by whoever comes first. @throws AppError `platform.unreachable` */
  renew(refused: string): Promise<string>;
}

/** A small secret that all processes share; sealed at rest. */
export interface SharedSecret {
  read(): Promise<string | null>;
  write(value: string): Promise<void>;
}

export interface FetchedToken { readonly token: string; readonly lifetimeMs: number }

export interface AccessTokenDeps {
  /** Names the account: one lease and one secret for each. */
  readonly name: string;
  /** Asks the platform. `insist`: the one it gives again is already known to be dead. @throws AppError `platform.unreachable` `platform.refused` */
  readonly fetchToken: (insist: boolean) => Promise<FetchedToken>;
  readonly store: Pick<Store, 'takeLease' | 'endLease'>;
  readonly secret: SharedSecret;
  /** This process. */
  readonly owner: string;
  readonly now: () => Instant;
  readonly log: Logger;
}

const Held = z.object({ token: z.string().min(1), refreshAt: z.number(), expiresAt: z.number() });
type Held = z.infer<typeof Held>;

/** New before the old one dies; both work for about 5 minutes, so nobody is caught between them. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** Ours is looked at again so often: another process may have renewed it. */
const TRUST_MS = 30_000;
const LEASE_MS = 20_000;
const LOOK_EVERY_MS = 100;
const GIVE_UP_MS = 15_000;

/**
 * One refresher across all processes: the token stands in the database, sealed; whoever finds it old takes the lease and asks the platform,
 * everybody else goes on with the old one or waits for what that one writes.
 */
export function buildAccessTokens(deps: AccessTokenDeps): AccessTokens {
  let known: { held: Held; lookAt: Instant } | null = null;
  let working: Promise<Held> | null = null;

  const read = async (): Promise<Held | null> => {
    const text = await deps.secret.read();
    const parsed = text === null ? null : Held.safeParse(JSON.parse(text));
    return parsed?.success === true ? parsed.data : null;
  };
  const keep = (held: Held): Held => {
    known = { held, lookAt: deps.now() + TRUST_MS };
    return held;
  };
  const refresh = async (refused: string | null): Promise<Held> => {
    const fetched = await deps.fetchToken(false);
    const { token, lifetimeMs } = refused !== null && fetched.token === refused ? await deps.fetchToken(true) : fetched;
    const now = deps.now();
    const held = { token, expiresAt: now + lifetimeMs, refreshAt: now + Math.max(lifetimeMs / 2, lifetimeMs - REFRESH_BEFORE_MS) };
    await deps.secret.write(JSON.stringify(held));
    deps.log.info({ account: deps.name, expiresInMs: lifetimeMs, because: refused === null ? 'age' : 'refused' }, 'token.refreshed');
    return held;
  };
  /** @param refused null: any token that is not dead will do */
  const lookUntilGood = async (refused: string | null): Promise<Held> => {
    for (const giveUp = Date.now() + GIVE_UP_MS; ;) {
      const held = await read();
      const isGood = held !== null && held.token !== refused;
      if (isGood && held.refreshAt > deps.now()) return held;
      if (await deps.store.takeLease(leaseOf(deps.name), deps.owner, deps.now(), LEASE_MS)) {
        try {
          const again = await read(); // written between our look and our lease
          return again !== null && again.token !== refused && again.refreshAt > deps.now() ? again : await refresh(refused);
        } catch (error) {
          if (isGood && held.expiresAt > deps.now()) return held; // the old one still lives; the next call tries again
          throw error;
        } finally {
          await deps.store.endLease(leaseOf(deps.name), deps.owner);
        }
      }
      if (isGood && held.expiresAt > deps.now()) return held;
      if (Date.now() > giveUp) throw new AppError('platform.unreachable', `no access token for ${deps.name}: whoever renews it gave none within ${GIVE_UP_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  const together = (refused: string | null): Promise<Held> => {
    working ??= lookUntilGood(refused).then(keep).finally(() => { working = null; });
    return working;
  };
  return {
    async get() {
      const now = deps.now();
      if (known && known.lookAt > now && known.held.refreshAt > now) return known.held.token;
      return (await together(null)).token;
    },
    async renew(refused) {
      if (known && known.held.token !== refused) return known.held.token;
      const held = await together(refused);
      return held.token === refused ? (await together(refused)).token : held.token; // joined someone who did not yet know
    },
  };
}

const leaseOf = (name: string): string => `token:${name}`;
