import { sql, type Selectable } from 'kysely';
import type { Queries } from '../../domain/ports.ts';
import type { Handoff } from '../../domain/conversation.ts';
import type { Correction, QueueEntry, Role, User } from '../../domain/desk.ts';
import { AppError } from '../../domain/errors.ts';
import type { ConversationId, ResidentId, UnitId, UserId } from '../../domain/ids.ts';
import type { Channel } from '../../domain/message.ts';
import { fromJson, toJson, toPlainText } from '../codec.ts';
import type { Tables } from '../database.ts';
import { cursorNumber, type QueryContext } from './context.ts';

type Desk = Pick<Queries, 'queue' | 'user' | 'userByLogin' | 'users' | 'countUsers' | 'insertUser' | 'updateUser' | 'noteLogin' | 'insertSession' | 'session' | 'endSession' | 'insertCorrection' | 'setting' | 'putSetting' | 'takeLease' | 'endLease'>;

const toUser = (row: Selectable<Tables['users']>): User => ({
  id: row.id as UserId, login: row.login, name: row.name, roles: fromJson<Role[]>(row.roles, 'user roles'), unitId: row.unit_id as UnitId | null, disabled: row.disabled !== 0,
});

/** All corrections, oldest first, a page at a time; those of erased residents can no longer be read and are left out. */
export async function* readCorrections({ db, sealer }: QueryContext, page = 200): AsyncGenerator<Correction> {
  for (let after = 0; ;) {
    const rows = await db.selectFrom('corrections').selectAll().where('id', '>', after).orderBy('id').limit(page).execute();
    for (const row of rows) {
      const open = <T>(sealed: string | null) => sealer.open<T>(db, row.resident_id, sealed, 'correction');
      const [words, before, changed] = [await open<readonly string[]>(row.words), await open<Correction['before']>(row.before_value), await open<Correction['after']>(row.after_value)];
      if (words && before && changed) {
        yield { conversationId: row.conversation_id as ConversationId, ticketId: row.ticket_id as Correction['ticketId'], userId: row.user_id as UserId, at: row.at, words, before, after: changed, modelVersion: row.model_version };
      }
    }
    const last = rows.at(-1);
    if (!last) return;
    after = last.id;
  }
}

export function deskQueries(context: QueryContext): Desk {
  const { db, sealer } = context;
  return {
    async queue(page, filter) {
      const rows = await db.selectFrom('conversations').selectAll().where('mode', '<>', 'bot')
        .$if(filter?.operatorId !== undefined, (query) => query.where('operator_id', '=', filter?.operatorId ?? ''))
        .$if(page.cursor !== undefined, (query) => {
          const [rank, escalation, since, id] = (page.cursor ?? '').split(':');
          return query.where(sql<boolean>`(coalesce(queue_rank, 9), -escalation, coalesce(waiting_since, 0), id) > (${cursorNumber(rank)}, ${-cursorNumber(escalation)}, ${cursorNumber(since)}, ${toPlainText(id ?? '')})`);
        })
        .orderBy('queue_rank').orderBy('escalation', 'desc').orderBy('waiting_since').orderBy('id').limit(page.limit + 1).execute();
      const items: QueueEntry[] = [];
      for (const row of rows.slice(0, page.limit)) {
        items.push({
          conversationId: row.id as ConversationId, channel: row.channel as Channel, mode: row.mode as QueueEntry['mode'],
          handoff: {
            reason: (row.handoff_reason ?? 'asked_for_human') as Handoff['reason'], urgency: (row.handoff_urgency ?? 'd7') as Handoff['urgency'],
            note: (await sealer.open<string>(db, row.resident_id, row.handoff_note, 'handoff note')) ?? '',
          },
          waitingSince: row.waiting_since ?? 0, waitingUntil: row.waiting_until, escalation: row.escalation, operatorId: row.operator_id as UserId | null,
        });
      }
      const last = rows[page.limit - 1];
      return { items, next: rows.length > page.limit && last ? `${last.queue_rank ?? 9}:${last.escalation}:${last.waiting_since ?? 0}:${last.id}` : null };
    },

    async user(id) {
      const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? toUser(row) : null;
    },
    async userByLogin(login) {
      const row = await db.selectFrom('users').selectAll().where('login', '=', toPlainText(login)).executeTakeFirst();
      return row ? { ...toUser(row), passwordHash: row.password_hash, failedLogins: row.failed_logins, lockedUntil: row.locked_until } : null;
    },
    async users(page) {
      let query = db.selectFrom('users').selectAll().orderBy('login').limit(page.limit + 1);
      if (page.cursor !== undefined) query = query.where('login', '>', toPlainText(page.cursor));
      const rows = await query.execute();
      const items = rows.slice(0, page.limit).map(toUser);
      return { items, next: rows.length > page.limit ? (items.at(-1)?.login ?? null) : null };
    },
    async countUsers() {
      return Number((await db.selectFrom('users').select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n);
    },
    async insertUser(user, passwordHash, now) {
      const made = await db.insertInto('users').values({
        id: user.id, login: toPlainText(user.login), name: toPlainText(user.name), roles: toJson(user.roles), unit_id: user.unitId,
        disabled: user.disabled ? 1 : 0, password_hash: passwordHash, failed_logins: 0, locked_until: null, created_at: now,
      }).onConflict((c) => c.column('login').doNothing()).returning('id').executeTakeFirst();
      if (!made) throw new AppError('user.login_taken', `the login ${user.login} is taken`);
    },
    async updateUser(id, change) {
      const set = {
        ...(change.name === undefined ? {} : { name: toPlainText(change.name) }), ...(change.roles === undefined ? {} : { roles: toJson(change.roles) }),
        ...(change.unitId === undefined ? {} : { unit_id: change.unitId }), ...(change.disabled === undefined ? {} : { disabled: change.disabled ? 1 : 0 }),
        ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash, failed_logins: 0, locked_until: null }),
      };
      if (Object.keys(set).length > 0) await db.updateTable('users').set(set).where('id', '=', id).execute();
      if (change.disabled === true || change.passwordHash !== undefined) await db.deleteFrom('sessions').where('user_id', '=', id).execute();
    },
    async noteLogin(id, outcome) {
      await db.updateTable('users').set({ failed_logins: outcome.failedLogins, locked_until: outcome.lockedUntil }).where('id', '=', id).execute();
    },
    async insertSession(tokenHash, userId, expiresAt) {
      await db.insertInto('sessions').values({ token_hash: tokenHash, user_id: userId, expires_at: expiresAt }).execute();
    },
    async session(tokenHash, now) {
      const row = await db.selectFrom('sessions').innerJoin('users', 'users.id', 'sessions.user_id').selectAll('users').select('sessions.expires_at')
        .where('sessions.token_hash', '=', tokenHash).where('sessions.expires_at', '>', now).where('users.disabled', '=', 0).executeTakeFirst();
      return row ? { user: toUser(row), expiresAt: row.expires_at } : null;
    },
    async endSession(tokenHash) {
      await db.deleteFrom('sessions').where('token_hash', '=', tokenHash).execute();
    },

    async insertCorrection(correction) {
      const conversation = await db.selectFrom('conversations').select('resident_id').where('id', '=', correction.conversationId).executeTakeFirst();
      if (!conversation) throw new AppError('conversation.not_found', 'no such conversation');
      const residentId = conversation.resident_id as ResidentId;
      await db.insertInto('corrections').values({
        conversation_id: correction.conversationId, resident_id: residentId, ticket_id: correction.ticketId, user_id: correction.userId, at: correction.at,
        before_value: await sealer.seal(db, residentId, correction.before), after_value: await sealer.seal(db, residentId, correction.after),
        words: await sealer.seal(db, residentId, correction.words), model_version: toPlainText(correction.modelVersion),
      }).execute();
    },

    async setting(name, valueIfAbsent) {
      if (valueIfAbsent !== undefined) await db.insertInto('settings').values({ name, value: toPlainText(valueIfAbsent) }).onConflict((c) => c.column('name').doNothing()).execute();
      return (await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst())?.value ?? null;
    },
    async takeLease(name, owner, now, leaseMs) {
      const taken = await db.insertInto('leases').values({ name, owner, until: now + leaseMs })
        .onConflict((c) => c.column('name').doUpdateSet({ owner, until: now + leaseMs }).where((eb) => eb.or([eb('leases.until', '<=', now), eb('leases.owner', '=', owner)])))
        .returning('owner').executeTakeFirst();
      return taken !== undefined;
    },
    async endLease(name, owner) {
      await db.deleteFrom('leases').where('name', '=', name).where('owner', '=', owner).execute();
    },
    async putSetting(name, value) {
      if (value === null) await db.deleteFrom('settings').where('name', '=', name).execute();
      else await db.insertInto('settings').values({ name, value: toPlainText(value) }).onConflict((c) => c.column('name').doUpdateSet({ value: toPlainText(value) })).execute();
    },
  };
}
