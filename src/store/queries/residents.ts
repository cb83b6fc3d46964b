import { sql, type Selectable } from 'kysely';
import type { Queries } from '../../domain/ports.ts';
import { EMPTY_MEMORY } from '../../domain/conversation.ts';
import type { ConversationId, MediaId, ResidentId } from '../../domain/ids.ts';
import type { Channel } from '../../domain/message.ts';
import { AppError } from '../../domain/errors.ts';
import type { Tables } from '../database.ts';
import { atomically, lightly, RESIDENT_ERASED, type QueryContext } from './context.ts';

type Residents = Pick<Queries, 'ensureResident' | 'residentExists' | 'externalId' | 'eraseResident' | 'sealBytes' | 'openBytes' | 'insertMedia' | 'media' | 'awaitMedia' | 'claimMedia' | 'endMedia'>;

export function residentQueries(context: QueryContext): Residents {
  const { sealer, keyring, newId } = context;
  const find = (db: QueryContext['db'], hash: string) =>
    db.selectFrom('residents').select(['id', 'conversation_id']).where('external_hash', '=', hash).executeTakeFirst();
  const toIds = (row: { id: string; conversation_id: string }) => ({ residentId: row.id as ResidentId, conversationId: row.conversation_id as ConversationId });

  return {
    async ensureResident(channel, externalId, now) {
      const hash = keyring.lookupHash(channel, externalId);
      const known = await find(context.db, hash);
      if (known) return toIds(known);
      return atomically(context, async (db) => {
        const residentId = newId();
        const conversationId = newId();
        const made = await db.insertInto('residents')
          .values({ id: residentId, channel, conversation_id: conversationId, created_at: now, erased_at: null, external_hash: hash, external_id: null })
          .onConflict((c) => c.column('external_hash').doNothing()).returning('id').executeTakeFirst();
        if (!made) {
          const other = await find(db, hash);
          if (!other) throw new AppError('store.corrupt', 'a resident exists and cannot be read');
          return toIds(other);
        }
        await sealer.newKey(db, residentId);
        await db.updateTable('residents').set({ external_id: await sealer.seal(db, residentId, externalId) }).where('id', '=', residentId).execute();
        await db.insertInto('conversations').values({
          id: conversationId, resident_id: residentId, channel, version: 0, seq: 0, mode: 'bot', operator_id: null,
          handoff_reason: null, handoff_urgency: null, queue_rank: null, handoff_note: null, waiting_since: null, waiting_until: null,
          escalation: 0, memory: await sealer.seal(db, residentId, EMPTY_MEMORY), delivered_seq: 0, ready_at: null, lease_owner: null, lease_until: 0,
          answer_until: 0,
        }).execute();
        return { residentId: residentId as ResidentId, conversationId: conversationId as ConversationId };
      });
    },

    async residentExists(residentId) {
      const row = await context.db.selectFrom('residents').select('id').where('id', '=', residentId).where('erased_at', 'is', null).executeTakeFirst();
      return row !== undefined;
    },

    async externalId(residentId) {
      const row = await context.db.selectFrom('residents').select('external_id').where('id', '=', residentId).where('erased_at', 'is', null).executeTakeFirst();
      return row ? sealer.open<string>(context.db, residentId, row.external_id, 'external id') : null;
    },

    async eraseResident(residentId, now) {
      context.noteErasure(residentId, now);
      await atomically(context, async (db) => {
        const resident = await db.selectFrom('residents').select('conversation_id').where('id', '=', residentId).executeTakeFirst();
        if (!resident) return;
        await sealer.destroyKey(db, residentId);
        await db.updateTable('residents').set({ erased_at: now, external_hash: null, external_id: null }).where('id', '=', residentId).execute();
        await db.updateTable('conversations')
          .set((eb) => ({
            mode: 'bot', operator_id: null, handoff_reason: null, handoff_urgency: null, queue_rank: null, handoff_note: null,
            waiting_since: null, waiting_until: null, memory: null, ready_at: null, version: eb('version', '+', 1),
          }))
          .where('id', '=', resident.conversation_id).execute();
        await db.deleteFrom('awaited_media').where('resident_id', '=', residentId).execute();
        // Nobody is left to tell: what was still to be said or judged ends here, visibly.
        await db.updateTable('outbox').set({ state: 'dead', error: RESIDENT_ERASED, done_at: now }).where('conversation_id', '=', resident.conversation_id).where('state', '=', 'ready').execute();
        await db.updateTable('inbox').set({ state: 'done', error: RESIDENT_ERASED, done_at: now }).where('conversation_id', '=', resident.conversation_id).where('state', '=', 'ready').execute();
      });
    },

    sealBytes: (residentId, plain) => sealer.sealBytes(context.db, residentId, plain),
    async openBytes(residentId, sealed) {
      const plain = await sealer.openBytes(context.db, residentId, sealed);
      if (plain === null) throw new AppError('key.destroyed', 'this resident was erased; the file can no longer be opened');
      return plain;
    },

    async insertMedia(media) {
      await context.db.insertInto('media').values({ id: media.id, resident_id: media.residentId, mime: media.mime, bytes: media.bytes, at: media.at }).execute();
    },
    async media(id) {
      const row = await context.db.selectFrom('media').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return null;
      return { id, residentId: row.resident_id as ResidentId, mime: row.mime as 'image/jpeg', bytes: row.bytes, at: row.at };
    },

    async awaitMedia(media, now) {
      await context.db.insertInto('awaited_media')
        .values({ id: media.id, resident_id: media.residentId, conversation_id: media.conversationId, channel: media.channel, medium: media.medium, remote_id: media.remoteId, attempts: 0, run_at: now, lease_owner: null, lease_until: 0 })
        .onConflict((c) => c.column('id').doNothing()).execute();
    },
    claimMedia: (owner, now, leaseMs) => lightly(context, async (db) => {
      const skip = context.engine === 'postgres' ? sql`for update skip locked` : sql``;
      const { rows: [row] } = await sql<Selectable<Tables['awaited_media']>>`
        update awaited_media set lease_owner = ${owner}, lease_until = ${now + leaseMs}, attempts = attempts + 1
        where id = (select id from awaited_media where run_at <= ${now} and lease_until <= ${now} order by run_at, id limit 1 ${skip})
        returning *`.execute(db);
      if (!row) return null;
      return {
        id: row.id as MediaId, residentId: row.resident_id as ResidentId, conversationId: row.conversation_id as ConversationId, channel: row.channel as Channel, medium: row.medium as 'image', remoteId: row.remote_id,
        attempts: Number(row.attempts),
      };
    }),
    async endMedia(id, retryAt) {
      if (retryAt === null) await context.db.deleteFrom('awaited_media').where('id', '=', id).execute();
      else await context.db.updateTable('awaited_media').set({ run_at: retryAt, lease_owner: null, lease_until: 0 }).where('id', '=', id).execute();
    },
  };
}
