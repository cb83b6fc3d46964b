import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z, type ZodType } from 'zod';
import type { User } from '../../domain/desk.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Store } from '../../domain/ports.ts';
import { reach, type Action } from '../../desk/permissions.ts';
import { isLoopback } from '../loopback.ts';
import { LOCAL_ADMINISTRATOR, sameToken, tokenHash } from './auth.ts';

export const SESSION_COOKIE = 'jiban_desk';

export interface AuthDeps {
  readonly store: Pick<Store, 'session'>;
  readonly now: () => Instant;
  /** sha256 of what stands in `<dataDir>/admin.token`; null: no such way in. */
  readonly adminTokenHash: string | null;
}

export interface Call<B, P, Q> {
  readonly user: User;
  readonly body: B;
  readonly params: P;
  readonly query: Q;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface DeskRoute<B, P, Q> {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Below `/desk/api`. */
  readonly url: string;
  readonly summary: string;
  /** What the user must be allowed to do, at least on the own unit's; 'signed-in' asks for nothing more. */
  readonly action: Action | 'signed-in';
  readonly body?: ZodType<B>;
  readonly params?: ZodType<P>;
  readonly query?: ZodType<Q>;
  readonly bodyLimit?: number;
  readonly handle: (call: Call<B, P, Q>) => Promise<unknown>;
}

const schemaOf = (type: ZodType): Record<string, unknown> => {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { target: 'draft-7', io: 'input' });
  return schema;
};

/** The schema parts of a route, for checking and for `/docs` alike. */
export function routeSchema(parts: { body?: ZodType | undefined; params?: ZodType | undefined; query?: ZodType | undefined; summary: string }) {
  return {
    tags: ['desk'], summary: parts.summary,
    ...(parts.body && { body: schemaOf(parts.body) }), ...(parts.params && { params: schemaOf(parts.params) }), ...(parts.query && { querystring: schemaOf(parts.query) }),
  };
}

/** One signed-in route: who is it, may they at all, is what they sent well formed; then the use-case. */
export function define<B = undefined, P = undefined, Q = undefined>(app: FastifyInstance, deps: AuthDeps, route: DeskRoute<B, P, Q>): void {
  app.route({
    method: route.method, url: `/desk/api${route.url}`, schema: routeSchema(route), ...(route.bodyLimit !== undefined && { bodyLimit: route.bodyLimit }),
    onRequest: async (request) => {
      const user = await authenticate(deps, request);
      if (!user) throw new AppError('auth.required', 'sign in first');
      if (route.action !== 'signed-in' && reach(user, route.action) === 'none') throw new AppError('auth.forbidden', 'your role does not include this');
      request.deskUser = user;
    },
    handler: (request, reply) => {
      const user = request.deskUser;
      if (!user) throw new AppError('auth.required', 'sign in first');
      return route.handle({
        user, request, reply, body: parse(route.body, request.body), params: parse(route.params, request.params), query: parse(route.query, request.query),
      });
    },
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    deskUser?: User;
  }
}

export function parse<T>(type: ZodType<T> | undefined, value: unknown): T {
  if (!type) return undefined as T;
  const parsed = type.safeParse(value);
  if (!parsed.success) throw new AppError('message.invalid', z.prettifyError(parsed.error));
  return parsed.data;
}

/** The session's user, or the local administrator by token; null when nobody is signed in. */
export async function authenticate(deps: AuthDeps, request: FastifyRequest): Promise<User | null> {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return deps.adminTokenHash !== null && isLocal(request) && sameToken(bearer, deps.adminTokenHash) ? LOCAL_ADMINISTRATOR : null;
  const token = request.cookies[SESSION_COOKIE];
  if (token === undefined) return null;
  return (await deps.store.session(tokenHash(token), deps.now()))?.user ?? null;
}

/** From this machine itself; what a proxy on this machine passes on is not. */
function isLocal(request: FastifyRequest): boolean {
  return isLoopback(request.socket.remoteAddress ?? '') && request.headers['x-forwarded-for'] === undefined && request.headers.forwarded === undefined;
}

/**
 * A page of another site can make a browser send our cookie with a plain form, but not this header, and not from our origin.
 *
 * @throws AppError `auth.forbidden`
 */
export async function refuseForeignPages(request: FastifyRequest): Promise<void> {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  if (request.headers['x-jiban'] !== '1') throw new AppError('auth.forbidden', 'send the header x-jiban: 1');
  const { origin, host } = request.headers;
  if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)) throw new AppError('auth.forbidden', 'this request comes from another site');
}
