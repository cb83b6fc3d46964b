import { sql } from 'kysely';
import type { QueryContext } from './context.ts';

/**
 * Claiming due rows of a queue (`outbox`, `jobs`). Within a lane the oldest goes first and the next waits for it; a row
 * leased to someone else is passed over until the lease runs out. PostgreSQL skips rows another process is just claiming;
 * SQLite has one writer and needs no such thing.
 */
export async function claimDue(
  context: QueryContext, queue: 'outbox' | 'jobs', claim: { owner: string; now: number; leaseMs: number; limit: number },
): Promise<readonly number[]> {
  const lane = sql.ref(queue === 'outbox' ? 'conversation_id' : 'lane');
  const table = sql.table(queue);
  const skip = context.engine === 'postgres' ? sql`for update of q skip locked` : sql``;
  const rows = await sql<{ id: number }>`
    update ${table} set lease_owner = ${claim.owner}, lease_until = ${claim.now + claim.leaseMs}
    where id in (
      select q.id from ${table} q
      where q.state = 'ready' and q.run_at <= ${claim.now} and q.lease_until <= ${claim.now}
        and not exists (select 1 from ${table} e where e.state = 'ready' and e.${lane} = q.${lane} and e.id < q.id)
      order by q.run_at, q.id limit ${claim.limit} ${skip})
    returning id`.execute(context.db);
  return rows.rows.map((row) => Number(row.id)).sort((a, b) => a - b);
}
