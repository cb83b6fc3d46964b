import type { WebSocket } from 'ws';
import type { ConversationId } from '../../domain/ids.ts';
import type { TranscriptMessage } from '../../domain/message.ts';
import type { Store } from '../../domain/ports.ts';
import { CLOSE, type MessageLine, type ServerFrame } from './protocol.ts';

const PAGE = 100;
/** Unsent bytes at which a slow reader is waited for, and for how long. */
const HIGH_WATER_BYTES = 512 * 1024;
const SLOW_READER_MS = 20_000;
const DRAIN_LOOK_MS = 50;

/**
 * The transcript, sent down one socket strictly by `seq`, each line once. It reads the transcript itself: a wake-up only says
 * "look", so a lost or a doubled one changes nothing.
 */
export class LineFeed {
  readonly #store: Pick<Store, 'transcript'>;
  readonly #conversationId: ConversationId;
  readonly #socket: WebSocket;
  #sent: number | null = null;
  #running = false;
  #dirty = false;

  constructor(store: Pick<Store, 'transcript'>, conversationId: ConversationId, socket: WebSocket) {
    this.#store = store;
    this.#conversationId = conversationId;
    this.#socket = socket;
  }

  /** Last seq sent; null before `startAfter`. */
  get sent(): number | null {
    return this.#sent;
  }

  startAfter(seq: number): void {
    this.#sent = seq;
  }

  /** Sends whatever follows. Only one call works; another meanwhile makes it look once more. */
  async advance(): Promise<void> {
    this.#dirty = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#dirty && this.#sent !== null && await this.drained()) await this.#sendPage(this.#sent);
    } finally {
      this.#running = false;
    }
  }

  async #sendPage(afterSeq: number): Promise<void> {
    this.#dirty = false;
    const lines = await this.#store.transcript(this.#conversationId, { afterSeq, limit: PAGE });
    for (const line of lines) {
      this.send({ t: 'message', ...toLine(line) });
      this.#sent = line.seq;
    }
    if (lines.length === PAGE) this.#dirty = true;
  }

  send(frame: ServerFrame): void {
    if (this.#isOpen()) this.#socket.send(JSON.stringify(frame));
  }

  /** Waits until the reader has taken most of what was sent; false when the socket is gone. */
  async drained(): Promise<boolean> {
    for (let waitedMs = 0; this.#isOpen() && this.#socket.bufferedAmount > HIGH_WATER_BYTES; waitedMs += DRAIN_LOOK_MS) {
      if (waitedMs > SLOW_READER_MS) this.#socket.close(CLOSE.slow, 'reader too slow');
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    return this.#isOpen();
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }
}

export const toLine = (message: TranscriptMessage): MessageLine => ({
  seq: message.seq, id: message.id, from: message.author, at: message.at, body: message.body,
  ...(message.authorName === undefined ? {} : { name: message.authorName }),
  ...(message.clientId === undefined ? {} : { clientId: message.clientId }),
});
