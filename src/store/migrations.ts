import { sql, type CreateTableBuilder, type Kysely, type Migration } from 'kysely';
import type { Engine } from './database.ts';

/** Each step only adds, so that old and new processes can run beside each other during a rolling upgrade. */
export const migrationsFor = (engine: Engine): Record<string, Migration> => ({
  '0001-the-whole-road': { up: (db) => firstSchema(db, engine) },
  '0002-the-life-of-a-ticket': { up: lifeOfATicket },
  '0003-directories': { up: directoryVersions },
  '0004-wechat': { up: (db) => wechat(db) },
  '0005-special-ways': { up: (db) => specialWays(db, engine) },
});

/** Versions of the dispatch directory that are written at the desk. */
async function directoryVersions(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('directories')
    .addColumn('version', 'text', (c) => c.primaryKey())
    .addColumn('valid_from', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .execute();
}

/** Work around a ticket, and what each unit is to it: a row per unit and role, so that a unit's list is one index. */
async function lifeOfATicket(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tickets').addColumn('work', 'text').execute();
  await db.schema.createTable('ticket_units')
    .addColumn('ticket_id', 'text', (c) => c.notNull())
    .addColumn('unit_id', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('ticket_units_pk', ['ticket_id', 'unit_id'])
    .execute();
  await db.schema.createIndex('ticket_units_list').on('ticket_units').columns(['unit_id', 'due_at', 'ticket_id']).execute();
  await db.schema.createIndex('ticket_units_status').on('ticket_units').columns(['unit_id', 'status', 'due_at', 'ticket_id']).execute();
  await sql`insert into ticket_units (ticket_id, unit_id, role, status, due_at) select id, unit_id, 'lead', status, due_at from tickets where unit_id is not null`.execute(db);
}

/** The audit of art. 11(3). */
async function specialWays(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const table = db.schema.createTable('special_ways');
  await (engine === 'sqlite' ? table.addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement()) : table.addColumn('id', 'bigint', (c) => c.primaryKey().generatedByDefaultAsIdentity()))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('telling_id', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('type', 'text')
    .addColumn('probability', 'text')
    .addColumn('made_by', 'text', (c) => c.notNull())
    .addColumn('decision', 'text')
    .execute();
  await db.schema.createIndex('special_ways_conversation').on('special_ways').columns(['conversation_id', 'id']).execute();
}

async function firstSchema(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const serial = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    engine === 'sqlite'
      ? table.addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      : table.addColumn('id', 'bigint', (c) => c.primaryKey().generatedByDefaultAsIdentity());

  await db.schema.createTable('settings').addColumn('name', 'text', (c) => c.primaryKey()).addColumn('value', 'text', (c) => c.notNull()).execute();

  await db.schema.createTable('residents')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('erased_at', 'bigint')
    .addColumn('external_hash', 'text', (c) => c.unique())
    .execute();

  await db.schema.createTable('resident_keys')
    .addColumn('resident_id', 'text', (c) => c.primaryKey())
    .addColumn('wrapped', 'text', (c) => c.notNull())
    .addColumn('master_id', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('resident_keys_master').on('resident_keys').columns(['master_id', 'resident_id']).execute();

  await db.schema.createTable('conversations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('operator_id', 'text')
    .addColumn('handoff_reason', 'text')
    .addColumn('handoff_urgency', 'text')
    .addColumn('queue_rank', 'bigint')
    .addColumn('handoff_note', 'text')
    .addColumn('waiting_since', 'bigint')
    .addColumn('waiting_until', 'bigint')
    .addColumn('escalation', 'bigint', (c) => c.notNull())
    .addColumn('memory', 'text')
    .addColumn('delivered_seq', 'bigint', (c) => c.notNull())
    .addColumn('ready_at', 'bigint')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .execute();
  await sql`create index conversations_ready on conversations (ready_at) where ready_at is not null`.execute(db);
  await sql`create index conversations_queue on conversations (queue_rank, escalation desc, waiting_since, id) where mode <> 'bot'`.execute(db);

  await serial(db.schema.createTable('inbox'))
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('message_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('row_id', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addColumn('turn_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'bigint', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('done_at', 'bigint')
    .addUniqueConstraint('inbox_message', ['channel', 'message_id'])
    .execute();
  await sql`create index inbox_ready on inbox (conversation_id, seq) where state = 'ready'`.execute(db);
  await sql`create index inbox_oldest on inbox (received_at) where state = 'ready'`.execute(db);
  await sql`create index inbox_dead on inbox (id) where state = 'dead'`.execute(db);

  await db.schema.createTable('messages')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('author_name', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text')
    .addColumn('idempotency_key', 'text', (c) => c.unique())
    .addUniqueConstraint('messages_order', ['conversation_id', 'seq'])
    .execute();

  await serial(db.schema.createTable('outbox'))
    .addColumn('message_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('idempotency_key', 'text', (c) => c.notNull().unique())
    .addColumn('turn_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'bigint', (c) => c.notNull())
    .addColumn('run_at', 'bigint', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('proof', 'text')
    .addColumn('error', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('done_at', 'bigint')
    .execute();
  await sql`create index outbox_ready on outbox (run_at, id) where state = 'ready'`.execute(db);
  await sql`create index outbox_lane on outbox (conversation_id, id) where state = 'ready'`.execute(db);
  await sql`create index outbox_dead on outbox (id) where state = 'dead'`.execute(db);

  await serial(db.schema.createTable('jobs'))
    .addColumn('handler', 'text', (c) => c.notNull())
    .addColumn('lane', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'bigint', (c) => c.notNull())
    .addColumn('run_at', 'bigint', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await sql`create index jobs_ready on jobs (run_at, id) where state = 'ready'`.execute(db);
  await sql`create index jobs_lane on jobs (lane, id) where state = 'ready'`.execute(db);
  await sql`create index jobs_dead on jobs (id) where state = 'dead'`.execute(db);

  await db.schema.createTable('serials').addColumn('day', 'text', (c) => c.primaryKey()).addColumn('next', 'bigint', (c) => c.notNull()).execute();

  await db.schema.createTable('tickets')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('number', 'text', (c) => c.notNull().unique())
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('nature', 'text', (c) => c.notNull())
    .addColumn('disposition', 'text', (c) => c.notNull())
    .addColumn('urgency', 'text', (c) => c.notNull())
    .addColumn('district', 'text').addColumn('street', 'text').addColumn('community', 'text')
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('media', 'text', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('opened_by', 'text', (c) => c.notNull())
    .addColumn('unit_id', 'text')
    .addColumn('hops', 'bigint', (c) => c.notNull())
    .addColumn('reopened', 'bigint', (c) => c.notNull())
    .addColumn('model_version', 'text', (c) => c.notNull())
    .addColumn('directory_version', 'text', (c) => c.notNull())
    .addColumn('candidates', 'text', (c) => c.notNull())
    .addColumn('secret', 'text')
    .addColumn('history_length', 'bigint', (c) => c.notNull())
    .addColumn('history_head', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('tickets_unit').on('tickets').columns(['unit_id', 'status', 'due_at', 'id']).execute();
  await db.schema.createIndex('tickets_unit_due').on('tickets').columns(['unit_id', 'due_at', 'id']).execute();
  await db.schema.createIndex('tickets_status').on('tickets').columns(['status', 'due_at', 'id']).execute();
  await db.schema.createIndex('tickets_due').on('tickets').columns(['due_at', 'id']).execute();
  await db.schema.createIndex('tickets_resident').on('tickets').columns(['resident_id', 'opened_at']).execute();

  await db.schema.createTable('ticket_history')
    .addColumn('ticket_id', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('open', 'text', (c) => c.notNull())
    .addColumn('sealed', 'text')
    .addColumn('commitment', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('ticket_history_pk', ['ticket_id', 'seq'])
    .execute();

  await db.schema.createTable('users')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('login', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('roles', 'text', (c) => c.notNull())
    .addColumn('unit_id', 'text')
    .addColumn('disabled', 'bigint', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('failed_logins', 'bigint', (c) => c.notNull())
    .addColumn('locked_until', 'bigint')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createTable('sessions')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();

  await serial(db.schema.createTable('corrections'))
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('ticket_id', 'text')
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('before_value', 'text', (c) => c.notNull())
    .addColumn('after_value', 'text', (c) => c.notNull())
    .addColumn('words', 'text', (c) => c.notNull())
    .addColumn('model_version', 'text', (c) => c.notNull())
    .execute();

  await db.schema.createTable('media')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('mime', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute();
}

/** What channels need whose platform pushes, answers inside the callback and keeps files for us. */
async function wechat(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('residents').addColumn('external_id', 'text').execute();
  await db.schema.alterTable('conversations').addColumn('answer_until', 'bigint', (c) => c.notNull().defaultTo(0)).execute();
  await sql`create index outbox_proof on outbox (proof) where proof is not null`.execute(db);
  await db.schema.createTable('leases')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createTable('awaited_media')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('resident_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('medium', 'text', (c) => c.notNull())
    .addColumn('remote_id', 'text', (c) => c.notNull())
    .addColumn('attempts', 'bigint', (c) => c.notNull())
    .addColumn('run_at', 'bigint', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('awaited_media_due').on('awaited_media').columns(['run_at', 'id']).execute();
}
