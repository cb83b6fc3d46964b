import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { Kysely, SqliteDialect } from 'kysely';
import { AppError } from '../domain/errors.ts';
import { guardDialect, toAppError } from './codec.ts';
import type { Opened, Tables } from './database.ts';

/**
 * Makes this process the one owner of the data folder until it ends, however it ends: an exclusive lock of the operating
 * system on `owner.lock`, which no kill can leave behind. @throws AppError `store.locked`
 */
export function ownFolder(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = new Database(join(dataDir, 'owner.lock'));
  const pidFile = join(dataDir, 'owner.pid');
  try {
    lock.exec('pragma busy_timeout = 200');
    lock.exec('begin exclusive');
  } catch (cause) {
    lock.close();
    throw new AppError('store.locked', `${dataDir} is in use by another Jiban${readPid(pidFile)}; stop that one, or set DATA_DIR to another folder`, { cause });
  }
  writeFileSync(pidFile, String(process.pid));
  return () => {
    lock.exec('rollback');
    lock.close();
  };
}

function readPid(path: string): string {
  try {
    return ` (process ${readFileSync(path, 'utf8')})`;
  } catch {
    return ''; // only a hint for the message
  }
}

/** SQLite in WAL mode; every commit is on the disk before it is acknowledged. @throws AppError `store.corrupt` `store.full` */
export function openSqlite(file: string, options: { readonly?: boolean } = {}): Opened {
  const database = openFile(file, options.readonly === true);
  const dialect = new SqliteDialect({ database });
  return { db: new Kysely<Tables>({ dialect: guardDialect(dialect) }), unguarded: new Kysely<Tables>({ dialect }) };
}

function openFile(file: string, readonly: boolean): Database.Database {
  try {
    const database = new Database(file, { timeout: 5_000, ...(readonly ? { readonly } : {}) });
    if (!readonly) {
      database.exec('pragma journal_mode = wal');
      database.exec('pragma synchronous = full');
      database.exec('pragma secure_delete = on'); // a destroyed key leaves no bytes in free pages
    }
    database.exec('pragma foreign_keys = on');
    database.exec('pragma busy_timeout = 5000');
    return database;
  } catch (error) {
    throw toAppError(error); // the first look at the file: a damaged one or a full disk shows here
  }
}
