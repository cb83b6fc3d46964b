/**
 * `npm run verify-history`: walks every ticket's chain, page by page, beside a running Jiban or without it. Prints one line of JSON
 * counts; exit status 1 if any chain is broken, each of which is named with its place. Erased residents' chains verify like all others.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { isAppError } from '../domain/errors.ts';
import { readEnvironment } from '../environment.ts';
import { openStore } from '../store/open-store.ts';
import { walkHistory } from './walk-history.ts';

const HELP = `Usage: npm run verify-history -- [--page N]

Opens the store of the environment or .env (DATA_DIR, DATABASE_URL), changes nothing, and checks the history of every ticket.
Prints {"tickets","entries","erased","broken"}; exit status 1 if any is broken.
`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { page: { type: 'string', default: '500' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const page = Number(values.page);
  if (!Number.isInteger(page) || page < 1) throw new Error(`--page must be a whole number above 0, not ${values.page}`);
  const config = readConfig(readEnvironment(root), root);
  const store = await openStore({
    dataDir: config.DATA_DIR, databaseUrl: config.DATABASE_URL, schema: config.DATABASE_SCHEMA, newId: () => '', handlersOf: () => [],
    onIdleError: (error) => void process.stderr.write(`${error.message}\n`), readonly: true,
  });
  try {
    const counts = await walkHistory(store, page, (id, why) => void process.stderr.write(`broken: ticket ${id}, ${why}\n`));
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    return counts.broken === 0 ? 0 : 1;
  } finally {
    await store.close();
  }
}

main().then((code) => { process.exitCode = code; }, (error: unknown) => {
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 2;
});
