import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fuzzCases, fuzzTarget } from '../tests/connectors/wechat/fuzz.ts';
import { machine } from './machine.ts';

/**
 * Callbacks of every evil sort against the real callback, 1,000,000 unless told otherwise: `npx tsx bench/wechat-fuzz.ts [count] [seed]`.
 * Prints what each sort got and how memory went; ends with 1 when an answer was not the one it had to be.
 */
const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const target = await fuzzTarget();
const answers = new Map<string, number>();
const memory: { readonly done: number; readonly rssMb: number; readonly heapMb: number }[] = [];
const mb = (bytes: number): number => Math.round(bytes / 1_048_576);
let wrong = 0;
let slowestMs = 0;
let done = 0;
const started = performance.now();

for (const one of fuzzCases(seed)) {
  const before = performance.now();
  const { status } = await target.shoot(one);
  slowestMs = Math.max(slowestMs, performance.now() - before);
  if (status !== one.status) wrong += 1;
  const name = `${one.kind}: ${status}`;
  answers.set(name, (answers.get(name) ?? 0) + 1);
  done += 1;
  if (done % Math.ceil(count / 20) === 0) {
    const { rss, heapUsed } = process.memoryUsage();
    memory.push({ done, rssMb: mb(rss), heapMb: mb(heapUsed) });
  }
  if (done >= count) break;
}
const seconds = (performance.now() - started) / 1_000;
const result = {
  ...machine(join(import.meta.dirname, '..')), count, seed, seconds: Math.round(seconds), perSecond: Math.round(count / seconds), slowestMs: Math.round(slowestMs), wrong, storedMessages: target.stored.size,
  answers: Object.fromEntries([...answers].sort()), memory,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
writeFileSync(join(import.meta.dirname, 'results', 'wechat-fuzz.json'), `${JSON.stringify(result, null, 2)}\n`);
await target.app.close();
process.exitCode = wrong > 0 ? 1 : 0;
