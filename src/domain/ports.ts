import type { Conversation } from './conversation.ts';
import type { Correction, QueueEntry, Role, User } from './desk.ts';
import type { RoutedTicket, StoredDirectory } from './directory-version.ts';
import type { DomainEvent, Timer } from './events.ts';
import type { ConversationId, Instant, MediaId, MessageId, ResidentId, TicketId, UnitId, UserId } from './ids.ts';
import type { Author, Channel, InboundContent, InboundMessage, OutboundMessage, Reply, Sent, TranscriptMessage } from './message.ts';
import type { HistoryEntry, Ticket, TicketEvent, TicketStatus } from './ticket.ts';
import type { UnitRole } from './ticket-work.ts';
import type { SpecialWayEntry } from './special-ways.ts';
import type { Understanding } from './understanding.ts';

/** What `understand` may know besides the text; never who wrote it. */
export interface UnderstandContext {
  /** Types of the resident's open tickets. */
  readonly ticketTypes?: readonly string[];
  /** What the bot has just asked, so that 「12号楼」 is heard as the answer. */
  readonly expecting?: 'address' | 'building' | 'type' | 'what' | 'time' | 'party' | 'ticket' | 'rephrase';
}

/** @throws AppError `model.timeout` `model.busy` `model.unavailable`; the turn then falls back to an honest hand-over. */
export type Understand = (text: string, context?: UnderstandContext) => Promise<Understanding>;

export type Stored =
  | { readonly outcome: 'stored'; readonly seq: number; readonly id: MessageId }
  | { readonly outcome: 'duplicate'; readonly seq: number; readonly id: MessageId };

/** The right to take one conversation's next message, until `leaseUntil`. */
export interface TurnClaim {
  readonly conversation: Conversation;
  readonly inboxId: number;
  readonly message: InboundMessage;
  /** Earlier failed tries of this message. */
  readonly attempts: number;
  readonly owner: string;
  readonly leaseUntil: Instant;
  /** Someone here may be in danger: this message says so, or one behind it in the line. It is not kept waiting for a slow model. */
  readonly urgent: boolean;
}

/** Something due: an event for one handler, or a timer. */
export interface Job {
  readonly id: number;
  readonly handler: string;
  readonly lane: string;
  readonly payload: DomainEvent | Timer;
  readonly attempts: number;
  readonly runAt: Instant;
}

export interface NewTranscriptEntry {
  readonly author: Exclude<Author, 'resident'>;
  readonly body: Reply;
  readonly authorName?: string;
  /** Unique: the same key again appends nothing. */
  readonly idempotencyKey: string;
  /** The resident has read it by the platform's own means: kept in the transcript, not sent. */
  readonly alreadySent?: boolean;
}

export interface Page {
  readonly limit: number;
  /** From the last page's `next`. */
  readonly cursor?: string | undefined;
}
export interface Paged<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface TicketFilter {
  /** With `unitId`: only those to which the unit is this. */
  readonly role?: UnitRole;
  readonly unitId?: UnitId;
  readonly statuses?: readonly TicketStatus[];
}

export interface Media {
  readonly id: MediaId;
  readonly residentId: ResidentId;
  readonly mime: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif' | 'audio/amr' | 'video/mp4';
  readonly bytes: number;
  readonly at: Instant;
}

/** A file a resident sent, still to be fetched from the platform; `id` is already named in the transcript. */
export interface AwaitedMedia {
  readonly id: MediaId;
  readonly residentId: ResidentId;
  readonly conversationId: ConversationId;
  readonly channel: Channel;
  readonly medium: 'image' | 'voice' | 'video';
  /** The platform's own id of the file. */
  readonly remoteId: string;
}

export interface ClaimedAnswer {
  /** The message was dealt with: nothing more will come of it. */
  readonly settled: boolean;
  /** In order, sent ones first. */
  readonly replies: readonly (OutboundMessage & { readonly sent: boolean })[];
}

export interface Session {
  readonly user: User;
  readonly expiresAt: Instant;
}

export interface DeadLetter {
  readonly kind: 'outbox' | 'job' | 'inbox';
  readonly id: number;
  readonly at: Instant;
  readonly attempts: number;
  readonly error: string;
  readonly about: string;
}

/**
 * Every question and every write the use-cases know. Inside `Store.transaction` all of them act in one transaction;
 * nothing but these may be awaited there. Strings hold any Unicode, NUL and lone surrogates included.
 */
export interface Queries {
  // residents
  /** The resident behind a channel's own id, made on first sight together with the one conversation and key. */
  ensureResident(channel: Channel, externalId: string, now: Instant): Promise<{ residentId: ResidentId; conversationId: ConversationId }>;
  residentExists(residentId: ResidentId): Promise<boolean>;
  /** The channel's own id of the resident, to send to; null once erased. */
  externalId(residentId: ResidentId): Promise<string | null>;
  /** Destroys the key: transcripts, drafts and sealed ticket fields can never be read again; the history chain still verifies. */
  eraseResident(residentId: ResidentId, now: Instant): Promise<void>;

  // inbox and turn
  /** Stores one message before it is acknowledged. @throws AppError `conversation.not_found` `key.destroyed` */
  receive(message: InboundMessage): Promise<Stored>;
  /** The conversation longest ready and leased to nobody, with its oldest unread message. `urgent`: only where a life-safety rule spoke. */
  claimTurn(owner: string, now: Instant, leaseMs: number, only?: 'urgent'): Promise<TurnClaim | null>;
  /** Locks the conversation and tells whether lease and version are still as claimed. Call first in the commit. */
  lockTurn(claim: TurnClaim): Promise<boolean>;
  /** Marks the message done, stores the conversation, frees it. Only after `lockTurn` said true. */
  finishTurn(claim: TurnClaim, next: Conversation, now: Instant): Promise<void>;
  /**
   * Gives the message back: again at `retryAt`, or (null) never: it is shown as dead and no longer blocks.
   * `error` null: nothing went wrong, the world moved on; not counted as a try.
   */
  failTurn(claim: TurnClaim, error: string | null, retryAt: Instant | null, now: Instant): Promise<void>;
  conversation(id: ConversationId, lock?: 'lock'): Promise<Conversation | null>;
  /** Stores mode, operator, handoff, memory; bumps the version, so a turn in hand is judged anew. */
  saveConversation(next: Conversation): Promise<void>;

  // transcript and outbox
  /** Appends replies and puts each into the outbox, in one order. Returns what was appended. */
  say(conversation: Pick<Conversation, 'id' | 'residentId' | 'channel'>, entries: readonly NewTranscriptEntry[], now: Instant, turnId: string): Promise<readonly TranscriptMessage[]>;
  /** Ascending by seq. `afterSeq` from the start, `beforeSeq` the last `limit` before it. */
  transcript(id: ConversationId, window: { afterSeq?: number; beforeSeq?: number; limit: number }): Promise<readonly TranscriptMessage[]>;
  /** The resident's texts of the last messages, newest last, for an operator's view or a repeated judgement. */
  lastInbound(id: ConversationId, limit: number): Promise<readonly InboundContent[]>;
  claimOutbox(owner: string, now: Instant, leaseMs: number, limit: number): Promise<readonly OutboundMessage[]>;
  outboxSent(outboxId: number, proof: string | null, now: Instant): Promise<void>;
  outboxFailed(outboxId: number, code: string, retryAt: Instant | null, now: Instant): Promise<void>;
  /**
   * Claims what is to be said in this conversation for the answer inside the message's own callback, before any worker sends it. Asked again
   * for the same message it gives the same rows, sent ones included. Stops at a row that somebody else is just sending.
   */
  claimAnswer(message: Pick<InboundMessage, 'channel' | 'messageId' | 'conversationId'>, lease: { readonly now: Instant; readonly leaseMs: number; readonly limit: number }): Promise<ClaimedAnswer>;
  /** The callback that would wait until `until` has its answer: what is said from now on, and was held for it, is the workers' again. */
  endAnswer(conversationId: ConversationId, until: Instant, now: Instant): Promise<void>;
  /** Gives claimed rows back to the workers, due now, not counted as a try. */
  releaseOutbox(outboxIds: readonly number[], now: Instant): Promise<void>;
  /** The platform says afterwards that what it took under this proof never arrived. @returns whether there was such a row */
  outboxBounced(channel: Channel, proof: string, code: string, now: Instant): Promise<boolean>;
  /** The resident's device confirmed everything up to this seq. */
  delivered(id: ConversationId, seq: number, now: Instant): Promise<void>;
  deadLetters(page: Page): Promise<Paged<DeadLetter>>;
  retryDead(kind: DeadLetter['kind'], id: number, now: Instant): Promise<boolean>;

  // events and timers
  emit(events: readonly DomainEvent[]): Promise<void>;
  schedule(timers: readonly Timer[]): Promise<void>;
  claimJob(owner: string, now: Instant, leaseMs: number): Promise<Job | null>;
  /** In the same transaction as the job's effects. False: the lease was lost, roll back. */
  finishJob(job: Job, owner: string): Promise<boolean>;
  failJob(job: Job, owner: string, error: string, retryAt: Instant | null, now: Instant): Promise<void>;

  // tickets
  /** Reserves `count` serials of the day (yyMMdd); returns the first. */
  reserveSerials(day: string, count: number): Promise<number>;
  insertTicket(ticket: Ticket): Promise<void>;
  ticket(id: TicketId, lock?: 'lock'): Promise<Ticket | null>;
  ticketByNumber(number: string): Promise<Ticket | null>;
  /** @throws AppError `ticket.changed` if the version is not the stored one + 1. */
  saveTicket(ticket: Ticket): Promise<void>;
  /** Chains and appends; the ticket must be locked or new. */
  appendHistory(ticket: Ticket, events: readonly TicketEvent[]): Promise<readonly HistoryEntry[]>;
  history(id: TicketId): Promise<readonly HistoryEntry[]>;
  /** Newest first. */
  ticketsOfResident(residentId: ResidentId, limit: number): Promise<readonly Ticket[]>;
  /** Most urgent deadline first. */
  tickets(filter: TicketFilter, page: Page): Promise<Paged<Ticket>>;

  // desk
  /** Waiting first (urgency, then escalation, then waiting time), then those an operator holds. `operatorId`: only those this operator holds. */
  queue(page: Page, filter?: { readonly operatorId?: UserId }): Promise<Paged<QueueEntry>>;
  user(id: UserId): Promise<User | null>;
  userByLogin(login: string): Promise<(User & { passwordHash: string; failedLogins: number; lockedUntil: Instant | null }) | null>;
  users(page: Page): Promise<Paged<User>>;
  countUsers(): Promise<number>;
  insertUser(user: User, passwordHash: string, now: Instant): Promise<void>;
  /** A new password and a disabled account end the user's sessions. */
  updateUser(id: UserId, change: Partial<Pick<User, 'name' | 'roles' | 'unitId' | 'disabled'>> & { readonly passwordHash?: string }): Promise<void>;
  noteLogin(id: UserId, outcome: { failedLogins: number; lockedUntil: Instant | null }): Promise<void>;
  /** `tokenHash` = sha256 of the cookie, never the cookie. */
  insertSession(tokenHash: string, userId: UserId, expiresAt: Instant): Promise<void>;
  session(tokenHash: string, now: Instant): Promise<Session | null>;
  endSession(tokenHash: string): Promise<void>;
  insertCorrection(correction: Correction): Promise<void>;
  /** Appends one row to the audit of art. 11(3). */
  recordSpecialWay(entry: SpecialWayEntry): Promise<void>;
  /** In the order they were written. */
  specialWays(id: ConversationId): Promise<readonly SpecialWayEntry[]>;

  // directory
  /** Written at the desk, newest first day first. */
  directories(): Promise<readonly StoredDirectory[]>;
  /** Puts it under its version. */
  saveDirectory(directory: StoredDirectory): Promise<void>;
  /** The newest tickets that were dispatched or stand before a dispatcher; nothing sealed is read. */
  routedTickets(limit: number): Promise<readonly RoutedTicket[]>;

  // media
  insertMedia(media: Media): Promise<void>;
  media(id: MediaId): Promise<Media | null>;
  /** The key that seals this resident's media files. @throws AppError `key.destroyed` */
  sealBytes(residentId: ResidentId, plain: Uint8Array): Promise<Uint8Array>;
  openBytes(residentId: ResidentId, sealed: Uint8Array): Promise<Uint8Array>;
  /** Notes a file that still lies at the platform, in the transaction that stores its message. The same id again changes nothing. */
  awaitMedia(media: AwaitedMedia, now: Instant): Promise<void>;
  /** One file that is due to be fetched, leased. */
  claimMedia(owner: string, now: Instant, leaseMs: number): Promise<(AwaitedMedia & { readonly attempts: number }) | null>;
  /** Try again at `retryAt`, or (null) no more: it is here, or will never be. */
  endMedia(id: MediaId, retryAt: Instant | null): Promise<void>;

  // small settings shared by all processes
  /** Takes or extends the one right to do `name`. @returns whether `owner` holds it until `now + leaseMs` */
  takeLease(name: string, owner: string, now: Instant, leaseMs: number): Promise<boolean>;
  endLease(name: string, owner: string): Promise<void>;
  /** Puts the value if the name is free; returns what stands there now. */
  setting(name: string, valueIfAbsent?: string): Promise<string | null>;
  putSetting(name: string, value: string | null): Promise<void>;
  /** For /readyz and /metrics. */
  backlog(now: Instant): Promise<{ inbox: number; oldestInboxMs: number; outbox: number; jobs: number; dead: number; waiting: number }>;
}

export interface Store extends Queries {
  readonly engine: 'sqlite' | 'postgres';
  transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T>;
  /** @throws AppError `store.unreachable` */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Wake-ups, fan-out, rate limits. May lose anything at any time: correctness never rests on it. */
export interface Coordination {
  readonly engine: 'local' | 'redis';
  publish(topic: string, body: string): void;
  /** Returns the way to stop listening. */
  subscribe(topic: string, listener: (body: string) => void): () => void;
  /** true while the key has been used at most `limit` times in the window. Lets through when the nerve is down. */
  allow(key: string, limit: number, windowMs: number): Promise<boolean>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

/** Topics of `Coordination`. Bodies carry ids only. */
export const TOPICS = { inbox: 'inbox', outbox: 'outbox', jobs: 'jobs', conversation: 'conversation', desk: 'desk', directory: 'directory' } as const;

/** Carries one reply to one channel. At least once; `idempotencyKey` goes along where the platform takes one. */
export interface Connector {
  readonly channel: Channel;
  send(message: OutboundMessage): Promise<Sent>;
}

export interface Logger {
  debug(bindings: object, event: string): void;
  info(bindings: object, event: string): void;
  warn(bindings: object, event: string): void;
  error(bindings: object, event: string): void;
}

export type { Role };
