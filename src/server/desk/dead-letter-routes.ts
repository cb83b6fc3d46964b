import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { announce } from '../../desk/deps.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { define } from './route.ts';
import { pageQuery, toPage } from './shapes.ts';

/** What was tried until it made no sense any more, and one more try. */
export function deadLetterRoutes(app: FastifyInstance, deps: DeskServerDeps): void {
  define(app, deps, {
    method: 'GET', url: '/dead-letters', summary: 'Messages, jobs and notices that were given up', action: 'dead.manage', query: pageQuery,
    handle: ({ query }) => deps.store.deadLetters(toPage(query)),
  });
  define(app, deps, {
    method: 'POST', url: '/dead-letters/:kind/:id/retry', summary: 'Try one again, now', action: 'dead.manage',
    params: z.object({ kind: z.enum(['outbox', 'job', 'inbox']), id: z.number().int().min(1) }),
    handle: async ({ params }) => {
      if (!(await deps.store.retryDead(params.kind, params.id, deps.now()))) throw new AppError('message.invalid', 'nothing of this id is waiting to be tried again');
      announce(deps, {});
      return { ok: true };
    },
  });
}
