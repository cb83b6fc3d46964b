import type { ClientFrame, MessageFrame, MessageLine, Mode, ServerFrame } from '../../connectors/web/protocol.ts';

/**
 * The client's half of docs/web-chat-protocol.md: keeps one line open, sends each message until it is stored, shows each line
 * once and in order. It knows neither browser nor terminal; those hand in what it needs.
 */

/** A message on its way. Kept until the server says `stored`. */
export interface Pending {
  readonly frame: MessageFrame;
  readonly at: number;
  readonly state: 'waiting' | 'sending' | 'failed';
  /** Why it failed, in Chinese. */
  readonly problem?: string;
}

/** Keeps pending messages over a reload. One entry per message, so that two open pages don't overwrite each other. */
export interface PendingStore {
  all(): readonly Pending[];
  put(pending: Pending): void;
  remove(id: string): void;
}

export interface Line {
  send(text: string): void;
  close(): void;
}

export interface LineEvents {
  opened(): void;
  received(text: string): void;
  closed(code: number): void;
}

export type LineState = 'connecting' | 'online' | 'offline';

export interface ChatClientDeps {
  /** Opens a socket to `/chat/ws`. */
  readonly openLine: (events: LineEvents) => Line;
  /** `POST /chat/session`; rejects when the server cannot be reached. */
  readonly renewIdentity: () => Promise<void>;
  readonly pending: PendingStore;
  readonly now: () => number;
  readonly random: () => number;
  /** Where to start: after this seq, or (0) with the newest `last` lines. */
  readonly seq?: number;
  readonly last?: number;
}

export interface ChatClientEvents {
  frame(frame: ServerFrame): void;
  line(state: LineState): void;
  /** Pending messages, oldest first. */
  pending(list: readonly Pending[]): void;
}

const PING_EVERY_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
const ACK_AFTER_MS = 250;

const TIMERS = ['retry', 'answer', 'ping', 'ack', 'again'] as const;
type TimerName = (typeof TIMERS)[number];

export class ChatClient {
  readonly #deps: ChatClientDeps;
  readonly #events: ChatClientEvents;
  readonly #pending = new Map<string, Pending>();
  #line: Line | null = null;
  #welcomed = false;
  #stopped = false;
  #attempts = 0;
  #refusals = 0;
  #seq: number;
  #identityGood = false;
  #timers: Partial<Record<TimerName, ReturnType<typeof setTimeout>>> = {};

  constructor(deps: ChatClientDeps, events: ChatClientEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#seq = deps.seq ?? 0;
    for (const pending of deps.pending.all()) this.#pending.set(pending.frame.id, pending.state === 'sending' ? { ...pending, state: 'waiting' } : pending);
  }

  /** Last seq shown. */
  get seq(): number {
    return this.#seq;
  }

  start(): void {
    this.#stopped = false;
    this.#tellPending();
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    for (const name of TIMERS) this.#clear(name);
    this.#line?.close();
    this.#line = null;
  }

  /** The network came back or the page came to the front: don't wait for the next try. */
  hurry(): void {
    if (this.#stopped) return;
    if (this.#welcomed) this.#ping();
    else if (!this.#line) this.#retryIn(0);
  }

  /** The network is known to be gone. */
  lost(): void {
    this.#drop();
  }

  /** Keeps the message and sends it as soon as it can be: once, whatever happens between. */
  say(frame: MessageFrame): void {
    this.#set({ frame, at: this.#deps.now(), state: 'waiting' });
    this.#sendNext();
  }

  retry(id: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#set({ frame: pending.frame, at: pending.at, state: 'waiting' });
    this.#sendNext();
  }

  forget(id: string): void {
    this.#pending.delete(id);
    this.#deps.pending.remove(id);
    this.#tellPending();
  }

  /** Frames that carry no message: lost ones don't matter. */
  signal(frame: Extract<ClientFrame, { t: 'typing' | 'older' }>): void {
    if (this.#welcomed) this.#line?.send(JSON.stringify(frame));
  }

  async #connect(): Promise<void> {
    this.#clear('retry');
    if (this.#stopped || this.#line) return;
    this.#events.line('connecting');
    try {
      if (!this.#identityGood) await this.#deps.renewIdentity();
      this.#identityGood = true;
    } catch {
      return this.#retryLater();
    }
    if (this.#stopped || this.#line) return;
    const line: Line = this.#deps.openLine({
      opened: () => {
        const { last } = this.#deps;
        line.send(JSON.stringify({ t: 'hello', v: 1, seq: this.#seq, ...(this.#seq === 0 && last !== undefined ? { last } : {}) } satisfies ClientFrame));
        this.#expectAnswer();
      },
      received: (text) => { if (this.#line === line) this.#onFrame(JSON.parse(text) as ServerFrame); },
      closed: () => { if (this.#line === line) this.#onClosed(); },
    });
    this.#line = line;
  }

  /** Gives the line up at once: the network may take minutes to say that it is closed. */
  #drop(): void {
    const line = this.#line;
    if (!line) return;
    this.#onClosed();
    line.close();
  }

  #onClosed(): void {
    this.#line = null;
    this.#welcomed = false;
    for (const name of ['answer', 'ping', 'again'] as const) this.#clear(name);
    for (const pending of this.#pending.values()) if (pending.state === 'sending') this.#set({ ...pending, state: 'waiting' });
    if (!this.#stopped) this.#retryLater();
  }

  /** Doubling with full jitter: pages that lost one server don't come back in one moment. */
  #retryLater(): void {
    this.#events.line('offline');
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#retryIn(100 + this.#deps.random() * longest);
  }

  #retryIn(ms: number): void {
    this.#after('retry', ms, () => void this.#connect());
  }

  #onFrame(frame: ServerFrame): void {
    this.#clear('answer');
    switch (frame.t) {
      case 'welcome': this.#onWelcome(frame); break;
      case 'message': if (!this.#onLine(frame)) return; break;
      case 'stored': this.#onStored(frame.id); break;
      case 'error': this.#onError(frame); break;
      default: break;
    }
    this.#events.frame(frame);
    if (this.#welcomed) { this.#expectStored(); this.#schedulePing(); }
  }

  #onWelcome(frame: Extract<ServerFrame, { t: 'welcome' }>): void {
    this.#attempts = 0;
    this.#welcomed = true;
    // A new identity begins a new conversation: its numbers have nothing to do with the old ones.
    this.#seq = frame.after;
    this.#events.line('online');
    this.#sendNext();
  }

  /** false: shown before. */
  #onLine(frame: MessageLine): boolean {
    if (frame.seq <= this.#seq) return false;
    this.#seq = frame.seq;
    if (frame.clientId !== undefined) this.#onStored(frame.clientId);
    this.#after('ack', ACK_AFTER_MS, () => { if (this.#welcomed) this.#line?.send(JSON.stringify({ t: 'ack', seq: this.#seq } satisfies ClientFrame)); });
    return true;
  }

  #onStored(id: string): void {
    this.#refusals = 0;
    if (!this.#pending.has(id)) return;
    this.forget(id);
    this.#sendNext();
  }

  #onError(frame: Extract<ServerFrame, { t: 'error' }>): void {
    if (frame.code === 'auth.invalid') {
      this.#identityGood = false;
      this.#seq = 0;
    }
    const pending = frame.id === undefined ? undefined : this.#pending.get(frame.id);
    if (!pending) return;
    if (!frame.retry) {
      this.#set({ ...pending, state: 'failed', problem: frame.text });
      return this.#sendNext();
    }
    this.#set({ ...pending, state: 'waiting' });
    this.#refusals += 1;
    this.#after('again', Math.min(30_000, 1_000 * 2 ** this.#refusals) * (0.5 + this.#deps.random()), () => this.#sendNext());
  }

  /** One at a time, oldest first: the server gets them in the order they were said. */
  #sendNext(): void {
    if (!this.#welcomed || this.#timers.again !== undefined) return;
    const all = [...this.#pending.values()].sort((a, b) => a.at - b.at);
    if (all.some((pending) => pending.state === 'sending')) return;
    const next = all.find((pending) => pending.state === 'waiting');
    if (!next) return;
    this.#set({ ...next, state: 'sending' });
    this.#line?.send(JSON.stringify(next.frame));
    this.#expectStored();
  }

  #expectStored(): void {
    if ([...this.#pending.values()].some((pending) => pending.state === 'sending')) this.#expectAnswer();
  }

  /** A line that is silent where an answer is due is dead, whatever the socket believes. */
  #expectAnswer(): void {
    if (this.#timers.answer === undefined) this.#after('answer', ANSWER_WITHIN_MS, () => this.#drop());
  }

  #schedulePing(): void {
    this.#after('ping', PING_EVERY_MS, () => this.#ping());
  }

  #ping(): void {
    this.#line?.send(JSON.stringify({ t: 'ping' } satisfies ClientFrame));
    this.#expectAnswer();
  }

  #set(pending: Pending): void {
    this.#pending.set(pending.frame.id, pending);
    this.#deps.pending.put(pending);
    this.#tellPending();
  }

  #tellPending(): void {
    this.#events.pending([...this.#pending.values()].sort((a, b) => a.at - b.at));
  }

  #after(name: TimerName, ms: number, work: () => void): void {
    this.#clear(name);
    this.#timers[name] = setTimeout(() => { delete this.#timers[name]; work(); }, ms);
  }

  #clear(name: TimerName): void {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}

export type { ClientFrame, MessageFrame, MessageLine, Mode, ServerFrame };
