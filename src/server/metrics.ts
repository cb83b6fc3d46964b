import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Instant } from '../domain/ids.ts';
import type { Store } from '../domain/ports.ts';

/** What the process counts about itself. `app.ts` calls the `observe…` functions; `/metrics` reads `registry`. */
export interface Metrics {
  readonly registry: Registry;
  /** One turn, from claim to commit. */
  observeTurn(turn: { readonly outcome: string; readonly ms: number }): void;
  /** From the moment the message was stored to the moment its reply was. */
  observeReply(ms: number): void;
  observeDelivery(delivery: { readonly channel: string; readonly outcome: 'sent' | 'retry' | 'dead' }): void;
  observeHttp(exchange: { readonly method: string; readonly route: string; readonly status: number; readonly ms: number }): void;
  /** Where the open sockets are counted; called at each scrape. */
  countSockets(count: () => number): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface MetricsDeps {
  readonly backlog: Store['backlog'];
  readonly now: () => Instant;
}

/** A registry of its own: two servers in one process (tests) don't share counters. */
export function buildMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'jiban_' });
  const turns = new Counter({ name: 'jiban_turns_total', help: 'Turns done, by outcome.', labelNames: ['outcome'], registers });
  const turnSeconds = new Histogram({ name: 'jiban_turn_seconds', help: 'One turn, claim to commit.', buckets: SECONDS, registers });
  const replySeconds = new Histogram({ name: 'jiban_reply_seconds', help: 'Inbound stored to reply stored.', buckets: SECONDS, registers });
  const deliveries = new Counter({ name: 'jiban_deliveries_total', help: 'Outbox deliveries.', labelNames: ['channel', 'outcome'], registers });
  const http = new Histogram({ name: 'jiban_http_seconds', help: 'HTTP exchanges.', labelNames: ['method', 'route', 'status'], buckets: SECONDS, registers });
  let sockets = (): number => 0;
  new Gauge({ name: 'jiban_sockets', help: 'Open WebSockets.', registers, collect() { this.set(sockets()); } });
  registerBacklog(deps, registry);
  return {
    registry,
    observeTurn: ({ outcome, ms }) => { turns.inc({ outcome }); turnSeconds.observe(ms / 1000); },
    observeReply: (ms) => replySeconds.observe(ms / 1000),
    observeDelivery: (labels) => deliveries.inc(labels),
    observeHttp: ({ method, route, status, ms }) => http.observe({ method, route, status: String(status) }, ms / 1000),
    countSockets: (count) => { sockets = count; },
  };
}

type Backlog = Awaited<ReturnType<Store['backlog']>>;

/** One query per scrape feeds all backlog gauges; while the store is down they are absent rather than stale. */
function registerBacklog(deps: MetricsDeps, registry: Registry): void {
  const read = once(async (): Promise<Backlog | null> => {
    try {
      return await deps.backlog(deps.now());
    } catch {
      return null; // `jiban_store_up 0` reports the outage; the store logs its reason
    }
  });
  const registers = [registry];
  new Gauge({
    name: 'jiban_backlog', help: 'Rows waiting, by table; dead = given up, waiting = conversations waiting for an operator.', labelNames: ['of'], registers,
    async collect() {
      const backlog = await read();
      this.reset();
      if (backlog) for (const of of ['inbox', 'outbox', 'jobs', 'dead', 'waiting'] as const) this.set({ of }, backlog[of]);
    },
  });
  new Gauge({
    name: 'jiban_oldest_inbox_seconds', help: 'Age of the oldest unanswered message.', registers,
    async collect() {
      const backlog = await read();
      if (backlog) this.set(backlog.oldestInboxMs / 1000); else this.remove();
    },
  });
  new Gauge({ name: 'jiban_store_up', help: '1 while the store answers.', registers, async collect() { this.set(await read() ? 1 : 0); } });
}

/** Callers at one moment share one answer. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= work().finally(() => { running = null; });
    return running;
  };
}
