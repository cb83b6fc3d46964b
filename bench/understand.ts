/**
 * Speed of understanding: one thread, the pool, memory, start-up.
 *
 *   node --import tsx bench/understand.ts [--rounds N] [--workers N] [--write]
 *
 * Prints JSON; --write also keeps it as bench/results/understand.json. It measures, it never judges.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createUnderstander, createUnderstandingPool, loadCatalogue } from '../src/nlp/index.ts';
import { machine, percentile, rounded as round } from './machine.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, workers: { type: 'string' }, write: { type: 'boolean' }, part: { type: 'string' } } });
const rounds = Number(values.rounds);
const workers = values.workers ? Number(values.workers) : availableParallelism();
const messages = readFileSync(path('./messages.txt'), 'utf8').trim().split('\n');
const options = { modelDir: path('../models'), catalogue: loadCatalogue(readFileSync(path('../config/beijing/catalogue.yaml'), 'utf8')) };
const MB = 1024 * 1024;

// Each part runs in a process of its own, so that the memory of one is not counted to another.
if (values.part === 'cold') await coldStart();
else if (values.part === 'one') process.stdout.write(JSON.stringify(await measureOneThread()));
else if (values.part === 'pool') process.stdout.write(JSON.stringify(await measurePool()));
else measure();

function inOwnProcess<T>(part: string): T {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--part', part], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** From the start of the process to the first answer. */
async function coldStart(): Promise<void> {
  const understander = await createUnderstander(options);
  await understander.understand('停水了');
  process.stdout.write(JSON.stringify({ ms: performance.now(), rss: process.memoryUsage.rss() }));
  await understander.close();
}

function measure(): void {
  const host = machine(path('..'));
  const cold = Array.from({ length: 3 }, () => inOwnProcess<{ ms: number; rss: number }>('cold')).sort((a, b) => a.ms - b.ms);
  const oneThread = inOwnProcess<Awaited<ReturnType<typeof measureOneThread>>>('one');
  const pool = inOwnProcess<Awaited<ReturnType<typeof measurePool>>>('pool');
  const report = {
    what: 'understand', machine: host,
    modelVersion: oneThread.modelVersion, messages: messages.length, meanLength: round(messages.reduce((sum, { length }) => sum + length, 0) / messages.length), rounds,
    coldStart: { msToFirstAnswer: round(cold[1]?.ms ?? 0), rssMb: round((cold[1]?.rss ?? 0) / MB) },
    oneThread: oneThread.times, pool,
  };
  const text = `${JSON.stringify(report, null, 2)}\n`;
  process.stdout.write(text);
  if (!values.write) return;
  mkdirSync(path('./results'), { recursive: true });
  writeFileSync(path('./results/understand.json'), text);
}

async function measureOneThread() {
  const understander = await createUnderstander(options);
  for (const text of messages) await understander.understand(text);
  const ms: number[] = [];
  for (let nth = 0; nth < rounds; nth++) {
    for (const text of messages) {
      const began = performance.now();
      await understander.understand(text);
      ms.push(performance.now() - began);
    }
  }
  const long = '楼下停水了，路灯也不亮。'.repeat(8_334);
  const began = performance.now();
  await understander.understand(long);
  const longMs = performance.now() - began;
  await understander.close();
  const at = (percent: number) => round(percentile(ms, percent));
  return { modelVersion: understander.modelVersion, times: { p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: at(100), msFor100000Characters: round(longMs) } };
}

async function measurePool() {
  const pool = await createUnderstandingPool({ ...options, workers, maxQueued: Infinity, timeoutMs: 600_000 });
  const all = Array.from({ length: rounds * 4 }, () => messages).flat();
  await Promise.all(messages.map((text) => pool.understand(text)));
  const began = performance.now();
  await Promise.all(all.map((text) => pool.understand(text)));
  const seconds = (performance.now() - began) / 1000;
  const rss = process.memoryUsage.rss();
  await pool.close();
  return { workers, messagesPerSecond: round(all.length / seconds), rssMb: round(rss / MB) };
}
