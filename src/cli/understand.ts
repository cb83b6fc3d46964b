/**
 * Judges a file of messages: `npm run -s understand -- --in messages.jsonl --out understood.jsonl`.
 * Results go to --out or stdout, everything else to stderr. Exit status 1 when a line was bad, 2 for wrong use.
 */
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isAppError } from '../domain/errors.ts';
import { runBatch } from '../nlp/batch.ts';
import { FORMATS } from '../nlp/batch-format.ts';
import type { Format } from '../nlp/batch-format.ts';
import { createUnderstandingPool, loadCatalogue } from '../nlp/index.ts';

const USAGE = `Usage: npm run -s understand -- [--in FILE] [--out FILE] [--format jsonl|csv] [--workers N]

  --in FILE      messages, JSON lines {"id","text"} or CSV with the columns id,text; default stdin
  --out FILE     results; default stdout
  --format F     jsonl or csv; default: by the file's extension, else jsonl
  --workers N    threads; default: one per core
  --models DIR   default: models/
  --catalogue F  default: config/beijing/catalogue.yaml
`;

class UsageError extends Error {}

async function main(argv: readonly string[]): Promise<number> {
  const options = parse(argv);
  if (options.help) {
    process.stderr.write(USAGE);
    return 0;
  }
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  const pool = await createUnderstandingPool({
    modelDir: options.models ?? join(root, 'models'),
    catalogue: loadCatalogue(readFileSync(options.catalogue ?? join(root, 'config', 'beijing', 'catalogue.yaml'), 'utf8')),
    workers: options.workers, maxQueued: Infinity, timeoutMs: 60_000,
    ...(options.gazetteer ? { gazetteer: options.gazetteer } : {}),
  });
  try {
    const { bad } = await runBatch({
      input: options.in ? createReadStream(options.in) : process.stdin,
      output: options.out ? createWriteStream(options.out) : process.stdout,
      endOutput: options.out !== undefined, inputFormat: options.inputFormat, outputFormat: options.outputFormat,
      understand: (text) => pool.understand(text), atOnce: options.workers * 8,
      onBad: (line, reason) => process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}line ${line}: ${reason}\n`),
      onProgress: process.stderr.isTTY ? progressBar() : () => undefined,
    });
    if (process.stderr.isTTY) process.stderr.write('\n');
    if (bad > 0) process.stderr.write(`${bad} bad line${bad === 1 ? '' : 's'}\n`);
    return bad > 0 ? 1 : 0;
  } finally {
    await pool.close();
  }
}

function parse(argv: readonly string[]) {
  let values;
  try {
    ({ values } = parseArgs({ args: [...argv], options: {
      in: { type: 'string' }, out: { type: 'string' }, format: { type: 'string' }, workers: { type: 'string' },
      models: { type: 'string' }, catalogue: { type: 'string' }, gazetteer: { type: 'string' }, help: { type: 'boolean', short: 'h' },
    } }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { format } = values;
  if (format !== undefined && !(FORMATS as readonly string[]).includes(format)) throw new UsageError(`--format is jsonl or csv, not '${format}'`);
  const workers = values.workers === undefined ? availableParallelism() : Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) throw new UsageError('--workers is a number from 1 to 64');
  const formatOf = (file: string | undefined): Format => (format as Format | undefined) ?? (file && extname(file).toLowerCase() === '.csv' ? 'csv' : 'jsonl');
  const inputFormat = formatOf(values.in);
  return { ...values, workers, inputFormat, outputFormat: values.out === undefined && format === undefined ? inputFormat : formatOf(values.out) };
}

function progressBar(): (done: number, share: number | null) => void {
  let shown = 0;
  const began = Date.now();
  return (done) => {
    if (Date.now() - shown < 100) return;
    shown = Date.now();
    const rate = done / Math.max(0.001, (shown - began) / 1000);
    process.stderr.write(`\r\x1b[K${done} messages · ${rate.toFixed(0)}/s`);
  };
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  const known = usage || isAppError(error) || (error as NodeJS.ErrnoException).code !== undefined;
  process.stderr.write(known ? `${(error as Error).message}\n${usage ? USAGE : ''}` : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 2;
}
