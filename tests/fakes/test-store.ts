import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type OpenedStore, type StoreOptions } from '../../src/store/open-store.ts';
import { dropSchema } from './drop-schema.ts';

export interface TestStore {
  readonly engine: 'sqlite' | 'postgres';
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly schema: string;
  readonly store: OpenedStore;
  /** A second process's view: PostgreSQL only. */
  openAnother(): Promise<OpenedStore>;
  /** Closes everything and leaves nothing behind. */
  drop(): Promise<void>;
}

/** Engines this run can reach: SQLite always, PostgreSQL when DATABASE_URL is set. */
export const ENGINES: readonly ('sqlite' | 'postgres')[] = process.env['DATABASE_URL'] ? ['sqlite', 'postgres'] : ['sqlite'];

/** A fresh store in a folder (and, on PostgreSQL, a schema) of its own. */
export async function makeStore(engine: 'sqlite' | 'postgres' = 'sqlite', extra: Partial<StoreOptions> = {}): Promise<TestStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'jiban-test-'));
  const schema = `jiban_test_${randomUUID().slice(0, 8)}`;
  const databaseUrl = engine === 'postgres' ? process.env['DATABASE_URL'] : undefined;
  const options: StoreOptions = {
    dataDir, databaseUrl, schema, newId: randomUUID, handlersOf: () => [], onIdleError: () => undefined, ...extra,
  };
  const opened: OpenedStore[] = [await openStore(options)];
  return {
    engine, dataDir, schema, databaseUrl, store: opened[0] as OpenedStore,
    async openAnother() {
      const another = await openStore(options);
      opened.push(another);
      return another;
    },
    async drop() {
      for (const each of opened) await each.close();
      if (databaseUrl !== undefined) await dropSchema(databaseUrl, schema);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
