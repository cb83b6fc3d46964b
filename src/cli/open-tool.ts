import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig, type Config } from '../config.ts';
import { isAppError } from '../domain/errors.ts';
import { readEnvironment } from '../environment.ts';
import { openStore, type OpenedStore } from '../store/open-store.ts';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const readToolConfig = (): Config => readConfig(readEnvironment(root), root);

/** Wrong use of a tool: the message is shown as it is, exit status 2. */
export class UsageError extends Error {}

/** The store of the settings; embedded and not read-only, the data folder must be free. */
export function openToolStore(config: Config, options: { readonly readonly: boolean }): Promise<OpenedStore> {
  return openStore({
    dataDir: config.DATA_DIR, databaseUrl: config.DATABASE_URL, schema: config.DATABASE_SCHEMA, newId: randomUUID, handlersOf: () => [],
    onIdleError: (error) => void process.stderr.write(`${error.message}\n`), readonly: options.readonly,
  });
}

/** Runs a tool; what goes wrong is said in one line and in the exit status. */
export function runTool(tool: () => Promise<number>): void {
  tool().then((code) => { process.exitCode = code; }, (error: unknown) => {
    process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : error instanceof UsageError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
}
