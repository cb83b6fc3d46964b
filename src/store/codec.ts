import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { AppError, isAppError } from '../domain/errors.ts';

/**
 * One codec for both engines. JSON text carries everything free (NUL and lone surrogates become \u escapes, so `JSON.parse`
 * gives back exactly what was put in); a plain column takes only what both engines give back unchanged.
 */
export const toJson = (value: unknown): string => JSON.stringify(value);
// What we wrote ourselves is parsed without a schema; a row that is not JSON is a broken store and says so.
export function fromJson<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new AppError('store.corrupt', `${what} is not valid JSON in the store; restore it from a backup`, { cause });
  }
}

/** Plain text that may stand in a column: NUL and lone surrogates become U+FFFD (PostgreSQL refuses, libsql cuts). */
export const toPlainText = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();

/** Refuses what an engine would change or die of: booleans abort libsql, undefined and NaN become NULL, NUL cuts a string. */
export function checkParameter(value: unknown): void {
  if (value === null) return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (typeof value === 'string' && !value.includes('\0') && value.isWellFormed()) return;
  throw new AppError('store.bad_value', `a ${value === undefined ? 'missing' : typeof value} value may not be bound; encode it first`);
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', '57P01', '57P02', '57P03', '08006', '08001', '08003', '53300']);
/** A driver's error under one of our codes; any other as it is. */
export function toAppError(error: unknown): unknown {
  if (isAppError(error)) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  // libsql gives some of SQLite's codes only as words; a quota or a limit on file size shows as a failed write.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE' || code === '53100' || code === 'ENOSPC' || message === 'database or disk is full') {
    return new AppError('store.full', 'the disk that holds the database is full or takes no more (quota, file size limit); free space, nothing accepted was lost', { cause: error });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return new AppError('store.locked', 'another process writes to the database file', { cause: error });
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') return new AppError('store.corrupt', 'the database file is damaged; restore a backup (docs/operations.md)', { cause: error });
  if (UNREACHABLE.has(code) || /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(message)) {
    return new AppError('store.unreachable', 'the database cannot be reached; check DATABASE_URL and that it runs', { cause: error });
  }
  return error;
}

function guardConnection(connection: DatabaseConnection): DatabaseConnection {
  return new Proxy(connection, {
    get(target, property) {
      if (property === 'executeQuery') {
        return async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
          query.parameters.forEach(checkParameter);
          try {
            return await target.executeQuery<R>(query);
          } catch (error) {
            throw toAppError(error);
          }
        };
      }
      // Kysely's drivers keep private methods under symbols on the connection they handed out.
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** On a full disk SQLite has rolled back by itself; its complaint that nothing is left to roll back would hide why. */
async function rollBack(driver: Driver, ...given: Parameters<Driver['rollbackTransaction']>): Promise<void> {
  try {
    await driver.rollbackTransaction(...given);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw toAppError(error);
  }
}

/** The same dialect, with every bound value checked and every driver error given a code. */
export function guardDialect(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => {
      const driver: Driver = dialect.createDriver();
      return new Proxy(driver, {
        get(target, property) {
          if (property === 'acquireConnection') {
            return async () => {
              try {
                return guardConnection(await target.acquireConnection());
              } catch (error) {
                throw toAppError(error);
              }
            };
          }
          if (property === 'rollbackTransaction') return (...given: Parameters<Driver['rollbackTransaction']>) => rollBack(target, ...given);
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}
