import type { Callbacks } from './callbacks.ts';
import type { Instant, PlatformClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Ids } from './ids.ts';

/** What both channels of one platform share. */
export interface Parts {
  readonly clock: PlatformClock;
  /** The time written into callbacks. The clock's, except where a running clock was moved ahead of the wall. */
  readonly wireNow: () => Instant;
  readonly ids: Ids;
  readonly faults: Faults;
  /** Where the platform's API is reached; pictures hang below it. */
  readonly baseUrl: string;
}

export interface ChannelParts extends Parts {
  readonly callbacks: Callbacks;
}

/** Seconds, as every timestamp on the wire. */
export const wireSeconds = (parts: Parts): number => Math.floor(parts.wireNow() / 1000);

/** What one GET verification of a callback address showed. */
export interface Verification {
  readonly ok: boolean;
  readonly why: string;
}
