import { sql, Transaction } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Tables, Db, Engine } from '../database.ts';
import type { Keyring } from '../keyring.ts';
import type { Sealer } from '../seal.ts';

/** What every group of queries works with. `handlersOf` is the subscriptions table, handed in by `app.ts`. */
export interface QueryContext {
  readonly db: Db;
  readonly engine: Engine;
  readonly sealer: Sealer;
  readonly keyring: Keyring;
  readonly handlersOf: (event: string) => readonly string[];
  readonly newId: () => string;
  /** Puts an erasure into the ledger beside the database, so that it holds after an older backup is restored. */
  readonly noteErasure: (residentId: string, at: number) => void;
}

/** Runs in the transaction at hand, or in one of its own. */
export function atomically<T>(context: QueryContext, work: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
  return context.db instanceof Transaction ? work(context.db) : context.db.transaction().execute(work);
}

/**
 * As `atomically`, for marks whose loss in a power cut costs nothing but doing the step again: leases, and "sent" of what is
 * delivered at least once anyway. The commit does not wait for the disk; the next durable commit carries it along. A killed
 * process loses nothing at all.
 */
export function lightly<T>(context: QueryContext, work: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
  const { db } = context;
  if (db instanceof Transaction) return work(db);
  if (context.engine === 'postgres') {
    return db.transaction().execute(async (tx) => {
      await sql`set local synchronous_commit = off`.execute(tx);
      return work(tx);
    });
  }
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(work);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}

/** Why a queue's row came to its end although nobody failed: what it carried can no longer be read. */
export const RESIDENT_ERASED = 'resident erased';

/** A number out of a page's cursor, which comes from outside and may be anything. @throws AppError `message.invalid` */
export function cursorNumber(part: string | undefined): number {
  const number = Number(part);
  if (!Number.isSafeInteger(number)) throw new AppError('message.invalid', 'this cursor is not one that a page gave');
  return number;
}

export const URGENCY_RANK: Readonly<Record<string, number>> = { h2: 0, h24: 1, d7: 2, d15: 3 };
