import type { Person } from '../person.ts';
import { Budget } from './budgets.ts';
import type { OfficialSettings } from './settings.ts';

/** What the account knows of one person. */
export interface Follower {
  readonly person: Person;
  following: boolean;
  readonly budget: Budget;
  /** Consents by template: how many for one-time ones, Infinity for long-term ones. */
  readonly consents: Map<string, number>;
  /** Receives no template messages: `failed:user block`. */
  blocksTemplates: boolean;
}

export class Followers {
  readonly #settings: OfficialSettings;
  readonly #byOpenId = new Map<string, Follower>();

  constructor(settings: OfficialSettings) {
    this.#settings = settings;
  }

  of(person: Person): Follower {
    const known = this.#byOpenId.get(person.openId);
    if (known !== undefined) return known;
    const budget = new Budget(this.#settings.grants, this.#settings.grantsAdd);
    const follower: Follower = { person, following: false, budget, consents: new Map(), blocksTemplates: false };
    this.#byOpenId.set(person.openId, follower);
    return follower;
  }

  find(openId: string): Follower | undefined {
    return this.#byOpenId.get(openId);
  }
}
