import type { ConversationId, Instant, MediaId, MessageId, ResidentId, TicketId } from './ids.ts';
import type { Urgency } from './understanding.ts';
import type { TicketStatus } from './ticket.ts';

export type Channel = 'web' | 'wechat-official' | 'wecom-kf' | 'internal';

/** What a resident did, or (kind `system`) what the city's side asks the conversation to do next, in its order. */
export type InboundContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tap'; readonly chip: string; readonly label: string }
  | { readonly kind: 'image'; readonly mediaId: MediaId }
  /** What no machine here can hear or see; null where the platform gave no file. */
  | { readonly kind: 'unheard'; readonly medium: 'voice' | 'video' | 'other'; readonly mediaId: MediaId | null }
  | { readonly kind: 'location'; readonly latitude: number; readonly longitude: number; readonly label: string }
  | { readonly kind: 'edit'; readonly target: string; readonly field: EditableField; readonly value: string }
  | { readonly kind: 'system'; readonly event: 'follow_up_due'; readonly ticketId: TicketId };

export interface InboundMessage {
  readonly channel: Channel;
  /** The channel's own id: unique per channel; the same id again is the same message. */
  readonly messageId: string;
  readonly conversationId: ConversationId;
  readonly residentId: ResidentId;
  readonly content: InboundContent;
  readonly receivedAt: Instant;
  /** One id from callback to delivery, for the logs. */
  readonly turnId: string;
  /** The client's own id of it, to match its pending copy; shown back in the transcript. */
  readonly clientId?: string;
  /** A life-safety rule spoke: it goes before everything that waits. */
  readonly urgent?: boolean;
  /** The callback that brought it waits so long for its answer: until then no worker sends what is said in this conversation. */
  readonly answerBy?: Instant;
}

/** A tappable answer. `id` ≤ 64 bytes (WeCom's menu limit), opaque to every channel. */
export interface Chip {
  readonly id: string;
  readonly label: string;
}

export type EditableField = 'type' | 'address' | 'description';

export interface CardField {
  readonly field: EditableField | 'urgency' | 'unit' | 'due';
  readonly label: string;
  /** What the resident reads; '' = not known yet. */
  readonly value: string;
  readonly editable: boolean;
  /** For `type`: the choices; `id` is the value an edit carries. Free text where absent. */
  readonly choices?: readonly Chip[];
}

/** What was understood so far, each field changeable. `target` is a draft id or a ticket id. */
export interface UnderstoodCard {
  readonly target: string;
  readonly fields: readonly CardField[];
}

export interface TimelineEntry {
  readonly at: Instant;
  readonly text: string;
}

export interface TicketCard {
  readonly target: TicketId;
  readonly number: string;
  readonly status: TicketStatus;
  readonly statusName: string;
  readonly typeName: string;
  readonly urgency: Urgency;
  readonly unitName: string | null;
  readonly dueAt: Instant;
  readonly fields: readonly CardField[];
  readonly timeline: readonly TimelineEntry[];
}

/** What goes to a resident. Every kind has `text`, so that a channel without cards loses nothing. */
export type Reply =
  | { readonly kind: 'text'; readonly text: string; readonly chips?: readonly Chip[] }
  | { readonly kind: 'emergency'; readonly text: string; readonly numbers: readonly string[]; readonly chips?: readonly Chip[] }
  | { readonly kind: 'understood'; readonly text: string; readonly card: UnderstoodCard; readonly chips?: readonly Chip[] }
  | { readonly kind: 'ticket'; readonly text: string; readonly card: TicketCard; readonly chips?: readonly Chip[] }
  | { readonly kind: 'image'; readonly text: string; readonly mediaId: MediaId };

export type Author = 'resident' | 'bot' | 'operator' | 'system';

/** One line of a transcript. `seq` grows by one within a conversation, over both directions. */
export interface TranscriptMessage {
  readonly id: MessageId;
  readonly seq: number;
  readonly author: Author;
  readonly at: Instant;
  /** Operator's display name where an operator wrote. */
  readonly authorName?: string;
  readonly body: Reply | InboundContent;
  /** The channel's id of the resident's own message, so that a client can match its pending copy. */
  readonly clientId?: string;
}

/** A reply on its way: one outbox row. */
export interface OutboundMessage {
  readonly outboxId: number;
  readonly idempotencyKey: string;
  readonly channel: Channel;
  readonly conversationId: ConversationId;
  readonly residentId: ResidentId;
  readonly message: TranscriptMessage;
  readonly attempts: number;
  readonly turnId: string;
}

/** What a connector says of one delivery. */
export type Sent =
  | { readonly ok: true; readonly proof?: string }
  | { readonly ok: false; readonly retryable: boolean; readonly code: string };
