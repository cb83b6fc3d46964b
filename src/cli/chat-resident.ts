import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { MediaAnswer, MessageFrame, SessionAnswer } from '../connectors/web/protocol.ts';
import type { Chip } from '../domain/message.ts';
import { ChatClient, type ChatClientEvents, type Line, type LineEvents, type MessageLine, type Pending, type ServerFrame } from '../web/shared/chat-client.ts';

/** What the identity file holds. `seq`: last line this resident has seen, so that only what was missed is shown again. */
const Saved = z.object({ token: z.string(), seq: z.number().int().min(0), url: z.string() });

export interface ResidentOptions {
  readonly url: string;
  readonly identityFile: string;
  readonly fresh: boolean;
  /** Show this many of the newest lines when nothing was seen yet. */
  readonly last?: number;
}

/** One resident at a terminal: identity on disk, line to the server, and what was seen so far. */
export class Resident {
  readonly #options: ResidentOptions;
  readonly #url: string;
  #token: string | undefined;
  #client: ChatClient | undefined;
  #seq = 0;
  /** Newest chips first. */
  readonly #chips: Chip[] = [];
  #card: { target: string; choices: readonly (Chip & { field: string })[] } | undefined;
  /** Seq under which the own message last stored stands. */
  #ownSeq = 0;
  #answeredSeq = 0;
  #unsent: readonly Pending[] = [];
  #lastFrameAt = 0;
  #connected = false;

  constructor(options: ResidentOptions) {
    this.#options = options;
    this.#url = options.url.replace(/\/+$/, '');
    const saved = options.fresh ? undefined : readSaved(options.identityFile);
    if (saved?.url === this.#url) {
      this.#token = saved.token;
      this.#seq = saved.seq;
    }
  }

  start(events: ChatClientEvents): void {
    this.#client = new ChatClient({
      openLine: (line) => this.#openLine(line), renewIdentity: () => this.#renewIdentity(), pending: NOTHING_KEPT, now: Date.now, random: Math.random,
      seq: this.#seq, ...(this.#options.last === undefined ? {} : { last: this.#options.last }),
    }, {
      frame: (frame) => { this.#note(frame); events.frame(frame); },
      line: (state) => { this.#connected = state === 'online'; events.line(state); },
      pending: (list) => { this.#unsent = list.filter((each) => each.state !== 'failed'); events.pending(list); },
    });
    this.#client.start();
  }

  stop(): void {
    this.#client?.stop();
    this.#save();
  }

  say(frame: Draft): void {
    this.#client?.say({ ...frame, id: randomUUID() });
  }

  forget(id: string): void {
    this.#client?.forget(id);
  }

  /** Said, and not yet known to be stored. */
  get unsent(): readonly Pending[] {
    return this.#unsent;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** A chip by its id or its label, newest first; undefined: none such is known. */
  findChip(idOrLabel: string): Chip | undefined {
    return this.#chips.find((chip) => chip.id === idOrLabel) ?? this.#chips.find((chip) => chip.label === idOrLabel);
  }

  /** Target of the newest card. */
  get cardTarget(): string | undefined {
    return this.#card?.target;
  }

  /** The code behind a choice's name, or the value as given. */
  choiceValue(field: string, value: string): string {
    return this.#card?.choices.find((choice) => choice.field === field && choice.label === value)?.id ?? value;
  }

  /** Everything said is stored and something came back after it, and then it was quiet for so long. */
  isAnswered(quietMs: number): boolean {
    return this.#connected && this.#lastFrameAt > 0 && this.#unsent.length === 0 && this.#answeredSeq >= this.#ownSeq && Date.now() - this.#lastFrameAt >= quietMs;
  }

  async upload(path: string): Promise<string> {
    const response = await fetch(`${this.#url}/chat/media`, {
      method: 'POST', headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${this.#token ?? ''}` }, body: new Uint8Array(await readFile(path)),
    });
    const answer = await response.json() as MediaAnswer & { code?: string; text?: string };
    if (!response.ok) throw Object.assign(new Error(answer.text ?? `HTTP ${response.status}`), { code: answer.code ?? 'http.internal' });
    return answer.mediaId;
  }

  #note(frame: ServerFrame): void {
    this.#lastFrameAt = Date.now();
    if (frame.t === 'stored') this.#ownSeq = Math.max(this.#ownSeq, frame.seq);
    if (frame.t !== 'message') return;
    this.#seq = frame.seq;
    this.#save();
    if (frame.from === 'resident') this.#ownSeq = Math.max(this.#ownSeq, frame.seq);
    else this.#noteAnswer(frame);
  }

  #noteAnswer(line: MessageLine): void {
    if (line.body.kind !== 'system') this.#answeredSeq = line.seq;
    if ('chips' in line.body && line.body.chips && line.body.chips.length > 0) this.#chips.unshift(...line.body.chips);
    this.#chips.splice(60);
    if (!('card' in line.body)) return;
    const { target, fields } = line.body.card;
    this.#card = { target, choices: fields.flatMap((field) => (field.choices ?? []).map((choice) => ({ ...choice, field: field.field }))) };
  }

  async #renewIdentity(): Promise<void> {
    const response = await fetch(`${this.#url}/chat/session`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }) }, body: '{"client":"cli"}',
    });
    if (!response.ok) throw new Error(`session: HTTP ${response.status}`);
    const answer = await response.json() as SessionAnswer;
    this.#token = answer.token;
    if (answer.identity !== 'kept') this.#seq = 0;
    this.#save();
  }

  #openLine(events: LineEvents): Line {
    const socket = new WebSocket(`${this.#url.replace(/^http/, 'ws')}/chat/ws`, { headers: { authorization: `Bearer ${this.#token ?? ''}` } });
    socket.on('open', () => events.opened());
    socket.on('message', (data) => events.received(String(data)));
    socket.on('close', (code) => events.closed(code));
    socket.on('error', () => undefined); // 'close' follows, and the client tries again
    return { send: (text) => socket.send(text), close: () => socket.close() };
  }

  #save(): void {
    if (this.#token === undefined) return;
    const file = this.#options.identityFile;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.part`, `${JSON.stringify({ token: this.#token, seq: this.#seq, url: this.#url })}\n`, { mode: 0o600 });
    renameSync(`${file}.part`, file);
  }
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type Draft = WithoutId<MessageFrame>;

export const openResident = (options: ResidentOptions): Resident => new Resident(options);

/** A terminal that ends takes its unsent lines with it; whoever types sees that they were not stored. */
const NOTHING_KEPT = { all: (): readonly Pending[] => [], put: (): void => undefined, remove: (): void => undefined };

function readSaved(file: string): z.infer<typeof Saved> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return Saved.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file} is not a resident's identity; delete it, or start with --new`, { cause });
  }
}
