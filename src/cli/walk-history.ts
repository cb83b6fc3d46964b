import type { OpenedStore } from '../store/open-store.ts';
import { verifyChain, type ChainVerdict } from '../tickets/history-chain.ts';

/** A ticket may be written to between reading it and reading its history. */
const LOOKS = 3;

export interface HistoryCounts {
  tickets: number;
  entries: number;
  /** Tickets of residents whose key is destroyed: verified, no longer readable. */
  erased: number;
  broken: number;
}

/** Checks every ticket's chain, a page of tickets at a time. `onBroken` hears of each that does not hold. */
export async function walkHistory(store: Pick<OpenedStore, 'chain' | 'db'>, pageSize: number, onBroken: (id: string, why: string) => void): Promise<HistoryCounts> {
  const counts: HistoryCounts = { tickets: 0, entries: 0, erased: 0, broken: 0 };
  let after = '';
  for (;;) {
    const page = await store.db.selectFrom('tickets').select('id').where('id', '>', after).orderBy('id').limit(pageSize).execute();
    for (const { id } of page) {
      counts.tickets += 1;
      const verdict = await verdictOf(store, id);
      if (verdict.ok) {
        counts.entries += verdict.entries;
        if (verdict.unreadable > 0) counts.erased += 1;
      } else {
        counts.broken += 1;
        onBroken(id, `entry ${verdict.seq}: ${verdict.why}`);
      }
    }
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
  }
  for (const id of await orphans(store)) {
    counts.broken += 1;
    onBroken(id, 'history without its ticket');
  }
  return counts;
}

async function verdictOf(store: Pick<OpenedStore, 'chain'>, id: string): Promise<ChainVerdict> {
  let verdict: ChainVerdict = { ok: false, seq: 0, why: 'missing' };
  for (let look = 0; look < LOOKS && !verdict.ok; look += 1) {
    const chain = await store.chain(id);
    if (chain) verdict = verifyChain(chain.links, chain.expected);
  }
  return verdict;
}

async function orphans({ db }: Pick<OpenedStore, 'db'>): Promise<readonly string[]> {
  const rows = await db.selectFrom('ticket_history').leftJoin('tickets', 'tickets.id', 'ticket_history.ticket_id').select('ticket_history.ticket_id')
    .where('tickets.id', 'is', null).distinct().limit(100).execute();
  return rows.map((row) => row.ticket_id);
}

