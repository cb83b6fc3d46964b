import { SECOND, type Instant, type PlatformClock } from './clock.ts';
import { DELAY_MS, type Faults } from './faults.ts';
import type { Carry, WireAnswer, WireRequest } from './wire.ts';

export interface CallbackRules {
  /** How long the platform waits for an answer. Default 5 s. */
  readonly patienceMs: number;
  /** Tries in total. Default 3. */
  readonly tries: number;
}

export const CALLBACK_RULES: CallbackRules = { patienceMs: 5 * SECOND, tries: 3 };

/** What became of one try: a status, silence, no connection, or struck by a fault (`callback_lost`: never arrived, `answer_lost`: handled). */
export type TryOutcome = 'answered' | 'not_200' | 'timeout' | 'no_connection' | 'callback_lost' | 'answer_lost';

export interface CallbackTry {
  readonly at: Instant;
  /** From 1; a second copy of a try has the number of its original. */
  readonly number: number;
  readonly copy: boolean;
  readonly outcome: TryOutcome;
  readonly status?: number;
  /** The answer as text, at most its first 2,000 characters. */
  readonly body?: string;
  readonly tookMs: number;
}

/** Turns of the event loop without anything on its way, before time is what everybody waits for. */
const IDLE_ROUNDS = 4;

/** Something to deliver: how to write one try of it, and what to do with the first good answer. */
export interface Parcel {
  /** Names the message or event in records. */
  readonly id: string;
  readonly label: string;
  /** A fresh request each time: nonce and timestamp are the try's own. */
  request(): WireRequest;
  answered(answer: WireAnswer): void;
  /** All tries failed. */
  failed(): void;
}

export interface Delivery {
  readonly id: string;
  readonly label: string;
  /** Those that are over, in the order in which they ended. */
  readonly tries: CallbackTry[];
  /** Settles when the platform is done with it; never rejects. With an injected clock, time must move for it to come to that. */
  readonly done: Promise<'answered' | 'failed'>;
  over: boolean;
}

interface Tried {
  readonly record: CallbackTry;
  /** Present if the platform got a 200-answer. */
  readonly answer?: WireAnswer;
}

/** Carries callbacks: waits, tries again, gives up; records every try. */
export class Callbacks {
  readonly deliveries: Delivery[] = [];
  readonly #clock: PlatformClock;
  readonly #faults: Faults;
  readonly #rules: CallbackRules;
  readonly #carry: Carry;
  readonly #open = new Set<Promise<unknown>>();
  readonly #underway = new Set<Promise<unknown>>();

  constructor(parts: { readonly clock: PlatformClock; readonly faults: Faults; readonly rules: CallbackRules; readonly carry: Carry }) {
    this.#clock = parts.clock;
    this.#faults = parts.faults;
    this.#rules = parts.rules;
    this.#carry = parts.carry;
  }

  /** @param afterMs how long the platform takes before the first try */
  deliver(parcel: Parcel, afterMs = 0): Delivery {
    const tries: CallbackTry[] = [];
    const delivery: Delivery = { id: parcel.id, label: parcel.label, tries, done: this.#run(parcel, tries, afterMs), over: false };
    this.deliveries.push(delivery);
    this.#open.add(delivery.done);
    void delivery.done.finally(() => {
      delivery.over = true;
      this.#open.delete(delivery.done);
    });
    return delivery;
  }

  /** One request outside the retry rule, such as the verification of an address. */
  once(request: WireRequest, patienceMs: number): Promise<{ readonly answer: WireAnswer } | { readonly failure: 'timeout' | 'no_connection' }> {
    return this.#ask(request, patienceMs);
  }

  /** Deliveries that are not over. */
  get open(): number {
    return this.#open.size;
  }

  /** Requests that nobody has answered yet. */
  get underway(): readonly Promise<unknown>[] {
    return [...this.#underway];
  }

  async #run(parcel: Parcel, tries: CallbackTry[], afterMs: number): Promise<'answered' | 'failed'> {
    const lateMs = this.#faults.strikes('callbackLate', parcel.id) ? Math.ceil(this.#faults.number('callbackLate.ms', parcel.id) * DELAY_MS) : 0;
    if (afterMs + lateMs > 0) await this.#clock.sleep(afterMs + lateMs);
    let taken = false;
    const take = ({ record, answer }: Tried): void => {
      tries.push(record);
      if (answer === undefined || taken) return; // whatever a second copy says, the first answer counts
      taken = true;
      parcel.answered(answer);
    };
    for (let number = 1; number <= this.#rules.tries && !taken; number++) {
      const copies = this.#faults.strikes('callbackTwice', `${parcel.id}/${number}`) ? [false, true] : [false];
      await Promise.all(copies.map(async (copy) => take(await this.#try(parcel, number, copy))));
    }
    if (!taken) parcel.failed();
    return taken ? 'answered' : 'failed';
  }

  async #try(parcel: Parcel, number: number, copy: boolean): Promise<Tried> {
    const at = this.#clock.now();
    const key = `${parcel.id}/${number}${copy ? '/copy' : ''}`;
    const record = (outcome: TryOutcome, answer?: WireAnswer): CallbackTry => ({
      at, number, copy, outcome, tookMs: this.#clock.now() - at, ...(answer === undefined ? {} : { status: answer.status, body: answer.body.toString().slice(0, 2000) }),
    });
    if (this.#faults.strikes('callbackLost', key)) {
      await this.#clock.sleep(this.#rules.patienceMs);
      return { record: record('callback_lost') };
    }
    const result = await this.#ask(parcel.request(), this.#rules.patienceMs);
    if ('failure' in result) return { record: record(result.failure) };
    if (this.#faults.strikes('answerLost', key)) {
      await this.#clock.sleep(this.#rules.patienceMs - (this.#clock.now() - at));
      return { record: record('answer_lost', result.answer) };
    }
    if (result.answer.status !== 200) return { record: record('not_200', result.answer) };
    return { record: record('answered', result.answer), answer: result.answer };
  }

  async #ask(request: WireRequest, patienceMs: number): Promise<{ readonly answer: WireAnswer } | { readonly failure: 'timeout' | 'no_connection' }> {
    const [calledOff, awake] = [new AbortController(), new AbortController()];
    const asked = this.#carry(request, calledOff.signal).then((answer) => ({ answer }), () => ({ failure: 'no_connection' as const }));
    this.#underway.add(asked);
    void asked.finally(() => this.#underway.delete(asked));
    const tired = this.#clock.sleep(patienceMs, awake.signal).then(() => ({ failure: 'timeout' as const }));
    const result = await Promise.race([asked, tired]);
    awake.abort();
    calledOff.abort(); // the platform hangs up; the other side may still be at work
    this.#underway.delete(asked);
    return result;
  }
}

/**
 * Until every delivery is over. The clock jumps to the next wake-up whenever nothing is on its way; an address that never answers
 * holds this up (move the clock by hand there).
 */
export async function settle(channels: readonly Callbacks[], clock: PlatformClock): Promise<void> {
  for (let idle = 0; channels.some(({ open }) => open > 0); idle++) {
    await new Promise((resolve) => setImmediate(resolve));
    const underway = channels.flatMap((channel) => channel.underway);
    if (underway.length === 0 && idle <= IDLE_ROUNDS) continue;
    if (underway.length > 0) await Promise.race(underway);
    else if (clock.next !== undefined) await clock.advance(clock.next - clock.now());
    idle = 0;
  }
}
