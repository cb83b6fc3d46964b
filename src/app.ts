import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger as PinoLogger } from 'pino';
import { botRuntime } from './bot/botkit-runtime.ts';
import { cleanText } from './bot/clean-text.ts';
import { draftOf } from './bot/draft.ts';
import { handleTurn } from './bot/handle-turn.ts';
import { patient } from './bot/patience.ts';
import { WAIT_MINUTES } from './bot/prompts.zh.ts';
import { startFollowUp, waitingOverdue } from './bot/timers.ts';
import type { Config } from './config.ts';
import { buildWebConnector } from './connectors/web/index.ts';
import { buildWechatChannels } from './wechat-channels.ts';
import { localCoordination } from './coordination/local.ts';
import { redisCoordination } from './coordination/redis.ts';
import { runJob, type JobHandler } from './coordination/run-jobs.ts';
import { startWorkLoop, type WorkLoop } from './coordination/work-loop.ts';
import { chinaCalendar } from './dispatch/china-calendar.ts';
import { dayOf, dueAt, objectBy, type DeadlinePolicy } from './dispatch/deadlines.ts';
import { acceptBy, callOf, careCall, decideBy, dispatchTicket, redispatchTicket } from './dispatch/dispatch-ticket.ts';
import { escalateTicket } from './dispatch/escalate-ticket.ts';
import { openDirectories } from './dispatch/directories.ts';
import { isDirectoryFile, loadDirectories, loadUnits, parsePlaces } from './dispatch/load-directory.ts';
import { loadStages } from './dispatch/load-stages.ts';
import { routeTicket } from './dispatch/route-ticket.ts';
import { INVESTIGATORS, type Routable, type Routed } from './domain/directory.ts';
import { AppError } from './domain/errors.ts';
import type { UnitId } from './domain/ids.ts';
import type { DomainEvent, DomainEventKind, TimerKind } from './domain/events.ts';
import type { Channel, InboundMessage } from './domain/message.ts';
import { TOPICS, type Connector, type Coordination, type Queries, type Stored, type Understand } from './domain/ports.ts';
import type { Naming } from './domain/ticket-card.ts';
import { checkLifeSafety, createPlaceSearch, createUnderstandingPool, loadCatalogue, placeNeeds } from './nlp/index.ts';
import { deliverOutbox } from './notify/deliver-outbox.ts';
import { tellResident } from './notify/tell-resident.ts';
import { buildServer } from './server/build-server.ts';
import { ensureSetupLink, tokenHash } from './server/desk/auth.ts';
import { deskRoutes } from './server/desk/desk-routes.ts';
import { publicText } from './server/error-texts.zh.ts';
import { buildMetrics } from './server/metrics.ts';
import { localToken } from './store/local-token.ts';
import { openStore, type OpenedStore } from './store/open-store.ts';
import { applyTicketCommand } from './tickets/apply-command.ts';
import { openTicket, ticketNumbers } from './tickets/open-ticket.ts';
import { ticketOverdue } from './tickets/overdue.ts';
import { redact } from './tickets/redact.ts';

/** Who reacts to what: the one table. A new event without a row doesn't compile; a name without a handler stops the start. */
export const subscriptions = {
  ticket_opened: ['dispatchTicket', 'tellResident'],
  ticket_dispatched: ['tellResident'],
  ticket_unrouted: ['tellResident'],
  ticket_accepted: ['tellResident'],
  ticket_progress: ['tellResident'],
  ticket_returned: ['tellResident'],
  ticket_resolved: ['tellResident', 'startFollowUp'],
  ticket_follow_up_asked: [],
  ticket_follow_up_answered: [],
  ticket_reopened: [],
  ticket_archived: ['tellResident'],
  ticket_withdrawn: ['tellResident'],
  ticket_supplemented: [],
  ticket_corrected: ['redispatchTicket', 'tellResident'],
  ticket_overdue: ['tellResident', 'escalateTicket'],
  ticket_objection_refused: ['tellResident'],
  ticket_bounced: [],
  ticket_whistled: ['tellResident'],
  ticket_reported_in: [],
  ticket_task_answered: [],
  ticket_task_closed: [],
  ticket_time_asked: [],
  ticket_time_granted: ['tellResident'],
  ticket_time_refused: ['tellResident'],
  ticket_resumed: ['tellResident'],
  ticket_stage_entered: ['tellResident'],
  ticket_reminded: [],
  ticket_escalated: ['tellResident'],
  ticket_excluded: [],
  handoff_requested: [],
  handoff_ended: [],
  operator_claimed: [],
} as const satisfies Record<DomainEventKind, readonly string[]>;

const TIMERS = ['waiting_overdue', 'accept_overdue', 'ticket_due', 'route_overdue', 'follow_up_give_up', 'follow_up_start', 'reminder', 'task_overdue', 'time_undecided', 'pause_over', 'escalation'] as const satisfies readonly TimerKind[];

const DAY_MS = 86_400_000;
/** China keeps one time all year. */
const CHINA_MINUTES = 480;
const TURN_LEASE_MS = 60_000;
const TURNS_AT_ONCE = 8;
const URGENT_TURNS_AT_ONCE = 2;
const POLL_MS = 500;
const REREAD_MS = 60_000;
const UNDERSTAND_WITHIN_MS = 4_000;

export const handlersOf = (event: string): readonly string[] => (Object.hasOwn(subscriptions, event) ? subscriptions[event as DomainEventKind] : []);

export interface AppParts {
  readonly config: Config;
  readonly root: string;
  readonly logger: PinoLogger;
  readonly version: string;
  readonly now?: () => number;
  /** In place of the model's threads, for tests of what surrounds them. */
  readonly understand?: Understand;
  /** In place of the network to the platforms, for tests. */
  readonly fetch?: typeof fetch;
  /** Further channels, for tests and for connectors of later issues. */
  readonly connectors?: readonly Connector[];
}

export interface App {
  readonly server: FastifyInstance;
  readonly store: OpenedStore;
  readonly coordination: Coordination;
  readonly understand: Understand;
  /** Stores one message, then wakes the turn. */
  receive(message: InboundMessage): Promise<Stored>;
  /** Starts taking work; `listen` does so too. */
  work(): void;
  /** @returns the address people open */
  listen(): Promise<string>;
  /** Path of the one-time link while nobody administers the desk yet. */
  setupPath(): Promise<string | null>;
  /** Stops accepting, finishes what is in hand, closes the store last. */
  close(): Promise<void>;
}

/** Puts the rooms together. The only file that knows every folder. */
export async function buildApp(parts: AppParts): Promise<App> {
  const { config, logger: log } = parts;
  const now = parts.now ?? Date.now;
  const newId = randomUUID;
  const owner = `${process.pid}-${newId().slice(0, 8)}`;
  const closers: (() => Promise<void>)[] = [];
  /** The last opened first; one that fails keeps none of the others open. */
  const closeAll = async (): Promise<void> => {
    const failed: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw new AggregateError(failed, `closing failed: ${failed.map(String).join('; ')}`);
  };

  try {
    const city = loadCity(config);
    const store = await openStore({
      dataDir: config.DATA_DIR, databaseUrl: config.DATABASE_URL, schema: config.DATABASE_SCHEMA, newId, handlersOf,
      onIdleError: (error) => log.warn({ error: error.message }, 'store.idle_connection_lost'),
    });
    closers.push(() => store.close());
    const coordination = config.REDIS_URL === undefined ? localCoordination(now) : redisCoordination({ url: config.REDIS_URL, prefix: config.REDIS_PREFIX, log });
    closers.push(() => coordination.close());

    const pool = parts.understand ? null : await createUnderstandingPool({
      modelDir: config.MODEL_DIR, catalogue: city.catalogue, segmenter: config.SEGMENTER, ...(config.UNDERSTAND_WORKERS === undefined ? {} : { workers: config.UNDERSTAND_WORKERS }),
    });
    if (pool) closers.push(() => pool.close());
    const understand: Understand = parts.understand ?? ((text, context) => {
      if (!pool) throw new AppError('model.unavailable', 'no model was loaded');
      return pool.understand(text, context, { timeoutMs: UNDERSTAND_WITHIN_MS });
    });

    const policy: DeadlinePolicy = {
      modes: { h2: 'calendar', h24: config.DEADLINE_MODE_H24, d7: config.DEADLINE_MODE_D7, d15: config.DEADLINE_MODE_D15 }, utcOffsetMinutes: config.UTC_OFFSET_MINUTES,
      calendar: chinaCalendar((year) => log.warn({ year }, 'calendar.year_without_notice')),
    };
    const deadline = (urgency: Parameters<typeof dueAt>[0], from: number): number => dueAt(urgency, from, policy);
    const objectUntil = (ticket: { readonly dueAt: number }, from: number): number => objectBy(ticket, from, config.OBJECTION_WORKDAYS, policy);
    const naming: Naming = { catalogue: city.catalogue, unitName: (id) => city.units.get(id)?.name ?? id, utcOffsetMinutes: config.UTC_OFFSET_MINUTES };
    const directories = openDirectories({ files: city.files, city: city.knowledge, today: () => dayOf(now(), config.UTC_OFFSET_MINUTES), stored: () => store.directories() });
    await directories.reload();
    const { inForce } = directories;
    const route = (matter: Routable): Routed => routeTicket(inForce(), city.catalogue, { at: now(), ...matter });
    const directoryVersion = (): string => inForce()?.version ?? '';
    const opening = openTicket({ newId, dueAt: deadline, directoryVersion });
    const nextNumber = ticketNumbers(store, (at) => dayOf(at, config.UTC_OFFSET_MINUTES).slice(2).replaceAll('-', ''));
    const metrics = buildMetrics({ backlog: (at) => store.backlog(at), now });

    // --- what runs ---------------------------------------------------------------------------------------------------------
    let loops: readonly WorkLoop[] = [];
    const receive = async (message: InboundMessage, also?: (tx: Queries) => Promise<void>): Promise<Stored> => {
      const urgent = message.content.kind === 'text' && checkLifeSafety(message.content.text).rules.length > 0;
      const marked = urgent ? { ...message, urgent } : message;
      const stored = also === undefined ? await store.receive(marked) : await store.transaction(async (tx) => {
        const outcome = await tx.receive(marked);
        if (outcome.outcome === 'stored') await also(tx);
        return outcome;
      });
      if (stored.outcome === 'stored') {
        coordination.publish(TOPICS.inbox, urgent ? 'urgent' : '');
        coordination.publish(`${TOPICS.conversation}:${message.conversationId}`, String(stored.seq));
      }
      return stored;
    };
    const afterCommit = (conversationId: string | undefined): void => {
      if (conversationId !== undefined) coordination.publish(`${TOPICS.conversation}:${conversationId}`, conversationId);
      coordination.publish(TOPICS.outbox, '');
      coordination.publish(TOPICS.jobs, '');
      coordination.publish(TOPICS.desk, JSON.stringify({ conversationId }));
    };

    const turnDeps = {
      store, understand: patient(understand), checkLifeSafety, openTicket: opening, applyCommand: applyTicketCommand, nextNumber, redact, dueAt: deadline, acceptBy, careCall: careCall({ directory: inForce, newId }),
      followUpGiveUpMs: Math.round(config.FOLLOW_UP_DAYS * DAY_MS), naming, needs: placeNeeds, runtime: botRuntime(), newId, now, log,
    };
    const takeTurn = async (only?: 'urgent'): Promise<boolean> => {
      const claim = await store.claimTurn(owner, now(), TURN_LEASE_MS, only);
      if (!claim) return false;
      const started = performance.now();
      const outcome = await handleTurn(turnDeps, claim);
      metrics.observeTurn({ outcome, ms: performance.now() - started });
      if (outcome === 'done') metrics.observeReply(Math.max(0, now() - claim.message.receivedAt));
      afterCommit(claim.conversation.id);
      return true;
    };

    const overdue = ticketOverdue(applyTicketCommand) as JobHandler;
    const dispatchDeps = { route, dueAt: deadline, applyCommand: applyTicketCommand, objectBy: objectUntil, newId, investigates: (unit: UnitId) => INVESTIGATORS.has(city.units.get(unit)?.kind ?? '') };
    const escalate = escalateTicket({ directory: inForce, applyCommand: applyTicketCommand });
    const handlers = new Map<string, JobHandler>([
      ['dispatchTicket', dispatchTicket(dispatchDeps) as JobHandler], ['redispatchTicket', redispatchTicket(dispatchDeps) as JobHandler],
      ['tellResident', tellResident(naming) as JobHandler], ['startFollowUp', startFollowUp(newId)], ['follow_up_start', startFollowUp(newId)],
      ['waiting_overdue', waitingOverdue as JobHandler], ['accept_overdue', overdue], ['ticket_due', overdue], ['route_overdue', overdue], ['follow_up_give_up', overdue],
      ['reminder', overdue], ['task_overdue', overdue], ['time_undecided', overdue], ['pause_over', overdue], ['escalation', escalate], ['escalateTicket', escalate],
    ]);
    for (const name of [...Object.values(subscriptions).flat(), ...TIMERS]) if (!handlers.has(name)) throw new Error(`nothing handles ${name}`);
    const jobDeps = {
      store, handlers, owner, now, log,
      onDone: (job: { payload: DomainEvent | { conversationId?: string | undefined } }) => {
        coordination.publish(TOPICS.inbox, '');
        afterCommit(job.payload.conversationId);
      },
    };

    const web = buildWebConnector({
      store, coordination, receive, tokenKey: store.keyring.derive('web-token'), allowedOrigins: config.ALLOWED_ORIGINS,
      dataDir: config.DATA_DIR, publicText, now, newId, logger: log,
    });
    const wechat = buildWechatChannels({ config, store, coordination, receive, afterCommit, media: web.media, fetch: parts.fetch ?? fetch, owner, now, newId, log });
    const connectors = new Map<Channel, Connector>([web, ...wechat.connectors, ...(parts.connectors ?? [])].map((each) => [each.channel, each]));
    // A released version is heard of at once; where the news got lost, a little later.
    const rereadDirectories = (): void => void directories.reload().catch((error: unknown) => log.warn({ error: String(error) }, 'directory.reread_failed'));
    const work = (): void => {
      if (loops.length > 0) return;
      const turns = startWorkLoop({ name: 'turns', work: () => takeTurn(), pollMs: POLL_MS, concurrency: TURNS_AT_ONCE, log });
      // Hands kept free for danger, however long the others' hands are held by a slow model.
      const urgentTurns = startWorkLoop({ name: 'urgent turns', work: () => takeTurn('urgent'), pollMs: POLL_MS, concurrency: URGENT_TURNS_AT_ONCE, log });
      const jobs = startWorkLoop({ name: 'jobs', work: () => runJob(jobDeps), pollMs: POLL_MS, concurrency: 2, log });
      const outbox = startWorkLoop({ name: 'outbox', work: () => deliverOutbox({ store, connectors, owner, now, log, observe: metrics.observeDelivery }), pollMs: POLL_MS, concurrency: 1, log });
      loops = [turns, urgentTurns, jobs, outbox, ...wechat.startLoops()];
      const wakeTurns = (body: string): void => {
        if (body === 'urgent') urgentTurns.wake();
        turns.wake();
      };
      const wakes = [coordination.subscribe(TOPICS.inbox, wakeTurns), coordination.subscribe(TOPICS.jobs, jobs.wake), coordination.subscribe(TOPICS.outbox, outbox.wake), coordination.subscribe(TOPICS.directory, rereadDirectories)];
      const reread = setInterval(rereadDirectories, REREAD_MS);
      closers.push(async () => {
        clearInterval(reread);
        for (const stop of wakes) stop();
        await Promise.all(loops.map((loop) => loop.stop()));
      });
    };

    // --- what listens ------------------------------------------------------------------------------------------------------
    const adminToken = localToken(config.DATA_DIR);
    const desk = deskRoutes({
      store, coordination, now, newId, catalogue: city.catalogue, units: city.units, directoryVersion, route,
      placeSearch: createPlaceSearch({ modelDir: config.MODEL_DIR }), applyTicketCommand, openTicket: opening, nextTicketNumber: nextNumber,
      interpret: async (words, at) => {
        const text = cleanText(words.join('\n'));
        return { ...draftOf(text, await understand(text), { id: newId(), now: at, media: [], needs: placeNeeds }), words };
      },
      redact, dueAt: deadline, acceptBy, decideBy, objectBy: objectUntil, callOf, stagesOf: (type) => city.stages.find((plan) => plan.types.includes(type)) ?? null, waitingUntil: (urgency, from) => from + WAIT_MINUTES[urgency] * 60_000,
      directories, media: web.media, adminTokenHash: tokenHash(adminToken),
    });
    const server = await buildServer({
      plugins: [web.plugin, ...wechat.plugins, desk], store, coordination, metrics, logger: log, now, newId, webRoot: join(parts.root, 'dist', 'web'), version: parts.version, trustProxy: config.TRUST_PROXY.length > 0 ? config.TRUST_PROXY : false,
      model: () => (pool === null ? { ok: true, detail: 'given' } : { ok: pool.stats().ready > 0, detail: pool.modelVersion }),
    });
    closers.push(() => server.close());

    return {
      server, store, coordination, understand, receive, work,
      async listen() {
        work();
        await server.listen({ host: config.HOST, port: config.PORT });
        const address = server.server.address();
        return config.PUBLIC_URL ?? `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${typeof address === 'object' && address !== null ? address.port : config.PORT}`;
      },
      setupPath: () => ensureSetupLink(store),
      close: closeAll,
    };
  } catch (error) {
    await closeAll().catch((also: unknown) => log.warn({ error: String(also) }, 'app.close_failed')); // why it did not start is what must be told
    throw error;
  }
}

/** The city's own data. @throws AppError `catalogue.invalid` `directory.invalid` */
export function loadCity(config: Pick<Config, 'CITY_DIR'> & Partial<Pick<Config, 'UTC_OFFSET_MINUTES'>>) {
  const read = (name: string): string => {
    try {
      return readFileSync(join(config.CITY_DIR, name), 'utf8');
    } catch (cause) {
      throw new AppError('directory.invalid', `${join(config.CITY_DIR, name)} cannot be read; set CITY_DIR to a folder like config/beijing`, { cause });
    }
  };
  const catalogue = loadCatalogue(read('catalogue.yaml'));
  const places = parsePlaces(read('places.csv'));
  const units = loadUnits(read('units.yaml'), places, catalogue);
  const files = readdirSync(config.CITY_DIR).filter(isDirectoryFile).sort().map((name) => ({ name, text: read(name) }));
  const stages = existsSync(join(config.CITY_DIR, 'stages.yaml')) ? loadStages(read('stages.yaml'), catalogue) : [];
  const knowledge = { catalogue, units, places, utcOffsetMinutes: config.UTC_OFFSET_MINUTES ?? CHINA_MINUTES };
  return { catalogue, units, stages, files, knowledge, directories: loadDirectories(files, knowledge) };
}
