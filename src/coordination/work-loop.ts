import { setImmediate as nextRound } from 'node:timers/promises';
import type { Logger } from '../domain/ports.ts';

export interface WorkLoop {
  /** Something may be due: look now. */
  wake(): void;
  /** Stops taking work and waits for what is in hand. */
  stop(): Promise<void>;
}

const REST_AFTER_ERROR_MS = 1_000;

/**
 * Keeps up to `concurrency` runs of `work` going while there is any. Wake-ups make it quick; the poll makes it certain, for a
 * wake-up may be lost. `work` says whether there was something to do.
 */
export function startWorkLoop(options: { name: string; work: () => Promise<boolean>; pollMs: number; concurrency: number; log: Logger }): WorkLoop {
  const { name, work, log } = options;
  let stopping = false;
  let running = 0;
  let wanted = false;
  let idle: (() => void) | null = null;

  const run = async (): Promise<void> => {
    running += 1;
    let rest = 0;
    try {
      while (!stopping && (await work())) {
        start(); // where one found work, another may
        // SQLite answers within the same round of the event loop: without this a backlog would keep sockets and timers waiting until it is done.
        await nextRound();
      }
    } catch (error) {
      log.error({ loop: name, error: error instanceof Error ? error.stack : String(error) }, 'loop.error');
      rest = REST_AFTER_ERROR_MS;
    }
    if (rest > 0 && !stopping) await new Promise((resolve) => setTimeout(resolve, rest));
    running -= 1;
    if (wanted && !stopping) start();
    if (running === 0) idle?.();
  };
  const start = (): void => {
    if (stopping) return;
    if (running >= options.concurrency) {
      wanted = true;
      return;
    }
    wanted = false;
    void run();
  };
  const poll = setInterval(start, options.pollMs);
  start();
  return {
    wake: start,
    async stop() {
      stopping = true;
      clearInterval(poll);
      if (running > 0) await new Promise<void>((resolve) => (idle = resolve));
    },
  };
}
