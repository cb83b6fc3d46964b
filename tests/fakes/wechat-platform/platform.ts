import type { ApiCall } from './calls.ts';
import { Api } from './api.ts';
import { CALLBACK_RULES, Callbacks, settle, type Delivery } from './callbacks.ts';
import { PlatformClock, type Instant } from './clock.ts';
import { Faults, type FaultRates } from './faults.ts';
import { fetchOver } from './http.ts';
import { Ids } from './ids.ts';
import { CustomerService } from './kf/account.ts';
import { KF_SETTINGS, type KfSettings } from './kf/settings.ts';
import { OfficialAccount } from './official/account.ts';
import { OFFICIAL_SETTINGS, type OfficialSettings } from './official/settings.ts';
import type { Parts } from './parts.ts';
import { Person } from './person.ts';
import type { Carry, LOST, WireAnswer, WireRequest } from './wire.ts';

export interface PlatformOptions {
  /** Default: stands at 2026-10-12 09:00 (UTC+8) until it is advanced. */
  readonly clock?: PlatformClock;
  /** The time written into callbacks; default the clock's. */
  readonly wireNow?: () => Instant;
  readonly seed?: number;
  readonly faults?: Partial<FaultRates>;
  readonly baseUrl?: string;
  readonly official?: Partial<OfficialSettings>;
  readonly kf?: Partial<KfSettings>;
}

/** One WeChat: an Official Account, a customer service account, people with phones, and the HTTP API. All in this process. */
export class WechatPlatform {
  readonly clock: PlatformClock;
  readonly faults: Faults;
  readonly official: OfficialAccount;
  readonly kf: CustomerService;
  /** The API as a `fetch`, whatever host the URL names; rejects with a TypeError where a call or its answer is lost. */
  readonly fetch: typeof fetch;
  readonly #ids: Ids;
  readonly #api: Api;
  readonly #callbacks: { readonly official: Callbacks; readonly kf: Callbacks };
  readonly #people = new Map<string, Person>();
  #carry: Carry = () => Promise.reject(new Error('nobody is connected'));

  constructor(options: PlatformOptions = {}) {
    const seed = options.seed ?? 1;
    this.clock = options.clock ?? new PlatformClock();
    this.faults = new Faults(seed, options.faults);
    this.#ids = new Ids(seed);
    const parts: Parts = {
      clock: this.clock, wireNow: options.wireNow ?? (() => this.clock.now()), ids: this.#ids, faults: this.faults, baseUrl: options.baseUrl ?? 'http://wechat.invalid',
    };
    const [official, kf] = [{ ...OFFICIAL_SETTINGS, ...options.official }, { ...KF_SETTINGS, ...options.kf }];
    const callbacks = (rules = CALLBACK_RULES): Callbacks => new Callbacks({ clock: this.clock, faults: this.faults, rules, carry: (request, signal) => this.#carry(request, signal) });
    this.#callbacks = { official: callbacks(official.callbacks), kf: callbacks(kf.callbacks) };
    this.official = new OfficialAccount({ ...parts, callbacks: this.#callbacks.official }, official);
    this.kf = new CustomerService({ ...parts, callbacks: this.#callbacks.kf }, kf);
    this.#api = new Api(parts, this.official, this.kf);
    this.fetch = fetchOver((request) => this.#api.handle(request));
  }

  /** Where callbacks go from now on. */
  connect(carry: Carry): void {
    this.#carry = carry;
  }

  /** The same id is the same person. */
  person(id: string, name = id): Person {
    const known = this.#people.get(id);
    if (known !== undefined) return known;
    const person = new Person({ id, name, openId: `o${this.#ids.word(27)}`, externalUserId: `wm${this.#ids.word(30)}` });
    this.#people.set(id, person);
    return person;
  }

  get people(): readonly Person[] {
    return [...this.#people.values()];
  }

  /** One call of the API; `lost`: the caller hears nothing. */
  handle(request: WireRequest): Promise<WireAnswer | typeof LOST> {
    return this.#api.handle(request);
  }

  /** Every call of the API, in order. */
  get calls(): readonly ApiCall[] {
    return this.#api.calls;
  }

  /** Every callback of both channels, in the order in which they were due. */
  get deliveries(): readonly Delivery[] {
    return [...this.#callbacks.official.deliveries, ...this.#callbacks.kf.deliveries];
  }

  /** Until every callback is answered or given up, moving the clock where only time is missing. Hangs on an address that never answers. */
  settle(): Promise<void> {
    return settle(Object.values(this.#callbacks), this.clock);
  }

  close(): void {
    this.clock.close();
  }
}
