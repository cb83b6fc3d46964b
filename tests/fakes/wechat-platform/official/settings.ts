import { CALLBACK_RULES, type CallbackRules } from '../callbacks.ts';
import { MINUTE, SECOND } from '../clock.ts';
import { TOKEN_RULES, type TokenRules } from '../tokens.ts';
import { GRANTS, type Grant, type UserAction } from './budgets.ts';
import type { CallbackMode } from './passive-reply.ts';

/** A template as it was approved; its fields are the `{{name.DATA}}` in it. */
export interface TemplateDefinition {
  readonly content: string;
}

export interface SubscriptionDefinition extends TemplateDefinition {
  /** `once`: one consent, one message, without end. `long`: until it is taken back; only for public services. */
  readonly term: 'once' | 'long';
}

export interface OfficialSettings {
  readonly appId: string;
  readonly secret: string;
  /** `gh_…`: the account's name in messages. */
  readonly originalId: string;
  readonly token: string;
  readonly aesKey: string;
  readonly mode: CallbackMode;
  readonly callbackUrl: string;
  readonly callbacks: CallbackRules;
  readonly tokens: TokenRules;
  readonly grants: Readonly<Record<UserAction, Grant>>;
  /** Whether a new action adds to what is left of the last of its kind. The sources do not say; default false. */
  readonly grantsAdd: boolean;
  /** Largest text of a customer-service message and of a passive reply, bytes. */
  readonly textBytes: number;
  readonly templates: Readonly<Record<string, TemplateDefinition>>;
  readonly subscriptions: Readonly<Record<string, SubscriptionDefinition>>;
  /** Most characters of a template field. */
  readonly fieldCharacters: number;
  /** A field too long, with a newline or an emoji: is the message refused (47003, default), or cut and shown? Both were observed. */
  readonly fieldOffence: 'refuse' | 'cut';
  /** For how long a client_msg_id is remembered. */
  readonly dedupeMs: number;
  /** How long TEMPLATESENDJOBFINISH takes. */
  readonly jobFinishMs: number;
  /** Calls per path and day (the platform's day, UTC+8); 45009 above it. The real figures are unverified. */
  readonly dailyCalls: number;
}

export const OFFICIAL_SETTINGS: OfficialSettings = {
  appId: 'wx5a1b2c3d4e5f6a7b',
  secret: 'simulated-official-secret-000001',
  originalId: 'gh_0123456789ab',
  token: 'simulatedOfficialToken',
  aesKey: 'c2ltdWxhdG9yLW9mZmljaWFsLWtleS0wMDAwMDAwMDA',
  mode: 'safe',
  callbackUrl: 'http://127.0.0.1:3000/wechat/official',
  callbacks: CALLBACK_RULES,
  tokens: TOKEN_RULES,
  grants: GRANTS,
  grantsAdd: false,
  textBytes: 2048,
  templates: {},
  subscriptions: {},
  fieldCharacters: 20,
  fieldOffence: 'refuse',
  dedupeMs: 10 * MINUTE,
  jobFinishMs: SECOND,
  dailyCalls: 100_000,
};
