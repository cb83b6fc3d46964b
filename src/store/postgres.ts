import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { AppError } from '../domain/errors.ts';
import { guardDialect } from './codec.ts';
import type { Opened, Tables } from './database.ts';

const INT8 = 20;
const NUMERIC = 1700;

/** @param schema all tables live in it; made when absent. @throws AppError `store.unreachable` */
export async function openPostgres(url: string, schema: string, onIdleError: (error: Error) => void): Promise<Opened> {
  const types = new pg.TypeOverrides();
  // Times and counters stay far below 2^53; pg gives int8 as text otherwise.
  types.setTypeParser(INT8, Number);
  types.setTypeParser(NUMERIC, Number);
  const pool = new pg.Pool({
    connectionString: url, max: 10, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 60_000, types,
    options: `-c search_path=${schema} -c synchronous_commit=on -c idle_in_transaction_session_timeout=60000`, application_name: 'jiban',
  });
  // A connection that dies while idle is replaced at the next use; without a listener the process would end.
  pool.on('error', onIdleError);
  // One that dies between two statements of a transaction tells nobody but itself; the next statement fails with a code.
  pool.on('connect', (client) => client.on('error', onIdleError));
  try {
    await pool.query(`create schema if not exists ${pg.escapeIdentifier(schema)}`);
  } catch (error) {
    if (!isAlreadyMade(error)) {
      await pool.end();
      throw new AppError('store.unreachable', `PostgreSQL at ${withoutPassword(url)} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  const dialect = new PostgresDialect({ pool });
  return { db: new Kysely<Tables>({ dialect: guardDialect(dialect) }), unguarded: new Kysely<Tables>({ dialect }) };
}

/** Two processes may make the schema at the same moment; PostgreSQL then tells the second with 23505. */
const isAlreadyMade = (error: unknown): boolean => error instanceof pg.DatabaseError && (error.code === '23505' || error.code === '42P06');

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    return `${parsed.hostname}:${parsed.port || '5432'}${parsed.pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}
