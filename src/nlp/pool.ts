import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../domain/errors.ts';
import { AppError } from '../domain/errors.ts';
import type { UnderstandContext } from '../domain/ports.ts';
import type { Understanding } from '../domain/understanding.ts';
import { checkLifeSafety } from './life-safety.ts';
import type { UnderstanderOptions } from './understand.ts';

export interface PoolOptions extends UnderstanderOptions {
  /** Threads; default: one per core. Each holds its own model and dictionary, about 200 MB. */
  readonly workers?: number;
  /** Messages that may wait; more are refused with `model.busy`. Default 1000. */
  readonly maxQueued?: number;
  /** Waiting and judging together, unless the call says otherwise. Default 10 000. */
  readonly timeoutMs?: number;
  /** A thread that takes longer over one message is stopped and replaced. Default 15 000. */
  readonly stuckAfterMs?: number;
  /** Another thread script; for tests. */
  readonly script?: URL;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface PoolStats {
  readonly workers: number;
  readonly ready: number;
  readonly busy: number;
  readonly queued: number;
  readonly done: number;
  readonly failed: number;
  /** Threads that died and were replaced. */
  readonly replaced: number;
}

export interface UnderstandingPool {
  readonly modelVersion: string;
  /** @throws AppError `model.timeout` `model.busy` `model.unavailable`, or the signal's reason */
  understand(text: string, context?: UnderstandContext, options?: CallOptions): Promise<Understanding>;
  stats(): PoolStats;
  /** Refuses what waits (`server.stopping`), then ends the threads. */
  close(): Promise<void>;
}

export interface WorkerQuestion { readonly id: number; readonly text: string; readonly context: UnderstandContext | undefined }
export type WorkerAnswer =
  | { readonly kind: 'ready'; readonly modelVersion: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly understanding: Understanding }
  | { readonly kind: 'error'; readonly id: number; readonly code: ErrorCode; readonly message: string };

interface Job extends WorkerQuestion {
  readonly urgent: boolean;
  retried: boolean;
  settle(result: Understanding | Error): void;
  settled: boolean;
}

interface Thread {
  readonly worker: Worker;
  ready: boolean;
  job: Job | null;
  stuck: NodeJS.Timeout | null;
}

const RESTART_AFTER_MS = 1_000;

/**
 * Threads that understand messages, none of it on the event loop.
 *
 * @throws AppError `model.*` `segmenter.missing` `gazetteer.invalid` when the first threads cannot start
 */
export async function createUnderstandingPool(options: PoolOptions): Promise<UnderstandingPool> {
  const pool = new Pool(options);
  await pool.start();
  return pool;
}

class Pool implements UnderstandingPool {
  modelVersion = '';
  readonly #options: PoolOptions;
  readonly #size: number;
  readonly #threads = new Set<Thread>();
  readonly #urgent: Job[] = [];
  readonly #waiting: Job[] = [];
  #lastId = 0;
  #counts = { done: 0, failed: 0, replaced: 0 };
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#size = Math.max(1, options.workers ?? availableParallelism());
  }

  async start(): Promise<void> {
    const started = await Promise.allSettled(Array.from({ length: this.#size }, () => this.#startThread()));
    const failure = started.find((result) => result.status === 'rejected');
    if (!failure) return;
    await this.close();
    throw failure.reason;
  }

  understand(text: string, context?: UnderstandContext, { timeoutMs = this.#options.timeoutMs ?? 10_000, signal }: CallOptions = {}): Promise<Understanding> {
    if (this.#closing) return Promise.reject(new AppError('server.stopping', 'The understanding pool is closed.'));
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const urgent = checkLifeSafety(text).rules.length > 0;
    if (!urgent && this.#queued() >= (this.#options.maxQueued ?? 1_000)) {
      return Promise.reject(new AppError('model.busy', `${this.#queued()} messages are waiting to be understood already.`));
    }
    return new Promise((resolve, reject) => {
      const job: Job = { id: ++this.#lastId, text, context, urgent, retried: false, settled: false, settle: (result) => {
        if (job.settled) return;
        job.settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#drop(job);
        if (result instanceof Error) {
          this.#counts.failed += 1;
          reject(result);
        } else {
          this.#counts.done += 1;
          resolve(result);
        }
      } };
      const abort = () => job.settle(signal?.reason as Error);
      const timer = setTimeout(() => job.settle(new AppError('model.timeout', `Not understood within ${timeoutMs} ms.`)), timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      (urgent ? this.#urgent : this.#waiting).push(job);
      this.#feed();
    });
  }

  stats(): PoolStats {
    const threads = [...this.#threads];
    return {
      workers: this.#size, ready: threads.filter(({ ready }) => ready).length, busy: threads.filter(({ job }) => job).length,
      queued: this.#queued(), ...this.#counts,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const job of [...this.#urgent, ...this.#waiting]) job.settle(new AppError('server.stopping', 'The understanding pool is closing.'));
    await Promise.all([...this.#threads].map(async (thread) => {
      thread.job?.settle(new AppError('server.stopping', 'The understanding pool is closing.'));
      this.#forget(thread);
      await thread.worker.terminate();
    }));
  }

  #queued(): number {
    return this.#urgent.length + this.#waiting.length;
  }

  #drop(job: Job): void {
    const queue = job.urgent ? this.#urgent : this.#waiting;
    const at = queue.indexOf(job);
    if (at >= 0) queue.splice(at, 1);
  }

  #feed(): void {
    for (const thread of this.#threads) {
      if (!thread.ready || thread.job) continue;
      const job = this.#urgent.shift() ?? this.#waiting.shift();
      if (!job) return;
      thread.job = job;
      thread.stuck = setTimeout(() => { void thread.worker.terminate(); }, this.#options.stuckAfterMs ?? 15_000);
      thread.worker.postMessage({ id: job.id, text: job.text, context: job.context } satisfies WorkerQuestion);
    }
  }

  #startThread(): Promise<void> {
    const { workers: _workers, maxQueued: _maxQueued, timeoutMs: _timeoutMs, stuckAfterMs: _stuckAfterMs, script, ...workerData } = this.#options;
    const worker = new Worker(script ?? new URL('./worker-entry.js', import.meta.url), {
      workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 16 },
    });
    const thread: Thread = { worker, ready: false, job: null, stuck: null };
    this.#threads.add(thread);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: WorkerAnswer) => {
        if (message.kind === 'ready') {
          thread.ready = true;
          this.modelVersion = message.modelVersion;
          resolve();
        } else if (message.kind === 'failed') {
          reject(new AppError(message.code, message.message));
          return;
        } else this.#answered(thread, message);
        this.#feed();
      });
      worker.on('error', (cause) => {
        reject(new AppError('model.unavailable', `The understanding thread died: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
      });
      worker.on('exit', (code) => {
        reject(new AppError('model.unavailable', `The understanding thread ended with code ${code} before it was ready.`));
        this.#died(thread);
      });
    });
  }

  #answered(thread: Thread, message: Extract<WorkerAnswer, { id: number }>): void {
    const { job } = thread;
    if (job?.id !== message.id) return;
    if (thread.stuck) clearTimeout(thread.stuck);
    thread.job = null;
    job.settle(message.kind === 'done' ? message.understanding : new AppError(message.code, message.message));
  }

  /** A dead thread's message is tried once more, first in line; a thread that had been ready is replaced. */
  #died(thread: Thread): void {
    if (!this.#threads.has(thread)) return;
    this.#forget(thread);
    const { job } = thread;
    if (job && !job.settled) {
      if (job.retried) job.settle(new AppError('model.unavailable', 'Two threads died over this message.'));
      else {
        job.retried = true;
        (job.urgent ? this.#urgent : this.#waiting).unshift(job);
      }
    }
    if (this.#closing || (!thread.ready && this.modelVersion === '')) return;
    this.#counts.replaced += 1;
    const restart = () => {
      if (!this.#closing) this.#startThread().catch(() => undefined); // its exit comes back here and tries again
    };
    if (thread.ready) restart();
    else setTimeout(restart, RESTART_AFTER_MS).unref();
  }

  #forget(thread: Thread): void {
    if (thread.stuck) clearTimeout(thread.stuck);
    this.#threads.delete(thread);
  }
}
