/**
 * `npm run replay -- --models DIR`: judges past tickets with another models folder and shows which would be filed differently. Reads the
 * store of the settings, beside a running Jiban or without it, and changes nothing. Prints no word of a resident unless --show-text.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createUnderstandingPool, loadCatalogue } from '../nlp/index.ts';
import { openToolStore, readToolConfig, root, runTool, UsageError } from './open-tool.ts';
import { replayTickets, summaryLines, type Difference } from './replay-tickets.ts';

const USAGE = `Usage: npm run -s replay -- --models DIR [--limit N] [--json] [--show-text]

  --models DIR      models folder to judge with: encoder/, heads/, gazetteer/
  --catalogue FILE  default config/beijing/catalogue.yaml
  --limit N         look at the newest N tickets only
  --workers N       threads; default: one per core
  --json            one line of JSON per ticket that differs, then the counts
  --show-text       also print the resident's first message
`;

async function main(): Promise<number> {
  const values = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.models === undefined) throw new UsageError(`--models names the folder to judge with\n${USAGE}`);
  const [limit, workers] = [wholeNumber('limit', values.limit, Infinity), wholeNumber('workers', values.workers, availableParallelism())];
  const catalogue = loadCatalogue(readFileSync(values.catalogue ?? join(root, 'config', 'beijing', 'catalogue.yaml'), 'utf8'));
  const store = await openToolStore(readToolConfig(), { readonly: true });
  try {
    const pool = await createUnderstandingPool({ modelDir: resolve(values.models), catalogue, workers, maxQueued: Infinity, timeoutMs: 60_000, ...(values.gazetteer ? { gazetteer: values.gazetteer } : {}) });
    try {
      const show = (difference: Difference) => process.stdout.write(values.json ? `${JSON.stringify(difference)}\n` : `${lineOf(difference)}\n`);
      const counts = await replayTickets(store, (text) => pool.understand(text), { limit, showText: values['show-text'] ?? false, onDifference: show });
      process.stdout.write(values.json ? `${JSON.stringify({ modelVersion: pool.modelVersion, ...counts, typePairs: Object.fromEntries(counts.typePairs), urgencyPairs: Object.fromEntries(counts.urgencyPairs) })}\n` : `${summaryLines(counts, pool.modelVersion).join('\n')}\n`);
      return 0;
    } finally {
      await pool.close();
    }
  } finally {
    await store.close();
  }
}

const lineOf = ({ number, type, urgency, text }: Difference): string =>
  [number, type ? `${type.was} → ${type.now} (${type.probability.toFixed(2)})` : null, urgency ? `${urgency.was} → ${urgency.now}` : null, text ?? null].filter((part) => part !== null).join('  ');

function wholeNumber(name: string, given: string | undefined, fallback: number): number {
  if (given === undefined) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new UsageError(`--${name} is a whole number above 0, not ${given}\n`);
  return Number(given);
}

function parse() {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    return parseArgs({ options: { models: text, catalogue: text, gazetteer: text, limit: text, workers: text, json: flag, 'show-text': flag, help: flag } }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

runTool(main);
