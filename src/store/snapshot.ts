import { closeSync, fsyncSync, openSync } from 'node:fs';
import Database from 'libsql';
import { AppError } from '../domain/errors.ts';

/**
 * A whole, consistent copy of an embedded database while its owner goes on writing: one read transaction of SQLite (WAL), written
 * compactly to a new file. Nothing that was deleted before it is in the copy. On disk when it returns.
 */
export function snapshotDatabase(from: string, to: string): void {
  const source = new Database(from, { readonly: true, timeout: 5_000 });
  try {
    source.prepare('vacuum into ?').run(to);
  } finally {
    source.close();
  }
  const file = openSync(to, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export interface DatabaseCounts {
  readonly residents: number;
  readonly messages: number;
  readonly tickets: number;
  readonly history: number;
  readonly media: number;
}

/** Reads a database file nobody owns. @throws AppError `store.corrupt` if SQLite finds it damaged */
export function inspectDatabase(path: string): DatabaseCounts {
  const database = new Database(path, { readonly: true });
  try {
    const verdict = database.prepare('pragma integrity_check').all() as { integrity_check: string }[];
    if (verdict[0]?.integrity_check !== 'ok') throw new AppError('store.corrupt', `${path} is damaged: ${verdict[0]?.integrity_check ?? 'unreadable'}`);
    const count = (table: string): number => (database.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n;
    return { residents: count('residents'), messages: count('messages'), tickets: count('tickets'), history: count('ticket_history'), media: count('media') };
  } finally {
    database.close();
  }
}
