import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION, type ClientFrame, type MessageLine, type Mode, type ServerFrame } from '../connectors/web/protocol.ts';
import type { Chip, Reply } from '../domain/message.ts';
import { fetchPatiently } from './fetch-patiently.ts';

const BACK_AFTER_MS = 500;

/** A resident of the demo: speaks the public web-chat protocol and remembers all that came. */
export class DemoResident {
  readonly name: string;
  readonly #url: string;
  readonly #onLine: (line: MessageLine) => void;
  readonly #lines: MessageLine[] = [];
  readonly #stored = new Set<string>();
  #token = '';
  #socket: WebSocket | undefined;
  #mode: Mode = 'bot';
  #refused: string | null = null;
  #gone = false;
  #welcomed = false;

  constructor(name: string, url: string, onLine: (line: MessageLine) => void) {
    this.name = name;
    this.#url = url;
    this.#onLine = onLine;
  }

  async arrive(): Promise<void> {
    const response = await fetchPatiently(`${this.#url}/chat/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"client":"cli"}' });
    if (!response.ok) throw new Error(`${this.#url}/chat/session 回答 ${response.status}：${await response.text()}`);
    this.#token = (await response.json() as { token: string }).token;
    this.#connect();
  }

  leave(): void {
    this.#gone = true;
    this.#socket?.close();
  }

  /** The line stands: what is said now is heard. */
  get isThere(): boolean {
    return this.#welcomed;
  }
  get mode(): Mode {
    return this.#mode;
  }
  /** Seq of the last line seen; what is asked for must come after one. */
  get seq(): number {
    return this.#lines.at(-1)?.seq ?? 0;
  }
  /** Why the server refused the last message; null: it did not. */
  get refused(): string | null {
    return this.#refused;
  }
  /** What the city's side said; a question it puts to itself (the follow-up that is due) has no words. */
  repliesAfter(seq: number): readonly (MessageLine & { readonly body: Reply })[] {
    return this.#lines.filter((line): line is MessageLine & { body: Reply } => line.seq > seq && line.from !== 'resident' && 'text' in line.body);
  }
  chipsAfter(seq: number): readonly Chip[] {
    return this.repliesAfter(seq).flatMap((line) => ('chips' in line.body ? line.body.chips ?? [] : []));
  }

  say(text: string): () => boolean {
    return this.#send({ t: 'say', id: randomUUID(), text });
  }
  tap({ id, label }: Chip): () => boolean {
    return this.#send({ t: 'tap', id: randomUUID(), chip: id, label });
  }

  /** @returns whether the server has stored it by now */
  #send(frame: ClientFrame & { id: string }): () => boolean {
    this.#refused = null;
    this.#socket?.send(JSON.stringify(frame));
    return () => this.#stored.has(frame.id);
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url.replace(/^http/, 'ws')}/chat/ws`, { headers: { authorization: `Bearer ${this.#token}` } });
    this.#socket = socket;
    socket.on('open', () => socket.send(JSON.stringify({ t: 'hello', v: PROTOCOL_VERSION, seq: this.seq } satisfies ClientFrame)));
    socket.on('message', (body) => this.#take(JSON.parse(String(body)) as ServerFrame));
    socket.on('close', () => { this.#welcomed = false; if (!this.#gone) setTimeout(() => this.#connect(), BACK_AFTER_MS); });
    socket.on('error', (error) => { this.#refused = error.message; });
  }

  #take(frame: ServerFrame): void {
    if (frame.t === 'welcome') this.#welcomed = true;
    if (frame.t === 'welcome' || frame.t === 'mode') this.#mode = frame.mode;
    else if (frame.t === 'stored') this.#stored.add(frame.id);
    else if (frame.t === 'error') this.#refused = frame.text;
    else if (frame.t === 'message' && frame.seq > this.seq) {
      this.#lines.push(frame);
      if (frame.from !== 'resident' && frame.body.kind !== 'system') this.#onLine(frame);
    }
  }
}
