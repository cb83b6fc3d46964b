/** Thread entry: loads the models once, then answers one message after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { isAppError } from '../domain/errors.ts';
import type { WorkerAnswer, WorkerQuestion } from './pool.ts';
import { createUnderstander } from './understand.ts';
import type { UnderstanderOptions } from './understand.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread; start it through createUnderstandingPool');
const answer = (message: WorkerAnswer) => port.postMessage(message);
const fault = (error: unknown) => ({
  code: isAppError(error) ? error.code : 'model.unavailable' as const,
  message: error instanceof Error ? error.message : String(error),
});

try {
  const understander = await createUnderstander(workerData as UnderstanderOptions);
  port.on('message', ({ id, text, context }: WorkerQuestion) => {
    understander.understand(text, context).then(
      (understanding) => answer({ kind: 'done', id, understanding }),
      (error: unknown) => answer({ kind: 'error', id, ...fault(error) }),
    );
  });
  answer({ kind: 'ready', modelVersion: understander.modelVersion });
} catch (error) {
  answer({ kind: 'failed', ...fault(error) });
  port.close();
}
