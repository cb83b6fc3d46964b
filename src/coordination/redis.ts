import { createClient } from 'redis';
import type { Coordination, Logger } from '../domain/ports.ts';
import { WindowCounter } from './local.ts';

/**
 * Coordination between processes over Redis pub/sub. Redis may be away at any time, at the start too: then wake-ups are
 * lost (pollers find the work), rate limits count per process, and the connection is taken up again in the background.
 */
export function redisCoordination(options: { url: string; prefix: string; log: Logger }): Coordination {
  const { prefix, log } = options;
  const make = () => createClient({
    url: options.url, disableOfflineQueue: true,
    socket: { connectTimeout: 2_000, reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 5), 3_000) },
  });
  const client = make();
  const listener = make();
  const listeners = new Map<string, Set<(body: string) => void>>();
  const fallback = new WindowCounter();
  let reported = false;
  const onError = (error: unknown) => {
    if (!reported) log.warn({ error: error instanceof Error ? error.message : String(error) }, 'redis.away');
    reported = true;
  };
  for (const connection of [client, listener]) {
    connection.on('error', onError);
    connection.on('ready', () => {
      if (reported) log.info({}, 'redis.back');
      reported = false;
    });
  }
  const channelOf = (topic: string) => `${prefix}${topic}`;
  const deliver = (topic: string) => (body: string) => {
    for (const each of listeners.get(topic) ?? []) each(body);
  };
  // node-redis keeps its subscriptions over a reconnect; those asked for, or let go, while it is away are made good when it is ready.
  const made = new Map<string, (body: string) => void>();
  const subscribeAll = () => {
    if (!listener.isReady) return;
    for (const topic of listeners.keys()) {
      if (made.has(topic)) continue;
      const each = deliver(topic);
      made.set(topic, each);
      listener.subscribe(channelOf(topic), each).catch((error: unknown) => {
        if (made.get(topic) === each) made.delete(topic);
        onError(error);
      });
    }
    for (const topic of made.keys()) if (!listeners.has(topic)) unsubscribe(topic);
  };
  const unsubscribe = (topic: string) => {
    const each = made.get(topic);
    if (!each || !listener.isReady) return;
    made.delete(topic);
    // With the listener, or node-redis believes a channel that is just being left to be heard still, and whoever asks for it again before
    // the answer (a page that is reloaded) hears nothing any more.
    listener.unsubscribe(channelOf(topic), each).catch(onError);
  };
  listener.on('ready', subscribeAll);
  client.connect().catch(onError);
  listener.connect().catch(onError);

  return {
    engine: 'redis',
    publish(topic, body) {
      if (!client.isReady) {
        // Our own listeners still hear us; other processes find the work by polling.
        setImmediate(() => deliver(topic)(body));
        return;
      }
      client.publish(channelOf(topic), body).catch(onError);
    },
    subscribe(topic, each) {
      const set = listeners.get(topic) ?? new Set();
      set.add(each);
      listeners.set(topic, set);
      subscribeAll();
      return () => {
        set.delete(each);
        if (set.size > 0 || listeners.get(topic) !== set) return;
        listeners.delete(topic);
        unsubscribe(topic);
      };
    },
    async allow(key, limit, windowMs) {
      if (!client.isReady) return fallback.allow(key, limit, windowMs, Date.now());
      const name = `${prefix}rate:${key}:${Math.floor(Date.now() / windowMs)}`;
      try {
        const [used] = await client.multi().incr(name).pExpire(name, windowMs).execTyped();
        return used <= limit;
      } catch (error) {
        onError(error);
        return fallback.allow(key, limit, windowMs, Date.now());
      }
    },
    ping: async () => client.isReady && (await client.ping().then(() => true, () => false)),
    async close() {
      listeners.clear();
      for (const connection of [client, listener]) connection.destroy();
    },
  };
}
