import { MINUTE, SECOND, type Instant, type PlatformClock } from './clock.ts';
import type { Ids } from './ids.ts';

export interface TokenRules {
  /** Default 7200 s. */
  readonly lifetimeMs: number;
  /** How long the token before goes on working. Default 5 min. */
  readonly overlapMs: number;
  /** The same after a forced refresh; the platform promises nothing there. Default 0. */
  readonly forcedOverlapMs: number;
  /** Before its end by this much, a token is not given out again. Default 5 min. */
  readonly renewAheadMs: number;
  /** Characters; the platform asks for room for 512. */
  readonly length: number;
}

export const TOKEN_RULES: TokenRules = { lifetimeMs: 7200 * SECOND, overlapMs: 5 * MINUTE, forcedOverlapMs: 0, renewAheadMs: 5 * MINUTE, length: 512 };

export interface IssuedToken {
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in: number;
}

export type TokenState = 'good' | 'unknown' | 'expired' | 'replaced';

interface Issued {
  readonly token: string;
  readonly expiresAt: Instant;
  /** Set once a newer one was issued. */
  readonly replacedAt?: Instant;
}

/** The tokens of one line: the old call, the stable call and WeCom each have a line of their own. */
export class TokenBook {
  readonly #clock: PlatformClock;
  readonly #ids: Ids;
  readonly #rules: TokenRules;
  #issued: Issued[] = [];

  constructor(clock: PlatformClock, ids: Ids, rules: TokenRules) {
    this.#clock = clock;
    this.#ids = ids;
    this.#rules = rules;
  }

  /** A new token; the one before works on for `overlapMs`. */
  issue(overlapMs = this.#rules.overlapMs): IssuedToken {
    const now = this.#clock.now();
    const token = this.#ids.word(this.#rules.length);
    const replaced = this.#issued.map((each) => (each.replacedAt === undefined ? { ...each, replacedAt: now + overlapMs } : each));
    this.#issued = [...replaced, { token, expiresAt: now + this.#rules.lifetimeMs }];
    return { access_token: token, expires_in: this.#rules.lifetimeMs / SECOND };
  }

  /** The present token while it has time left, else a new one; `force` always makes a new one. */
  stable(force: boolean): IssuedToken {
    if (force) return this.issue(this.#rules.forcedOverlapMs);
    const present = this.#issued.at(-1);
    const left = (present?.expiresAt ?? 0) - this.#clock.now();
    if (present === undefined || left <= this.#rules.renewAheadMs) return this.issue();
    return { access_token: present.token, expires_in: Math.floor(left / SECOND) };
  }

  state(token: string): TokenState {
    const found = this.#issued.find((each) => each.token === token);
    if (found === undefined) return 'unknown';
    if (found.expiresAt <= this.#clock.now()) return 'expired';
    return found.replacedAt !== undefined && found.replacedAt <= this.#clock.now() ? 'replaced' : 'good';
  }

  /** Every token runs out now (42001). */
  expireAll(): void {
    this.#issued = this.#issued.map((each) => ({ ...each, expiresAt: this.#clock.now() }));
  }

  /** Every token is worth nothing now (40001, WeCom 40014), as when somebody else refreshed. */
  revokeAll(): void {
    this.#issued = [];
  }
}
