import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { WebSocket } from 'ws';
import { buildWebConnector, type WebConnector, type WebConnectorDeps } from '../../../src/connectors/web/index.ts';
import type { ClientFrame, ServerFrame, SessionAnswer } from '../../../src/connectors/web/protocol.ts';
import { localCoordination } from '../../../src/coordination/local.ts';
import type { InboundContent, InboundMessage, Reply } from '../../../src/domain/message.ts';
import type { Coordination, Stored } from '../../../src/domain/ports.ts';
import { buildServer } from '../../../src/server/build-server.ts';
import { publicText } from '../../../src/server/error-texts.zh.ts';
import { buildLogger } from '../../../src/server/logger.ts';
import { buildMetrics } from '../../../src/server/metrics.ts';
import { makeStore, type TestStore } from '../../fakes/test-store.ts';

export type Answer = (content: InboundContent) => readonly Reply[];

/** Says back what it was told. */
export const echo: Answer = (content) => [{ kind: 'text', text: content.kind === 'text' ? `收到：${content.text}` : `收到：${content.kind}` }];

export interface EchoServer {
  readonly app: FastifyInstance;
  readonly connector: WebConnector;
  readonly coordination: Coordination;
  readonly test: TestStore;
  readonly url: string;
  readonly port: number;
  /** Turns done, with the text or kind of what was said. */
  readonly turns: InboundMessage[];
  /** Stops the HTTP side only; the store lives on. */
  stop(): Promise<void>;
  /** The same store and keys behind a new server on the same port. */
  restart(change?: Partial<WebConnectorDeps>): Promise<EchoServer>;
  drop(): Promise<void>;
}

export interface EchoOptions {
  readonly answer?: Answer;
  readonly web?: Partial<WebConnectorDeps>;
  readonly webRoot?: string;
  readonly port?: number;
  /** Wakes are published unless the nerve is said to be dead. */
  readonly deadNerve?: boolean;
  readonly replyAfterMs?: number;
  /** What storing fails with, while it gives something. */
  readonly storeFails?: () => Error | undefined;
}

const silent = buildLogger({ level: 'silent' });

/** The real server, connector and SQLite store; in place of the bot something that answers at once. */
export async function startEchoServer(options: EchoOptions = {}): Promise<EchoServer> {
  const test = await makeStore('sqlite');
  return serve(test, { web: { tokenKey: randomBytes(32) }, ...options });
}

async function serve(test: TestStore, options: EchoOptions, inHand = new Set<Promise<void>>()): Promise<EchoServer> {
  const local = localCoordination();
  const coordination: Coordination = options.deadNerve ? { ...local, publish: () => undefined } : local;
  const turns: InboundMessage[] = [];
  const answer = options.answer ?? echo;
  const wake = (message: InboundMessage): void => coordination.publish(`conversation:${message.conversationId}`, '');
  const receive = async (message: InboundMessage): Promise<Stored> => {
    const failure = options.storeFails?.();
    if (failure) throw failure;
    const stored = await test.store.receive(message);
    const turn = new Promise((resolve) => { setTimeout(resolve, options.replyAfterMs ?? 0); }).then(() => takeTurn(test, answer, turns, wake));
    inHand.add(turn);
    void turn.finally(() => inHand.delete(turn));
    return stored;
  };
  const deps = { store: test.store, coordination, logger: silent, now: Date.now, newId: randomUUID };
  const connector = buildWebConnector({ ...deps, receive, dataDir: test.dataDir, publicText, tokenKey: randomBytes(32), pollMs: 60_000, ...options.web });
  const app = await buildServer({
    ...deps, plugins: [connector.plugin], model: () => ({ ok: true, detail: 'echo' }), version: '0.0.0-test',
    metrics: buildMetrics({ backlog: test.store.backlog, now: Date.now }), webRoot: options.webRoot ?? join(test.dataDir, 'no-pages'),
  });
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  const stop = async (): Promise<void> => { await app.close(); await local.close(); };
  return {
    app, connector, coordination, test, turns, port, url: `http://127.0.0.1:${port}`, stop,
    async restart(change) { await stop(); return serve(test, { ...options, port, web: { ...options.web, ...change } }, inHand); },
    async drop() { await stop(); await Promise.all(inHand); await test.drop(); },
  };
}

async function takeTurn(test: TestStore, answer: Answer, turns: InboundMessage[], wake: (message: InboundMessage) => void): Promise<void> {
  const now = Date.now();
  const claim = await test.store.claimTurn('echo', now, 5_000);
  if (!claim) return;
  await test.store.transaction(async (tx) => {
    if (!await tx.lockTurn(claim)) throw new Error('the echo lost its lease');
    const entries = answer(claim.message.content).map((body, index) => ({ author: 'bot' as const, body, idempotencyKey: `${claim.message.messageId}#${index}` }));
    await tx.say(claim.conversation, entries, now, claim.message.turnId);
    await tx.finishTurn(claim, claim.conversation, now);
  });
  turns.push(claim.message);
  wake(claim.message);
}

/** A fresh resident of that server, as a program without cookies gets one. */
export async function newResident(server: Pick<EchoServer, 'url'>, token?: string): Promise<SessionAnswer & { token: string }> {
  const response = await fetch(`${server.url}/chat/session`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }, body: '{"client":"cli"}',
  });
  return await response.json() as SessionAnswer & { token: string };
}

export interface TestPage {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[];
  send(frame: ClientFrame | string): void;
  /** The first frame that fits, come or still to come. */
  until<T extends ServerFrame['t']>(t: T, fits?: (frame: Extract<ServerFrame, { t: T }>) => boolean): Promise<Extract<ServerFrame, { t: T }>>;
  readonly closed: Promise<number>;
}

/** One open page that keeps every frame it was sent. */
export function openPage(server: Pick<EchoServer, 'port'>, headers: Record<string, string>): TestPage {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat/ws`, { headers });
  const frames: ServerFrame[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as ServerFrame);
    for (const check of waiting) check();
  });
  const closed = new Promise<number>((resolve) => { socket.once('close', resolve); });
  return {
    socket, frames, closed,
    send(frame) {
      const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
      if (socket.readyState === WebSocket.OPEN) socket.send(text); else socket.once('open', () => socket.send(text));
    },
    until(t, fits = () => true) {
      return new Promise((resolve, reject) => {
        const giveUp = setTimeout(() => reject(new Error(`no ${t} frame; came: ${JSON.stringify(frames).slice(0, 2_000)}`)), 8_000);
        const check = (): void => {
          const found = frames.find((frame): frame is Extract<ServerFrame, { t: typeof t }> => frame.t === t && fits(frame as never));
          if (!found) return;
          clearTimeout(giveUp);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      });
    },
  };
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
