import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NATURES } from '../../domain/understanding.ts';
import { ROLES, type User } from '../../domain/desk.ts';
import type { UnitId, UserId } from '../../domain/ids.ts';
import { addUser, changeUser, listUsers, newUser, PASSWORD_MIN, userView } from '../../desk/manage-users.ts';
import { unitName } from '../../desk/names.ts';
import { ACTIONS, may, reach } from '../../desk/permissions.ts';
import type { Me } from '../../desk/views.ts';
import { hashPassword, isSetupOpen, openSession, SESSION_MS, setUpFirstUser, signIn, tokenHash } from './auth.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { define, parse, routeSchema, SESSION_COOKIE } from './route.ts';
import { pageQuery, toPage } from './shapes.ts';

const login = z.string().min(1).max(64);
const password = z.string().min(PASSWORD_MIN).max(256);
const SignIn = z.object({ login, password: z.string().min(1).max(256) });
const SetUp = z.object({ token: z.string().min(1).max(128), name: z.string().min(1).max(40), login, password });
const NewAccount = z.object({ login, name: z.string().min(1).max(40), password, roles: z.array(z.enum(ROLES)).min(1), unitId: z.string().nullable() });
const AccountChange = z.object({ disabled: z.boolean().optional(), password: password.optional() });

/** Signing in and out, the first account, and the accounts an administrator keeps. */
export function accountRoutes(app: FastifyInstance, deps: DeskServerDeps): void {
  signingIn(app, deps);
  define(app, deps, { method: 'GET', url: '/me', summary: 'Who is signed in, and what they may do', action: 'signed-in', handle: async ({ user }) => meOf(deps, user) });
  define(app, deps, {
    method: 'GET', url: '/users', summary: 'Accounts, by login', action: 'user.manage', query: pageQuery,
    handle: ({ query }) => listUsers(deps, toPage(query)),
  });
  define(app, deps, {
    method: 'POST', url: '/users', summary: 'Create an account', action: 'user.manage', body: NewAccount,
    handle: async ({ body, reply }) => {
      const user = newUser(deps, deps.newId() as UserId, { ...body, unitId: body.unitId as UnitId | null });
      await addUser(deps.store, user, await hashPassword(body.password), deps.now());
      return reply.code(201).send(userView(deps, user));
    },
  });
  define(app, deps, {
    method: 'PATCH', url: '/users/:id', summary: 'Disable or enable an account, or give it a new password', action: 'user.manage',
    params: z.object({ id: z.string() }), body: AccountChange,
    handle: async ({ user, params, body }) => {
      await changeUser(deps, user, params.id as UserId, {
        ...(body.disabled !== undefined && { disabled: body.disabled }),
        ...(body.password !== undefined && { passwordHash: await hashPassword(body.password) }),
      });
      return { ok: true };
    },
  });
}

function signingIn(app: FastifyInstance, deps: DeskServerDeps): void {
  const token = z.object({ token: z.string().max(128) });
  app.get('/desk/api/setup', { schema: routeSchema({ summary: 'Whether a one-time setup link is still good', query: token }) },
    async (request) => ({ open: await isSetupOpen(deps.store, parse(token, request.query).token) }));
  app.post('/desk/api/setup', { schema: routeSchema({ summary: 'Create the first account by the one-time link', body: SetUp }) },
    async (request, reply) => startSession(deps, request, reply, await setUpFirstUser(deps, parse(SetUp, request.body))));
  app.post('/desk/api/sign-in', { schema: routeSchema({ summary: 'Sign in; sets the session cookie', body: SignIn }) },
    async (request, reply) => startSession(deps, request, reply, await signIn(deps, { ...parse(SignIn, request.body), address: request.ip })));
  app.post('/desk/api/sign-out', { schema: routeSchema({ summary: 'End the session' }) }, async (request, reply) => {
    const session = request.cookies[SESSION_COOKIE];
    if (session !== undefined) await deps.store.endSession(tokenHash(session));
    return reply.clearCookie(SESSION_COOKIE, { path: '/desk' }).send({ ok: true });
  });
}

async function startSession(deps: DeskServerDeps, request: FastifyRequest, reply: FastifyReply, user: User): Promise<Me> {
  const session = await openSession(deps, user);
  reply.setCookie(SESSION_COOKIE, session, { path: '/desk', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', maxAge: SESSION_MS / 1000 });
  return meOf(deps, user);
}

function meOf(deps: DeskServerDeps, user: User): Me {
  const { id, login: name, roles, unitId } = user;
  return {
    id, login: name, name: user.name, roles,
    unit: unitId === null ? null : { id: unitId, name: unitName(deps, unitId) ?? unitId },
    may: ACTIONS.filter((action) => reach(user, action) !== 'none'),
    catalogue: {
      types: Object.values(deps.catalogue.types).map((type) => ({ code: type.code, name: type.zh, means: type.means, group: deps.catalogue.groups[type.code.split('.', 1)[0] ?? '']?.zh ?? '' })),
      natures: Object.fromEntries(NATURES.map((nature) => [nature, deps.catalogue.natures[nature]])) as Me['catalogue']['natures'],
    },
    units: may(user, 'ticket.dispatch') || may(user, 'user.manage') || reach(user, 'ticket.whistle') !== 'none' ? [...deps.units.values()].map((unit) => ({ id: unit.id, name: unit.name })) : [],
    now: deps.now(),
  };
}
