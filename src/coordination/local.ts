import { EventEmitter } from 'node:events';
import type { Coordination } from '../domain/ports.ts';

/** Counts uses of a key in fixed windows; memory is bounded by dropping windows that are over. */
export class WindowCounter {
  readonly #windows = new Map<string, { until: number; used: number }>();
  allow(key: string, limit: number, windowMs: number, now: number): boolean {
    const window = this.#windows.get(key);
    if (!window || window.until <= now) {
      if (this.#windows.size > 50_000) this.#dropOver(now);
      this.#windows.set(key, { until: now + windowMs, used: 1 });
      return limit >= 1;
    }
    window.used += 1;
    return window.used <= limit;
  }
  #dropOver(now: number): void {
    for (const [key, window] of this.#windows) if (window.until <= now) this.#windows.delete(key);
  }
}

/** Coordination within one process. */
export function localCoordination(now: () => number = Date.now): Coordination {
  const emitter = new EventEmitter().setMaxListeners(0);
  const counter = new WindowCounter();
  return {
    engine: 'local',
    publish: (topic, body) => setImmediate(() => emitter.emit(topic, body)),
    subscribe(topic, listener) {
      emitter.on(topic, listener);
      return () => emitter.off(topic, listener);
    },
    allow: async (key, limit, windowMs) => counter.allow(key, limit, windowMs, now()),
    ping: async () => true,
    close: async () => {
      emitter.removeAllListeners();
    },
  };
}
