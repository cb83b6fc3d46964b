import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskId, TicketId, UnitId, UserId } from '../../src/domain/ids.ts';
import type { Actor, Ticket, TicketCommand } from '../../src/domain/ticket.ts';
import { nextStage } from '../../src/domain/stages.ts';
import { loadCity } from '../../src/app.ts';
import { callOf } from '../../src/dispatch/dispatch-ticket.ts';
import { applyTicketCommand } from '../../src/tickets/apply-command.ts';
import type { UnderstandingPool } from '../../src/nlp/index.ts';
import { makeApp, shippedModel, textOf, type TestApp, type TestResident } from '../fakes/test-app.ts';
import { ENGINES } from '../fakes/test-store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const dispatcher: Actor = { role: 'operator', userId: 'dispatcher' as UserId };
const unit = (id: string): Actor => ({ role: 'unit', unitId: id as UnitId, userId: 'u' as UserId });

describe.each(ENGINES)('stories on %s', (engine) => {
  let model: UnderstandingPool;
  let made: TestApp;
  beforeAll(async () => {
    model = await shippedModel();
    made = await makeApp({ engine, understand: (text, context) => model.understand(text, context) });
  });
  afterAll(async () => {
    await made.drop();
    await model.close();
  });

  async function act(id: TicketId, actor: Actor, command: TicketCommand | ((ticket: Ticket) => TicketCommand)): Promise<Ticket> {
    const result = await made.app.store.transaction(async (tx) => {
      const ticket = await tx.ticket(id, 'lock');
      if (!ticket) throw new Error('no ticket');
      return applyTicketCommand(tx, { ticketId: id, command: typeof command === 'function' ? command(ticket) : command, actor, now: made.now() });
    });
    if (!result.ok) throw new Error(`${result.code}: ${result.reason}`);
    await made.settle();
    return result.ticket;
  }
  const heard = async (who: TestResident): Promise<string> => (await who.sees()).map(textOf).join('\n');
  async function reported(words: readonly string[]): Promise<{ who: TestResident; id: TicketId; ticket: Ticket }> {
    const who = await made.resident();
    for (const each of words) await who.says(each);
    const [ticket] = await who.tickets();
    if (!ticket) throw new Error(`no ticket: ${(await who.transcript()).map(textOf).join(' | ')}`);
    return { who, id: ticket.id, ticket };
  }

  test('a ticket objected to, dispatched on, objected to again and kept: the resident hears each step, the clock never stops', async () => {
    const { who, id, ticket } = await reported(['西罗园第二社区12号楼停水了，一滴都没有']);
    expect(ticket.unitId).toBe('water-110106');
    await act(id, unit('water-110106'), { do: 'return', reason: '楼内二次供水，属物业', decideBy: made.now() + HOUR, suggests: 'property-110106007' as UnitId });
    expect(await heard(who)).toContain('派单员正在裁定');
    const moved = await act(id, dispatcher, { do: 'dispatch', to: 'property-110106007' as UnitId, rule: 'by_hand', because: '核实为楼内水泵', directoryVersion: 'd', acceptBy: made.now() + HOUR, objectBy: made.now() + 2 * HOUR });
    expect(await heard(who)).toContain('核实为楼内水泵');
    expect(moved).toMatchObject({ hops: 2, dueAt: ticket.dueAt });
    await act(id, unit('property-110106007'), { do: 'return', reason: '是市政主管停水', decideBy: made.now() + HOUR });
    const kept = await act(id, dispatcher, { do: 'refuse_objection', because: '现场核实为水泵跳闸', acceptBy: made.now() + HOUR });
    expect(await heard(who)).toContain('仍由');
    expect(kept).toMatchObject({ state: { status: 'dispatched', to: 'property-110106007' }, dueAt: ticket.dueAt, work: { refused: ['property-110106007'] } });
    await expect(act(id, unit('property-110106007'), { do: 'return', reason: '还是不归我', decideBy: made.now() + HOUR })).rejects.toThrow(/heard and refused/);
  });

  test('an extension refused, then late: it goes up to the district and the city, and the resident is told the truth', async () => {
    const { who, id, ticket } = await reported(['西罗园第二社区12号楼停水了，一滴都没有']);
    await act(id, unit('water-110106'), { do: 'accept' });
    await act(id, unit('water-110106'), (t) => ({ do: 'ask_time', want: 'extend', reason: '人手不足', until: t.dueAt + 2 * DAY, decideBy: made.now() + HOUR }));
    await act(id, dispatcher, { do: 'refuse_time', because: '停水不能等' });
    expect(await heard(who)).toContain('没有批准');
    made.later(ticket.dueAt - made.now() + 1_000);
    const late = await heard(who);
    expect(late).toContain('是我们没做到');
    expect(late).toContain('市接诉即办工作机构督办');
    const held = await made.app.store.ticket(id);
    expect(held?.work).toMatchObject({ reminded: 'four_fifths', escalated: { level: 'city', to: 'city-office' } });
    const list = await made.app.store.tickets({ unitId: 'city-office' as UnitId }, { limit: 50 });
    expect(list.items.map((each) => each.id)).toContain(id);
  });

  test('the third message about an illegal structure brings its stage and what comes next, not a new ticket', async () => {
    const { who, id } = await reported(['西罗园第二社区8号楼一层有人私搭乱建，在院里盖了间房']);
    const lead = (await made.app.store.ticket(id))?.unitId ?? '';
    await act(id, unit(lead), { do: 'accept' });
    const plan = loadCity(made.config).stages.find((each) => each.types.includes('illegal_building.structure'));
    if (!plan) throw new Error('no plan');
    await act(id, unit(lead), { do: 'ask_time', want: 'stages', reason: '拆除须按法定程序', until: made.now() + 30 * DAY, decideBy: made.now() + HOUR });
    const first = nextStage(plan, null, made.now());
    if (!first) throw new Error('no stage');
    await act(id, dispatcher, { do: 'grant_time', because: '情况属实', stage: first });
    expect(await heard(who)).toMatch(/经批准挂账.*立案调查取证.*下一步是「责令限期改正」.*拆除须按法定程序/su);
    const second = nextStage(plan, first.key, made.now());
    if (!second) throw new Error('no second stage');
    await act(id, unit(lead), { do: 'enter_stage', stage: second, note: '已立案' });
    await heard(who);
    const answer = (await who.says('西罗园第二社区8号楼一层那间违建怎么还没拆，私搭乱建没人管')).map(textOf).join('\n');
    expect(answer).toContain('责令限期改正');
    expect(await who.tickets()).toHaveLength(1);
    expect((await who.says('到哪一步了')).map(textOf).join('\n')).toMatch(/责令限期改正.*下一步是「催告并听取意见」/su);
  });

  test('vendors who cross the district line by night: one lead, called units of both districts, one answer', async () => {
    const { who, id, ticket } = await reported(['西罗园第二社区门口路边每天夜里都有流动摊贩占道烧烤，吵得睡不着']);
    const lead = ticket.unitId ?? '';
    expect(lead).toMatch(/^urban_enforcement-110106|^police-110106/);
    await act(id, unit(lead), { do: 'accept' });
    const neighbours = ['urban_enforcement-110115', 'subdistrict-110106007'].filter((each) => each !== lead);
    const asked = await act(id, unit(lead), (t) => ({ do: 'whistle', calls: neighbours.map((each) => callOf(t, { id: `call-${each}` as TaskId, unit: each as UnitId, ask: '22 时在交界路口联合盯守' }, made.now())) }));
    expect(asked.work.tasks.filter((task) => task.by === lead).map((task) => task.unit)).toEqual(neighbours);
    expect(await heard(who)).toContain('到场配合');
    await expect(act(id, unit(lead), { do: 'resolve', answer: '已联合清理交界路口摊贩' })).rejects.toThrow(/awaited/);
    for (const task of (await made.app.store.ticket(id))?.work.tasks ?? []) {
      await act(id, unit(task.unit), { do: 'report_in', taskId: task.id });
      await act(id, unit(task.unit), { do: 'answer_task', taskId: task.id, answer: `${task.unit} 已到场，轮值到周日`, outcome: 'done' });
    }
    await act(id, unit(lead), { do: 'resolve', answer: '两区三街已联合清理，轮值盯守一周' });
    const told = await heard(who);
    expect(told.match(/两区三街已联合清理/g)).toHaveLength(1);
    expect(told).not.toContain('轮值到周日');
  });

  test('不文明养犬 goes to the police by law, the property company hears of it as co-unit', async () => {
    const { ticket } = await reported(['西罗园第二社区3号楼有人遛大型犬不牵绳，吓着孩子']);
    expect(ticket.type).toBe('safety.dogs_and_animals');
    expect(ticket.unitId).toMatch(/^police-110106/);
  });
});
