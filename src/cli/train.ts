/**
 * `npm run train`: fits the heads of models/heads from labelled examples, and puts them in use if they are not worse.
 * Progress goes to stderr, a summary to stdout. Exit status 1 when the new heads were refused, 2 for wrong use.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadCatalogue } from '../nlp/load-catalogue.ts';
import { correctionExamples, cityExamples, foreignExamples, keepTenth, sharedExamples, withoutRepeats, writtenExamples, type Example } from '../nlp/train/examples.ts';
import { trainHeads } from '../nlp/train/train.ts';
import { openToolStore, readToolConfig, root, runTool, UsageError } from './open-tool.ts';

const USAGE = `Usage: npm run train -- [--data DIR] [--examples FILE.jsonl] [--corrections] [--out DIR] [--force]

  --data DIR        shared data (messages/chat.jsonl, messages/annotated.jsonl); default ../shared/data where it exists.
                    With it the heads are fitted anew; without it those in use are continued
  --examples FILE   a city's own examples, {"text","type",…} a line, only what is known
  --corrections     what operators corrected, from the store of the settings; the words stay on this machine
  --out DIR         heads folder; default models/heads
  --models DIR      where encoder/ and gazetteer/ are; default models
  --catalogue FILE  default config/beijing/catalogue.yaml
  --prior FILE      heads.json of the same encoder whose weights take part (fine-tuning's), beside its SHA256SUMS
  --written REGEX   only these files of models/training/data
  --continue        continue the heads in use although there is data
  --version V       default 2.0.0
  --no-cache        keep no vectors in artifacts/vectors
  --force           put in use even what is worse; metrics.json says so
`;

/** Things people tell other bots, for the intent chat; as many as heads.py takes. */
const FOREIGN = 800;

async function main(): Promise<number> {
  const values = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const data = values.data ?? join(root, '..', 'shared', 'data');
  const ids = values['dev-ids'] ?? join(root, 'bench', 'quality', 'dev-ids.json');
  const shared = values.continue ? null : sharedExamples(data, ids);
  if (!shared && values.data !== undefined && !values.continue) throw new UsageError(`--data: there are no messages/chat.jsonl and messages/annotated.jsonl in ${data}\n`);
  const written = writtenExamples(join(root, 'models', 'training', 'data'), values.written === undefined ? undefined : new RegExp(values.written));
  const examples: readonly Example[] = [
    // Where there is no other kept-back part, a tenth of the written messages shows harm (the heads in use have seen it), not merit.
    ...(shared ? withoutRepeats([...shared, ...written]) : keepTenth(written)),
    ...(shared ? foreignExamples(data, FOREIGN) : []),
    ...(values.examples === undefined ? [] : cityExamples(values.examples)),
    ...(values.corrections ? await corrections() : []),
  ];
  const catalogue = loadCatalogue(readFileSync(values.catalogue ?? join(root, 'config', 'beijing', 'catalogue.yaml'), 'utf8'));
  const report = await trainHeads({
    modelDir: resolve(values.models ?? join(root, 'models')), out: resolve(values.out ?? join(root, 'models', 'heads')), catalogue, examples, anew: shared !== null,
    priorFile: values.prior, version: values.version ?? '2.0.0', force: values.force ?? false, threads: availableParallelism(), gazetteer: values.gazetteer,
    cacheDir: values['no-cache'] ? undefined : join(root, 'artifacts', 'vectors'), log: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  process.stderr.write(report.inUse ? `In use: ${report.folder}\n` : `Refused: worse than the heads in use. They are in ${report.folder}; --force puts them in use.\n`);
  return report.inUse ? 0 : 1;
}

async function corrections(): Promise<readonly Example[]> {
  const store = await openToolStore(readToolConfig(), { readonly: true });
  try {
    const out: Example[] = [];
    for await (const correction of store.corrections()) out.push(...correctionExamples(correction));
    return out;
  } finally {
    await store.close();
  }
}

function parse() {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const { values } = parseArgs({ options: {
      data: text, examples: text, corrections: flag, out: text, models: text, catalogue: text, gazetteer: text, prior: text, written: text, continue: flag, version: text, 'dev-ids': text, 'no-cache': flag, force: flag, help: flag,
    } });
    if (values.examples !== undefined && !existsSync(values.examples)) throw new UsageError(`--examples: there is no ${values.examples}\n`);
    return values;
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

runTool(main);
