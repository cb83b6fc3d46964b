import { BotkitConversation, type Botkit } from 'botkit';
import type { FollowUpAnswers } from '../domain/ticket.ts';
import { FOLLOW_UP_ZH } from './prompts.zh.ts';

/** Dialog state keeps a step's index: an edited script gets a new id, and the old one stays until no survey runs on it. */
export const FOLLOW_UP_SCRIPT = 'follow_up_v1';

const yesNo = (yes: string, no: string) => [{ title: yes, payload: 'fu:yes' }, { title: no, payload: 'fu:no' }];
type Answered = Readonly<Record<'contacted' | 'solved' | 'satisfied' | 'comment', string | undefined>>;

/** The three questions of a follow-up (art. 23) as a Botkit script; the planner hands it `yes`, `no` or free words. */
export function followUpScript(controller: Botkit, onDone: (answers: FollowUpAnswers) => void): BotkitConversation {
  const script = new BotkitConversation(FOLLOW_UP_SCRIPT, controller);
  const again = { default: true, handler: async (_answer: string, convo: { repeat(): Promise<unknown> }) => void (await convo.repeat()) };
  const next = async () => undefined;

  script.ask({ text: [FOLLOW_UP_ZH.contacted], quick_replies: yesNo('联系过', '没联系') }, [{ pattern: '^yes$', handler: next }, { pattern: '^no$', handler: next }, again], { key: 'contacted' });
  script.ask({ text: [FOLLOW_UP_ZH.solved], quick_replies: yesNo('解决了', '没解决') }, [
    { pattern: '^yes$', handler: next },
    { pattern: '^no$', handler: async (_answer, convo) => void (await convo.gotoThread('unsolved')) },
    again,
  ], { key: 'solved' });
  script.ask({ text: [FOLLOW_UP_ZH.satisfied], quick_replies: yesNo('满意', '不满意') }, [{ pattern: '^yes$', handler: next }, { pattern: '^no$', handler: next }, again], { key: 'satisfied' });
  script.addQuestion({ text: [FOLLOW_UP_ZH.unsolved] }, [], { key: 'comment' }, 'unsolved');

  script.after((values: Answered) => {
    const bool = (value: string | undefined): boolean | null => (value === 'yes' ? true : value === 'no' ? false : null);
    onDone({
      contacted: bool(values.contacted), solved: bool(values.solved), satisfied: bool(values.satisfied),
      ...(values.comment === undefined ? {} : { comment: values.comment }),
    });
  });
  return script;
}
