import { onBeforeUnmount, onMounted, reactive, watch, type WatchSource } from 'vue';
import { setClock } from './clock.ts';

/** What the feed says has changed; nothing in it: something has. */
export interface Change {
  readonly conversationId?: string;
  readonly ticketId?: string;
}

/** `typingAt`: when the resident on the screen was last seen writing. */
export const live = reactive({ stale: false, typingAt: 0 });
const listeners = new Set<(change: Change) => void>();
let source: EventSource | undefined;
let conversation: string | null = null;
let heard = Date.now();
let tickMs = 10_000;
/** Ticks missed before the page calls itself stale. */
const STALE_AFTER = 2.5;
const LOST_SAID_AFTER_MS = 3_000;

export function connect(): void {
  disconnect();
  source = new EventSource(`/desk/api/feed${conversation === null ? '' : `?conversation=${encodeURIComponent(conversation)}`}`);
  source.addEventListener('hello', (event) => {
    tickMs = (JSON.parse((event as MessageEvent<string>).data) as { tickMs: number }).tickMs;
    alive(event as MessageEvent<string>);
    tell({}); // whatever was missed meanwhile
  });
  source.addEventListener('tick', (event) => { alive(event as MessageEvent<string>); tell({}); });
  source.addEventListener('changed', (event) => { heard = Date.now(); tell(JSON.parse((event as MessageEvent<string>).data) as Change); });
  source.addEventListener('typing', () => { live.typingAt = Date.now(); });
  source.addEventListener('error', () => {
    heard = Math.min(heard, Date.now() - STALE_AFTER * tickMs + LOST_SAID_AFTER_MS); // a broken line is said sooner than a silent one
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => { if (source?.readyState === EventSource.CLOSED) connect(); }, 3000);
  });
}

export function disconnect(): void {
  source?.close();
  source = undefined;
}

/** The conversation on the screen: its changes come as they happen. */
export function follow(id: string | null): void {
  if (id === conversation) return;
  conversation = id;
  live.typingAt = 0;
  if (source) connect();
}

function alive(event: MessageEvent<string>): void {
  heard = Date.now();
  live.stale = false;
  setClock((JSON.parse(event.data) as { now: number }).now);
}

function tell(change: Change): void {
  for (const listener of listeners) listener(change);
}

setInterval(() => { if (source) live.stale = Date.now() - heard > STALE_AFTER * tickMs; }, 1000);

/**
 * Runs `load` at once, when the feed says that something changed, and when `on` changes. Never two at a time; what changes during
 * a load is loaded after it.
 */
export function useLive(load: () => Promise<void>, on?: WatchSource): { reload: () => void } {
  let running = false;
  let again = false;
  const reload = () => {
    if (running) { again = true; return; }
    running = true;
    void load().finally(() => {
      running = false;
      if (again) { again = false; reload(); }
    });
  };
  const listener = () => reload();
  onMounted(() => { listeners.add(listener); reload(); });
  onBeforeUnmount(() => listeners.delete(listener));
  if (on) watch(on, reload);
  return { reload };
}
