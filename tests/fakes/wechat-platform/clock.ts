/** Milliseconds since the epoch, on the platform's clock. */
export type Instant = number;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

interface Sleeper {
  readonly at: Instant;
  readonly order: number;
  readonly wake: () => void;
}

/** Lets promises that are ready run on, those behind `app.inject` included; no time passes. */
const breathe = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/**
 * The platform's time. Without `wall` it stands still until `advance`; with `wall` (the simulator on a desk) it also runs by itself,
 * and `advance` moves it ahead of the wall.
 */
export class PlatformClock {
  readonly #wall: (() => Instant) | undefined;
  #ahead: number;
  #order = 0;
  #sleepers: Sleeper[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly start?: Instant; readonly wall?: () => Instant } = {}) {
    this.#wall = options.wall;
    this.#ahead = options.wall === undefined ? (options.start ?? Date.UTC(2026, 9, 12, 1)) : 0;
  }

  now(): Instant {
    return (this.#wall?.() ?? 0) + this.#ahead;
  }

  /** How many milliseconds `advance` has moved a running clock ahead of the wall. */
  get ahead(): number {
    return this.#wall === undefined ? 0 : this.#ahead;
  }

  /** When the next sleeper wakes; undefined if nobody sleeps. */
  get next(): Instant | undefined {
    return this.#sleepers[0]?.at;
  }

  /** Resolves when `ms` have passed; a sleeper that is called off (`signal`) never wakes. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper: Sleeper = { at: this.now() + ms, order: this.#order++, wake: resolve };
      this.#sleepers.push(sleeper);
      this.#sleepers.sort((a, b) => a.at - b.at || a.order - b.order);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        this.#arm();
      }, { once: true });
      this.#arm();
    });
  }

  /** Moves time forward; everybody who is due on the way wakes at their moment, in order. */
  async advance(ms: number): Promise<void> {
    await breathe();
    const until = this.now() + ms;
    for (let next = this.#sleepers[0]; next !== undefined && next.at <= until; next = this.#sleepers[0]) {
      this.#ahead += Math.max(0, next.at - this.now());
      this.#wakeDue();
      await breathe();
    }
    this.#ahead += Math.max(0, until - this.now());
    this.#arm();
    await breathe();
  }

  /** Leaves no timer behind; sleepers never wake. */
  close(): void {
    clearTimeout(this.#timer);
    this.#sleepers = [];
  }

  #wakeDue(): void {
    const now = this.now();
    const due = this.#sleepers.filter(({ at }) => at <= now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > now);
    for (const { wake } of due) wake();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#sleepers[0];
    if (this.#wall === undefined || next === undefined) return;
    this.#timer = setTimeout(() => {
      this.#wakeDue();
      this.#arm();
    }, Math.max(0, next.at - this.now()));
  }
}
