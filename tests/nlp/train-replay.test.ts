import { afterAll, beforeAll, expect, test } from 'vitest';
import { newWork } from '../../src/domain/ticket-work.ts';
import { replayTickets, summaryLines, type Difference } from '../../src/cli/replay-tickets.ts';
import type { TicketId, UserId } from '../../src/domain/ids.ts';
import type { Ticket } from '../../src/domain/ticket.ts';
import { makeStore, type TestStore } from '../fakes/test-store.ts';
import { understandingOf } from '../fakes/understanding.ts';

const WORDS = ['楼里没水', '路灯不亮', '电梯停了'];
const WAS = ['utilities.water', 'roads.lighting', 'housing.elevator'];
let made: TestStore;
const tickets: Ticket[] = [];

beforeAll(async () => {
  made = await makeStore();
  for (const [nth, words] of WORDS.entries()) {
    const who = await made.store.ensureResident('web', `person-${nth}`, 1);
    const ticket: Ticket = {
      id: `ticket-${nth}` as TicketId, number: `26112300000${nth}`, version: 1, conversationId: who.conversationId, residentId: who.residentId, state: { status: 'opened' }, type: WAS[nth]!, nature: 'assistance',
      disposition: 'accept', urgency: 'd7', description: '', address: { text: '', place: null, label: '', location: null }, media: [], openedAt: 5, dueAt: 100 + nth, openedBy: 'bot', unitId: null, hops: 0, work: newWork(5),
      reopened: 0, versions: { model: 'enc-1/heads-1', directory: 'd' }, candidates: [], secret: { words: [words, '谢谢'], address: '', contact: null },
    };
    await made.store.insertTicket(ticket);
    await made.store.appendHistory(ticket, [{ kind: 'ticket_opened', ticketId: ticket.id, at: 5, actor: { role: 'bot' }, open: { type: ticket.type, urgency: ticket.urgency }, sealed: null }]);
    tickets.push(ticket);
  }
  // An operator has moved the third to another type since.
  await made.store.saveTicket({ ...tickets[2]!, version: 2, type: 'housing.repair' });
});
afterAll(() => made.drop());

const NOW: Readonly<Record<string, string>> = { 楼里没水: 'utilities.water', 路灯不亮: 'utilities.power', 电梯停了: 'housing.repair' };
const judge = async (text: string) => understandingOf(text, { intent: 'report', type: NOW[text]!, urgency: text === '楼里没水' ? 'h24' : 'd7' });
const replay = async (options: { showText?: boolean; limit?: number; page?: number } = {}) => {
  const seen: Difference[] = [];
  const counts = await replayTickets(made.store, judge, { limit: options.limit ?? Infinity, showText: options.showText ?? false, page: options.page ?? 2, onDifference: (each) => seen.push(each) });
  return { seen, counts };
};

test('what would be filed differently is listed, page by page, and counted by pair', async () => {
  const { seen, counts } = await replay();
  expect(seen.map(({ number, type, urgency }) => [number, type?.now, urgency?.now])).toEqual([
    ['261123000002', 'housing.repair', undefined], ['261123000001', 'utilities.power', undefined], ['261123000000', undefined, 'h24'],
  ]);
  expect(counts).toMatchObject({ tickets: 3, unreadable: 0, typeDiffers: 2, urgencyDiffers: 1, corrected: { count: 1, asOperator: 1 } });
  expect([...counts.typePairs]).toEqual([['housing.elevator → housing.repair', 1], ['roads.lighting → utilities.power', 1]]);
});

test('no word of a resident is printed unless it is asked for', async () => {
  const { seen, counts } = await replay();
  const printed = JSON.stringify(seen) + summaryLines(counts, 'm').join();
  for (const words of [...WORDS, '谢谢']) expect(printed).not.toContain(words);
  expect((await replay({ showText: true })).seen[0]?.text).toBe('电梯停了');
});

test('a limit looks at the newest only', async () => expect((await replay({ limit: 1 })).counts.tickets).toBe(1));

test('the model that judged a ticket stands in it', async () => expect((await replay()).seen.every(({ model }) => model === 'enc-1/heads-1')).toBe(true));

test('corrections come back with their words, in order', async () => {
  const { conversationId, id } = tickets[0]!;
  const correction = { conversationId, ticketId: id, userId: 'u' as UserId, at: 9, words: ['楼里没水'], before: { type: 'utilities.water' }, after: { type: 'housing.repair' }, modelVersion: 'm' };
  await made.store.insertCorrection(correction);
  await made.store.insertCorrection({ ...correction, at: 10, after: { urgency: 'h24' } });
  const read = [];
  for await (const each of made.store.corrections()) read.push(each);
  expect(read).toMatchObject([correction, { at: 10, after: { urgency: 'h24' } }]);
});
