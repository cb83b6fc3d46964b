import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { User } from '../../domain/desk.ts';
import { TOPICS } from '../../domain/ports.ts';
import { may, reach } from '../../desk/permissions.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { authenticate, define } from './route.ts';

/** A page that hears nothing for twice as long says that it is stale, and asks anew. */
export const TICK_MS = 10_000;
/** Who is writing in a conversation right now: `resident` or `operator`. The web chat listens and speaks there too. */
export const typingTopic = (conversationId: string): string => `typing:${conversationId}`;
/** A unit hears that something moved, not what; many moves at once are one. */
const BLUR_MS = 400;
/** A page that takes nothing off the line is cut off rather than kept for in memory; its browser asks again. */
const UNREAD_MAX_BYTES = 256 * 1024;

/**
 * Server-sent events with ids only; the page fetches what it may see. Lost wake-ups are made good by the tick, at which pages
 * refetch what is old. A session that ended ends its feed with the next tick.
 */
export function feedRoute(app: FastifyInstance, deps: DeskServerDeps): void {
  const open = new Set<() => void>();
  app.addHook('preClose', async () => { for (const end of open) end(); });
  define(app, deps, {
    method: 'GET', url: '/feed', summary: 'Live changes as server-sent events: hello, changed, typing, tick', action: 'feed.read',
    query: z.object({ conversation: z.string().max(64).optional() }),
    handle: async ({ user, query, request, reply }) => {
      const stream = openStream(reply);
      const stops = subscribe(deps, user, query.conversation, stream);
      const tick = setInterval(() => {
        authenticate(deps, request).then((still) => (still ? stream.send('tick', { now: deps.now() }) : end()), () => end());
      }, TICK_MS);
      const end = () => {
        open.delete(end);
        clearInterval(tick);
        for (const stop of stops) stop();
        reply.raw.end();
      };
      open.add(end);
      reply.raw.on('close', end);
      stream.send('hello', { now: deps.now(), tickMs: TICK_MS });
      return reply;
    },
  });
}

interface Stream {
  send(event: string, data: object): void;
}

function openStream(reply: FastifyReply): Stream {
  const headers = reply.getHeaders();
  reply.hijack();
  reply.raw.writeHead(200, { ...(headers as Record<string, string>), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  return {
    send(event, data) {
      if (reply.raw.writableEnded || reply.raw.destroyed) return;
      if (reply.raw.writableLength > UNREAD_MAX_BYTES) reply.raw.destroy();
      else reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
  };
}

function subscribe(deps: DeskServerDeps, user: User, conversation: string | undefined, stream: Stream): readonly (() => void)[] {
  const { coordination } = deps;
  if (reach(user, 'ticket.list') !== 'all') return blurred(deps, stream);
  const stops = [coordination.subscribe(TOPICS.desk, (body) => stream.send('changed', idsIn(body)))];
  if (conversation !== undefined && may(user, 'conversation.read')) {
    stops.push(coordination.subscribe(`${TOPICS.conversation}:${conversation}`, () => stream.send('changed', { conversationId: conversation })));
    stops.push(coordination.subscribe(typingTopic(conversation), (body) => { if (body === 'resident') stream.send('typing', { conversationId: conversation }); }));
  }
  return stops;
}

function blurred({ coordination }: DeskServerDeps, stream: Stream): readonly (() => void)[] {
  let pending: NodeJS.Timeout | undefined;
  const stop = coordination.subscribe(TOPICS.desk, () => {
    pending ??= setTimeout(() => { pending = undefined; stream.send('changed', {}); }, BLUR_MS);
  });
  return [stop, () => clearTimeout(pending)];
}

/** Bodies of the topic are JSON of ids, or one bare id. */
function idsIn(body: string): object {
  if (!body.startsWith('{')) return body === '' ? {} : { conversationId: body };
  const ids: unknown = JSON.parse(body);
  return typeof ids === 'object' && ids !== null ? ids : {};
}
