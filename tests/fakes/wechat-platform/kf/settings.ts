import { CALLBACK_RULES, type CallbackRules } from '../callbacks.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../clock.ts';
import type { Grant } from '../official/budgets.ts';
import { TOKEN_RULES, type TokenRules } from '../tokens.ts';

export interface KfSettings {
  readonly corpId: string;
  readonly secret: string;
  readonly openKfId: string;
  readonly token: string;
  readonly aesKey: string;
  readonly callbackUrl: string;
  readonly callbacks: CallbackRules;
  /** How long the verification of the address may take. */
  readonly verifyMs: number;
  readonly tokens: TokenRules;
  /** Colleagues who answer inside WeCom. */
  readonly servicers: readonly string[];
  /** Messages that one message of a person allows. */
  readonly grant: Grant;
  /** Messages beyond the grant: a refusal at once (`code`, default), or accepted and followed by msg_send_fail 4 or 6 (`event`). */
  readonly overLimit: 'code' | 'event';
  /** How long the Token of a callback opens sync_msg. */
  readonly messageTokenMs: number;
  /** sync_msg without a Token is limited strictly; calls per minute, the real figure is unknown. */
  readonly syncsWithoutToken: number;
  /** How far back sync_msg reaches. */
  readonly retentionMs: number;
  /** A cursor that was not given here: refused, or read as the beginning (a simulator that was started anew). */
  readonly foreignCursors: 'refuse' | 'from_start';
  readonly textBytes: number;
  readonly menu: { readonly items: number; readonly headBytes: number; readonly tailBytes: number; readonly idBytes: number };
  /** How long the codes for send_msg_on_event are good. */
  readonly codes: Readonly<Record<EventCodeKind, number>>;
  readonly dailyCalls: number;
}

export type EventCodeKind = 'welcome' | 'queue' | 'handover' | 'end';

export const KF_SETTINGS: KfSettings = {
  corpId: 'ww1a2b3c4d5e6f7a8b',
  secret: 'simulated-wecom-kf-secret-00000001',
  openKfId: 'wkSimulated0000000000000000000001',
  token: 'simulatedKfToken',
  aesKey: 'c2ltdWxhdGVkLWN1c3RvbWVyLXNlcnZpY2Uta2V5LTE',
  callbackUrl: 'http://127.0.0.1:3000/wechat/kf',
  callbacks: CALLBACK_RULES,
  verifyMs: SECOND,
  tokens: { ...TOKEN_RULES, renewAheadMs: 0 },
  servicers: ['zhangsan', 'lisi'],
  grant: { count: 5, windowMs: 48 * HOUR },
  overLimit: 'code',
  messageTokenMs: 10 * MINUTE,
  syncsWithoutToken: 10,
  retentionMs: 3 * DAY,
  foreignCursors: 'refuse',
  textBytes: 2048,
  menu: { items: 10, headBytes: 1024, tailBytes: 1024, idBytes: 64 },
  codes: { welcome: 20 * SECOND, queue: 48 * HOUR, handover: 48 * HOUR, end: 20 * SECOND },
  dailyCalls: 100_000,
};
