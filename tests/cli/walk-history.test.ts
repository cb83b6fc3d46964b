import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { walkHistory } from '../../src/cli/walk-history.ts';
import { acceptTicket, noteProgress } from '../../src/desk/move-ticket.ts';
import { ENGINES } from '../fakes/test-store.ts';
import { makeDesk, makeTicket, signedIn, WATER, type Desk } from '../server/desk/desk-harness.ts';

describe.each(ENGINES)('the walk through all history on %s', (engine) => {
  let desk: Desk;
  let broken: string[];
  beforeEach(async () => { desk = await makeDesk(engine); broken = []; });
  afterEach(() => desk.close());
  const walk = () => walkHistory(desk.test.store, 2, (id, why) => broken.push(`${id} ${why}`));

  test('counts tickets and entries over several pages, and what was erased still verifies', async () => {
    const { user } = await signedIn(desk, ['unit'], WATER);
    const tickets = await Promise.all([1, 2, 3, 4, 5].map(() => makeTicket(desk)));
    const [first] = tickets;
    if (!first) return expect.fail('no ticket');
    await acceptTicket(desk.deps, user, first.id);
    await noteProgress(desk.deps, user, first.id, { note: '已到现场', media: [] });
    expect(await walk()).toEqual({ tickets: 5, entries: 12, erased: 0, broken: 0 });
    await desk.deps.store.eraseResident(first.residentId, desk.deps.now());
    expect(await walk()).toEqual({ tickets: 5, entries: 12, erased: 1, broken: 0 });
    expect(broken).toEqual([]);
  });

  test('an altered line, a line cut out, a line cut off and a history without its ticket are each found', async () => {
    const { db } = desk.test.store;
    const [altered, cutOut, cutOff, orphan, whole] = [await makeTicket(desk), await makeTicket(desk), await makeTicket(desk), await makeTicket(desk), await makeTicket(desk)];
    await db.updateTable('ticket_history').set({ at: 1 }).where('ticket_id', '=', altered.id).where('seq', '=', 1).execute();
    await db.deleteFrom('ticket_history').where('ticket_id', '=', cutOut.id).where('seq', '=', 1).execute();
    await db.deleteFrom('ticket_history').where('ticket_id', '=', cutOff.id).where('seq', '=', 2).execute();
    await db.deleteFrom('tickets').where('id', '=', orphan.id).execute();
    expect(await walk()).toEqual({ tickets: 4, entries: 2, erased: 0, broken: 4 });
    expect(broken.sort()).toEqual([`${altered.id} entry 1: altered`, `${cutOut.id} entry 1: missing`, `${cutOff.id} entry 2: cut_off`, `${orphan.id} history without its ticket`].sort());
    expect(whole.state.status).toBe('dispatched');
  });
});
