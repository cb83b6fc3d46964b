import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptTicket, correctTicket, dispatchByHand, noteProgress, resolveTicket, returnTicket } from '../../src/desk/move-ticket.ts';
import { listTickets, readTicket } from '../../src/desk/read-tickets.ts';
import type { UnitId } from '../../src/domain/ids.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { makeDesk, makeTicket, NOON, POWER, signedIn, WATER, type Desk } from '../server/desk/desk-harness.ts';

describe.each(ENGINES)('moving tickets on %s', (engine) => {
  let desk: Desk;
  beforeAll(async () => { desk = await makeDesk(engine); });
  afterAll(() => desk.close());
  const handler = async (unitId: UnitId) => (await signedIn(desk, ['unit'], unitId)).user;

  test('a unit accepts, tells what it does, and resolves with what was done', async () => {
    const user = await handler(WATER);
    const { id } = await makeTicket(desk);
    await acceptTicket(desk.deps, user, id);
    await noteProgress(desk.deps, user, id, { note: '抢修车已出发', media: [] });
    await expect(resolveTicket(desk.deps, user, id, '已处理')).rejects.toMatchObject({ code: 'message.invalid' });
    await resolveTicket(desk.deps, user, id, '更换主管一段，十二时恢复供水');
    const seen = await readTicket(desk.deps, user, id);
    expect(seen.timeline.map(({ kind, who, text }) => [kind, who, text])).toEqual([
      ['ticket_opened', null, null],
      ['ticket_dispatched', null, '供水'],
      ['ticket_accepted', '丰台区自来水公司', null],
      ['ticket_progress', '丰台区自来水公司', '抢修车已出发'],
      ['ticket_resolved', '丰台区自来水公司', '更换主管一段，十二时恢复供水'],
    ]);
    expect(seen).toMatchObject({ status: 'resolved', can: [] });
  });

  test('what the state table does not allow is refused in its own words', async () => {
    const user = await handler(WATER);
    const { id } = await makeTicket(desk);
    await expect(noteProgress(desk.deps, user, id, { note: '还没接单', media: [] })).rejects.toMatchObject({ code: 'ticket.wrong_state' });
    expect((await readTicket(desk.deps, user, id)).can).toEqual(['accept', 'return']);
  });

  test('the dispatcher’s list holds what no unit has and what units returned; a hand-made dispatch carries its reason', async () => {
    const dispatcher = (await signedIn(desk, ['dispatcher'])).user;
    const unrouted = await makeTicket(desk, { to: null });
    const returned = await makeTicket(desk, { to: WATER });
    await makeTicket(desk, { to: WATER });
    await returnTicket(desk.deps, await handler(WATER), returned.id, { reason: '属于小区二次供水，应由物业负责', media: [] });
    const open = await listTickets(desk.deps, dispatcher, { statuses: ['unrouted', 'returned'], limit: 100 });
    expect(open.items.map((ticket) => ticket.id).sort()).toEqual([unrouted.id, returned.id].sort());
    await expect(dispatchByHand(desk.deps, dispatcher, returned.id, { to: 'nobody' as UnitId, because: '核实' })).rejects.toMatchObject({ code: 'unit.unknown' });
    await dispatchByHand(desk.deps, dispatcher, returned.id, { to: POWER, because: '现场核实为泵房断电' });
    const seen = await readTicket(desk.deps, dispatcher, returned.id);
    expect(seen).toMatchObject({ status: 'dispatched', unitId: POWER, hops: 2 });
    expect(seen.timeline.at(-1)).toMatchObject({ kind: 'ticket_dispatched', role: 'operator', who: dispatcher.name, text: '现场核实为泵房断电', unitName: '丰台供电公司' });
    await acceptTicket(desk.deps, await handler(POWER), returned.id);
    await expect(acceptTicket(desk.deps, await handler(WATER), returned.id)).rejects.toMatchObject({ code: 'ticket.not_found' });
  });

  test('a corrected urgency moves the deadline, counted from the opening, and is kept for training', async () => {
    const operator = (await signedIn(desk, ['operator'])).user;
    const { id } = await makeTicket(desk);
    const moved = await correctTicket(desk.deps, operator, id, { urgency: 'h2', description: '全楼停水，报修人13800138000' });
    expect(moved).toMatchObject({ urgency: 'h2', dueAt: NOON + 2 * 3_600_000, description: '全楼停水，报修人〔电话〕' });
    await expect(correctTicket(desk.deps, operator, id, { urgency: 'h2' })).rejects.toMatchObject({ code: 'message.invalid' });
    expect(await desk.test.store.db.selectFrom('corrections').selectAll().where('ticket_id', '=', id).execute()).toHaveLength(1);
  });

  test('the list goes page by page, nearest deadline first, and loses nothing between pages', async () => {
    const user = await handler(POWER);
    const before = (await listTickets(desk.deps, user, { statuses: ['dispatched'], limit: 100 })).items.length;
    for (let i = 0; i < 5; i += 1) await makeTicket(desk, { to: POWER });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listTickets(desk.deps, user, { statuses: ['dispatched'], limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.items.map((ticket) => ticket.id));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(before + 5);
    expect(seen).toHaveLength(before + 5);
  });
});
