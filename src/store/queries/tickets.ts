import { randomBytes } from 'node:crypto';
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Page, Paged, Queries, TicketFilter } from '../../domain/ports.ts';
import { dayStart } from '../../domain/coarse-time.ts';
import { AppError } from '../../domain/errors.ts';
import type { ConversationId, ResidentId, TicketId, UnitId, UserId } from '../../domain/ids.ts';
import { unitRoles, type HistoryEntry, type Ticket, type TicketEventKind, type TicketPrivate } from '../../domain/ticket.ts';
import { newWork, type TicketWork } from '../../domain/ticket-work.ts';
import { commitmentOf, GENESIS, linkHash, type ChainLink } from '../../tickets/history-chain.ts';
import { fromJson, toJson, toPlainText } from '../codec.ts';
import type { Db, Tables } from '../database.ts';
import { cursorNumber, type QueryContext } from './context.ts';

type Tickets = Pick<Queries, 'reserveSerials' | 'insertTicket' | 'ticket' | 'ticketByNumber' | 'saveTicket' | 'appendHistory' | 'history' | 'ticketsOfResident' | 'tickets'>;
type TicketRow = Selectable<Tables['tickets']>;

interface SealedEntry { readonly salt: string; readonly sealed: unknown }

async function toTicket(context: QueryContext, row: TicketRow): Promise<Ticket> {
  return {
    id: row.id as TicketId, number: row.number, version: row.version, conversationId: row.conversation_id as ConversationId, residentId: row.resident_id as ResidentId,
    state: fromJson<Ticket['state']>(row.state, 'ticket state'), type: row.type, nature: row.nature as Ticket['nature'],
    disposition: row.disposition as Ticket['disposition'], urgency: row.urgency as Ticket['urgency'],
    description: fromJson<string>(row.description, 'ticket description'), address: fromJson<Ticket['address']>(row.address, 'ticket address'),
    media: fromJson<Ticket['media']>(row.media, 'ticket media'), openedAt: row.opened_at, dueAt: row.due_at, openedBy: row.opened_by as 'bot' | UserId,
    unitId: row.unit_id as UnitId | null, hops: row.hops, reopened: row.reopened,
    versions: { model: row.model_version, directory: row.directory_version }, candidates: fromJson<Ticket['candidates']>(row.candidates, 'ticket candidates'),
    // Tickets of before this column: whoever has it was the first to.
    work: row.work === null ? { ...newWork(row.opened_at), leads: row.unit_id === null ? [] : [row.unit_id as UnitId] } : { ...newWork(row.opened_at), ...fromJson<TicketWork>(row.work, 'ticket work') },
    secret: await context.sealer.open<TicketPrivate>(context.db, row.resident_id, row.secret, 'ticket secret'),
  };
}

async function toColumns(context: QueryContext, ticket: Ticket): Promise<Omit<Insertable<Tables['tickets']>, 'history_length' | 'history_head'>> {
  return {
    id: ticket.id, number: ticket.number, version: ticket.version, conversation_id: ticket.conversationId, resident_id: ticket.residentId,
    status: ticket.state.status, state: toJson(ticket.state), type: ticket.type, nature: ticket.nature, disposition: ticket.disposition, urgency: ticket.urgency,
    district: ticket.address.place?.district ?? null, street: ticket.address.place?.street ?? null, community: ticket.address.place?.community ?? null,
    description: toJson(ticket.description), address: toJson(ticket.address), media: toJson(ticket.media), opened_at: ticket.openedAt, due_at: ticket.dueAt,
    opened_by: ticket.openedBy, unit_id: ticket.unitId, hops: ticket.hops, reopened: ticket.reopened,
    model_version: toPlainText(ticket.versions.model), directory_version: toPlainText(ticket.versions.directory), candidates: toJson(ticket.candidates), work: toJson(ticket.work),
    secret: ticket.secret === null ? null : await context.sealer.seal(context.db, ticket.residentId, ticket.secret),
  };
}

/** One ticket's links with everything `verifyChain` needs, and what the ticket says of its chain. */
export async function readChain(context: QueryContext, id: string): Promise<{ links: readonly ChainLink[]; expected: { head: string; length: number } } | null> {
  const ticket = await context.db.selectFrom('tickets').select(['resident_id', 'history_length', 'history_head']).where('id', '=', id).executeTakeFirst();
  if (!ticket) return null;
  const rows = await context.db.selectFrom('ticket_history').selectAll().where('ticket_id', '=', id).orderBy('seq').execute();
  const links: ChainLink[] = [];
  for (const row of rows) {
    links.push({
      seq: row.seq, kind: row.kind as TicketEventKind, ticketId: id as TicketId, at: row.at, actor: fromJson<ChainLink['actor']>(row.actor, 'history actor'),
      open: fromJson<ChainLink['open']>(row.open, 'history entry'), hash: row.hash, commitment: row.commitment,
      opened: await context.sealer.open<SealedEntry>(context.db, ticket.resident_id, row.sealed, 'history entry'),
    });
  }
  return { links, expected: { head: ticket.history_head, length: ticket.history_length } };
}

export function ticketQueries(context: QueryContext): Tickets {
  const { db, sealer } = context;
  const one = async (where: { id: string } | { number: string }, lock?: 'lock', on: Db = db): Promise<Ticket | null> => {
    let query = on.selectFrom('tickets').selectAll();
    query = 'id' in where ? query.where('id', '=', where.id) : query.where('number', '=', where.number);
    if (lock && context.engine === 'postgres') query = query.forUpdate();
    const row = await query.executeTakeFirst();
    return row ? toTicket(context, row) : null;
  };

  /** A unit's list pages by this date; that of a 举报 must not tell the minute it was made. */
  const saveUnits = async (ticket: Ticket): Promise<void> => {
    const rows = unitRoles(ticket).map(({ unit, role, dueAt }) => ({ ticket_id: ticket.id, unit_id: unit, role, status: ticket.state.status, due_at: ticket.nature === 'misconduct_report' ? dayStart(dueAt) : dueAt }));
    const known = await db.selectFrom('ticket_units').select(['unit_id', 'role', 'status', 'due_at']).where('ticket_id', '=', ticket.id).execute();
    const unchanged = known.length === rows.length && rows.every((row) => known.some((each) => each.unit_id === row.unit_id && each.role === row.role && each.status === row.status && each.due_at === row.due_at));
    if (unchanged) return;
    if (known.length > 0) await db.deleteFrom('ticket_units').where('ticket_id', '=', ticket.id).execute();
    if (rows.length > 0) await db.insertInto('ticket_units').values(rows).execute();
  };

  /** By the unit's own dates: a called unit's task may be due before the ticket. */
  const ticketsOfUnit = async (unitId: UnitId, { statuses, role }: TicketFilter, page: Page): Promise<Paged<Ticket>> => {
    let query = db.selectFrom('ticket_units as u').innerJoin('tickets as t', 't.id', 'u.ticket_id').selectAll('t').select('u.due_at as own_due')
      .where('u.unit_id', '=', unitId).orderBy('u.due_at').orderBy('u.ticket_id').limit(page.limit + 1);
    if (role !== undefined) query = query.where('u.role', '=', role);
    if (statuses !== undefined) query = query.where('u.status', 'in', [...statuses]);
    if (page.cursor !== undefined) {
      const [due, id] = page.cursor.split(':');
      query = query.where(sql<boolean>`(u.due_at, u.ticket_id) > (${cursorNumber(due)}, ${toPlainText(id ?? '')})`);
    }
    const rows = await query.execute();
    const items = await Promise.all(rows.slice(0, page.limit).map((row) => toTicket(context, row)));
    const last = rows[page.limit - 1];
    return { items, next: rows.length > page.limit && last ? `${last.own_due}:${last.id}` : null };
  };

  return {
    async reserveSerials(day, count) {
      const row = await db.insertInto('serials').values({ day, next: count + 1 })
        .onConflict((c) => c.column('day').doUpdateSet((eb) => ({ next: eb('serials.next', '+', count) }))).returning('next').executeTakeFirstOrThrow();
      return row.next - count;
    },
    async insertTicket(ticket) {
      await db.insertInto('tickets').values({ ...(await toColumns(context, ticket)), history_length: 0, history_head: GENESIS }).execute();
      if (unitRoles(ticket).length > 0) await saveUnits(ticket);
    },
    ticket: (id, lock) => one({ id }, lock),
    ticketByNumber: (number) => one({ number }),
    async saveTicket(ticket) {
      const columns = await toColumns(context, ticket);
      const { secret, ...rest } = columns;
      // A ticket read after erasure has no secret; what is stored stays as it is, unreadable.
      const saved = await db.updateTable('tickets').set(secret === null ? rest : columns)
        .where('id', '=', ticket.id).where('version', '=', ticket.version - 1).returning('id').executeTakeFirst();
      if (!saved) throw new AppError('ticket.changed', 'the ticket changed in the meantime; load it again');
      await saveUnits(ticket);
    },

    async appendHistory(ticket, events) {
      const head = await db.selectFrom('tickets').select(['history_length', 'history_head']).where('id', '=', ticket.id).executeTakeFirst();
      if (!head) throw new AppError('ticket.not_found', 'no such ticket');
      let previous = head.history_head;
      let seq = head.history_length;
      const entries: HistoryEntry[] = [];
      for (const event of events) {
        seq += 1;
        const salt = randomBytes(16).toString('hex');
        const commitment = commitmentOf(salt, event.sealed);
        const hash = linkHash(previous, seq, event, commitment);
        const alive = await db.selectFrom('resident_keys').select('resident_id').where('resident_id', '=', ticket.residentId).executeTakeFirst();
        await db.insertInto('ticket_history').values({
          ticket_id: ticket.id, seq, kind: event.kind, at: event.at, actor: toJson(event.actor), open: toJson(event.open),
          sealed: alive ? await sealer.seal(db, ticket.residentId, { salt, sealed: event.sealed } satisfies SealedEntry) : null, commitment, hash,
        }).execute();
        entries.push({ ...event, seq, hash, readable: alive !== undefined });
        previous = hash;
      }
      await db.updateTable('tickets').set({ history_length: seq, history_head: previous }).where('id', '=', ticket.id).execute();
      return entries;
    },
    async history(id) {
      const chain = await readChain(context, id);
      return (chain?.links ?? []).map(({ commitment: _, opened, ...link }) => ({
        ...link, sealed: (opened?.sealed ?? null) as HistoryEntry['sealed'], readable: opened !== null,
      }));
    },

    async ticketsOfResident(residentId, limit) {
      const rows = await db.selectFrom('tickets').selectAll().where('resident_id', '=', residentId).orderBy('opened_at', 'desc').orderBy('number', 'desc').limit(limit).execute();
      const tickets: Ticket[] = [];
      for (const row of rows) tickets.push(await toTicket(context, row)); // one after another: the first fetches the key for all of them
      return tickets;
    },
    async tickets(filter, page) {
      if (filter.unitId !== undefined) return ticketsOfUnit(filter.unitId, filter, page);
      let query = db.selectFrom('tickets').selectAll().orderBy('due_at').orderBy('id').limit(page.limit + 1);
      if (filter.statuses !== undefined) query = query.where('status', 'in', [...filter.statuses]);
      if (page.cursor !== undefined) {
        const [due, id] = page.cursor.split(':');
        query = query.where(sql<boolean>`(due_at, id) > (${cursorNumber(due)}, ${toPlainText(id ?? '')})`);
      }
      const rows = await query.execute();
      const items = await Promise.all(rows.slice(0, page.limit).map((row) => toTicket(context, row)));
      const last = items.at(-1);
      return { items, next: rows.length > page.limit && last ? `${last.dueAt}:${last.id}` : null };
    },
  };
}
