import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayStart } from '../../src/domain/coarse-time.ts';
import { INVESTIGATORS } from '../../src/domain/directory.ts';
import type { MediaId, TaskId, UnitId } from '../../src/domain/ids.ts';
import { dispatchTicket } from '../../src/dispatch/dispatch-ticket.ts';
import { escalateTicket } from '../../src/dispatch/escalate-ticket.ts';
import { hiddenHistory } from '../../src/desk/hidden-reporter.ts';
import { ask, draft, inject, makeDesk, POWER, signedIn, waitingConversation, WATER, type Desk } from '../server/desk/desk-harness.ts';

/** A resident reports the water company's own people; a dispatcher, who decides, sends it to that company all the same. */
let desk: Desk;
beforeAll(async () => { desk = await makeDesk(); });
afterAll(() => desk.close());

const WORDS = ['我是张伟民，丰台区自来水公司的师傅收了红包才来修，我家3单元501室，电话13800138000'];
const MEDIA = randomUUID() as MediaId;

async function report() {
  const { deps } = desk;
  const { id, residentId } = await waitingConversation(desk);
  await deps.store.insertMedia({ id: MEDIA, residentId, mime: 'image/png', bytes: 1, at: deps.now() }).catch(() => undefined);
  const number = await deps.nextTicketNumber(deps.now());
  const ticket = await deps.store.transaction(async (tx) => {
    const conversation = await tx.conversation(id, 'lock');
    if (!conversation) throw new Error('no conversation');
    return deps.openTicket(tx, { draft: draft({ words: WORDS, nature: 'misconduct_report', media: [MEDIA] }), conversation, number, openedBy: 'bot', now: deps.now() });
  });
  return { ticket, conversationId: id, residentId };
}

const dispatching = () => dispatchTicket({ route: desk.deps.route, dueAt: desk.deps.dueAt, applyCommand: desk.deps.applyTicketCommand, objectBy: desk.deps.objectBy, newId: randomUUID, investigates: (unit) => INVESTIGATORS.has(desk.deps.units.get(unit)?.kind ?? '') });

test('the directory names the accused unit, and nothing is sent to it or anybody until a person decides', async () => {
  const { ticket } = await report();
  await desk.deps.store.transaction((tx) => dispatching()(tx, { ticketId: ticket.id }, desk.deps.now()));
  const after = await desk.deps.store.ticket(ticket.id);
  expect(after).toMatchObject({ state: { status: 'unrouted' }, unitId: null, work: { copies: [], tasks: [] } });
});

test('late or not, it is copied to no unit above', async () => {
  const { ticket } = await report();
  const escalate = escalateTicket({ directory: () => null, applyCommand: desk.deps.applyTicketCommand });
  await desk.deps.store.transaction((tx) => escalate(tx, { kind: 'escalation', ticketId: ticket.id, dueAt: 1 }, ticket.dueAt + 1));
  expect((await desk.deps.store.ticket(ticket.id))?.work.escalated?.to ?? null).toBeNull();
});

test('the accused unit’s handler tries every route of the desk and learns nothing of the reporter', async () => {
  const { ticket, conversationId, residentId } = await report();
  const { ticket: other } = await report();
  desk.clock.now += 5 * 3_600_000 + 1_234;
  const dispatcher = (await signedIn(desk, ['dispatcher'])).cookie;
  const handler = (await signedIn(desk, ['unit'], WATER)).cookie;
  await desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, { ticketId: ticket.id, command: { do: 'leave_unrouted', because: '西罗园街道的举报', decideBy: desk.deps.now() + 1 }, actor: { role: 'system' }, now: desk.deps.now() }));
  for (const each of [ticket, other]) expect((await ask(desk, dispatcher, 'POST', `/tickets/${each.id}/dispatch`, { to: WATER, because: '请单位纪检部门核查收费问题' })).status).toBe(200);

  const bodies: string[] = [];
  const tries = async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object): Promise<number> => {
    const response = await inject(desk, { method, url: `/desk/api${url}`, headers: { 'x-jiban': '1', cookie: handler }, ...(payload && { payload }) });
    bodies.push(`${JSON.stringify(response.headers)}${response.body}`);
    return response.statusCode;
  };
  const at = `/tickets/${ticket.id}`;
  expect(await tries('GET', '/tickets?limit=1')).toBe(200); // with a cursor to the next
  expect(await tries('GET', at)).toBe(200);
  expect(await tries('GET', `/tickets/${ticket.number}`)).toBe(200);
  expect(await tries('GET', `${at}/media/${MEDIA}`)).toBe(404);
  expect(await tries('POST', `${at}/accept`)).toBe(200);
  expect(await tries('POST', `${at}/progress`, { note: '正在核查' })).toBe(200);
  expect(await tries('POST', `${at}/whistle`, { units: [POWER], ask: '请配合核查此事' })).toBe(200);
  expect(await tries('POST', `${at}/ask-time`, { want: 'extend', until: desk.deps.now() + 20 * 86_400_000, reason: '需要调取台账' })).toBe(200);
  expect(await tries('POST', `${at}/resolve`, { answer: '已核查完毕，报告见附件材料' })).toBe(409); // the called unit has not answered
  for (const [method, url, body] of [
    ['GET', '/queue'], ['GET', `/conversations/${conversationId}`], ['GET', `/conversations/${conversationId}/media/${MEDIA}`], ['GET', '/users'], ['GET', '/dead-letters'], ['GET', '/places?text=x'],
    ['POST', `/conversations/${conversationId}/claim`], ['POST', `/conversations/${conversationId}/say`, { text: '你是谁', key: 'key-00000001' }], ['POST', `/conversations/${conversationId}/open`, { draftId: 'x', changes: {} }],
    ['POST', `/conversations/${conversationId}/special-way`, { outcome: 'repeat:progress', key: 'key-00000001' }], ['POST', `${at}/correct`, { description: '看看原来写了什么' }], ['POST', `${at}/dispatch`, { to: POWER, because: '转走' }],
  ] as const) expect([403, 404], `${method} ${url}`).toContain(await tries(method, url, body));

  const learnt = bodies.join('\n');
  const secrets = [...['张伟民', '红包', '13800138000', '501室', '3单元501', '12号楼', '西罗园', '110106003', conversationId, residentId, MEDIA], ...[ticket.openedAt, ticket.dueAt].map(String)];
  expect(secrets.filter((secret) => learnt.includes(secret))).toEqual([]);
  expect(learnt).toContain('请单位纪检部门核查收费问题');
  const instants = [...learnt.matchAll(/"(?!now")(\w+)":(\d{13})\b/g)].filter(([, , value]) => dayStart(Number(value)) !== Number(value)).map(([whole]) => whole);
  expect(instants).toEqual([]);
});

test('a called unit reads no more than the lead', async () => {
  const { ticket } = await report();
  await desk.deps.store.transaction(async (tx) => {
    const dispatched = await desk.deps.applyTicketCommand(tx, { ticketId: ticket.id, command: { do: 'dispatch', to: POWER, rule: 'by_hand', because: '请核查', directoryVersion: 't', acceptBy: desk.deps.now() + 1, objectBy: desk.deps.now() + 1 }, actor: { role: 'operator', userId: 'd' as never }, now: desk.deps.now() });
    if (!dispatched.ok) throw new Error(dispatched.reason);
    await desk.deps.applyTicketCommand(tx, { ticketId: ticket.id, command: { do: 'whistle', calls: [{ id: 't1' as TaskId, unit: WATER, ask: '请配合', kind: 'whistle', reportBy: desk.deps.now() + 1, answerBy: desk.deps.now() + 2 }] }, actor: { role: 'operator', userId: 'd' as never }, now: desk.deps.now() });
  });
  const { cookie } = await signedIn(desk, ['unit'], WATER);
  const { status, body } = await ask(desk, cookie, 'GET', `/tickets/${ticket.id}`);
  expect(status).toBe(200);
  expect(JSON.stringify(body)).not.toMatch(/红包|12号楼|西罗园|13800138000/u);
});

test('of the history, the resident’s own steps are not even counted', async () => {
  const { ticket } = await report();
  await desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, { ticketId: ticket.id, command: { do: 'supplement', text: '他又来了', redacted: '他又来了' }, actor: { role: 'resident' }, now: desk.deps.now() }));
  const shown = hiddenHistory(await desk.deps.store.history(ticket.id));
  expect(shown.map(({ seq, kind, open, sealed }) => ({ seq, kind, open, sealed }))).toEqual([{ seq: 1, kind: 'ticket_opened', open: {}, sealed: null }]);
});

test('an investigator reads the matter of a 举报 against somebody else, and not who wrote', async () => {
  const { ticket } = await report();
  await desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, { ticketId: ticket.id, command: { do: 'dispatch', to: 'police' as UnitId, rule: 'r', because: '依法核查', directoryVersion: 't', acceptBy: desk.deps.now() + 1, objectBy: desk.deps.now() + 1 }, actor: { role: 'system' }, now: desk.deps.now() }));
  const { cookie } = await signedIn(desk, ['unit'], 'police' as UnitId);
  const { body } = await ask(desk, cookie, 'GET', `/tickets/${ticket.id}`);
  expect(body).toMatchObject({ description: expect.stringContaining('红包'), secret: null, secretHidden: 'reporter_protected', conversationId: null });
  expect(JSON.stringify(body)).not.toMatch(/13800138000|501室|3单元501|张伟民/u);
});
