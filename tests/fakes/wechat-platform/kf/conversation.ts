import type { Instant } from '../clock.ts';
import type { Person } from '../person.ts';

/** 0 nobody yet, 1 the bot, 2 waiting in the pool, 3 a servicer, 4 ended. */
export type ServiceState = 0 | 1 | 2 | 3 | 4;

/** What /cgi-bin/kf/service_state/trans allows; 4 ends with the person's next message only. */
export const TRANSITIONS: Readonly<Record<ServiceState, readonly ServiceState[]>> = { 0: [1, 2, 3, 4], 1: [2, 3, 4], 2: [3, 4], 3: [3, 4], 4: [] };

export const isServiceState = (value: unknown): value is ServiceState => typeof value === 'number' && value in TRANSITIONS;

/** One person and the customer service account. */
export interface Conversation {
  readonly person: Person;
  state: ServiceState;
  /** '' except in state 3. */
  servicer: string;
  /** Messages left, and until when. */
  left: number;
  until: Instant;
  lastMessageAt: Instant;
  lastWelcomeAt: Instant;
  /** The person refuses the account's messages: msg_send_fail 10. */
  refuses: boolean;
}

export const newConversation = (person: Person): Conversation => ({
  person, state: 0, servicer: '', left: 0, until: 0, lastMessageAt: -Infinity, lastWelcomeAt: -Infinity, refuses: false,
});
