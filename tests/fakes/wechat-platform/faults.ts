import { createHash } from 'node:crypto';

/** What can go wrong between the platform and us; each a probability 0–1, and each can be forced for the next times. */
export interface FaultRates {
  /** A callback never arrives: the platform sees no answer. */
  readonly callbackLost: number;
  /** The callback was handled, but its answer is lost on the way: the platform tries again. */
  readonly answerLost: number;
  /** A callback that was answered arrives a second time. */
  readonly callbackTwice: number;
  /** A callback sets out late (up to `DELAY_MS`), so later ones overtake it. */
  readonly callbackLate: number;
  /** A call of ours never arrives. */
  readonly callLost: number;
  /** A call of ours was carried out, but its answer is lost. */
  readonly callAnswerLost: number;
  /** A call of ours is answered with errcode -1 (system busy) and not carried out. */
  readonly busy: number;
  /** sync_msg answers has_more 1 with an empty list. */
  readonly emptyPage: number;
  /** A template message fails with `failed: system failed`. */
  readonly templateFails: number;
}

export type Fault = keyof FaultRates;

/** How late a late callback is at most. */
export const DELAY_MS = 20_000;

const NONE: FaultRates = { callbackLost: 0, answerLost: 0, callbackTwice: 0, callbackLate: 0, callLost: 0, callAnswerLost: 0, busy: 0, emptyPage: 0, templateFails: 0 };

/**
 * Decides which faults strike. The schedule hangs on seed, fault and key (message and try, path and count) alone, not on the order in
 * which promises happen to settle: the same seed gives the same run.
 */
export class Faults {
  readonly #seed: number;
  #rates: FaultRates;
  readonly #forced = new Map<Fault, number>();

  constructor(seed: number, rates: Partial<FaultRates> = {}) {
    this.#seed = seed;
    this.#rates = { ...NONE, ...rates };
  }

  /** Changes the rates from now on; what is not named stays. */
  set(rates: Partial<FaultRates>): void {
    this.#rates = { ...this.#rates, ...rates };
  }

  get rates(): FaultRates {
    return this.#rates;
  }

  /** The next `times` occasions for this fault are struck, whatever the rates say. */
  force(fault: Fault, times = 1): void {
    this.#forced.set(fault, (this.#forced.get(fault) ?? 0) + times);
  }

  strikes(fault: Fault, key: string): boolean {
    const forced = this.#forced.get(fault) ?? 0;
    if (forced > 0) this.#forced.set(fault, forced - 1);
    return forced > 0 || this.number(fault, key) < this.#rates[fault];
  }

  /** 0 ≤ n < 1, a function of seed, name and key. */
  number(name: string, key: string): number {
    return createHash('sha256').update(`${this.#seed}/${name}/${key}`).digest().readUInt32BE(0) / 4_294_967_296;
  }
}
