import { seeded } from '../seeded.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const FIRST_MSG_ID = 6_054_768_590_064_713_728n;
/** Message ids between two seeds, so that another run's messages are never taken for this one's. */
const RUN = 1_048_576n;

/** Everything the platform makes up; the same seed makes up the same. */
export class Ids {
  readonly #random: () => number;
  #msgId: bigint;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#msgId = FIRST_MSG_ID + BigInt(seed) * RUN;
  }

  word(length: number): string {
    return Array.from({ length }, () => LETTERS[Math.floor(this.#random() * LETTERS.length)]).join('');
  }

  digits(length: number): string {
    return Array.from({ length }, (_, index) => String(Math.floor(this.#random() * (index === 0 ? 9 : 10)) + (index === 0 ? 1 : 0))).join('');
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => Math.floor(this.#random() * 256)));
  }

  /** 64 bit, as decimal text; neighbours differ by one, so whoever reads them as numbers mixes them up. */
  msgId(): string {
    this.#msgId += 1n;
    return this.#msgId.toString();
  }
}
