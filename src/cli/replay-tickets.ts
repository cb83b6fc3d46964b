import type { Ticket } from '../domain/ticket.ts';
import type { Understanding } from '../domain/understanding.ts';
import type { OpenedStore } from '../store/open-store.ts';

/** A ticket that would be filed differently; what is absent is the same. */
export interface Difference {
  readonly number: string;
  readonly ticketId: string;
  /** The model that judged it then. */
  readonly model: string;
  readonly type?: { readonly was: string; readonly now: string; readonly probability: number };
  readonly urgency?: { readonly was: string; readonly now: string };
  /** The resident's first message, only where it was asked for. */
  readonly text?: string;
}

export interface ReplayCounts {
  tickets: number;
  /** Erased residents, or tickets without words. */
  unreadable: number;
  typeDiffers: number;
  urgencyDiffers: number;
  /** 「was → now」 with its count. */
  typePairs: Map<string, number>;
  urgencyPairs: Map<string, number>;
  /** Of the tickets whose type an operator had corrected: judged now as the operator did. */
  corrected: { count: number; asOperator: number };
}

export interface ReplayOptions {
  readonly limit: number;
  readonly showText: boolean;
  readonly onDifference: (difference: Difference) => void;
  readonly page?: number;
}

const NO_TYPE = 'none';

/**
 * Judges the first message of each ticket anew, newest first, and compares with how the ticket was opened (its first history entry): what
 * an operator corrected later is counted apart.
 */
export async function replayTickets(store: Pick<OpenedStore, 'db' | 'ticket' | 'history'>, judge: (text: string) => Promise<Understanding>, { limit, showText, onDifference, page = 100 }: ReplayOptions): Promise<ReplayCounts> {
  const counts: ReplayCounts = { tickets: 0, unreadable: 0, typeDiffers: 0, urgencyDiffers: 0, typePairs: new Map(), urgencyPairs: new Map(), corrected: { count: 0, asOperator: 0 } };
  let before: { openedAt: number; id: string } | null = null;
  while (counts.tickets < limit) {
    const rows: { id: string; opened_at: number }[] = await pageBefore(store, before, Math.min(page, limit - counts.tickets));
    for (const { id } of rows) {
      const ticket = await store.ticket(id as Ticket['id']);
      if (ticket) await replayOne(store, ticket, judge, { counts, showText, onDifference });
    }
    const last = rows.at(-1);
    if (!last) break;
    before = { openedAt: last.opened_at, id: last.id };
  }
  return counts;
}

function pageBefore({ db }: Pick<OpenedStore, 'db'>, before: { openedAt: number; id: string } | null, count: number) {
  return db.selectFrom('tickets').select(['id', 'opened_at'])
    .$if(before !== null, (query) => query.where((eb) => eb.or([eb('opened_at', '<', before?.openedAt ?? 0), eb.and([eb('opened_at', '=', before?.openedAt ?? 0), eb('id', '<', before?.id ?? '')])])))
    .orderBy('opened_at', 'desc').orderBy('id', 'desc').limit(count).execute();
}

async function replayOne(store: Pick<OpenedStore, 'history'>, ticket: Ticket, judge: (text: string) => Promise<Understanding>, { counts, showText, onDifference }: { readonly counts: ReplayCounts } & Pick<ReplayOptions, 'showText' | 'onDifference'>): Promise<void> {
  counts.tickets += 1;
  const text = ticket.secret?.words[0];
  if (text === undefined) {
    counts.unreadable += 1;
    return;
  }
  const opened = (await store.history(ticket.id)).find(({ kind }) => kind === 'ticket_opened')?.open;
  const was = { type: String(opened?.['type'] ?? ticket.type), urgency: String(opened?.['urgency'] ?? ticket.urgency) };
  const now = await judge(text);
  const type = now.type ?? NO_TYPE;
  if (ticket.type !== was.type) {
    counts.corrected.count += 1;
    if (type === ticket.type) counts.corrected.asOperator += 1;
  }
  const typeDiffers = type !== was.type;
  const urgencyDiffers = now.urgency !== null && now.urgency.value !== was.urgency;
  if (typeDiffers) count(counts.typePairs, `${was.type} → ${type}`);
  if (urgencyDiffers) count(counts.urgencyPairs, `${was.urgency} → ${now.urgency?.value ?? ''}`);
  counts.typeDiffers += Number(typeDiffers);
  counts.urgencyDiffers += Number(urgencyDiffers);
  if (!typeDiffers && !urgencyDiffers) return;
  onDifference({
    number: ticket.number, ticketId: ticket.id, model: ticket.versions.model,
    ...(typeDiffers ? { type: { was: was.type, now: type, probability: now.candidates[0]?.probability ?? 0 } } : {}),
    ...(urgencyDiffers ? { urgency: { was: was.urgency, now: now.urgency?.value ?? '' } } : {}), ...(showText ? { text } : {}),
  });
}

const count = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1);

/** Counts for people: totals, then the pairs, most frequent first. */
export function summaryLines(counts: ReplayCounts, modelVersion: string): string[] {
  const pairs = (of: ReadonlyMap<string, number>) => [...of].sort(([a, one], [b, other]) => other - one || a.localeCompare(b)).map(([pair, times]) => `  ${String(times).padStart(5)}  ${pair}`);
  return [
    `${counts.tickets} tickets judged with ${modelVersion}, ${counts.unreadable} of them no longer readable`,
    `type would differ: ${counts.typeDiffers}`, ...pairs(counts.typePairs), `urgency would differ: ${counts.urgencyDiffers}`, ...pairs(counts.urgencyPairs),
    `types an operator had corrected: ${counts.corrected.count}, now judged as the operator did: ${counts.corrected.asOperator}`,
  ];
}
