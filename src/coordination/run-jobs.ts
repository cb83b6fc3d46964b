import { isAppError } from '../domain/errors.ts';
import type { DomainEvent, Timer } from '../domain/events.ts';
import type { Instant } from '../domain/ids.ts';
import type { Job, Logger, Queries, Store } from '../domain/ports.ts';

export type JobHandler = (tx: Queries, what: DomainEvent | Timer, now: Instant) => Promise<void>;

export interface JobDeps {
  readonly store: Store;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly owner: string;
  readonly now: () => Instant;
  readonly log: Logger;
  /** After the commit. */
  readonly onDone: (job: Job) => void;
}

const LEASE_MS = 30_000;
const MOST_TRIES = 8;

class LeaseLost extends Error {}

/**
 * Runs one due job. Its effects and its done-mark are one transaction: a crash between two steps leaves the job to be done again,
 * never half. @returns whether there was one
 */
export async function runJob(deps: JobDeps): Promise<boolean> {
  const job = await deps.store.claimJob(deps.owner, deps.now(), LEASE_MS);
  if (!job) return false;
  const about = { job: job.id, handler: job.handler, lane: job.lane };
  try {
    const handler = deps.handlers.get(job.handler);
    if (!handler) throw new Error(`no handler named ${job.handler}`);
    await deps.store.transaction(async (tx) => {
      await handler(tx, job.payload, deps.now());
      if (!(await tx.finishJob(job, deps.owner))) throw new LeaseLost();
    });
    deps.log.debug(about, 'job.done');
    deps.onDone(job);
  } catch (error) {
    if (error instanceof LeaseLost) {
      deps.log.warn(about, 'job.lease_lost');
      return true;
    }
    const again = job.attempts + 1 < MOST_TRIES;
    const code = isAppError(error) ? error.code : error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    deps.log[again ? 'warn' : 'error']({ ...about, attempts: job.attempts + 1, error: error instanceof Error ? error.stack : String(error) }, again ? 'job.retry' : 'job.dead');
    await deps.store.failJob(job, deps.owner, code, again ? deps.now() + Math.min(500 * 4 ** job.attempts, 600_000) : null, deps.now());
  }
  return true;
}
