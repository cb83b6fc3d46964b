import { Worker } from 'node:worker_threads';
import { AppError } from '../../domain/errors.ts';
import type { Dense, LinearModel, RegressionOptions, Targets } from './softmax-regression.ts';

export interface Regression { readonly x: Dense; readonly targets: Targets; readonly options: RegressionOptions }
export type ThreadTask =
  | { readonly kind: 'encode'; readonly encoderDir: string; readonly texts: readonly string[] }
  | { readonly kind: 'regress'; readonly problems: readonly Regression[] };

export const encodeInThread = (encoderDir: string, texts: readonly string[]): Promise<Float32Array> => inThread<Float32Array>({ kind: 'encode', encoderDir, texts });
/** Several regressions one after the other, beside whatever this thread does meanwhile. */
export const regressInThread = (problems: readonly Regression[]): Promise<readonly LinearModel[]> => inThread<readonly LinearModel[]>({ kind: 'regress', problems });

function inThread<T>(workerData: ThreadTask): Promise<T> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./thread-entry.js', import.meta.url), { workerData, execArgv: [] });
    worker.on('message', (message: { result: T } | { failed: string }) => {
      if ('result' in message) resolve(message.result);
      else reject(new AppError('model.unavailable', message.failed));
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new AppError('model.unavailable', `The training thread ended with code ${code}.`)));
  });
}
