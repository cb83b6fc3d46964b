import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from './error-handler.ts';
import { publicText } from './error-texts.zh.ts';

/** `/` is the resident's chat, `/desk` the desk; hashed files under `/assets/` are cached for a year. */
export async function registerPages(app: FastifyInstance, webRoot: string): Promise<void> {
  const options = { schema: { hide: true }, config: { free: true } };
  if (existsSync(join(webRoot, 'assets'))) {
    await app.register(fastifyStatic, { root: webRoot, serve: false, preCompressed: true });
    app.get<{ Params: { file: string } }>('/assets/:file', options, (request, reply) =>
      reply.sendFile(request.params.file, join(webRoot, 'assets'), { immutable: true, maxAge: '365d' }));
  }
  const page = (name: 'chat' | 'desk') => (_request: FastifyRequest, reply: FastifyReply) => sendPage(reply, webRoot, name);
  app.get('/', options, page('chat'));
  app.get('/desk', options, page('desk'));
  app.get('/desk/', options, page('desk'));
  app.get('/favicon.ico', options, (_request, reply) => reply.code(204).send());
  app.setNotFoundHandler((request, reply) => notFound(request, reply, webRoot));
}

function sendPage(reply: FastifyReply, webRoot: string, name: 'chat' | 'desk'): FastifyReply {
  const file = join(name, 'index.html');
  if (!existsSync(join(webRoot, file))) return reply.code(503).type('text/plain; charset=utf-8').send(`${publicText('page.not_built')}\n\nThe pages are not built yet. Run: npm run setup\n`);
  return reply.header('cache-control', 'no-cache').sendFile(file, webRoot, { cacheControl: false });
}

/** The desk's own addresses (`/desk/tickets/…`) are one page; everything else that is not there says so. */
function notFound(request: FastifyRequest, reply: FastifyReply, webRoot: string): FastifyReply {
  const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
  if (wantsPage && /^\/desk\/(?!api\/)[^.]*$/.test(request.url.split('?')[0] ?? '')) return sendPage(reply, webRoot, 'desk');
  if (wantsPage) return reply.code(404).type('text/plain; charset=utf-8').send(`${publicText('http.not_found')}\n`);
  return reply.code(404).send(errorBody({ status: 404, code: 'http.not_found', message: 'No such route.' }, request.id));
}
