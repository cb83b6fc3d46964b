import { join } from 'node:path';
import { Migrator, sql, type Kysely } from 'kysely';
import { AppError, isAppError } from '../domain/errors.ts';
import type { Correction } from '../domain/desk.ts';
import type { Queries, Store } from '../domain/ports.ts';
import type { ChainLink } from '../tickets/history-chain.ts';
import { toAppError } from './codec.ts';
import type { Db, Engine, Tables } from './database.ts';
import { noteErasure } from './erasures.ts';
import { Keyring } from './keyring.ts';
import { migrationsFor } from './migrations.ts';
import { openPostgres } from './postgres.ts';
import { directoryQueries } from './queries/directories.ts';
import { deskQueries, readCorrections } from './queries/desk.ts';
import { specialWayQueries } from './queries/special-ways.ts';
import { jobQueries } from './queries/jobs.ts';
import { residentQueries } from './queries/residents.ts';
import { readChain, ticketQueries } from './queries/tickets.ts';
import { transcriptQueries } from './queries/transcript.ts';
import { turnQueries } from './queries/turns.ts';
import type { QueryContext } from './queries/context.ts';
import { Sealer } from './seal.ts';
import { openSqlite, ownFolder } from './sqlite.ts';

export interface StoreOptions {
  readonly dataDir: string;
  /** Absent: SQLite under `dataDir`, which this process then owns. */
  readonly databaseUrl?: string | undefined;
  /** PostgreSQL schema of all tables. */
  readonly schema: string;
  readonly newId: () => string;
  /** The subscriptions table: which handlers follow an event. */
  readonly handlersOf: (event: string) => readonly string[];
  readonly onIdleError: (error: Error) => void;
  /** For tools beside a running process: takes no ownership, changes nothing. */
  readonly readonly?: boolean;
}

/** What the tools need beyond the port: whole chains, and the keys. */
export interface OpenedStore extends Store {
  readonly keyring: Keyring;
  readonly db: Kysely<Tables>;
  /** What operators corrected, for training. */
  corrections(): AsyncIterable<Correction>;
  chain(ticketId: string): Promise<{ links: readonly ChainLink[]; expected: { head: string; length: number } } | null>;
}

export const keyFile = (dataDir: string): string => join(dataDir, 'keys', 'master.json');
export const databaseFile = (dataDir: string): string => join(dataDir, 'jiban.db');

/**
 * Opens the truth: engine, schema brought up to date, keys checked against it.
 * @throws AppError `store.locked` `store.unreachable` `store.newer_schema` `key.mismatch` `key.missing`
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const engine: Engine = options.databaseUrl === undefined ? 'sqlite' : 'postgres';
  const release = engine === 'sqlite' && options.readonly !== true ? ownFolder(options.dataDir) : () => undefined;
  let db: Kysely<Tables> | undefined;
  try {
    const opening = options.databaseUrl === undefined
      ? openSqlite(databaseFile(options.dataDir), { readonly: options.readonly === true })
      : await openPostgres(options.databaseUrl, options.schema, options.onIdleError);
    db = opening.db;
    if (options.readonly !== true) await migrate(opening.unguarded, engine, options.schema);
    if (options.readonly !== true && engine === 'sqlite') await releaseLeases(db);
    const keyring = options.readonly === true ? Keyring.readFile(keyFile(options.dataDir)) : Keyring.openFile(keyFile(options.dataDir));
    const opened = compose(db, engine, keyring, options, release);
    const owner = await opened.setting('key.fingerprint', options.readonly === true ? undefined : keyring.fingerprint);
    if (owner !== null && owner !== keyring.fingerprint) {
      throw new AppError('key.mismatch', `the key file ${keyFile(options.dataDir)} does not belong to this database; give every process the same DATA_DIR/keys, or restore the key backup`);
    }
    return opened;
  } catch (error) {
    await db?.destroy();
    release();
    throw toAppError(error); // the migrations run past the guard
  }
}

async function migrate(db: Kysely<Tables>, engine: Engine, schema: string): Promise<void> {
  const migrator = new Migrator({
    db, provider: { getMigrations: async () => migrationsFor(engine) },
    ...(engine === 'postgres' ? { migrationTableSchema: schema } : {}),
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (isAppError(error)) throw error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('corrupted migrations')) {
    throw new AppError('store.newer_schema', 'the database was upgraded by a newer Jiban; start that version, or restore a backup made before the upgrade', { cause: error });
  }
  throw error instanceof Error ? error : new Error(message);
}

/** We are the folder's only owner: whoever held a lease is dead, and what it had in hand need not wait for the lease to run out. */
async function releaseLeases(db: Kysely<Tables>): Promise<void> {
  const free = { lease_owner: null, lease_until: 0 };
  await db.updateTable('conversations').set(free).where('ready_at', 'is not', null).where('lease_owner', 'is not', null).execute();
  await db.deleteFrom('leases').execute();
  await db.updateTable('awaited_media').set(free).where('lease_owner', 'is not', null).execute();
  for (const queue of ['outbox', 'jobs'] as const) await db.updateTable(queue).set(free).where('state', '=', 'ready').where('lease_owner', 'is not', null).execute();
}

function compose(db: Kysely<Tables>, engine: Engine, keyring: Keyring, options: StoreOptions, release: () => void): OpenedStore {
  const sealer = new Sealer(keyring);
  const contextOf = (on: Db): QueryContext => ({ db: on, engine, sealer, keyring, handlersOf: options.handlersOf, newId: options.newId, noteErasure: (residentId, at) => noteErasure(options.dataDir, residentId, at) });
  const queriesOn = (on: Db): Queries => {
    const context = contextOf(on);
    return {
      ...residentQueries(context), ...turnQueries(context), ...transcriptQueries(context),
      ...jobQueries(context), ...ticketQueries(context), ...deskQueries(context), ...directoryQueries(context), ...specialWayQueries(context),
    };
  };
  return {
    ...queriesOn(db), engine, keyring, db,
    transaction: (work) => db.transaction().execute((tx) => work(queriesOn(tx))),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    corrections: () => readCorrections(contextOf(db)),
    chain: (ticketId) => readChain(contextOf(db), ticketId),
    close: async () => {
      await db.destroy();
      release();
    },
  };
}
