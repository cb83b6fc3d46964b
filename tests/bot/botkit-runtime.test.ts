import { describe, expect, test } from 'vitest';
import { botRuntime } from '../../src/bot/botkit-runtime.ts';
import type { PlannedReply, TurnPlan } from '../../src/bot/plan.ts';
import { EMPTY_MEMORY, type ConversationMemory } from '../../src/domain/conversation.ts';
import type { TicketId } from '../../src/domain/ids.ts';

const plan = (over: Partial<TurnPlan> = {}): TurnPlan => ({ replies: [], commands: [], memory: EMPTY_MEMORY, handoff: null, endWaiting: false, survey: { do: 'none' }, ...over });
const text = (reply: PlannedReply | undefined): string => (reply && 'text' in reply ? reply.text : '');
const begin = { do: 'begin' as const, ticketId: 't' as TicketId, number: '261123-000017', title: '供水 · "12"号楼 <b>' };
const runtime = botRuntime();

/** Plays answers one turn each, carrying Botkit's storage as the conversation row would. */
async function survey(answers: readonly string[]) {
  let ran = await runtime.run(plan({ survey: begin }), 'c', 'r');
  const said = [ran.replies.map(text)];
  for (const answer of answers) {
    const memory: ConversationMemory = { ...EMPTY_MEMORY, dialog: JSON.parse(JSON.stringify(ran.dialog)) as ConversationMemory['dialog'] };
    ran = await runtime.run(plan({ memory, survey: { do: 'continue', answer } }), 'c', 'r');
    said.push(ran.replies.map(text));
  }
  return { said, ran };
}

describe('Botkit as the turn runtime', () => {
  test('says the planned replies in order, as they are', async () => {
    const replies: PlannedReply[] = [{ kind: 'text', text: '一' }, { kind: 'emergency', text: '二', numbers: ['119'] }, { kind: 'text', text: '{{vars.x}} & <b>' }];
    expect((await runtime.run(plan({ replies }), 'c', 'r')).replies).toEqual(replies);
  });

  test('asks the three questions with chips and gives the answers back', async () => {
    const { said, ran } = await survey(['yes', 'yes', 'no']);
    expect(said.map((each) => each.length)).toEqual([1, 1, 1, 0]);
    expect(said[0]?.[0]).toContain('261123-000017');
    expect(said[0]?.[0]).toContain('"12"号楼 <b>'); // Botkit's double braces would have escaped it
    expect(ran).toMatchObject({ answers: { contacted: true, solved: true, satisfied: false }, dialog: null, surveyRuns: false });
  });

  test('“not solved” leads to the question what is lacking, whose answer is kept in the resident’s words', async () => {
    const { said, ran } = await survey(['no', 'no', '水还是黄的']);
    expect(said[2]?.[0]).toContain('还差在哪里');
    expect(ran.answers).toEqual({ contacted: false, solved: false, satisfied: null, comment: '水还是黄的' });
  });

  test('what is neither yes nor no is asked again', async () => {
    const { said, ran } = await survey(['啥意思', 'yes']);
    expect(said[1]?.[0]).toContain('联系过您吗');
    expect(said[2]?.[0]).toContain('解决了吗');
    expect(ran.surveyRuns).toBe(true);
  });

  test('the planner may leave the survey for something more urgent', async () => {
    const first = await runtime.run(plan({ survey: begin }), 'c', 'r');
    const memory = { ...EMPTY_MEMORY, dialog: first.dialog };
    const left = await runtime.run(plan({ memory, survey: { do: 'drop' }, replies: [{ kind: 'text', text: '先办急事' }] }), 'c', 'r');
    expect(left).toMatchObject({ dialog: null, surveyRuns: false, replies: [{ text: '先办急事' }] });
  });

  test('an error inside a turn rejects that turn, and nothing else', async () => {
    const broken = plan({ memory: { ...EMPTY_MEMORY, dialog: { 'jiban/conversations/c/': { dialogState: { dialogStack: [{ id: 'no-such-dialog', state: {} }] } } } }, survey: { do: 'continue', answer: 'yes' } });
    const both = await Promise.allSettled([runtime.run(broken, 'c', 'r'), runtime.run(plan({ replies: [{ kind: 'text', text: '好' }] }), 'd', 's')]);
    expect(both[1]).toMatchObject({ status: 'fulfilled', value: { replies: [{ text: '好' }] } });
    if (both[0].status === 'fulfilled') expect(both[0].value.replies).toEqual([]); // an unknown dialog asks nothing
  });

  test('turns of many conversations at once do not mix', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, index) => runtime.run(plan({ replies: [{ kind: 'text', text: `第${index}位` }], survey: index % 2 === 0 ? begin : { do: 'none' } }), `c${index}`, `r${index}`)));
    for (const [index, ran] of all.entries()) {
      expect(text(ran.replies[0])).toBe(`第${index}位`);
      expect(ran.surveyRuns).toBe(index % 2 === 0);
    }
  });
});
