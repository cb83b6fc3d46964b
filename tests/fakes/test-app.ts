import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp, loadCity, type App } from '../../src/app.ts';
import { readConfig, type Config } from '../../src/config.ts';
import type { ConversationId, MediaId, ResidentId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import type { Chip, InboundContent, TranscriptMessage } from '../../src/domain/message.ts';
import type { Connector, Understand } from '../../src/domain/ports.ts';
import type { Ticket, TicketCommand } from '../../src/domain/ticket.ts';
import { createUnderstandingPool, type UnderstandingPool } from '../../src/nlp/index.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { applyTicketCommand } from '../../src/tickets/apply-command.ts';
import { dropSchema } from './drop-schema.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The shipped model, one thread, for as many apps as a test file builds. */
export function shippedModel(): Promise<UnderstandingPool> {
  const config = readConfig({ MODEL_DIR: process.env['MODEL_DIR'] }, ROOT);
  return createUnderstandingPool({ modelDir: config.MODEL_DIR, catalogue: loadCity(config).catalogue, workers: 1, timeoutMs: 30_000 });
}

export interface TestApp {
  readonly app: App;
  readonly config: Config;
  /** Moves the clock forward. */
  later(ms: number): void;
  now(): number;
  resident(): Promise<TestResident>;
  /** Until nothing that is due is left to do. */
  settle(): Promise<void>;
  drop(): Promise<void>;
}

export interface TestOptions {
  readonly engine?: 'sqlite' | 'postgres';
  readonly understand: Understand;
  readonly connectors?: readonly Connector[];
  readonly env?: Record<string, string>;
  readonly fetch?: typeof fetch;
}

/** The real app without its HTTP port: real store, real turn, the given understanding. */
export async function makeApp(options: TestOptions): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'jiban-app-'));
  const schema = `jiban_test_${randomUUID().slice(0, 8)}`;
  const databaseUrl = options.engine === 'postgres' ? process.env['DATABASE_URL'] : undefined;
  const redisUrl = options.engine === 'postgres' ? process.env['REDIS_URL'] : undefined;
  const config = readConfig({
    DATA_DIR: dataDir, PORT: '0', DATABASE_SCHEMA: schema, REDIS_PREFIX: `${schema}:`, ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}), ...(redisUrl ? { REDIS_URL: redisUrl } : {}), ...options.env,
  }, ROOT);
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const app = await buildApp({
    config, root: ROOT, logger: buildLogger({ level: 'silent' }), version: 'test', now, understand: options.understand, ...(options.connectors ? { connectors: options.connectors } : {}), ...(options.fetch ? { fetch: options.fetch } : {}),
  });
  app.work();

  const settle = async (): Promise<void> => {
    const giveUp = Date.now() + 25_000;
    for (;;) {
      const left = await app.store.backlog(now());
      if (left.inbox === 0 && left.outbox === 0 && left.jobs === 0) return;
      if (Date.now() > giveUp) throw new Error(`still at work: ${JSON.stringify(left)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  return {
    app, config, now, settle,
    later: (ms) => void (ahead += ms),
    resident: async () => new TestResident(app, await app.store.ensureResident('web', randomUUID(), now()), settle, now),
    async drop() {
      await app.close();
      if (databaseUrl !== undefined) await dropSchema(databaseUrl, schema);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** One resident as scripts play them: everything they do goes through the inbox, everything they see is the transcript. */
export class TestResident {
  readonly ids: { residentId: ResidentId; conversationId: ConversationId };
  readonly #app: App;
  readonly #settle: () => Promise<void>;
  readonly #now: () => number;
  #seen = 0;
  constructor(app: App, ids: { residentId: ResidentId; conversationId: ConversationId }, settle: () => Promise<void>, now: () => number) {
    this.#app = app;
    this.ids = ids;
    this.#settle = settle;
    this.#now = now;
  }

  /** Does one thing and gives back what came in answer. */
  async does(content: InboundContent, id: string = randomUUID()): Promise<readonly TranscriptMessage[]> {
    await this.#app.receive({ channel: 'web', messageId: `${this.ids.residentId}:${id}`, clientId: id, ...this.ids, content, receivedAt: this.#now(), turnId: randomUUID() });
    return this.sees();
  }
  says(text: string): Promise<readonly TranscriptMessage[]> {
    return this.does({ kind: 'text', text });
  }
  /** Taps the newest chip with this label (or id). */
  async taps(label: string): Promise<readonly TranscriptMessage[]> {
    const chips = (await this.transcript()).flatMap((message): readonly Chip[] => ('chips' in message.body ? (message.body.chips ?? []) : []));
    const chip = chips.findLast((each) => each.label === label || each.id === label);
    if (!chip) throw new Error(`no chip 「${label}」 among ${chips.map((each) => each.label).join('|')}`);
    return this.does({ kind: 'tap', chip: chip.id, label: chip.label });
  }
  async sendsPicture(): Promise<readonly TranscriptMessage[]> {
    const id = randomUUID() as MediaId;
    await this.#app.store.insertMedia({ id, residentId: this.ids.residentId, mime: 'image/jpeg', bytes: 1, at: this.#now() });
    return this.does({ kind: 'image', mediaId: id });
  }
  /** What has come since the last look, without the resident's own lines. */
  async sees(): Promise<readonly TranscriptMessage[]> {
    await this.#settle();
    const fresh = await this.#app.store.transcript(this.ids.conversationId, { afterSeq: this.#seen, limit: 500 });
    this.#seen = fresh.at(-1)?.seq ?? this.#seen;
    return fresh.filter((message) => message.author !== 'resident' && message.body.kind !== 'system');
  }
  transcript(): Promise<readonly TranscriptMessage[]> {
    return this.#app.store.transcript(this.ids.conversationId, { afterSeq: 0, limit: 500 });
  }
  async tickets(): Promise<readonly Ticket[]> {
    return [...(await this.#app.store.ticketsOfResident(this.ids.residentId, 50))].reverse();
  }
  conversation() {
    return this.#app.store.conversation(this.ids.conversationId);
  }
  /** The unit that holds the ticket does something to it. */
  async unitDoes(ticketId: TicketId, command: TicketCommand): Promise<readonly TranscriptMessage[]> {
    const ticket = await this.#app.store.ticket(ticketId);
    const unitId = ticket?.unitId ?? ('nobody' as UnitId);
    const result = await this.#app.store.transaction((tx) => applyTicketCommand(tx, { ticketId, command, actor: { role: 'unit', unitId, userId: 'u' as UserId }, now: this.#now() }));
    if (!result.ok) throw new Error(result.reason);
    return this.sees();
  }
}

export const textOf = (message: TranscriptMessage): string => ('text' in message.body ? message.body.text : '');
