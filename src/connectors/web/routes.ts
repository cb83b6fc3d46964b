import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import type { Instant, MediaId, NewId } from '../../domain/ids.ts';
import type { Coordination, Store } from '../../domain/ports.ts';
import { ERASED, wakeTopic } from './chat-socket.ts';
import { cleanPicture } from './clean-picture.ts';
import { exportResident } from './export-resident.ts';
import { COOKIE_NAME, IDENTITY_LIFETIME_MS, signIdentity, verifyIdentity, type Identity } from './identity.ts';
import type { Limiter } from './limits.ts';
import type { MediaFiles } from './media-files.ts';
import { isOriginAllowed } from './origin.ts';
import { MAX_PICTURE_BYTES, type MediaAnswer, type SessionAnswer } from './protocol.ts';

export interface RouteDeps {
  readonly store: Pick<Store, 'ensureResident' | 'residentExists' | 'eraseResident' | 'transcript' | 'ticketsOfResident' | 'history'>;
  readonly coordination: Pick<Coordination, 'publish'>;
  readonly media: MediaFiles;
  readonly limiter: Limiter;
  readonly tokenKey: Buffer;
  readonly previousTokenKeys: readonly Buffer[];
  readonly allowedOrigins: readonly string[];
  readonly now: () => Instant;
  readonly newId: NewId;
}

const RESIDENT = [{ resident: [] }];
const ERROR = {
  type: 'object', description: 'What went wrong',
  properties: { code: { type: 'string' }, message: { type: 'string' }, text: { type: 'string' }, requestId: { type: 'string' } },
};

/** What a request shows of itself: a cookie in the browser, a bearer token elsewhere. */
export function shownToken(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  return bearer ?? request.cookies[COOKIE_NAME];
}

/** The identity behind a request, or null: forged, expired, or its resident was erased. */
export async function identify(deps: RouteDeps, request: FastifyRequest): Promise<Identity | null> {
  const token = shownToken(request);
  const identity = token === undefined ? null : verifyIdentity(token, [deps.tokenKey, ...deps.previousTokenKeys], deps.now());
  return identity && await deps.store.residentExists(identity.residentId) ? identity : null;
}

async function require(deps: RouteDeps, request: FastifyRequest): Promise<Identity> {
  const identity = await identify(deps, request);
  if (!identity) throw new AppError('auth.invalid', 'no valid resident identity; POST /chat/session gives one');
  return identity;
}

/** The resident's HTTP routes. The socket is registered by `index.ts`. */
export async function registerRoutes(app: FastifyInstance, deps: RouteDeps): Promise<void> {
  app.addHook('onRequest', async (request) => {
    if (request.method !== 'GET' && !isOriginAllowed(request, deps.allowedOrigins)) throw new AppError('auth.forbidden', 'this page may not act for the resident');
  });
  registerSession(app, deps);
  await registerMedia(app, deps);
  registerOwnData(app, deps);
}

function registerSession(app: FastifyInstance, deps: RouteDeps): void {
  const schema = {
    tags: ['chat'], summary: 'Make or renew the resident identity', description: 'Sets the signed identity as an HttpOnly cookie; `{"client":"cli"}` also returns it.',
    body: { type: ['object', 'null'], properties: { client: { type: 'string', enum: ['cli', 'web'] } } },
    response: {
      200: {
        type: 'object', required: ['resident', 'identity', 'expiresAt'],
        properties: { resident: { type: 'string' }, identity: { type: 'string', enum: ['kept', 'new', 'replaced'] }, expiresAt: { type: 'integer' }, token: { type: 'string' } },
      },
      429: ERROR,
    },
  };
  app.post<{ Body: { client?: string } | null }>('/chat/session', { schema }, async (request, reply): Promise<SessionAnswer> => {
    await deps.limiter.session(request.ip);
    const known = await identify(deps, request);
    const identity = await renew(deps, known);
    const token = signIdentity(identity, deps.tokenKey);
    setCookie(request, reply, token);
    return {
      resident: identity.residentId, expiresAt: identity.expiresAt,
      identity: known ? 'kept' : shownToken(request) === undefined ? 'new' : 'replaced',
      ...(request.body?.client === 'cli' ? { token } : {}),
    };
  });
}

async function renew(deps: RouteDeps, known: Identity | null): Promise<Identity> {
  const ids = known ?? await deps.store.ensureResident('web', deps.newId(), deps.now());
  return { residentId: ids.residentId, conversationId: ids.conversationId, expiresAt: deps.now() + IDENTITY_LIFETIME_MS };
}

function setCookie(request: FastifyRequest, reply: FastifyReply, token: string): void {
  reply.header('cache-control', 'no-store');
  reply.setCookie(COOKIE_NAME, token, { path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', maxAge: IDENTITY_LIFETIME_MS / 1000 });
}

async function registerMedia(app: FastifyInstance, deps: RouteDeps): Promise<void> {
  await app.register(multipart, { limits: { fileSize: MAX_PICTURE_BYTES, files: 1, fields: 4, parts: 5 } });
  app.addContentTypeParser(/^(image\/|application\/octet-stream)/, { parseAs: 'buffer', bodyLimit: MAX_PICTURE_BYTES }, (_request, body, done) => done(null, body));
  const schema = {
    tags: ['chat'], security: RESIDENT, summary: 'Upload a picture', consumes: ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'multipart/form-data'],
    description: 'The body is the picture, or a form with one file. Judged by content: JPEG, PNG, WebP or GIF, at most 10 MB, 12,000 px a side, 50 million in all. Stored re-encoded, without the camera’s notes, sealed.',
    response: {
      201: { type: 'object', required: ['mediaId', 'mime', 'width', 'height'], properties: { mediaId: { type: 'string' }, mime: { type: 'string' }, width: { type: 'integer' }, height: { type: 'integer' } } },
      401: ERROR, 413: ERROR, 415: ERROR, 429: ERROR, 507: ERROR,
    },
  };
  app.post('/chat/media', { schema, bodyLimit: MAX_PICTURE_BYTES + 64 * 1024 }, async (request, reply): Promise<MediaAnswer> => {
    const { residentId } = await require(deps, request);
    await deps.limiter.picture(residentId);
    const picture = await cleanPicture(await uploadedBytes(request));
    const media = await deps.media.save(residentId, picture);
    reply.code(201);
    return { mediaId: media.id, mime: media.mime, width: picture.width, height: picture.height };
  });
  const getSchema = { tags: ['chat'], security: RESIDENT, summary: 'One of the resident’s own pictures', params: { type: 'object', properties: { id: { type: 'string', maxLength: 64 } } } };
  app.get<{ Params: { id: string } }>('/chat/media/:id', { schema: getSchema }, async (request, reply) => {
    const { residentId } = await require(deps, request);
    const media = await deps.media.read(request.params.id as MediaId, residentId);
    return reply.headers(PICTURE_HEADERS).type(media.mime).send(Buffer.from(media.content));
  });
}

/** A picture is only ever shown: nothing in it can run, whatever a browser makes of it. */
export const PICTURE_HEADERS = {
  'content-disposition': 'inline', 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox", 'cache-control': 'private, max-age=86400, immutable',
} as const;

async function uploadedBytes(request: FastifyRequest): Promise<Uint8Array> {
  if (!request.isMultipart()) {
    if (Buffer.isBuffer(request.body)) return request.body;
    throw new AppError('media.invalid', 'the body must be a picture');
  }
  const part = await request.file();
  if (!part) throw new AppError('media.invalid', 'the form holds no file');
  return part.toBuffer();
}

function registerOwnData(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/chat/me/export', { schema: { tags: ['chat'], security: RESIDENT, summary: 'All that is kept of the resident: transcript and tickets' } }, async (request, reply) => {
    const identity = await require(deps, request);
    reply.header('content-disposition', 'attachment; filename="jiban-export.json"').header('cache-control', 'no-store').type('application/json; charset=utf-8');
    return reply.send(Readable.from(exportResident(deps.store, identity, deps.now())));
  });
  const schema = { tags: ['chat'], security: RESIDENT, summary: 'Erase the resident: destroys the key of everything personal', response: { 200: { type: 'object', properties: { erased: { type: 'boolean' } } }, 401: ERROR } };
  app.delete('/chat/me', { schema }, async (request, reply) => {
    const identity = await require(deps, request);
    await deps.store.eraseResident(identity.residentId, deps.now());
    deps.coordination.publish(wakeTopic(identity.conversationId), ERASED);
    request.log.info({ residentId: identity.residentId }, 'resident.erased');
    reply.clearCookie(COOKIE_NAME, { path: '/' });
    return { erased: true };
  });
}
