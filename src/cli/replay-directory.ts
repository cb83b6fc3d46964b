import { routable } from '../dispatch/dispatch-ticket.ts';
import { goesElsewhere, type Elsewhere } from '../dispatch/replay.ts';
import type { Catalogue } from '../domain/catalogue.ts';
import type { Directory } from '../domain/directory.ts';
import type { UnitId } from '../domain/ids.ts';
import type { Ticket } from '../domain/ticket.ts';
import { fromJson } from '../store/codec.ts';
import type { OpenedStore } from '../store/open-store.ts';

export interface ReplayCounts {
  /** Tickets judged: all that were dispatched or stand before a dispatcher. */
  tickets: number;
  elsewhere: number;
  /** Of those, how many the other directory would leave to a dispatcher. */
  toDispatcher: number;
}

const PAGE = 500;

/** Judges past tickets a page at a time, in the order of their numbers. Reads nothing that is sealed. */
export async function replayDirectory(
  { db }: Pick<OpenedStore, 'db'>, directory: Directory, catalogue: Catalogue, onElsewhere: (elsewhere: Elsewhere) => void,
): Promise<ReplayCounts> {
  const counts: ReplayCounts = { tickets: 0, elsewhere: 0, toDispatcher: 0 };
  let after = '';
  for (;;) {
    const page = await db.selectFrom('tickets').select(['number', 'status', 'type', 'description', 'address', 'opened_at', 'unit_id'])
      .where('number', '>', after).orderBy('number').limit(PAGE).execute();
    for (const row of page) {
      if (row.unit_id === null && row.status !== 'unrouted') continue; // withdrawn or opened before anything was decided
      counts.tickets += 1;
      const matter = routable({
        type: row.type, address: fromJson<Ticket['address']>(row.address, 'ticket address'), description: fromJson<string>(row.description, 'ticket description'), openedAt: row.opened_at,
      });
      // A ticket that went back to a dispatcher still names the unit that had it.
      const unitId = row.status === 'unrouted' ? null : (row.unit_id as UnitId | null);
      const elsewhere = goesElsewhere(directory, catalogue, { number: row.number, unitId, matter });
      if (!elsewhere) continue;
      counts.elsewhere += 1;
      if (elsewhere.to === null) counts.toDispatcher += 1;
      onElsewhere(elsewhere);
    }
    const last = page.at(-1);
    if (!last) return counts;
    after = last.number;
  }
}
