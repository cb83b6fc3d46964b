import type { DomainEvent, Timer } from '../../domain/events.ts';
import type { DeadLetter, Job, Queries } from '../../domain/ports.ts';
import { fromJson, toJson, toPlainText } from '../codec.ts';
import { claimDue } from './claims.ts';
import { atomically, cursorNumber, lightly, type QueryContext } from './context.ts';

type Jobs = Pick<Queries, 'emit' | 'schedule' | 'claimJob' | 'finishJob' | 'failJob' | 'deadLetters' | 'retryDead' | 'backlog'>;

const subjectOf = (what: DomainEvent | Timer): string => ('ticketId' in what && what.ticketId !== undefined ? what.ticketId : (what.conversationId ?? 'none'));

export function jobQueries(context: QueryContext): Jobs {
  const { db } = context;
  const row = (handler: string, payload: DomainEvent | Timer, runAt: number, createdAt: number) => ({
    // Timers of one kind for one subject may lie years apart and must not wait for each other: each is its own lane.
    handler, lane: 'dueAt' in payload ? `timer:${context.newId()}` : `${subjectOf(payload)}:${handler}`,
    payload: toJson(payload), state: 'ready' as const, attempts: 0, run_at: runAt, lease_owner: null, lease_until: 0, error: null, created_at: createdAt,
  });

  return {
    async emit(events) {
      const rows = events.flatMap((event) => context.handlersOf(event.kind).map((handler) => row(handler, event, event.at, event.at)));
      if (rows.length > 0) await db.insertInto('jobs').values(rows).execute();
    },
    async schedule(timers) {
      if (timers.length > 0) await db.insertInto('jobs').values(timers.map((timer) => row(timer.kind, timer, timer.dueAt, timer.dueAt))).execute();
    },

    claimJob: (owner, now, leaseMs) => lightly(context, async (tx): Promise<Job | null> => {
      const [id] = await claimDue({ ...context, db: tx }, 'jobs', { owner, now, leaseMs, limit: 1 });
      if (id === undefined) return null;
      const job = await tx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      return { id, handler: job.handler, lane: job.lane, payload: fromJson<Job['payload']>(job.payload, 'job'), attempts: job.attempts, runAt: job.run_at };
    }),
    async finishJob(job, owner) {
      const done = await db.updateTable('jobs').set({ state: 'done', lease_owner: null, lease_until: 0 })
        .where('id', '=', job.id).where('state', '=', 'ready').where('lease_owner', '=', owner).returning('id').executeTakeFirst();
      return done !== undefined;
    },
    async failJob(job, owner, error, retryAt) {
      await db.updateTable('jobs')
        .set((eb) => ({ attempts: eb('attempts', '+', 1), error: toPlainText(error), lease_owner: null, lease_until: 0, ...(retryAt === null ? { state: 'dead' as const } : { run_at: retryAt }) }))
        .where('id', '=', job.id).where('state', '=', 'ready').where('lease_owner', '=', owner).execute();
    },

    async deadLetters(page) {
      const [fromKind, fromId] = page.cursor?.split(':') ?? [];
      const kinds = ['inbox', 'job', 'outbox'] as const;
      const found: DeadLetter[] = [];
      for (const kind of kinds.slice(Math.max(0, kinds.findIndex((k) => k === fromKind)))) {
        const after = kind === fromKind ? cursorNumber(fromId) : 0;
        const room = page.limit + 1 - found.length;
        if (room <= 0) break;
        if (kind === 'job') {
          const rows = await db.selectFrom('jobs').selectAll().where('state', '=', 'dead').where('id', '>', after).orderBy('id').limit(room).execute();
          found.push(...rows.map((r) => ({ kind, id: r.id, at: r.created_at, attempts: r.attempts, error: r.error ?? '', about: `${r.handler} ${r.lane}` })));
        } else if (kind === 'outbox') {
          const rows = await db.selectFrom('outbox').selectAll().where('state', '=', 'dead').where('id', '>', after).orderBy('id').limit(room).execute();
          found.push(...rows.map((r) => ({ kind, id: r.id, at: r.created_at, attempts: r.attempts, error: r.error ?? '', about: `conversation ${r.conversation_id}` })));
        } else {
          const rows = await db.selectFrom('inbox').selectAll().where('state', '=', 'dead').where('id', '>', after).orderBy('id').limit(room).execute();
          found.push(...rows.map((r) => ({ kind, id: r.id, at: r.received_at, attempts: r.attempts, error: r.error ?? '', about: `conversation ${r.conversation_id}` })));
        }
      }
      const items = found.slice(0, page.limit);
      const last = items.at(-1);
      return { items, next: found.length > page.limit && last ? `${last.kind}:${last.id}` : null };
    },

    retryDead: (kind, id, now) => atomically(context, async (tx) => {
      if (kind === 'inbox') {
        const again = await tx.updateTable('inbox').set({ state: 'ready', attempts: 0 }).where('id', '=', id).where('state', '=', 'dead').returning('conversation_id').executeTakeFirst();
        if (again) await tx.updateTable('conversations').set((eb) => ({ ready_at: eb.fn.coalesce('ready_at', eb.val(now)) })).where('id', '=', again.conversation_id).execute();
        return again !== undefined;
      }
      const table = kind === 'outbox' ? 'outbox' : 'jobs';
      const again = await tx.updateTable(table).set({ state: 'ready', attempts: 0, run_at: now }).where('id', '=', id).where('state', '=', 'dead').returning('id').executeTakeFirst();
      return again !== undefined;
    }),

    async backlog(now) {
      const count = (table: 'inbox' | 'outbox' | 'jobs', state: 'ready' | 'dead') => db.selectFrom(table).select((eb) => eb.fn.countAll<number>().as('n')).where('state', '=', state);
      // One statement sees one moment: work that passes from table to table between two statements would be in neither count.
      const found = await db.selectNoFrom([
        count('inbox', 'ready').as('inbox'), count('outbox', 'ready').as('outbox'), count('jobs', 'ready').where('run_at', '<=', now).as('jobs'),
        count('inbox', 'dead').as('deadInbox'), count('outbox', 'dead').as('deadOutbox'), count('jobs', 'dead').as('deadJobs'),
        db.selectFrom('inbox').select((eb) => eb.fn.min('received_at').as('at')).where('state', '=', 'ready').as('oldest'),
        db.selectFrom('conversations').select((eb) => eb.fn.countAll<number>().as('n')).where('mode', '=', 'waiting').as('waiting'),
      ]).executeTakeFirstOrThrow();
      const { oldest } = found;
      return {
        inbox: Number(found.inbox), outbox: Number(found.outbox), jobs: Number(found.jobs),
        dead: Number(found.deadInbox) + Number(found.deadOutbox) + Number(found.deadJobs), waiting: Number(found.waiting),
        oldestInboxMs: oldest === null ? 0 : Math.max(0, now - Number(oldest)),
      };
    },
  };
}
