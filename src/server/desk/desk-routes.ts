import cookie from '@fastify/cookie';
import type { FastifyInstance } from 'fastify';
import type { MediaId, ResidentId } from '../../domain/ids.ts';
import type { Media } from '../../domain/ports.ts';
import type { DirectoryDeps } from '../../desk/edit-directory.ts';
import { accountRoutes } from './account-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { directoryRoutes } from './directory-routes.ts';
import { feedRoute } from './feed.ts';
import { operatorRoutes } from './operator-routes.ts';
import { refuseForeignPages } from './route.ts';
import { ticketRoutes } from './ticket-routes.ts';

export interface DeskServerDeps extends DirectoryDeps {
  readonly media: {
    /** @throws AppError `media.not_found` */
    read(id: MediaId): Promise<Media & { readonly content: Uint8Array }>;
    /** Checks the content and writes it anew. @throws AppError `media.invalid` `media.too_large` */
    save(residentId: ResidentId, bytes: Uint8Array): Promise<Media>;
  };
  /** sha256 (hex) of what stands in `<dataDir>/admin.token`; null: no such way in. */
  readonly adminTokenHash: string | null;
}

/** Everything under `/desk/api`. */
export function deskRoutes(deps: DeskServerDeps): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    if (!app.hasReplyDecorator('setCookie')) await app.register(cookie);
    app.addHook('onRequest', refuseForeignPages);
    app.addHook('onSend', async (_request, reply) => { if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store'); });
    accountRoutes(app, deps);
    operatorRoutes(app, deps);
    ticketRoutes(app, deps);
    deadLetterRoutes(app, deps);
    directoryRoutes(app, deps);
    feedRoute(app, deps);
  };
}
