import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';
import { buildApp, type App } from '../../src/app.ts';
import { readConfig, type Config } from '../../src/config.ts';
import type { Connector, Understand } from '../../src/domain/ports.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { dropSchema } from '../fakes/drop-schema.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Fleet {
  readonly apps: readonly App[];
  readonly config: Config;
  /** Everything logged at `info` and above, one JSON line each. */
  log(): string;
  /** One more process's worth of the same installation. */
  add(): Promise<App>;
  drop(): Promise<void>;
}

export interface FleetOptions {
  readonly understand: Understand;
  readonly connectors?: readonly Connector[];
  /** Several need PostgreSQL. */
  readonly size?: number;
  readonly engine?: 'sqlite' | 'postgres';
  readonly env?: Record<string, string>;
  readonly now?: () => number;
}

/** Polls until it holds; a test that waits for nothing longer than this has failed. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 20_000, everyMs = 5): Promise<void> {
  const giveUp = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > giveUp) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Keys of one run's prefix; rate windows expire by themselves, this makes sure. */
export async function dropKeys(redisUrl: string, prefix: string): Promise<void> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 500 })) if (keys.length > 0) await client.del(keys);
  client.destroy();
}

/** Real apps of one installation, without HTTP ports: one on SQLite, or several on PostgreSQL and Redis. */
export async function makeFleet(options: FleetOptions): Promise<Fleet> {
  const engine = options.engine ?? 'sqlite';
  const dataDir = await mkdtemp(join(tmpdir(), 'jiban-fleet-'));
  const schema = `jiban_test_${randomUUID().slice(0, 8)}`;
  const databaseUrl = engine === 'postgres' ? process.env['DATABASE_URL'] : undefined;
  const redisUrl = engine === 'postgres' ? process.env['REDIS_URL'] : undefined;
  const config = readConfig({
    DATA_DIR: dataDir, PORT: '0', DATABASE_SCHEMA: schema, REDIS_PREFIX: `${schema}:`,
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}), ...(redisUrl ? { REDIS_URL: redisUrl } : {}), ...options.env,
  }, ROOT);
  const lines: string[] = [];
  const destination = new Writable({ write(chunk, _encoding, done) { lines.push(String(chunk)); done(); } });
  const apps: App[] = [];
  const add = async (): Promise<App> => {
    const app = await buildApp({
      config, root: ROOT, logger: buildLogger({ level: 'info', destination }), version: 'test', understand: options.understand,
      ...(options.connectors ? { connectors: options.connectors } : {}), ...(options.now ? { now: options.now } : {}),
    });
    apps.push(app);
    return app;
  };
  for (let index = 0; index < (options.size ?? 1); index += 1) await add();
  return {
    apps, config, add, log: () => lines.join(''),
    async drop() {
      await Promise.all(apps.map((app) => app.close()));
      // By the plain settings, not by `config`: a test may have put a proxy in front.
      const direct = process.env['DATABASE_URL'];
      if (databaseUrl !== undefined && direct !== undefined) await dropSchema(direct, schema);
      const redis = process.env['REDIS_URL'];
      if (redisUrl !== undefined && redis !== undefined) await dropKeys(redis, `${schema}:`);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
