import { sql } from 'kysely';
import type { Queries, TurnClaim } from '../../domain/ports.ts';
import { EMPTY_MEMORY, type Conversation, type ConversationMemory, type Handoff } from '../../domain/conversation.ts';
import { AppError } from '../../domain/errors.ts';
import type { ConversationId, MessageId, ResidentId, UserId } from '../../domain/ids.ts';
import type { Channel, InboundContent } from '../../domain/message.ts';
import type { Selectable } from 'kysely';
import type { Db, Tables } from '../database.ts';
import { atomically, lightly, RESIDENT_ERASED, URGENCY_RANK, type QueryContext } from './context.ts';

type Turns = Pick<Queries, 'receive' | 'claimTurn' | 'lockTurn' | 'finishTurn' | 'failTurn' | 'conversation' | 'saveConversation'>;
type ConversationRow = Selectable<Tables['conversations']>;

/** `ready_at` of a conversation in which a life-safety rule spoke: before everything that waits. */
const URGENT = 0;

export async function toConversation(context: QueryContext, db: Db, row: ConversationRow): Promise<Conversation> {
  const residentId = row.resident_id as ResidentId;
  const memory = await context.sealer.open<ConversationMemory>(db, residentId, row.memory, 'conversation memory');
  const note = await context.sealer.open<string>(db, residentId, row.handoff_note, 'handoff note');
  return {
    id: row.id as ConversationId, residentId, channel: row.channel as Channel, version: row.version,
    mode: row.mode as Conversation['mode'], operatorId: row.operator_id as UserId | null,
    handoff: row.handoff_reason === null ? null
      : { reason: row.handoff_reason as Handoff['reason'], note: note ?? '', urgency: row.handoff_urgency as Handoff['urgency'] },
    waitingSince: row.waiting_since, waitingUntil: row.waiting_until, escalation: row.escalation,
    memory: { ...EMPTY_MEMORY, ...memory }, readable: memory !== null,
  };
}

async function storedFields(context: QueryContext, db: Db, next: Conversation) {
  const { sealer } = context;
  return {
    mode: next.mode, operator_id: next.operatorId,
    handoff_reason: next.handoff?.reason ?? null, handoff_urgency: next.handoff?.urgency ?? null,
    // Those who wait come before those an operator already holds.
    queue_rank: next.mode === 'bot' ? null : (next.mode === 'operator' ? 10 : 0) + (URGENCY_RANK[next.handoff?.urgency ?? 'd7'] ?? 2),
    handoff_note: next.handoff ? await sealer.seal(db, next.residentId, next.handoff.note) : null,
    waiting_since: next.waitingSince, waiting_until: next.waitingUntil, escalation: next.escalation,
    memory: await sealer.seal(db, next.residentId, next.memory), version: next.version + 1,
  };
}

export function turnQueries(context: QueryContext): Turns {
  const { sealer, engine } = context;
  const skipLocked = engine === 'postgres' ? sql`for update skip locked` : sql``;

  /**
   * When the conversation's next message may be taken; after the row is locked, so that no arrival is overlooked. An urgent
   * conversation (`ready_at` 0) stays so until its line is empty: the urgent message may stand behind the one just done.
   */
  const nextReady = async (db: Db, conversationId: string, retryAt?: number): Promise<number | null> => {
    const row = await db.selectFrom('inbox').innerJoin('conversations', 'conversations.id', 'inbox.conversation_id').select(['inbox.received_at', 'conversations.ready_at'])
      .where('inbox.conversation_id', '=', conversationId).where('inbox.state', '=', 'ready').orderBy('inbox.seq').limit(1).executeTakeFirst();
    if (!row) return null;
    if (retryAt !== undefined) return Math.max(row.received_at, retryAt);
    return row.ready_at === URGENT ? URGENT : row.received_at;
  };

  return {
    async receive(message) {
      const seen = await context.db.selectFrom('inbox').select(['seq', 'row_id']).where('channel', '=', message.channel).where('message_id', '=', message.messageId).executeTakeFirst();
      if (seen) return { outcome: 'duplicate', seq: seen.seq, id: seen.row_id as MessageId };
      return atomically(context, async (db) => {
        // The row lock puts arrivals of one conversation into one order, and makes the resident's erasure exclusive with them.
        const place = await db.updateTable('conversations')
          .set((eb) => ({ seq: eb('seq', '+', 1), ready_at: message.urgent === true ? URGENT : eb.fn.coalesce('ready_at', eb.val(message.receivedAt)), ...(message.answerBy === undefined ? {} : { answer_until: message.answerBy }) }))
          .where('id', '=', message.conversationId).where('resident_id', '=', message.residentId)
          .returning((eb) => ['seq', eb('memory', 'is', null).as('erased')]).executeTakeFirst();
        if (!place) throw new AppError('conversation.not_found', 'there is no such conversation of this resident');
        // Asked of the locked row, not of the key: this process may still hold one that another has just destroyed.
        if (place.erased) throw new AppError('key.destroyed', 'this resident was erased; nothing more can be kept for them');
        const rowId = context.newId();
        const stored = await db.insertInto('inbox').values({
          channel: message.channel, message_id: message.messageId, conversation_id: message.conversationId, seq: place.seq, row_id: rowId,
          received_at: message.receivedAt, turn_id: message.turnId, state: 'ready', attempts: 0, error: null, done_at: null,
        }).onConflict((c) => c.columns(['channel', 'message_id']).doNothing()).returning('id').executeTakeFirst();
        if (!stored) {
          // Another delivery of it won between our look and our write; give the number back, for seq has no gaps.
          await db.updateTable('conversations').set((eb) => ({ seq: eb('seq', '-', 1) })).where('id', '=', message.conversationId).execute();
          const first = await db.selectFrom('inbox').select(['seq', 'row_id']).where('channel', '=', message.channel).where('message_id', '=', message.messageId).executeTakeFirstOrThrow();
          return { outcome: 'duplicate' as const, seq: first.seq, id: first.row_id as MessageId };
        }
        const shown = message.content.kind !== 'system';
        await db.insertInto('messages').values({
          id: rowId, conversation_id: message.conversationId, seq: place.seq, author: shown ? 'resident' : 'system', author_name: null, at: message.receivedAt,
          body: await sealer.seal(db, message.residentId, message.content), client_id: message.clientId ?? null, idempotency_key: null,
        }).execute();
        return { outcome: 'stored' as const, seq: place.seq, id: rowId as MessageId };
      });
    },

    claimTurn: (owner, now, leaseMs, only) => lightly(context, async (db): Promise<TurnClaim | null> => {
      const leaseUntil = now + leaseMs;
      const claimed = await sql<ConversationRow>`
        update conversations set lease_owner = ${owner}, lease_until = ${leaseUntil}
        where id = (select id from conversations where ready_at <= ${only === 'urgent' ? URGENT : now} and lease_until <= ${now} order by ready_at limit 1 ${skipLocked})
        returning *`.execute(db);
      const row = claimed.rows[0];
      if (!row) return null;
      const waiting = await db.selectFrom('inbox').innerJoin('messages', 'messages.id', 'inbox.row_id')
        .select(['inbox.id', 'inbox.channel', 'inbox.message_id', 'inbox.received_at', 'inbox.turn_id', 'inbox.attempts', 'messages.body', 'messages.client_id'])
        .where('inbox.conversation_id', '=', row.id).where('inbox.state', '=', 'ready').orderBy('inbox.seq').limit(1).executeTakeFirst();
      const residentId = row.resident_id as ResidentId;
      const content = waiting ? await sealer.open<InboundContent>(db, residentId, waiting.body, 'message') : null;
      if (!waiting || content === null) {
        // Of a resident erased meanwhile (a process may hold a destroyed key for some seconds): nobody can read it, so it must not wait for ever.
        if (waiting) await db.updateTable('inbox').set({ state: 'done', error: RESIDENT_ERASED, done_at: now }).where('id', '=', waiting.id).execute();
        await db.updateTable('conversations').set({ ready_at: await nextReady(db, row.id), lease_owner: null, lease_until: 0 }).where('id', '=', row.id).execute();
        return null;
      }
      return {
        conversation: await toConversation(context, db, row), inboxId: waiting.id, attempts: waiting.attempts, owner, leaseUntil, urgent: row.ready_at === URGENT,
        message: {
          channel: waiting.channel as Channel, messageId: waiting.message_id, conversationId: row.id as ConversationId, residentId,
          content, receivedAt: waiting.received_at, turnId: waiting.turn_id, ...(waiting.client_id === null ? {} : { clientId: waiting.client_id }),
        },
      };
    }),

    async lockTurn(claim) {
      let query = context.db.selectFrom('conversations').select(['version', 'lease_owner', 'lease_until']).where('id', '=', claim.conversation.id);
      if (engine === 'postgres') query = query.forUpdate();
      const row = await query.executeTakeFirst();
      return row !== undefined && row.version === claim.conversation.version && row.lease_owner === claim.owner && row.lease_until === claim.leaseUntil;
    },

    async finishTurn(claim, next, now) {
      await context.db.updateTable('inbox').set({ state: 'done', done_at: now, error: null }).where('id', '=', claim.inboxId).execute();
      await context.db.updateTable('conversations')
        .set({ ...(await storedFields(context, context.db, next)), ready_at: await nextReady(context.db, next.id), lease_owner: null, lease_until: 0 })
        .where('id', '=', next.id).execute();
    },

    async failTurn(claim, error, retryAt, now) {
      await atomically(context, async (db) => {
        let query = db.selectFrom('conversations').select(['lease_owner', 'lease_until']).where('id', '=', claim.conversation.id);
        if (engine === 'postgres') query = query.forUpdate();
        const row = await query.executeTakeFirst();
        if (!row || row.lease_owner !== claim.owner || row.lease_until !== claim.leaseUntil) return; // someone else has it by now
        await db.updateTable('inbox')
          .set((eb) => ({ attempts: eb('attempts', '+', error === null ? 0 : 1), error, ...(retryAt === null ? { state: 'dead' as const, done_at: now } : {}) }))
          .where('id', '=', claim.inboxId).execute();
        await db.updateTable('conversations')
          .set({ ready_at: await nextReady(db, claim.conversation.id, error === null ? undefined : (retryAt ?? undefined)), lease_owner: null, lease_until: 0 })
          .where('id', '=', claim.conversation.id).execute();
      });
    },

    async conversation(id, lock) {
      let query = context.db.selectFrom('conversations').selectAll().where('id', '=', id);
      if (lock && engine === 'postgres') query = query.forUpdate();
      const row = await query.executeTakeFirst();
      return row ? toConversation(context, context.db, row) : null;
    },

    async saveConversation(next) {
      await atomically(context, async (db) => {
        const saved = await db.updateTable('conversations').set(await storedFields(context, db, next))
          .where('id', '=', next.id).where('version', '=', next.version).returning('id').executeTakeFirst();
        if (!saved) throw new AppError('conversation.taken', 'the conversation changed in the meantime; load it again');
      });
    },
  };
}
