import type { Queries } from '../../domain/ports.ts';
import type { ConversationId, MessageId, ResidentId } from '../../domain/ids.ts';
import type { Author, Channel, InboundContent, OutboundMessage, Reply, TranscriptMessage } from '../../domain/message.ts';
import type { Selectable } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { toPlainText } from '../codec.ts';
import type { Db, Tables } from '../database.ts';
import { claimDue } from './claims.ts';
import { atomically, lightly, RESIDENT_ERASED, type QueryContext } from './context.ts';

type Transcript = Pick<Queries, 'say' | 'transcript' | 'lastInbound' | 'claimOutbox' | 'outboxSent' | 'outboxFailed' | 'claimAnswer' | 'endAnswer' | 'releaseOutbox' | 'outboxBounced' | 'delivered'>;

/** Owner and proof of rows that a message's own callback carries; the message again finds them by it. */
export const answerMark = (messageId: string): string => `answer:${messageId}`;

/** Shown in place of what can no longer be read. */
const ERASED: Reply = { kind: 'text', text: '' };

export function transcriptQueries(context: QueryContext): Transcript {
  const { sealer, newId } = context;

  const toMessage = async (db: Db, residentId: string, row: Selectable<Tables['messages']>): Promise<TranscriptMessage> => ({
    id: row.id as MessageId, seq: row.seq, author: row.author as Author, at: row.at,
    body: (await sealer.open<Reply | InboundContent>(db, residentId, row.body, 'message')) ?? ERASED,
    ...(row.author_name === null ? {} : { authorName: row.author_name }),
    ...(row.client_id === null ? {} : { clientId: row.client_id }),
  });
  const outboxRows = (db: Db, ids: readonly number[]) =>
    db.selectFrom('outbox').innerJoin('messages', 'messages.id', 'outbox.message_id').selectAll('messages')
      .select(['outbox.id as outbox_id', 'outbox.state', 'outbox.resident_id', 'outbox.channel', 'outbox.idempotency_key as key', 'outbox.turn_id', 'outbox.attempts'])
      .where('outbox.id', 'in', [...ids]).orderBy('outbox.id').execute();
  const toOutbound = async (db: Db, row: Awaited<ReturnType<typeof outboxRows>>[number]): Promise<OutboundMessage> => ({
    outboxId: row.outbox_id, idempotencyKey: row.key, channel: row.channel as Channel, conversationId: row.conversation_id as ConversationId,
    residentId: row.resident_id as ResidentId, message: await toMessage(db, row.resident_id, row), attempts: row.attempts, turnId: row.turn_id,
  });
  const residentOf = async (conversationId: string): Promise<string> => {
    const row = await context.db.selectFrom('conversations').select('resident_id').where('id', '=', conversationId).executeTakeFirst();
    if (!row) throw new AppError('conversation.not_found', 'there is no such conversation');
    return row.resident_id;
  };

  return {
    say: (conversation, entries, now, turnId) => atomically(context, async (db) => {
      if (entries.length === 0) return [];
      const keys = entries.map((entry) => entry.idempotencyKey);
      const known = await db.selectFrom('messages').select('idempotency_key').where('idempotency_key', 'in', keys).execute();
      const seen = new Set(known.map((row) => row.idempotency_key));
      const fresh = entries.filter((entry) => !seen.has(entry.idempotencyKey));
      if (fresh.length === 0) return [];
      const row = await db.updateTable('conversations').set((eb) => ({ seq: eb('seq', '+', fresh.length) })).where('id', '=', conversation.id).returning(['seq', 'answer_until']).executeTakeFirst();
      if (!row) throw new AppError('conversation.not_found', 'there is no such conversation');
      const first = row.seq - fresh.length + 1;
      const said: TranscriptMessage[] = [];
      for (const [index, entry] of fresh.entries()) {
        const id = newId() as MessageId;
        const name = entry.authorName === undefined ? null : toPlainText(entry.authorName);
        await db.insertInto('messages').values({
          id, conversation_id: conversation.id, seq: first + index, author: entry.author, author_name: name, at: now,
          body: await sealer.seal(db, conversation.residentId, entry.body), client_id: null, idempotency_key: entry.idempotencyKey,
        }).execute();
        said.push({ id, seq: first + index, author: entry.author, at: now, body: entry.body, ...(name === null ? {} : { authorName: name }) });
        if (entry.alreadySent === true) continue;
        await db.insertInto('outbox').values({
          message_id: id, conversation_id: conversation.id, resident_id: conversation.residentId, channel: conversation.channel,
          idempotency_key: entry.idempotencyKey, turn_id: turnId, state: 'ready', attempts: 0, run_at: Math.max(now, row.answer_until), lease_owner: null, lease_until: 0,
          proof: null, error: null, created_at: now, done_at: null,
        }).execute();
      }
      return said;
    }),

    async transcript(id, window) {
      const residentId = await residentOf(id);
      let query = context.db.selectFrom('messages').selectAll().where('conversation_id', '=', id).limit(window.limit);
      if (window.afterSeq !== undefined) query = query.where('seq', '>', window.afterSeq).orderBy('seq');
      else query = query.where('seq', '<', window.beforeSeq ?? Number.MAX_SAFE_INTEGER).orderBy('seq', 'desc');
      const rows = await query.execute();
      if (window.afterSeq === undefined) rows.reverse();
      const messages: TranscriptMessage[] = [];
      for (const row of rows) messages.push(await toMessage(context.db, residentId, row));
      return messages;
    },

    async lastInbound(id, limit) {
      const residentId = await residentOf(id);
      const rows = await context.db.selectFrom('messages').select('body').where('conversation_id', '=', id).where('author', '=', 'resident').orderBy('seq', 'desc').limit(limit).execute();
      const contents: InboundContent[] = [];
      for (const row of rows.reverse()) {
        const content = await sealer.open<InboundContent>(context.db, residentId, row.body, 'message');
        if (content) contents.push(content);
      }
      return contents;
    },

    claimOutbox: (owner, now, leaseMs, limit) => lightly(context, async (db) => {
      const ids = await claimDue({ ...context, db }, 'outbox', { owner, now, leaseMs, limit });
      if (ids.length === 0) return [];
      const claimed: OutboundMessage[] = [];
      for (const row of await outboxRows(db, ids)) {
        const outbound = await toOutbound(db, row);
        // Said while the resident was being erased, or tried again after: an empty line is nothing to send.
        if (outbound.message.body === ERASED) await db.updateTable('outbox').set({ state: 'dead', error: RESIDENT_ERASED, lease_owner: null, lease_until: 0 }).where('id', '=', row.outbox_id).execute();
        else claimed.push(outbound);
      }
      return claimed;
    }),

    async outboxSent(outboxId, proof, now) {
      const mark = async (db: Db): Promise<void> => {
        await db.updateTable('outbox').set({ state: 'sent', proof, error: null, done_at: now, lease_owner: null, lease_until: 0 }).where('id', '=', outboxId).where('state', '=', 'ready').execute();
      };
      // One statement is its own transaction on PostgreSQL; a light one would cost more round trips than it saves.
      await (context.engine === 'sqlite' ? lightly(context, mark) : mark(context.db));
    },
    async outboxFailed(outboxId, code, retryAt, now) {
      await context.db.updateTable('outbox')
        .set((eb) => ({
          attempts: eb('attempts', '+', 1), error: toPlainText(code), lease_owner: null, lease_until: 0,
          ...(retryAt === null ? { state: 'dead' as const, done_at: now } : { run_at: retryAt }),
        }))
        .where('id', '=', outboxId).where('state', '=', 'ready').execute();
    },

    claimAnswer: (message, lease) => atomically(context, async (db) => {
      const mark = answerMark(message.messageId);
      const open = await db.selectFrom('inbox').select('id').where('channel', '=', message.channel).where('message_id', '=', message.messageId).where('state', '=', 'ready').executeTakeFirst();
      const sent = await db.selectFrom('outbox').select('id').where('conversation_id', '=', message.conversationId).where('proof', '=', mark).orderBy('id').execute();
      let waiting = db.selectFrom('outbox').select(['id', 'lease_owner', 'lease_until']).where('conversation_id', '=', message.conversationId).where('state', '=', 'ready').orderBy('id').limit(lease.limit);
      if (context.engine === 'postgres') waiting = waiting.forUpdate();
      const rows = await waiting.execute();
      const taken = rows.findIndex((row) => row.lease_until > lease.now && row.lease_owner !== mark);
      const ids = (taken < 0 ? rows : rows.slice(0, taken)).map((row) => row.id);
      if (ids.length > 0) await db.updateTable('outbox').set({ lease_owner: mark, lease_until: lease.now + lease.leaseMs }).where('id', 'in', ids).execute();
      const all = [...sent.map((row) => row.id), ...ids];
      const replies: (OutboundMessage & { readonly sent: boolean })[] = [];
      for (const row of all.length === 0 ? [] : await outboxRows(db, all)) {
        const outbound = await toOutbound(db, row);
        if (outbound.message.body !== ERASED) replies.push({ ...outbound, sent: row.state === 'sent' });
      }
      return { settled: open === undefined, replies };
    }),
    endAnswer: (conversationId, until, now) => lightly(context, async (db) => {
      const ended = await db.updateTable('conversations').set({ answer_until: 0 }).where('id', '=', conversationId).where('answer_until', '=', until).returning('id').executeTakeFirst();
      if (ended) await db.updateTable('outbox').set({ run_at: now }).where('conversation_id', '=', conversationId).where('state', '=', 'ready').where('run_at', '=', until).where('lease_until', '<=', now).execute();
    }),
    async releaseOutbox(outboxIds, now) {
      if (outboxIds.length === 0) return;
      await context.db.updateTable('outbox').set({ lease_owner: null, lease_until: 0, run_at: now }).where('id', 'in', [...outboxIds]).where('state', '=', 'ready').execute();
    },
    async outboxBounced(channel, proof, code, now) {
      const bounced = await context.db.updateTable('outbox').set({ state: 'dead', error: toPlainText(code), done_at: now })
        .where('proof', '=', proof).where('channel', '=', channel).where('state', '=', 'sent').returning('id').executeTakeFirst();
      return bounced !== undefined;
    },
    async delivered(id, seq, _now) {
      await context.db.updateTable('conversations').set({ delivered_seq: seq }).where('id', '=', id).where('delivered_seq', '<', seq).where('seq', '>=', seq).execute();
    },
  };
}
