import type { Instant } from '../../domain/ids.ts';
import type { InboundMessage } from '../../domain/message.ts';
import { TOPICS, type ClaimedAnswer, type Coordination, type Store } from '../../domain/ports.ts';

export interface AnswerDeskDeps {
  readonly store: Pick<Store, 'claimAnswer' | 'endAnswer'>;
  readonly coordination: Pick<Coordination, 'subscribe'>;
  readonly now: () => Instant;
  /** How long a callback waits for its answer; the platform gives it 5 s in all. */
  readonly waitMs: number;
  /** Of this process. Whoever comes beyond it is acknowledged at once and answered by customer-service message. */
  readonly mostWaiting: number;
}

type Waited = Pick<InboundMessage, 'channel' | 'messageId' | 'conversationId'>;
export interface Place {
  readonly until: Instant;
  leave(): void;
}

/** After so many waits in vain only one at a time tries, until one is answered: a stalled model must not hold the callbacks. */
const TIRED_AFTER = 3;
/** When the oldest has stood here so long, the line does not grow. */
const SLOW_MS = 1_000;
const LOOK_EVERY_MS = 300;
/** Longer than the platform's three tries of 5 s: until then nobody else sends what this message's answer holds. */
const LEASE_MS = 20_000;
const MOST_REPLIES = 10;

/** Where callbacks wait for what the turn says. */
export class AnswerDesk {
  readonly #deps: AnswerDeskDeps;
  readonly #places = new Set<{ since: Instant }>();
  #inVain = 0;
  constructor(deps: AnswerDeskDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#places.size;
  }

  /** @returns null: no room, or waiting has been in vain of late */
  admit(): Place | null {
    const now = this.#deps.now();
    const [oldest] = this.#places;
    const most = this.#inVain >= TIRED_AFTER || (oldest && now - oldest.since > SLOW_MS) ? 1 : this.#deps.mostWaiting;
    if (this.#deps.waitMs === 0 || this.#places.size >= most) return null;
    const place = { since: now };
    this.#places.add(place);
    return { until: now + this.#deps.waitMs, leave: () => void this.#places.delete(place) };
  }

  claim(message: Waited): Promise<ClaimedAnswer> {
    return this.#deps.store.claimAnswer(message, { now: this.#deps.now(), leaseMs: LEASE_MS, limit: MOST_REPLIES });
  }

  /** What there is to say when the message has been dealt with, or at `until`. Wake-ups make it quick; looking makes it certain. */
  async wait(message: Waited, until: Instant): Promise<ClaimedAnswer> {
    let wake: () => void = () => undefined;
    const stop = this.#deps.coordination.subscribe(`${TOPICS.conversation}:${message.conversationId}`, () => wake());
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => { wake = resolve; });
        const answer = await this.claim(message);
        const left = until - this.#deps.now();
        if (answer.settled) this.#inVain = 0;
        else if (left <= 0) this.#inVain += 1;
        if (answer.settled || left <= 0) {
          await this.#deps.store.endAnswer(message.conversationId, until, this.#deps.now());
          return answer;
        }
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([woken, new Promise<void>((resolve) => { timer = setTimeout(resolve, Math.min(left, LOOK_EVERY_MS)); })]);
        clearTimeout(timer);
      }
    } finally {
      stop();
    }
  }
}
