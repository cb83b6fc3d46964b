import type { FastifyInstance } from 'fastify';
import type { Instant } from '../domain/ids.ts';
import type { Coordination, Store } from '../domain/ports.ts';

export interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

export interface HealthDeps {
  readonly store: Pick<Store, 'ping' | 'backlog' | 'engine'>;
  readonly coordination: Pick<Coordination, 'ping' | 'engine'>;
  readonly model: () => Check | Promise<Check>;
  readonly now: () => Instant;
  readonly version: string;
  /** An unanswered message older than this means: send new residents to another process. Default one minute. */
  readonly maxQueueAgeMs?: number;
}

/** `/healthz`: the process runs. `/readyz`: it can do its work now; 503 when it cannot. */
export async function registerHealth(app: FastifyInstance, deps: HealthDeps): Promise<void> {
  const config = { free: true };
  app.get('/healthz', { config, schema: { tags: ['operations'], summary: 'The process runs' } }, async () => ({ ok: true, version: deps.version }));
  app.get('/readyz', { config, schema: { tags: ['operations'], summary: 'Store, model and queue are fit for work' } }, async (_request, reply) => {
    const checks = await runChecks(deps);
    const ok = checks.store.ok && checks.model.ok && checks.queue.ok;
    return reply.code(ok ? 200 : 503).send({ ok, checks });
  });
}

async function runChecks(deps: HealthDeps) {
  const [store, model, queue, coordination] = await Promise.all([
    probe(async () => { await deps.store.ping(); return { ok: true, detail: deps.store.engine }; }),
    probe(async () => deps.model()),
    probe(() => queueAge(deps)),
    // Never a reason to be unready: without it work goes on by polling, only slower.
    probe(async () => (await deps.coordination.ping() ? { ok: true, detail: deps.coordination.engine } : { ok: false, detail: `${deps.coordination.engine} does not answer; polling` })),
  ]);
  return { store, model, queue, coordination };
}

async function queueAge(deps: HealthDeps): Promise<Check> {
  const { inbox, oldestInboxMs } = await deps.store.backlog(deps.now());
  const ok = oldestInboxMs <= (deps.maxQueueAgeMs ?? 60_000);
  return { ok, detail: `${inbox} waiting, oldest ${Math.round(oldestInboxMs / 1000)} s` };
}

const PROBE_TIMEOUT_MS = 2_000;

/** A probe that throws or hangs is a failed check, not a failed request. */
async function probe(check: () => Promise<Check>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>((resolve) => { timer = setTimeout(resolve, PROBE_TIMEOUT_MS, { ok: false, detail: `no answer in ${PROBE_TIMEOUT_MS} ms` }); });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return { ok: false, detail: error instanceof Error && 'code' in error ? String(error.code) : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
