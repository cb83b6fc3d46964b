import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { localCoordination } from '../../../src/coordination/local.ts';
import { acceptBy, callOf, decideBy } from '../../../src/dispatch/dispatch-ticket.ts';
import type { DeskServerDeps } from '../../../src/server/desk/desk-routes.ts';
import { deskRoutes } from '../../../src/server/desk/desk-routes.ts';
import { hashPassword, newToken, openSession, tokenHash } from '../../../src/server/desk/auth.ts';
import { addUser } from '../../../src/desk/manage-users.ts';
import type { Draft } from '../../../src/domain/conversation.ts';
import { EMPTY_MEMORY } from '../../../src/domain/conversation.ts';
import type { Role, User } from '../../../src/domain/desk.ts';
import type { Unit } from '../../../src/domain/directory.ts';
import type { ConversationId, Instant, MediaId, ResidentId, UnitId, UserId } from '../../../src/domain/ids.ts';
import type { Nature } from '../../../src/domain/understanding.ts';
import type { Ticket } from '../../../src/domain/ticket.ts';
import { loadCatalogue } from '../../../src/nlp/load-catalogue.ts';
import { buildServer } from '../../../src/server/build-server.ts';
import { buildLogger } from '../../../src/server/logger.ts';
import { buildMetrics } from '../../../src/server/metrics.ts';
import { applyTicketCommand } from '../../../src/tickets/apply-command.ts';
import { openTicket, ticketNumbers } from '../../../src/tickets/open-ticket.ts';
import { redact } from '../../../src/tickets/redact.ts';
import { makeStore, type TestStore } from '../../fakes/test-store.ts';

export const NOON = Date.UTC(2026, 10, 23, 4);
export const PASSWORD = 'correct horse battery';
export const WATER = 'water-fengtai' as UnitId;
export const POWER = 'power-fengtai' as UnitId;

const unit = (id: UnitId, name: string, kind: string): [UnitId, Unit] => [id, { id, name, kind, area: '110106', allDay: true }];

export interface Desk {
  readonly test: TestStore;
  readonly deps: DeskServerDeps;
  readonly app: FastifyInstance;
  readonly adminToken: string;
  /** The clock stands still until a test moves it. */
  readonly clock: { now: Instant };
  close(): Promise<void>;
}

/** The real desk over the real store and the real server; only the model and the picture files are stood in for. */
export async function makeDesk(engine: 'sqlite' | 'postgres' = 'sqlite', { trustProxy = false } = {}): Promise<Desk> {
  const test = await makeStore(engine);
  const { store } = test;
  const clock = { now: NOON };
  const now = () => clock.now;
  const coordination = localCoordination(now);
  const adminToken = newToken();
  const pictures = new Map<MediaId, Uint8Array>();
  const dueAt = (urgency: string, from: Instant) => from + { h2: 2, h24: 24, d7: 168, d15: 360 }[urgency as 'h2'] * 3_600_000;
  const deps: DeskServerDeps = {
    store, coordination, now, newId: randomUUID, catalogue: loadCatalogue(readFileSync('config/beijing/catalogue.yaml', 'utf8')),
    units: new Map([unit(WATER, '丰台区自来水公司', 'water'), unit(POWER, '丰台供电公司', 'power'), unit('police' as UnitId, '丰台公安分局', 'police')]), directoryVersion: () => 'test-1',
    route: ({ type }) => type === 'utilities.water' ? { kind: 'routed', to: WATER, rule: 'test', because: '供水归自来水公司', version: 'test-1', way: 'direct', co: [], call: [], copies: [], clock: null }
      : { kind: 'unrouted', because: '没有对应单位', version: 'test-1', why: 'no_rule', rule: null, rivals: [] },
    placeSearch: (text) => [{ place: { district: '110106', street: null, community: null }, label: `丰台区${text}`, score: 1 }],
    applyTicketCommand, openTicket: openTicket({ newId: randomUUID, dueAt, directoryVersion: () => 'test-1' }),
    nextTicketNumber: ticketNumbers(store, (at) => new Date(at).toISOString().slice(2, 10).replaceAll('-', '')),
    interpret: async (words) => draft({ words }), redact, dueAt, acceptBy, decideBy, objectBy: (ticket) => ticket.dueAt, callOf, stagesOf: (type) => (type === 'utilities.water' ? { types: [type], stages: [{ key: 'a', name: '查证', days: 10 }, { key: 'b', name: '施工', days: 20 }] } : null), waitingUntil: (_, from) => from + 120_000,
    media: {
      read: async (id) => ({ ...(await store.media(id) ?? fail('no such picture')), content: pictures.get(id) ?? fail('no file') }),
      save: async (residentId, bytes) => {
        const media = { id: randomUUID() as MediaId, residentId, mime: 'image/png' as const, bytes: bytes.length, at: now() };
        pictures.set(media.id, bytes);
        await store.insertMedia(media);
        return media;
      },
    },
    directories: { versions: () => ({ inForce: 'test-1', today: '2026-11-23', ofFiles: [] }), textOf: () => null, judge: () => ({ version: 'x', validFrom: '2027-01-01', rows: 0, mistakes: [], notes: [], elsewhere: () => [] }), reload: async () => undefined },
    adminTokenHash: tokenHash(adminToken),
  };
  const app = await buildServer({
    plugins: [deskRoutes(deps)], store, coordination, model: () => ({ ok: true, detail: 'none' }), metrics: buildMetrics({ backlog: store.backlog, now }),
    logger: buildLogger({ level: 'silent' }), now, newId: randomUUID, webRoot: '/nonexistent', version: '0.0.0', trustProxy,
  });
  return { test, deps, app, adminToken, clock, close: async () => { await app.close(); await coordination.close(); await test.drop(); } };
}

function fail(message: string): never {
  throw new Error(message);
}

export const draft = (change: Partial<Draft> = {}): Draft => ({
  id: randomUUID(), words: ['西罗园第二社区12号楼水管爆了，我住3单元501室，电话13800138000'], media: [], type: 'utilities.water', typeProbability: 0.71, typeBy: 'model',
  candidates: [{ value: 'utilities.water', probability: 0.71 }, { value: 'housing.repair', probability: 0.2 }], nature: 'assistance', disposition: 'accept',
  urgency: 'h24', urgencyEvidence: [], lifeSafety: { rules: [], numbers: [], evidence: [] },
  address: { text: '西罗园第二社区12号楼3单元501室', publicText: '西罗园第二社区12号楼', place: { district: '110106', street: '110106003', community: null }, label: '丰台区西罗园街道', building: '12号楼', rivals: [], location: null },
  missing: [], modelVersion: 'test-model', startedAt: NOON, ...change,
});

let logins = 0;
/** A user who can sign in with `PASSWORD`, already signed in: a session's cookie. */
export async function signedIn(desk: Desk, roles: readonly Role[], unitId: UnitId | null = null): Promise<{ user: User; cookie: string }> {
  logins += 1;
  const user: User = { id: randomUUID() as UserId, login: `user-${logins}`, name: `坐席${logins}`, roles, unitId, disabled: false };
  await addUser(desk.deps.store, user, await passwordHash(), NOON);
  return { user, cookie: `jiban_desk=${await openSession(desk.deps, user)}` };
}
let known: Promise<string> | undefined;
const passwordHash = () => (known ??= hashPassword(PASSWORD));

export interface Asked { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Record<string, unknown> }

/**
 * Asks again while the server says that it is overloaded (nothing has happened then), as any client should: on a machine where
 * other tests run, the event loop may stand still for long. Letting it turn after each answer is what a socket would do.
 */
export async function inject(desk: Desk, options: InjectOptions): Promise<LightMyRequestResponse> {
  for (let tries = 0; ; tries += 1) {
    const response = await desk.app.inject(options);
    await new Promise((resolve) => setTimeout(resolve, response.statusCode === 503 ? 250 : 0));
    if (response.statusCode !== 503 || tries >= 40) return response;
  }
}

/** One request as the page sends it. */
export async function ask(desk: Desk, cookie: string | null, method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object): Promise<Asked> {
  const options: InjectOptions = {
    method, url: `/desk/api${url}`, headers: { 'x-jiban': '1', ...(cookie !== null && { cookie }) }, ...(payload && { payload }),
  };
  const response = await inject(desk, options);
  const json = String(response.headers['content-type']).includes('json');
  return { status: response.statusCode, body: json ? response.json<Record<string, unknown>>() : {}, headers: response.headers };
}

/** A resident whose conversation waits for a person, with a draft. */
export async function waitingConversation(desk: Desk, change: Partial<Draft> = {}): Promise<{ id: ConversationId; residentId: ResidentId }> {
  const { store, now, newId } = desk.deps;
  const { residentId, conversationId } = await store.ensureResident('web', newId(), now());
  const conversation = await store.conversation(conversationId);
  if (!conversation) throw new Error('no conversation was made');
  await store.saveConversation({
    ...conversation, mode: 'waiting', handoff: { reason: 'low_confidence', note: '像供水，也像房屋维修', urgency: 'h24' },
    waitingSince: now(), waitingUntil: now() + 120_000, memory: { ...EMPTY_MEMORY, draft: draft(change) },
  });
  return { id: conversationId, residentId };
}

/** A ticket, dispatched to `to` unless that is null. */
export async function makeTicket(desk: Desk, { to = WATER, nature = 'assistance' }: { to?: UnitId | null; nature?: Nature } = {}): Promise<Ticket> {
  const { deps } = desk;
  const { id } = await waitingConversation(desk);
  const number = await deps.nextTicketNumber(deps.now());
  return deps.store.transaction(async (tx) => {
    const conversation = await tx.conversation(id, 'lock');
    if (!conversation) throw new Error('no conversation');
    const ticket = await deps.openTicket(tx, { draft: draft({ nature }), conversation, number, openedBy: 'bot', now: deps.now() });
    const command = to === null
      ? { do: 'leave_unrouted' as const, because: '没有对应单位', decideBy: deps.now() + 60_000 }
      : { do: 'dispatch' as const, to, rule: 'test', because: '供水', directoryVersion: 'test-1', acceptBy: deps.now() + 600_000, objectBy: Number.MAX_SAFE_INTEGER };
    const moved = await deps.applyTicketCommand(tx, { ticketId: ticket.id, command, actor: { role: 'system' }, now: deps.now() });
    if (!moved.ok) throw new Error(moved.reason);
    return moved.ticket;
  });
}
