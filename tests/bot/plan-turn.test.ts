import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newWork } from '../../src/domain/ticket-work.ts';
import type { Heard, TurnInput } from '../../src/bot/plan.ts';
import { planTurn } from '../../src/bot/plan-turn.ts';
import { EMPTY_MEMORY, type Conversation, type ConversationMemory } from '../../src/domain/conversation.ts';
import type { ConversationId, MediaId, ResidentId, TicketId, UnitId } from '../../src/domain/ids.ts';
import type { InboundContent } from '../../src/domain/message.ts';
import type { Ticket } from '../../src/domain/ticket.ts';
import { checkLifeSafety, loadCatalogue } from '../../src/nlp/index.ts';
import { understandingOf, type GivenUnderstanding } from '../fakes/understanding.ts';

const catalogue = loadCatalogue(readFileSync(new URL('../../config/beijing/catalogue.yaml', import.meta.url), 'utf8'));
const ids = { conversationId: 'c' as ConversationId, residentId: 'r' as ResidentId };
const handoff = { reason: 'low_confidence', urgency: 'd7', note: '机器拿不准' } as const;
const NOW = 1_000_000;

function conversation(mode: Conversation['mode'], memory: Partial<ConversationMemory> = {}): Conversation {
  return {
    id: ids.conversationId, residentId: ids.residentId, channel: 'web', version: 1, mode, operatorId: null, handoff: mode === 'bot' ? null : handoff,
    waitingSince: NOW - 1, waitingUntil: NOW + 60_000, escalation: 0, memory: { ...EMPTY_MEMORY, ...memory }, readable: true,
  };
}
function input(of: Conversation, content: InboundContent, given: GivenUnderstanding = {}, over: Partial<TurnInput> = {}): TurnInput {
  const text = content.kind === 'text' ? content.text : content.kind === 'edit' ? content.value : '';
  let made = 0;
  return {
    conversation: of, message: { channel: 'web', messageId: 'm', ...ids, content, receivedAt: NOW, turnId: 't' }, text: content.kind === 'edit' ? '' : text,
    understanding: text === '' ? null : understandingOf(text, given), modelDown: false, matters: [] as Heard[], lifeSafety: checkLifeSafety(text), tickets: [], now: NOW,
    newId: () => `new-${(made += 1)}`, naming: { catalogue, unitName: (id) => id, utcOffsetMinutes: 480 }, needs: () => ({ place: true, building: false }), ...over,
  };
}
const says = (text: string): InboundContent => ({ kind: 'text', text });
const ticket = (over: Partial<Ticket> = {}): Ticket => ({
  id: 'k' as TicketId, number: '261124000001', version: 1, ...ids, state: { status: 'dispatched', to: 'u' as UnitId, acceptBy: NOW + 1 }, type: 'utilities.water', nature: 'assistance',
  disposition: 'accept', urgency: 'h24', description: '停水', address: { text: '西罗园第二社区12号楼', place: { district: '110106', street: '110106003', community: '110106003002' }, label: '西罗园第二社区', location: null },
  media: [], openedAt: NOW - 2 * 3_600_000, dueAt: NOW + 1, openedBy: 'bot', unitId: 'u' as UnitId, hops: 0, reopened: 0, versions: { model: 'm', directory: 'd' }, candidates: [], work: newWork(0), secret: null, ...over,
});
const pin: InboundContent = { kind: 'location', latitude: 39.86, longitude: 116.37, label: '西罗园南里' };
const dry: GivenUnderstanding = { intent: 'report', type: 'utilities.water' };

describe('an operator has the floor', () => {
  const contents: readonly InboundContent[] = [
    says('你好'), says('水管爆了'), says('厨房着火了，快来人'), { kind: 'image', mediaId: 'p' as MediaId }, pin, { kind: 'tap', chip: 'human', label: '转人工' },
    { kind: 'edit', target: 'k', field: 'type', value: 'utilities.gas' }, { kind: 'edit', target: 'k', field: 'address', value: '8号楼' }, { kind: 'edit', target: 'gone', field: 'description', value: 'x' },
  ];
  test.each(contents)('nothing is said by the bot to %j', (content) => {
    for (const memory of [{}, { asked: ['address' as const] }]) expect(planTurn(input(conversation('operator', memory), content, dry, { tickets: [ticket()] })).replies).toEqual([]);
  });
  test('a corrected ticket card is corrected all the same, and the draft in hand is left alone', () => {
    const draft = planTurn(input(conversation('operator'), says('水管爆了'), dry)).memory.draft;
    expect(draft?.type).toBe('utilities.water');
    const plan = planTurn(input(conversation('operator', { draft }), { kind: 'edit', target: 'k', field: 'type', value: 'utilities.gas' }, {}, { tickets: [ticket()] }));
    expect(plan.commands).toEqual([{ do: 'correct', ticketId: 'k', changes: { type: 'utilities.gas' } }]);
    expect(plan.memory.draft).toEqual(draft);
  });
  test('a pin sent first and the matter after it come together', () => {
    const { memory } = planTurn(input(conversation('operator'), pin));
    expect(memory.draft).toMatchObject({ words: [], address: { publicText: '西罗园南里', location: { latitude: 39.86, longitude: 116.37 } } });
    const { memory: later } = planTurn(input(conversation('operator', memory), says('水管爆了'), dry));
    expect(later.draft).toMatchObject({ id: memory.draft?.id, words: ['水管爆了'], type: 'utilities.water', address: { publicText: '西罗园南里', location: { latitude: 39.86, longitude: 116.37 } } });
  });
  test('danger makes it urgent for the operator; small talk does not', () => {
    expect(planTurn(input(conversation('operator'), says('厨房着火了，快来人'), dry)).handoff).toMatchObject({ reason: 'low_confidence', urgency: 'h2', note: '居民最新消息提到危险（着火）。机器拿不准' });
    expect(planTurn(input(conversation('operator'), says('你还在吗'))).handoff).toBeNull();
  });
  test('at most nine pictures wait for their matter', () => {
    let memory: ConversationMemory = EMPTY_MEMORY;
    for (let nth = 0; nth < 12; nth += 1) memory = planTurn(input(conversation('operator', memory), { kind: 'image', mediaId: `p${nth}` as MediaId })).memory;
    expect(memory.looseMedia).toEqual(['p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10', 'p11']);
  });
});

describe('waiting for an operator', () => {
  test('the number to call is said at once; otherwise the wait is acknowledged', () => {
    expect(planTurn(input(conversation('waiting'), says('厨房着火了，快来人'), dry)).replies.map(({ kind }) => kind)).toEqual(['emergency']);
    expect(planTurn(input(conversation('waiting'), says('你还在吗'))).replies.map(({ kind }) => kind)).toEqual(['text']);
  });
  test('tired of waiting: the draft goes on where it stood', () => {
    const { draft } = planTurn(input(conversation('waiting'), says('西罗园第二社区水管爆了'), { ...dry, place: '西罗园第二社区' })).memory;
    const plan = planTurn(input(conversation('waiting', { draft }), { kind: 'tap', chip: 'stop_waiting', label: '不等了' }));
    expect(plan.endWaiting).toBe(true);
    expect(plan.commands).toMatchObject([{ do: 'open', draft: { type: 'utilities.water' } }]);
  });
});

describe('the same matter again', () => {
  const place = { place: '西罗园第二社区', address: { place: { district: '110106', street: '110106003', community: '110106003002' } } };
  test.each([
    ['西罗园第二社区12号楼没水', '12号楼', 'supplement'], ['西罗园第二社区１２号楼没水', '１２号楼', 'supplement'], ['西罗园第二社区没水', undefined, 'supplement'],
    ['西罗园第二社区1号楼没水', '1号楼', 'open'], ['西罗园第二社区2号楼没水', '2号楼', 'open'], ['西罗园第二社区112号楼没水', '112号楼', 'open'],
  ] as const)('%s', (text, building, command) => {
    const plan = planTurn(input(conversation('bot'), says(text), { ...dry, ...place, ...(building === undefined ? {} : { building }) }, { tickets: [ticket()] }));
    expect(plan.commands.map((each) => each.do)).toEqual([command]);
  });
  test('another type, or a ticket that is closed, is another matter', () => {
    const again = { ...dry, ...place };
    expect(planTurn(input(conversation('bot'), says('西罗园第二社区没水'), again, { tickets: [ticket({ type: 'utilities.gas' })] })).commands.map((each) => each.do)).toEqual(['open']);
    expect(planTurn(input(conversation('bot'), says('西罗园第二社区没水'), again, { tickets: [ticket({ state: { status: 'withdrawn' } })] })).commands.map((each) => each.do)).toEqual(['open']);
  });
});

describe('corrections of a ticket', () => {
  const editType: InboundContent = { kind: 'edit', target: 'k', field: 'type', value: 'utilities.gas' };
  test('before a unit has it they change the ticket, afterwards they are told to the unit, at last they find no ticket', () => {
    const of = (state: Ticket['state']) => planTurn(input(conversation('bot'), editType, {}, { tickets: [ticket({ state })] })).commands.map((each) => each.do);
    expect(of({ status: 'opened' })).toEqual(['correct']);
    expect(of({ status: 'in_progress', by: 'u' as UnitId })).toEqual(['supplement']);
    expect(of({ status: 'withdrawn' })).toEqual([]);
  });
  test('a type that the catalogue lacks never reaches the ticket as a type', () => {
    expect(planTurn(input(conversation('bot'), { ...editType, value: 'no.such' }, {}, { tickets: [ticket()] })).commands.map((each) => each.do)).toEqual(['supplement']);
  });
});

describe('what units read as the matter', () => {
  const asked = planTurn(input(conversation('bot'), says('龙头一滴水都没有'), { ...dry, address: { missing: ['address'] } })).memory;
  test.each([
    ['西罗园第二社区12号楼', '西罗园第二社区12号楼', ['龙头一滴水都没有']],
    ['我们是在西罗园第二社区，', '西罗园第二社区', ['龙头一滴水都没有']],
    ['西罗园第二社区，从早上停到现在', '西罗园第二社区', ['龙头一滴水都没有', '西罗园第二社区，从早上停到现在']],
    ['大槐树那个院', undefined, ['龙头一滴水都没有']],
  ])('an answer %j that says only where is no part of it', (text, place, words) => {
    expect(asked.asked).toEqual(['address']);
    const plan = planTurn(input(conversation('bot', asked), says(text), { intent: 'supplement', ...(place === undefined ? {} : { place }) }));
    expect(plan.commands).toMatchObject([{ do: 'open', draft: { words } }]);
  });
});
