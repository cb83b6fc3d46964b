import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { keepKf } from '../../../src/connectors/wecom-kf/inbound.ts';
import { syncAccount } from '../../../src/connectors/wecom-kf/sync-account.ts';
import { buildPlatformApi } from '../../../src/connectors/wechat/platform-api.ts';
import { buildLogger } from '../../../src/server/logger.ts';
import { openStore, type OpenedStore } from '../../../src/store/open-store.ts';

/** What one process needs to fetch an account; given on the command line as JSON. */
export const ChildOptions = z.object({ dataDir: z.string(), databaseUrl: z.string().optional(), schema: z.string(), baseUrl: z.string(), account: z.string(), owner: z.string(), slowMs: z.number() });
export type ChildOptions = z.infer<typeof ChildOptions>;

export async function openChildStore(options: ChildOptions): Promise<OpenedStore> {
  return openStore({ ...options, newId: randomUUID, handlersOf: () => [], onIdleError: () => undefined });
}

export async function syncOnce(store: OpenedStore, options: ChildOptions, now: () => number = Date.now): Promise<boolean> {
  const log = buildLogger({ level: 'silent' });
  const api = buildPlatformApi({ baseUrl: options.baseUrl, timeoutMs: 5_000, fetch }, { get: async () => 'T', renew: async () => 'T' });
  const receive: Parameters<typeof keepKf>[0]['receive'] = async (message) => {
    if (options.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, options.slowMs));
    return store.receive(message);
  };
  const deps = { store, api, receive, afterCommit: () => undefined, greeting: { text: 'g', chips: [] }, ended: 'e', now, newId: randomUUID, log, owner: options.owner };
  return syncAccount({ ...deps, keep: (message, account) => keepKf(deps, message, account) }, options.account);
}

if (process.argv[2]?.startsWith('{')) {
  const options = ChildOptions.parse(JSON.parse(process.argv[2]));
  const store = await openChildStore(options);
  process.stdout.write('open\n');
  await syncOnce(store, options);
  await store.close();
}
