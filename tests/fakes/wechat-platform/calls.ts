import type { Instant } from './clock.ts';

/** One call of the platform's HTTP API. */
export interface ApiCall {
  readonly at: Instant;
  readonly path: string;
  /** `official`, `wecom`, or '' where the token told nothing. */
  readonly account: string;
  /** The query without secrets and tokens. */
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined for GET and uploads. */
  readonly body: unknown;
  /** 0: done. -1: busy. Others: the platform's refusals. */
  readonly errcode: number;
  readonly errmsg: string;
  readonly status: number;
  /** Struck by a fault: the call never arrived, or it was carried out and its answer got lost. */
  readonly lost?: 'call' | 'answer';
}

/** The platform's number and words. */
export interface Code {
  readonly errcode: number;
  readonly errmsg: string;
}

const code = (errcode: number, errmsg: string): Code => ({ errcode, errmsg });

/**
 * Refusals. The numbers the protocol page names are 40001, 40014, 42001, 45009, 45015 and 45047; the others are those of the platform's
 * public list of return codes, and a caller should need none of them to decide more than "do not send this again".
 */
export const CODES = {
  busy: code(-1, 'system busy'),
  badCredential: code(40001, 'invalid credential, access_token is invalid or not latest'),
  badGrantType: code(40002, 'invalid grant_type'),
  badOpenId: code(40003, 'invalid openid'),
  badMediaType: code(40004, 'invalid media type'),
  badMediaId: code(40007, 'invalid media_id'),
  badMessageType: code(40008, 'invalid message type'),
  badMediaSize: code(40009, 'invalid media size'),
  badAppId: code(40013, 'invalid appid'),
  badToken: code(40014, 'invalid access_token'),
  badTemplate: code(40037, 'invalid template_id'),
  badParameter: code(40058, 'invalid Request Parameter'),
  badSecret: code(40125, 'invalid appsecret'),
  noToken: code(41001, 'access_token missing'),
  noMedia: code(41005, 'media data missing'),
  tokenExpired: code(42001, 'access_token expired'),
  needPost: code(43002, 'require POST method'),
  notFollowing: code(43004, 'require subscribe'),
  refused: code(43101, 'user refuse to accept the msg'),
  emptyText: code(44004, 'empty content'),
  tooLong: code(45002, 'content size out of limit'),
  tooFrequent: code(45009, 'reach max api daily quota limit'),
  windowOver: code(45015, 'response out of time limit or subscription is canceled'),
  countOver: code(45047, 'out of response count limit'),
  badJson: code(47001, 'data format error'),
  badArgument: code(47003, 'argument invalid!'),
  badKfId: code(95000, 'invalid open_kfid'),
  kfCountOver: code(95001, 'send msg count limit'),
  kfTimeOver: code(95002, 'send msg time limit'),
  badMessageToken: code(95007, 'invalid msg token'),
  tooManyItems: code(95008, 'menu list count out of limit'),
  badItemType: code(95009, 'invalid menu item type'),
  badServicer: code(95014, 'user is not a servicer'),
  badTransition: code(95016, 'service state transition not allowed'),
  badState: code(95018, 'send msg session status invalid'),
} as const satisfies Record<string, Code>;
