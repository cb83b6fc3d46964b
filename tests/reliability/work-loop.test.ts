import { expect, test } from 'vitest';
import { startWorkLoop } from '../../src/coordination/work-loop.ts';
import { buildLogger } from '../../src/server/logger.ts';

const log = buildLogger({ level: 'silent' });

test('a long backlog of work that never waits still lets sockets and timers have their turn', async () => {
  let left = 50_000;
  const loop = startWorkLoop({ name: 'test', concurrency: 4, pollMs: 60_000, log, work: async () => left-- > 0 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(left).toBeGreaterThan(0);
  await loop.stop();
});

test('work that is found wakes the other hands, and stopping waits for what is in hand', async () => {
  let running = 0;
  let most = 0;
  let done = 0;
  const gate: { open: () => void } = { open: () => undefined };
  const opened = new Promise<void>((resolve) => { gate.open = resolve; });
  const loop = startWorkLoop({ name: 'test', concurrency: 3, pollMs: 60_000, log, work: async () => {
    if (done + running >= 9) return false;
    running += 1;
    most = Math.max(most, running);
    if (done > 0) await opened;
    running -= 1;
    done += 1;
    return true;
  } });
  await new Promise((resolve) => setTimeout(resolve, 1));
  const stopped = loop.stop();
  gate.open();
  await stopped;
  expect(running).toBe(0);
  expect(most).toBeGreaterThan(1);
});
