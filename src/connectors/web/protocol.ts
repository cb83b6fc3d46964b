import type { Mode } from '../../domain/conversation.ts';
import type { Author, Chip, EditableField, InboundContent, Reply } from '../../domain/message.ts';

/**
 * The web chat's own protocol, version 1: JSON text frames over `GET /chat/ws` (cookie, or `Authorization: Bearer`).
 * Documented for other clients in docs/web-chat-protocol.md. The browser and `npm run chat` speak it.
 */
export const PROTOCOL_VERSION = 1;

/** A `say` may be this long, in UTF-16 code units; a longer one is refused in words and nothing is cut. */
export const MAX_TEXT_LENGTH = 8_000;
export const MAX_FRAME_BYTES = 64 * 1024;
export const MAX_PICTURE_BYTES = 10 * 1024 * 1024;

/** Why the server closed: 4xxx are ours, 1012 is a restart (come back soon). */
export const CLOSE = { badRequest: 4400, unauthorized: 4401, tooMany: 4429, slow: 4408, restart: 1012 } as const;

/** `id`: made by the client, 1–64 of [A-Za-z0-9_-], unique per resident; sending it again is harmless. */
export type ClientFrame =
  | {
    readonly t: 'hello'; readonly v: typeof PROTOCOL_VERSION;
    /** Last seq this client has shown; 0 = nothing. What follows it is replayed. */
    readonly seq: number;
    /** Replay at most this many of the newest lines; earlier ones come with `older`. Absent: all. */
    readonly last?: number;
  }
  | { readonly t: 'say'; readonly id: string; readonly text: string }
  | { readonly t: 'tap'; readonly id: string; readonly chip: string; readonly label: string }
  | { readonly t: 'image'; readonly id: string; readonly mediaId: string }
  | { readonly t: 'location'; readonly id: string; readonly latitude: number; readonly longitude: number; readonly label: string }
  | { readonly t: 'edit'; readonly id: string; readonly target: string; readonly field: EditableField; readonly value: string }
  | { readonly t: 'ack'; /** Everything up to here has been shown. */ readonly seq: number }
  | { readonly t: 'older'; /** Give the lines before this one. */ readonly before: number }
  | { readonly t: 'typing' }
  /** Answered with `pong`: how a client finds out that a line has died silently. */
  | { readonly t: 'ping' };

/** The frames that put something into the conversation. */
export type MessageFrame = Extract<ClientFrame, { readonly id: string }>;

export interface MessageLine {
  readonly seq: number;
  readonly id: string;
  readonly from: Author;
  readonly name?: string;
  readonly at: number;
  readonly body: Reply | InboundContent;
  /** Own messages: the id the client gave. */
  readonly clientId?: string;
}

export type ServerFrame =
  | {
    readonly t: 'welcome'; readonly v: typeof PROTOCOL_VERSION; readonly resident: string; readonly mode: Mode;
    /** Last seq of the conversation. */
    readonly seq: number;
    /** The replay begins after this seq; above the `hello`'s seq when `last` cut it. */
    readonly after: number;
  }
  /** One transcript line; always in order of `seq`, without gaps. */
  | ({ readonly t: 'message' } & MessageLine)
  /** Answer to `older`: ascending; `more` tells whether there are earlier ones still. */
  | { readonly t: 'older'; readonly lines: readonly MessageLine[]; readonly more: boolean }
  /** The message is stored for good; the client may forget its copy. */
  | { readonly t: 'stored'; readonly id: string; readonly seq: number }
  | { readonly t: 'mode'; readonly mode: Mode }
  | { readonly t: 'typing'; readonly from: 'bot' | 'operator' }
  | { readonly t: 'pong' }
  /**
   * `text` is Chinese, for the resident. With `id`: that message was not stored; with `retry` too, sending the same
   * frame again later may succeed, without it it never will.
   */
  | { readonly t: 'error'; readonly code: string; readonly text: string; readonly id?: string; readonly retry?: boolean };

/** Answer to `POST /chat/session`. */
export interface SessionAnswer {
  readonly resident: string;
  /** `kept`: the identity shown is good. `new`: none was shown. `replaced`: the one shown was forged, expired or erased. */
  readonly identity: 'kept' | 'new' | 'replaced';
  readonly expiresAt: number;
  /** Only for clients without cookies that asked with `{"client":"cli"}`. */
  readonly token?: string;
}

/** Answer to `POST /chat/media`. */
export interface MediaAnswer {
  readonly mediaId: string;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
}

export type { Chip, Mode };
