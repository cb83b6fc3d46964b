import type { FastifyReply } from 'fastify';
import type { MediaId } from '../../domain/ids.ts';
import type { DeskServerDeps } from './desk-routes.ts';

/** Whoever may see it was asked before; nothing between here and the page keeps a copy. */
export async function sendPicture(deps: Pick<DeskServerDeps, 'media'>, reply: FastifyReply, id: MediaId): Promise<FastifyReply> {
  const { mime, content } = await deps.media.read(id);
  return reply.type(mime).header('cache-control', 'private, no-store').header('content-disposition', 'inline').send(Buffer.from(content));
}
