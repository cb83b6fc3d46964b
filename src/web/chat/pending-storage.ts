import type { Pending, PendingStore } from '../shared/chat-client.ts';

const PREFIX = 'jiban.pending.';

/**
 * Unsent messages in localStorage, one entry each. Where the browser forbids storage (private mode, full), they live as long
 * as the page.
 */
export function browserPendingStore(storage: Storage | null): PendingStore & { clear(): void } {
  const keys = (): string[] => (storage ? Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '').filter((key) => key.startsWith(PREFIX)) : []);
  const read = (key: string): Pending[] => {
    try {
      return [JSON.parse(storage?.getItem(key) ?? '') as Pending];
    } catch {
      storage?.removeItem(key); // not written by this page
      return [];
    }
  };
  return {
    all: () => keys().flatMap(read),
    put(pending) {
      try {
        storage?.setItem(PREFIX + pending.frame.id, JSON.stringify(pending));
      } catch {
        // Full: the message is still in memory and on the screen, only a reload would lose it.
      }
    },
    remove: (id) => storage?.removeItem(PREFIX + id),
    clear: () => { for (const key of keys()) storage?.removeItem(key); },
  };
}

/** null where touching it throws (blocked cookies). */
export function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
