/** Thread entry: does the one task it was given and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadEncoder } from '../encode.ts';
import { fitSoftmaxRegression, type Dense, type RegressionOptions, type Targets } from './softmax-regression.ts';
import type { ThreadTask } from './threads.ts';

const port = parentPort;
if (!port) throw new Error('thread.ts runs as a worker thread; start it through threads.ts');
try {
  port.postMessage({ result: await run(workerData as ThreadTask) });
} catch (error) {
  port.postMessage({ failed: error instanceof Error ? error.message : String(error) });
}

async function run(task: ThreadTask): Promise<unknown> {
  switch (task.kind) {
    case 'encode': return encode(task.encoderDir, task.texts);
    case 'regress': return task.problems.map(({ x, targets, options }: { x: Dense; targets: Targets; options: RegressionOptions }) => fitSoftmaxRegression(x, targets, options));
    default: return task satisfies never;
  }
}

async function encode(encoderDir: string, texts: readonly string[]): Promise<Float32Array> {
  const encoder = await loadEncoder(encoderDir);
  const vectors = new Float32Array(texts.length * encoder.dim);
  for (const [at, text] of texts.entries()) vectors.set((await encoder.encode([...text].slice(0, encoder.windowLength))).vector, at * encoder.dim);
  await encoder.close();
  return vectors;
}
