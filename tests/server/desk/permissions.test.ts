import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role } from '../../../src/domain/desk.ts';
import type { TicketId } from '../../../src/domain/ids.ts';
import { ACTIONS, PERMISSIONS, type Action } from '../../../src/desk/permissions.ts';
import { ask, makeDesk, makeTicket, POWER, signedIn, waitingConversation, WATER, type Asked, type Desk } from './desk-harness.ts';

let desk: Desk;
const cookies = new Map<Role, string>();
beforeAll(async () => {
  desk = await makeDesk();
  for (const role of ROLES) cookies.set(role, (await signedIn(desk, [role], role === 'unit' ? WATER : null)).cookie);
});
afterAll(() => desk.close());

type Whose = 'own' | 'other';
interface Probe {
  /** What must be so before; gives the path's id. */
  readonly prepare?: (whose: Whose) => Promise<string>;
  readonly send: (cookie: string, id: string) => Promise<Asked>;
  /** Refusal of something that exists but is another unit's. */
  readonly hidden?: 'not found' | 'left out';
}

const ticketOf = async (whose: Whose): Promise<string> => (await makeTicket(desk, { to: whose === 'own' ? WATER : POWER })).id;
const accepted = async (whose: Whose): Promise<string> => {
  const id = await ticketOf(whose);
  const unitId = whose === 'own' ? WATER : POWER;
  await desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, { ticketId: id as TicketId, command: { do: 'accept' }, actor: { role: 'unit', unitId, userId: 'x' as never }, now: desk.deps.now() }));
  return id;
};
const claimedBy = async (role: Role): Promise<string> => {
  const { id } = await waitingConversation(desk);
  await ask(desk, cookies.get(role) ?? '', 'POST', `/conversations/${id}/claim`);
  return id;
};
const post = (verb: string, body?: object) => (cookie: string, id: string) => ask(desk, cookie, 'POST', `/tickets/${id}/${verb}`, body);

/** One request for each action; a new action without one doesn't compile. */
const PROBES: Record<Action, Probe> = {
  // An open stream never ends in `inject`, so the feed is asked with a query that only those let in get to see refused.
  'feed.read': { send: (cookie) => ask(desk, cookie, 'GET', `/feed?conversation=${'x'.repeat(65)}`).then((asked) => (asked.status === 400 ? { ...asked, status: 200 } : asked)) },
  'queue.read': { send: (cookie) => ask(desk, cookie, 'GET', '/queue') },
  'conversation.read': { prepare: async () => (await waitingConversation(desk)).id, send: (cookie, id) => ask(desk, cookie, 'GET', `/conversations/${id}`) },
  'conversation.serve': { prepare: () => claimedBy('operator'), send: (cookie, id) => ask(desk, cookie, 'POST', `/conversations/${id}/say`, { text: '您好', key: 'key-00000001' }) },
  'place.search': { send: (cookie) => ask(desk, cookie, 'GET', `/places?text=${encodeURIComponent('西罗园')}`) },
  'ticket.list': {
    prepare: ticketOf, hidden: 'left out',
    send: async (cookie, id) => {
      const asked = await ask(desk, cookie, 'GET', '/tickets?limit=100');
      const listed = (asked.body['items'] as { id: string }[] | undefined)?.some((ticket) => ticket.id === id);
      return listed === false ? { ...asked, status: 404 } : asked;
    },
  },
  'ticket.read': { prepare: ticketOf, hidden: 'not found', send: (cookie, id) => ask(desk, cookie, 'GET', `/tickets/${id}`) },
  'ticket.read_reporter': {
    prepare: ticketOf, hidden: 'not found',
    send: async (cookie, id) => secretOf(await ask(desk, cookie, 'GET', `/tickets/${id}`), (secret) => secret.contact === '13800138000'),
  },
  'ticket.read_words': {
    prepare: ticketOf, hidden: 'not found',
    send: async (cookie, id) => secretOf(await ask(desk, cookie, 'GET', `/tickets/${id}`), (secret) => secret.words.length > 0),
  },
  'ticket.accept': { prepare: ticketOf, hidden: 'not found', send: post('accept') },
  'ticket.progress': { prepare: accepted, hidden: 'not found', send: post('progress', { note: '已到现场关阀' }) },
  'ticket.return': { prepare: ticketOf, hidden: 'not found', send: post('return', { reason: '属于物业管理的二次供水' }) },
  'ticket.resolve': { prepare: accepted, hidden: 'not found', send: post('resolve', { answer: '已更换爆裂水管并恢复供水' }) },
  'ticket.correct': { prepare: ticketOf, hidden: 'not found', send: post('correct', { urgency: 'h2' }) },
  'ticket.dispatch': { prepare: ticketOf, hidden: 'not found', send: post('dispatch', { to: POWER, because: '核实后属供电设施' }) },
  'ticket.whistle': { prepare: accepted, hidden: 'not found', send: post('whistle', { units: ['police'], ask: '请到场维持秩序' }) },
  'ticket.answer_task': {
    prepare: async (whose) => {
      const { id } = await makeTicket(desk, { to: POWER });
      if (whose === 'own') await desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, { ticketId: id, command: { do: 'whistle', calls: [{ id: 'task-1' as never, unit: WATER, ask: '请到场', kind: 'whistle', reportBy: desk.deps.now() + 1, answerBy: desk.deps.now() + 2 }] }, actor: { role: 'system' }, now: desk.deps.now() }));
      return id;
    },
    hidden: 'not found', send: post('answer-task', { task: 'task-1', answer: '已到场关闭阀门并做好警戒' }),
  },
  'ticket.ask_time': { prepare: accepted, hidden: 'not found', send: (cookie, id) => ask(desk, cookie, 'POST', `/tickets/${id}/ask-time`, { want: 'extend', until: desk.deps.now() + 5 * 86_400_000, reason: '配件要从外地调来' }) },
  'ticket.stage': {
    prepare: async (whose) => {
      const id = await accepted(whose);
      const { deps } = desk;
      const stage = { key: 'a', name: '查证', next: '施工', until: deps.now() + 86_400_000 };
      for (const [command, actor] of [
        [{ do: 'ask_time', want: 'stages', reason: '要分步办理', until: stage.until, decideBy: deps.now() + 1 }, { role: 'system' }], [{ do: 'grant_time', because: '情况属实', stage }, { role: 'operator', userId: 'd' as never }],
      ] as const) await deps.store.transaction((tx) => deps.applyTicketCommand(tx, { ticketId: id as TicketId, command, actor, now: deps.now() }));
      return id;
    },
    hidden: 'not found', send: post('next-stage', { note: '查证已经完成' }),
  },
  'ticket.decide': { prepare: ticketOf, hidden: 'not found', send: post('exclude', { reason: '经核实是重复测试件' }) },
  'directory.edit': { send: (cookie) => ask(desk, cookie, 'GET', '/directories') },
  'user.manage': { send: (cookie) => ask(desk, cookie, 'GET', '/users') },
  'dead.manage': { send: (cookie) => ask(desk, cookie, 'GET', '/dead-letters') },
};

/** A page without the secret answers 200; for the walk that is a refusal. */
function secretOf(asked: Asked, has: (secret: { contact: string | null; words: string[] }) => boolean): Asked {
  const secret = asked.body['secret'] as { contact: string | null; words: string[] } | null | undefined;
  return asked.status === 200 && !(secret && has(secret)) ? { ...asked, status: 403 } : asked;
}

/** The refusal each cell must give: 403 for the role, 404 for what is another unit's. */
function expected(action: Action, role: Role, whose: Whose): readonly number[] {
  const far = PERMISSIONS[action][role];
  if (far === 'all' || (far === 'own' && (whose === 'own' || !PROBES[action].hidden))) return [200, 201];
  if (far === 'own') return [404];
  // A unit's handler may not know that another unit's ticket exists, even where the role would be refused anyway.
  return role === 'unit' && whose === 'other' && PROBES[action].hidden ? [403, 404] : [403];
}

const CELLS = ACTIONS.flatMap((action) => ROLES.flatMap((role) => (['own', 'other'] as const).map((whose) => ({ action, role, whose, reach: PERMISSIONS[action][role] }))));

describe('every cell of the table, over HTTP', () => {
  test.each(CELLS)('$role · $action · $whose unit → $reach', async ({ action, role, whose }) => {
    const { prepare, send } = PROBES[action];
    const id = prepare ? await prepare(whose) : '';
    const asked = await send(cookies.get(role) ?? '', id);
    expect(expected(action, role, whose), JSON.stringify(asked.body)).toContain(asked.status);
  });

  test.each(ACTIONS)('%s asks for a sign-in', async (action) => {
    const { prepare, send } = PROBES[action];
    expect((await send('', prepare ? await prepare('own') : '')).status).toBe(401);
  });
});
