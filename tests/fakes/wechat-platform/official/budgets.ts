import { HOUR, MINUTE, type Instant } from '../clock.ts';

/** What a person can do that lets the account write to them. */
export type UserAction = 'message' | 'click' | 'follow' | 'scan';

export interface Grant {
  readonly count: number;
  readonly windowMs: number;
}

/**
 * As a third-party page quotes the announcement of June 2023; older pages say 20 per message.
 */
export const GRANTS: Readonly<Record<UserAction, Grant>> = {
  message: { count: 5, windowMs: 48 * HOUR },
  click: { count: 3, windowMs: MINUTE },
  follow: { count: 3, windowMs: MINUTE },
  scan: { count: 3, windowMs: MINUTE },
};

interface OpenGrant {
  readonly action: UserAction;
  readonly until: Instant;
  left: number;
}

/** The customer-service messages the account may still send to one person. */
export class Budget {
  readonly #grants: Readonly<Record<UserAction, Grant>>;
  readonly #adds: boolean;
  #open: OpenGrant[] = [];

  /** @param adds a new action of a kind adds to what is left of the last one (true) or replaces it (false; the sources do not say) */
  constructor(grants: Readonly<Record<UserAction, Grant>>, adds: boolean) {
    this.#grants = grants;
    this.#adds = adds;
  }

  act(action: UserAction, now: Instant): void {
    const { count, windowMs } = this.#grants[action];
    const kept = this.#open.filter((each) => each.until > now && (this.#adds || each.action !== action));
    this.#open = [...kept, { action, until: now + windowMs, left: count }];
  }

  /** Takes one message from the grant that ends first. */
  take(now: Instant): 'taken' | 'window_over' | 'count_over' {
    const standing = this.#standing(now);
    if (standing.length === 0) return 'window_over';
    const usable = standing.find(({ left }) => left > 0);
    if (usable === undefined) return 'count_over';
    usable.left -= 1;
    return 'taken';
  }

  /** How many are left, and until when the last grant stands (0: none does). */
  state(now: Instant): { readonly left: number; readonly until: Instant } {
    const standing = this.#standing(now);
    return { left: standing.reduce((sum, { left }) => sum + left, 0), until: standing.at(-1)?.until ?? 0 };
  }

  close(): void {
    this.#open = [];
  }

  #standing(now: Instant): OpenGrant[] {
    return this.#open.filter(({ until }) => until > now).sort((a, b) => a.until - b.until);
  }
}
