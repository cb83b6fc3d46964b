import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import type { Instant, MediaId, NewId, ResidentId } from '../../domain/ids.ts';
import type { InboundMessage } from '../../domain/message.ts';
import type { Connector, Coordination, Logger, Media, Store, Stored } from '../../domain/ports.ts';
import { cleanPicture } from './clean-picture.ts';
import { ChatSocket, wakeTopic, type ChatSocketDeps } from './chat-socket.ts';
import type { Identity } from './identity.ts';
import { buildLimiter, DEFAULT_LIMITS, type WebLimits } from './limits.ts';
import { buildMediaFiles, type StoredPicture } from './media-files.ts';
import { isOriginAllowed } from './origin.ts';
import { CLOSE, type ServerFrame } from './protocol.ts';
import { identify, registerRoutes, shownToken, type RouteDeps } from './routes.ts';

export interface WebConnectorDeps {
  readonly store: Store;
  readonly coordination: Coordination;
  /** Stores the message and wakes the turn; resolves only after the commit. */
  readonly receive: (message: InboundMessage) => Promise<Stored>;
  /** Signs resident identities; at least 32 random bytes, the same in every process. */
  readonly tokenKey: Buffer;
  /** Still believed, no longer used: rotation without losing anyone. */
  readonly previousTokenKeys?: readonly Buffer[];
  /** Other pages that may embed the chat, as origins (`https://www.example.gov.cn`). */
  readonly allowedOrigins?: readonly string[];
  readonly dataDir: string;
  /** The sentence a resident reads for an error code. */
  readonly publicText: (code: string) => string;
  readonly now: () => Instant;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly limits?: Partial<WebLimits>;
  readonly pollMs?: number;
}

export interface WebConnector extends Connector {
  /** Routes under `/chat`; hand it to `buildServer`. */
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  /** For the desk: any resident's pictures, opened; and a unit's own picture, kept like a resident's. */
  readonly media: {
    /** @throws AppError `media.not_found` `key.destroyed` */
    read(id: MediaId): Promise<StoredPicture>;
    /** Checks the content and writes it anew. @throws AppError `media.invalid` `media.too_large` */
    save(residentId: ResidentId, bytes: Uint8Array, id?: MediaId): Promise<Media>;
    /** A voice message or a film, already checked, kept as it is. */
    keep(residentId: ResidentId, file: Pick<Media, 'mime'> & { readonly bytes: Uint8Array }, id: MediaId): Promise<Media>;
  };
}

/** The web chat. The transcript row is the delivery; `send` only wakes the open pages, and a page's `ack` is the proof. */
export function buildWebConnector(deps: WebConnectorDeps): WebConnector {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const limiter = buildLimiter(deps.coordination, limits);
  const media = buildMediaFiles(deps);
  const routes: RouteDeps = { ...deps, media, limiter, previousTokenKeys: deps.previousTokenKeys ?? [], allowedOrigins: deps.allowedOrigins ?? [] };
  const sockets: ChatSocketDeps = { ...deps, limiter, framesPerMinute: limits.framesPerMinute, pollMs: deps.pollMs ?? 5_000 };
  return {
    channel: 'web',
    plugin: async (app) => {
      await registerRoutes(app, routes);
      registerSocket(app, routes, sockets, limits.socketsOfResident);
    },
    media: {
      read: (id) => media.read(id),
      save: async (residentId, bytes, id) => media.save(residentId, await cleanPicture(bytes), id),
      keep: (residentId, file, id) => media.save(residentId, file, id),
    },
    async send(message) {
      deps.coordination.publish(wakeTopic(message.conversationId), String(message.message.seq));
      return { ok: true };
    },
  };
}

function registerSocket(app: FastifyInstance, routes: RouteDeps, deps: ChatSocketDeps, socketsOfResident: number): void {
  const open = new Map<string, number>();
  const serving = new Set<Promise<void>>();
  app.get('/chat/ws', { websocket: true, config: { free: true } }, async (socket, request) => {
    socket.pause(); // nothing said is lost while the identity is looked up
    const identity = await admit(routes, request);
    socket.resume();
    if ('refused' in identity) return refuse(socket, deps, identity.refused);
    const count = open.get(identity.residentId) ?? 0;
    if (count >= socketsOfResident) return refuse(socket, deps, 'rate.limited');
    open.set(identity.residentId, count + 1);
    const served = new ChatSocket(deps, socket, { identity, address: request.ip }).serve();
    serving.add(served);
    await served;
    serving.delete(served);
    release(open, identity.residentId);
  });
  app.addHook('onClose', async () => { await Promise.all(serving); });
}

function release(open: Map<string, number>, residentId: string): void {
  const left = (open.get(residentId) ?? 1) - 1;
  if (left > 0) open.set(residentId, left); else open.delete(residentId);
}

type Refused = { readonly refused: 'auth.forbidden' | 'auth.invalid' | 'rate.limited' };

/** A cookie only counts for our own pages; a bearer token was put there by its owner. */
async function admit(routes: RouteDeps, request: FastifyRequest): Promise<Identity | Refused> {
  const byCookie = request.headers.authorization === undefined;
  if (byCookie && !isOriginAllowed(request, routes.allowedOrigins)) return { refused: 'auth.forbidden' };
  const identity = await identify(routes, request);
  if (!identity) request.log.info({ shown: shownToken(request) !== undefined }, 'web.identity_refused');
  return identity ?? { refused: 'auth.invalid' };
}

/** Said in a frame: a browser cannot read the status of a refused handshake. */
function refuse(socket: WebSocket, deps: Pick<ChatSocketDeps, 'publicText'>, code: Refused['refused']): void {
  const frame: ServerFrame = { t: 'error', code, text: deps.publicText(code) };
  socket.send(JSON.stringify(frame));
  socket.close(code === 'rate.limited' ? CLOSE.tooMany : CLOSE.unauthorized, code);
}
