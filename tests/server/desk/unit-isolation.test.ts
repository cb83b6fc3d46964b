import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MediaId, TaskId } from '../../../src/domain/ids.ts';
import { ask, inject, makeDesk, makeTicket, POWER, signedIn, waitingConversation, WATER, type Desk } from './desk-harness.ts';

let desk: Desk;
let water: string;
let power: string;
let operator: string;
beforeAll(async () => {
  desk = await makeDesk();
  water = (await signedIn(desk, ['unit'], WATER)).cookie;
  power = (await signedIn(desk, ['unit'], POWER)).cookie;
  operator = (await signedIn(desk, ['operator'])).cookie;
});
afterAll(() => desk.close());

test('another unit’s ticket is not there: by id, by number, or by a number guessed next to one’s own', async () => {
  const own = await makeTicket(desk, { to: WATER });
  const theirs = await makeTicket(desk, { to: POWER });
  expect((await ask(desk, water, 'GET', `/tickets/${own.number}`)).status).toBe(200);
  const none = await ask(desk, water, 'GET', `/tickets/${randomUUID()}`);
  for (const key of [theirs.id, theirs.number, String(Number(own.number) + 1)]) {
    const asked = await ask(desk, water, 'GET', `/tickets/${key}`);
    expect(asked.status).toBe(404);
    expect({ ...asked.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
  }
});

test('no filter of the list shows another unit’s tickets', async () => {
  const own = await makeTicket(desk, { to: WATER });
  const theirs = await makeTicket(desk, { to: POWER });
  for (const query of ['', '?status=dispatched', `?unitId=${POWER}`, '?status=dispatched&limit=100']) {
    const { body } = await ask(desk, water, 'GET', `/tickets${query}`);
    expect((body['items'] as { id: string }[]).map((ticket) => ticket.id)).toContain(own.id);
    expect((body['items'] as { id: string; unitId: string }[]).every((ticket) => ticket.unitId === WATER && ticket.id !== theirs.id)).toBe(true);
  }
});

test('a ticket sent on to another unit leaves the first one’s sight, and its actions are refused', async () => {
  const ticket = await makeTicket(desk, { to: WATER });
  const { cookie } = await signedIn(desk, ['dispatcher']);
  expect((await ask(desk, water, 'GET', `/tickets/${ticket.id}`)).status).toBe(200);
  expect((await ask(desk, cookie, 'POST', `/tickets/${ticket.id}/dispatch`, { to: POWER, because: '核实后属供电设施' })).status).toBe(200);
  expect((await ask(desk, water, 'GET', `/tickets/${ticket.id}`)).status).toBe(404);
  expect((await ask(desk, water, 'POST', `/tickets/${ticket.id}/accept`)).status).toBe(404);
  expect((await ask(desk, power, 'POST', `/tickets/${ticket.id}/accept`)).status).toBe(200);
});

test('a picture is seen through one’s own ticket only, and only if it belongs to it', async () => {
  const own = await makeTicket(desk, { to: WATER });
  const theirs = await makeTicket(desk, { to: POWER });
  const upload = (cookie: string, ticketId: string) => inject(desk, { method: 'POST', url: `/desk/api/tickets/${ticketId}/pictures`, headers: { cookie, 'x-jiban': '1', 'content-type': 'image/png' }, payload: Buffer.from('png') });
  expect((await upload(water, theirs.id)).statusCode).toBe(404);
  await ask(desk, power, 'POST', `/tickets/${theirs.id}/accept`);
  const mediaId = (await upload(power, theirs.id)).json<{ mediaId: MediaId }>().mediaId;
  expect((await ask(desk, power, 'POST', `/tickets/${theirs.id}/progress`, { note: '现场照片', media: [mediaId] })).status).toBe(200);
  expect((await ask(desk, power, 'GET', `/tickets/${theirs.id}/media/${mediaId}`)).status).toBe(200);
  expect((await ask(desk, water, 'GET', `/tickets/${theirs.id}/media/${mediaId}`)).status).toBe(404);
  expect((await ask(desk, water, 'GET', `/tickets/${own.id}/media/${mediaId}`)).status).toBe(404);
  await ask(desk, water, 'POST', `/tickets/${own.id}/accept`);
  expect((await ask(desk, water, 'POST', `/tickets/${own.id}/progress`, { note: '借用照片', media: [mediaId] })).status).toBe(404);
});

test('an operator sees a picture in its own conversation only', async () => {
  const ticket = await makeTicket(desk, { to: WATER });
  const other = await waitingConversation(desk);
  const media = await desk.deps.media.save(ticket.residentId, Buffer.from('png'));
  expect((await ask(desk, operator, 'GET', `/conversations/${ticket.conversationId}/media/${media.id}`)).status).toBe(200);
  expect((await ask(desk, operator, 'GET', `/conversations/${other.id}/media/${media.id}`)).status).toBe(404);
});

test('a unit never gets the transcript, the words, nor the conversation’s id', async () => {
  const ticket = await makeTicket(desk, { to: WATER });
  expect((await ask(desk, water, 'GET', `/conversations/${ticket.conversationId}`)).status).toBe(403);
  const { body } = await ask(desk, water, 'GET', `/tickets/${ticket.id}`);
  expect(body).toMatchObject({ conversationId: null, candidates: [], secret: { contact: '13800138000', words: [] } });
  expect(JSON.stringify(body)).not.toContain(ticket.conversationId);
});

test('who reports misconduct stays hidden from the unit: no phone, no door, no position', async () => {
  const ticket = await makeTicket(desk, { to: WATER, nature: 'misconduct_report' });
  const seen = (await ask(desk, water, 'GET', `/tickets/${ticket.id}`)).body;
  expect(seen).toMatchObject({ secret: null, secretHidden: 'reporter_protected', location: null });
  expect(JSON.stringify(seen)).not.toMatch(/13800138000|501/);
  expect((await ask(desk, operator, 'GET', `/tickets/${ticket.id}`)).body).toMatchObject({ secret: { contact: '13800138000' } });
});

test('after erasure the ticket still reads, without what was sealed', async () => {
  const ticket = await makeTicket(desk, { to: WATER });
  await desk.deps.store.eraseResident(ticket.residentId, desk.deps.now());
  expect((await ask(desk, water, 'GET', `/tickets/${ticket.id}`)).body).toMatchObject({ number: ticket.number, secret: null, secretHidden: 'erased' });
});

test('a called unit sees the ticket and not the door; who was asked to look after someone sees the door, until it has answered', async () => {
  const ticket = await makeTicket(desk, { to: WATER });
  const call = (kind: 'whistle' | 'care') => desk.deps.store.transaction((tx) => desk.deps.applyTicketCommand(tx, {
    ticketId: ticket.id, actor: { role: 'system' }, now: desk.deps.now(),
    command: { do: 'whistle', calls: [{ id: `call-${kind}` as TaskId, unit: POWER, ask: '请到场', kind, reportBy: desk.deps.now() + 1, answerBy: desk.deps.now() + 2 }] },
  }));
  expect((await ask(desk, power, 'GET', `/tickets/${ticket.id}`)).status).toBe(404);
  await call('whistle');
  expect((await ask(desk, power, 'GET', `/tickets/${ticket.id}`)).body).toMatchObject({ secret: null, secretHidden: 'not_for_you', location: null });
  expect((await ask(desk, power, 'POST', `/tickets/${ticket.id}/accept`)).status).toBe(404);
  await call('care');
  expect((await ask(desk, power, 'GET', `/tickets/${ticket.id}`)).body['secret']).toMatchObject({ contact: '13800138000', words: [] });
  expect((await ask(desk, power, 'POST', `/tickets/${ticket.id}/answer-task`, { task: 'call-care', answer: '已送水上门并留下联系卡' })).status).toBe(200);
  expect((await ask(desk, power, 'GET', `/tickets/${ticket.id}`)).body['secret']).toBeNull();
});
