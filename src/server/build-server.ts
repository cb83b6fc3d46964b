import cookie from '@fastify/cookie';
import underPressure from '@fastify/under-pressure';
import websocket from '@fastify/websocket';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Coordination, Store } from '../domain/ports.ts';
import type { Instant, NewId } from '../domain/ids.ts';
import { AppError } from '../domain/errors.ts';
import { registerDocs } from './docs.ts';
import { handleError } from './error-handler.ts';
import { registerHealth, type Check } from './health.ts';
import { isLoopback } from './loopback.ts';
import type { Metrics } from './metrics.ts';
import { registerPages } from './pages.ts';
import { registerSecurity } from './security.ts';

/** A connector, the desk: registers its routes in a scope of its own. */
export type ServerPlugin = (app: FastifyInstance) => Promise<void>;

export interface ServerDeps {
  readonly plugins: readonly ServerPlugin[];
  readonly store: Pick<Store, 'ping' | 'backlog' | 'engine'>;
  readonly coordination: Pick<Coordination, 'ping' | 'engine' | 'allow'>;
  /** Whether understanding can be done now, and with what. */
  readonly model: () => Check | Promise<Check>;
  readonly metrics: Metrics;
  readonly logger: FastifyBaseLogger;
  readonly now: () => Instant;
  readonly newId: NewId;
  /** `dist/web`; absent pages are answered with how to build them. */
  readonly webRoot: string;
  readonly version: string;
  /** Addresses of proxies whose X-Forwarded-* are believed. */
  readonly trustProxy?: boolean | string[];
  readonly maxQueueAgeMs?: number;
  /** HTTP requests a minute from one address, pages not counted. Generous: a whole office may share one. */
  readonly requestsPerMinute?: number;
}

/** Sockets may send this much in one frame before they are cut off; the connectors' own limits are far lower and answered in words. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const SERVICE_RESTART = 1012;

/**
 * The whole HTTP side, not yet listening. `close()` stops accepting, tells open sockets to come back (1012), finishes
 * requests in hand.
 */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.logger,
    genReqId: () => deps.newId(),
    trustProxy: deps.trustProxy ?? false,
    logController: new LogController({ disableRequestLogging: true }), // http.done below says it in one line
    bodyLimit: 256 * 1024,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
  });
  app.setErrorHandler(handleError);
  observeExchanges(app, deps);
  await registerSecurity(app);
  await app.register(cookie);
  await registerSockets(app, deps);
  await limitLoad(app, deps);
  await registerDocs(app, deps.version);
  await registerHealth(app, deps);
  app.get('/metrics', { schema: { tags: ['operations'], summary: 'Prometheus metrics' }, config: { free: true } }, async (_request, reply) =>
    reply.type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics()));
  for (const plugin of deps.plugins) await app.register(plugin);
  await registerPages(app, deps.webRoot);
  return app;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered under any load and not counted against the address. */
    readonly free?: boolean;
  }
}

function observeExchanges(app: FastifyInstance, deps: ServerDeps): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const exchange = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    deps.metrics.observeHttp(exchange);
    request.log.info(exchange, 'http.done');
  });
}

async function registerSockets(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: MAX_FRAME_BYTES },
    errorHandler: (error, socket, request) => {
      request.log.warn({ err: error }, 'socket.failed');
      socket.close(1011);
    },
    preClose(this: FastifyInstance, done: () => void) {
      for (const socket of this.websocketServer.clients) socket.close(SERVICE_RESTART, 'service restart');
      const giveUp = setTimeout(() => { for (const socket of this.websocketServer.clients) socket.terminate(); }, 2_000);
      this.websocketServer.close(() => { clearTimeout(giveUp); done(); });
    },
  });
  deps.metrics.countSockets(() => app.websocketServer.clients.size);
}

/** Under pressure the honest answer is 503 at once; health, metrics and pages are always given. */
async function limitLoad(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: 300, // the mean of a sample: one long pause passes, steady ones don't
    sampleInterval: 500,
    pressureHandler: async (request, _reply, type, value) => {
      if (request.routeOptions.config.free) return;
      request.log.warn({ type, measured: value }, 'http.pressure');
      throw Object.assign(new Error('The server is overloaded; try again in a few seconds.'), { statusCode: 503 });
    },
  });
  const limit = deps.requestsPerMinute ?? 3_000;
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.free || isLoopback(request.ip)) return; // whoever shares the machine needs no limit by address
    if (!await deps.coordination.allow(`http:${request.ip}`, limit, 60_000)) throw new AppError('rate.limited', 'Too many requests from this address; wait a minute.');
  });
}
