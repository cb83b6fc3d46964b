import type { WebSocket } from 'ws';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Instant, MediaId, NewId } from '../../domain/ids.ts';
import type { InboundMessage } from '../../domain/message.ts';
import { TOPICS, type Coordination, type Logger, type Store, type Stored } from '../../domain/ports.ts';
import { isMessageFrame, parseFrame, toContent } from './frames.ts';
import type { Identity } from './identity.ts';
import type { Limiter } from './limits.ts';
import { LineFeed, toLine } from './line-feed.ts';
import { CLOSE, PROTOCOL_VERSION, type ClientFrame, type MessageFrame, type Mode } from './protocol.ts';

export interface ChatSocketDeps {
  readonly store: Pick<Store, 'transcript' | 'conversation' | 'delivered' | 'media'>;
  /** Stores the message, then wakes the turn and the resident's open pages; resolves only after the commit. */
  readonly receive: (message: InboundMessage) => Promise<Stored>;
  readonly coordination: Pick<Coordination, 'publish' | 'subscribe'>;
  readonly limiter: Limiter;
  readonly framesPerMinute: number;
  readonly publicText: (code: string) => string;
  readonly now: () => Instant;
  readonly newId: NewId;
  readonly logger: Logger;
  /** How often to look without being woken: a dead nerve costs this much and nothing else. */
  readonly pollMs: number;
}

/** Topics of one conversation; bodies carry ids only. */
export const wakeTopic = (conversationId: string): string => `${TOPICS.conversation}:${conversationId}`;
export const typingTopic = (conversationId: string): string => `typing:${conversationId}`;
/** Body on the wake topic when the resident was erased: open pages must let go. */
export const ERASED = 'erased';

const OLDER_PAGE = 50;
const MAX_WAITING_FRAMES = 64;
const HELLO_WITHIN_MS = 15_000;
const HEARTBEAT_MS = 30_000;
const MINUTE_MS = 60_000;

/** One open page. Frames in are handled one after another; lines out go through the feed. */
export class ChatSocket {
  readonly #deps: ChatSocketDeps;
  readonly #socket: WebSocket;
  readonly #identity: Identity;
  readonly #address: string;
  readonly #feed: LineFeed;
  #work: Promise<void> = Promise.resolve();
  #waitingFrames = 0;
  #minute = { from: 0, frames: 0 };
  #mode: Mode | null = null;
  #alive = true;

  constructor(deps: ChatSocketDeps, socket: WebSocket, peer: { readonly identity: Identity; readonly address: string }) {
    this.#deps = deps;
    this.#socket = socket;
    this.#identity = peer.identity;
    this.#address = peer.address;
    this.#feed = new LineFeed(deps.store, peer.identity.conversationId, socket);
  }

  /** Resolves when the socket is closed and its last frame is dealt with. */
  serve(): Promise<void> {
    this.#socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('pong', () => { this.#alive = true; });
    const stop = [...this.#listen(), ...this.#startTimers()];
    return new Promise((resolve) => {
      this.#socket.once('close', () => {
        for (const end of stop) end();
        void this.#work.then(resolve);
      });
    });
  }

  #listen(): (() => void)[] {
    const { coordination } = this.#deps;
    const { conversationId } = this.#identity;
    return [
      coordination.subscribe(wakeTopic(conversationId), (body) => { if (body === ERASED) this.#letGo(); else void this.#look('wake'); }),
      coordination.subscribe(typingTopic(conversationId), (body) => { if (body === 'operator') this.#feed.send({ t: 'typing', from: 'operator' }); }),
    ];
  }

  #startTimers(): (() => void)[] {
    const spread = 0.8 + Math.random() * 0.4; // pages that came back together after a restart don't look together
    const poll = setInterval(() => void this.#look('poll'), this.#deps.pollMs * spread);
    const heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    const hello = setTimeout(() => { if (this.#feed.sent === null) this.#socket.close(CLOSE.badRequest, 'no hello'); }, HELLO_WITHIN_MS);
    return [() => clearInterval(poll), () => clearInterval(heartbeat), () => clearTimeout(hello)];
  }

  #beat(): void {
    if (!this.#alive) return this.#socket.terminate();
    this.#alive = false;
    this.#socket.ping();
  }

  async #look(because: 'wake' | 'poll'): Promise<void> {
    if (this.#feed.sent === null) return;
    const before = this.#feed.sent;
    try {
      await this.#feed.advance();
      if (because === 'wake' || this.#feed.sent !== before) await this.#showMode();
    } catch (error) {
      this.#log('warn', error, 'web.look_failed'); // the next poll looks again
    }
  }

  async #showMode(): Promise<void> {
    const mode = (await this.#deps.store.conversation(this.#identity.conversationId))?.mode;
    if (!mode || mode === this.#mode) return;
    this.#mode = mode;
    this.#feed.send({ t: 'mode', mode });
  }

  #onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.#alive = true;
    if (isBinary) return this.#sendError('message.invalid');
    if (this.#isFlood()) return this.#socket.close(CLOSE.tooMany, 'too many frames');
    this.#waitingFrames += 1;
    if (this.#waitingFrames >= MAX_WAITING_FRAMES) this.#socket.pause();
    this.#work = this.#work.then(() => this.#onFrame(String(data))).finally(() => {
      this.#waitingFrames -= 1;
      if (this.#waitingFrames === 0) this.#socket.resume();
    });
  }

  #isFlood(): boolean {
    const now = this.#deps.now();
    if (now - this.#minute.from > MINUTE_MS) this.#minute = { from: now, frames: 0 };
    this.#minute.frames += 1;
    return this.#minute.frames > this.#deps.framesPerMinute;
  }

  async #onFrame(raw: string): Promise<void> {
    const parsed = parseFrame(raw);
    if (!parsed.ok) return this.#refuseFrame(parsed.error, parsed.id);
    try {
      await this.#handle(parsed.frame);
    } catch (error) {
      this.#refuseWork(error, isMessageFrame(parsed.frame) ? parsed.frame.id : undefined);
    }
  }

  #handle(frame: ClientFrame): Promise<void> | void {
    if (frame.t === 'hello') return this.#hello(frame);
    if (frame.t === 'ping') return this.#feed.send({ t: 'pong' });
    const { sent } = this.#feed;
    if (sent === null) throw new AppError('message.invalid', 'hello comes first');
    if (isMessageFrame(frame)) return this.#take(frame);
    switch (frame.t) {
      case 'ack': return this.#deps.store.delivered(this.#identity.conversationId, Math.min(frame.seq, sent), this.#deps.now());
      case 'older': return this.#older(frame.before);
      case 'typing': return this.#deps.coordination.publish(typingTopic(this.#identity.conversationId), 'resident');
      default: return frame satisfies never;
    }
  }

  async #hello(frame: Extract<ClientFrame, { t: 'hello' }>): Promise<void> {
    const { conversationId, residentId } = this.#identity;
    const conversation = await this.#deps.store.conversation(conversationId);
    if (!conversation?.readable) return this.#letGo();
    const [newest] = await this.#deps.store.transcript(conversationId, { beforeSeq: Number.MAX_SAFE_INTEGER, limit: 1 });
    const seq = newest?.seq ?? 0;
    const after = Math.min(seq, Math.max(frame.seq, frame.last === undefined ? 0 : seq - frame.last));
    this.#mode = conversation.mode;
    this.#feed.send({ t: 'welcome', v: PROTOCOL_VERSION, resident: residentId, mode: conversation.mode, seq, after });
    this.#feed.startAfter(after);
    await this.#feed.advance();
  }

  async #older(beforeSeq: number): Promise<void> {
    const lines = await this.#deps.store.transcript(this.#identity.conversationId, { beforeSeq, limit: OLDER_PAGE });
    if (await this.#feed.drained()) this.#feed.send({ t: 'older', lines: lines.map(toLine), more: (lines[0]?.seq ?? 1) > 1 });
  }

  async #take(frame: MessageFrame): Promise<void> {
    const { conversationId, residentId } = this.#identity;
    await this.#deps.limiter.message(residentId, this.#address);
    if (frame.t === 'image' && !await this.#isOwnPicture(frame.mediaId)) return this.#sendError('media.not_found', { id: frame.id });
    const { seq } = await this.#deps.receive({
      channel: 'web', messageId: `${residentId}:${frame.id}`, clientId: frame.id, conversationId, residentId,
      content: toContent(frame), receivedAt: this.#deps.now(), turnId: this.#deps.newId(),
    });
    this.#feed.send({ t: 'stored', id: frame.id, seq });
    if (this.#mode === 'bot') this.#feed.send({ t: 'typing', from: 'bot' });
    void this.#look('poll');
  }

  async #isOwnPicture(mediaId: string): Promise<boolean> {
    const media = await this.#deps.store.media(mediaId as MediaId);
    return media?.residentId === this.#identity.residentId;
  }

  /** The frame itself is wrong; the same again would be too. */
  #refuseFrame(error: AppError, id: string | undefined): void {
    this.#log('debug', error, 'web.frame_refused');
    this.#sendError(error.code, id === undefined ? {} : { id });
    if (this.#feed.sent === null && id === undefined) this.#socket.close(CLOSE.badRequest, 'not this protocol');
  }

  /** The frame is right and could not be dealt with now. Said to the resident, whose copy stays with them. */
  #refuseWork(error: unknown, id: string | undefined): void {
    if (isAppError(error, 'key.destroyed') || isAppError(error, 'conversation.not_found')) return this.#letGo();
    if (!isAppError(error, 'rate.limited')) this.#log('error', error, 'web.frame_failed');
    this.#sendError(isAppError(error) ? error.code : 'bot.failed', id === undefined ? {} : { id, retry: true });
  }

  #letGo(): void {
    this.#sendError('auth.invalid');
    this.#socket.close(CLOSE.unauthorized, 'identity no longer valid');
  }

  #sendError(code: string, about: { id?: string; retry?: boolean } = {}): void {
    this.#feed.send({ t: 'error', code, text: this.#deps.publicText(code), ...about });
  }

  #log(level: 'debug' | 'warn' | 'error', error: unknown, event: string): void {
    this.#deps.logger[level]({ err: error, conversationId: this.#identity.conversationId }, event);
  }
}
