import { AsyncLocalStorage } from 'node:async_hooks';
import { Botkit, type BotkitMessage, type BotWorker } from 'botkit';
import { ActivityTypes, BotAdapter, TurnContext, type Activity, type ResourceResponse, type Storage, type StoreItems } from 'botbuilder-core';
import { AppError } from '../domain/errors.ts';
import type { Chip } from '../domain/message.ts';
import type { FollowUpAnswers } from '../domain/ticket.ts';
import { FOLLOW_UP_SCRIPT, followUpScript } from './follow-up-script.ts';
import type { PlannedReply, TurnPlan } from './plan.ts';

/** What one turn needs of Botkit, and what it leaves. */
interface Turn {
  readonly plan: TurnPlan;
  readonly said: PlannedReply[];
  /** Botkit's storage for this conversation: read from the conversation row, written back with the turn's one commit. */
  dialog: Record<string, unknown>;
  answers: FollowUpAnswers | null;
}

export interface RanTurn {
  readonly replies: readonly PlannedReply[];
  readonly dialog: Readonly<Record<string, unknown>> | null;
  /** Set when the follow-up survey was finished in this turn. */
  readonly answers: FollowUpAnswers | null;
  readonly surveyRuns: boolean;
}

/** Collects what Botkit sends instead of sending it: replies leave only with the commit, through the outbox. */
class CollectingAdapter extends BotAdapter {
  readonly #turns: AsyncLocalStorage<Turn>;
  constructor(turns: AsyncLocalStorage<Turn>) {
    super();
    this.#turns = turns;
  }
  override async sendActivities(_context: TurnContext, activities: Partial<Activity>[]): Promise<ResourceResponse[]> {
    const turn = this.#turns.getStore();
    if (!turn) throw new AppError('bot.failed', 'Botkit sent outside a turn');
    for (const activity of activities) {
      const planned = (activity.channelData as { planned?: PlannedReply } | undefined)?.planned;
      if (planned) turn.said.push(planned);
      else if (activity.text) turn.said.push({ kind: 'text', text: activity.text, ...chipsOf(activity) });
    }
    return activities.map((_, index) => ({ id: String(index) }));
  }
  override async updateActivity(): Promise<void> {
    throw new AppError('bot.failed', 'a stored reply is never changed');
  }
  override async deleteActivity(): Promise<void> {
    throw new AppError('bot.failed', 'a stored reply is never deleted');
  }
  override async continueConversation(): Promise<void> {
    throw new AppError('bot.failed', 'what the city starts comes through the inbox');
  }
}

function chipsOf(activity: Partial<Activity>): { chips?: readonly Chip[] } {
  const actions = activity.suggestedActions?.actions ?? [];
  return actions.length === 0 ? {} : { chips: actions.map((action) => ({ id: String(action.value), label: action.title })) };
}

/** Botbuilder's storage over the turn at hand: one conversation, one state, one commit. */
class TurnStorage implements Storage {
  readonly #turns: AsyncLocalStorage<Turn>;
  constructor(turns: AsyncLocalStorage<Turn>) {
    this.#turns = turns;
  }
  async read(keys: string[]): Promise<StoreItems> {
    const dialog = this.#turns.getStore()?.dialog ?? {};
    return Object.fromEntries(keys.flatMap((key) => (key in dialog ? [[key, structuredClone(dialog[key])]] : [])));
  }
  async write(changes: StoreItems): Promise<void> {
    const turn = this.#turns.getStore();
    if (!turn) throw new AppError('bot.failed', 'Botkit wrote outside a turn');
    turn.dialog = { ...turn.dialog, ...(JSON.parse(JSON.stringify(changes)) as Record<string, unknown>) };
  }
  async delete(keys: string[]): Promise<void> {
    const turn = this.#turns.getStore();
    if (turn) turn.dialog = Object.fromEntries(Object.entries(turn.dialog).filter(([key]) => !keys.includes(key)));
  }
}

/**
 * Botkit's own `handleTurn` never settles when a handler throws or the storage fails: errors vanish in an async callback
 * inside `new Promise`. The same steps, awaited.
 */
class SettlingBotkit extends Botkit {
  override async handleTurn(context: TurnContext): Promise<void> {
    const { activity } = context;
    const message: BotkitMessage = {
      ...(activity.channelData as object | undefined), type: activity.type, user: activity.from.id, text: activity.text, channel: activity.conversation.id,
      value: activity.value, reference: TurnContext.getConversationReference(activity) as BotkitMessage['reference'], context: context, incoming_message: activity,
    };
    context.turnState.set('botkitMessage', message);
    const dialogContext = await this.dialogSet.createContext(context);
    const bot = await this.spawn(dialogContext);
    await this.#run('ingest', bot, message);
    await this.#run('receive', bot, message);
    // `interrupts`: the planner decides first and may leave a scripted dialog.
    for (const trigger of this.#interrupts()) {
      if (await trigger.pattern(message)) {
        await trigger.handler.call(this, bot, message);
        return this.saveState(bot);
      }
    }
    await dialogContext.continueDialog();
    await this.saveState(bot);
  }

  #run(stage: 'ingest' | 'receive', bot: BotWorker, message: BotkitMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.middleware[stage].run(bot, message, (error: unknown) => (error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve()));
    });
  }

  readonly #own: { pattern: (message: BotkitMessage) => Promise<boolean>; handler: (bot: BotWorker, message: BotkitMessage) => Promise<void> }[] = [];
  #interrupts() {
    return this.#own;
  }
  override interrupts(pattern: unknown, _events: unknown, handler: unknown): void {
    this.#own.push({ pattern: pattern as (message: BotkitMessage) => Promise<boolean>, handler: handler as (bot: BotWorker, message: BotkitMessage) => Promise<void> });
  }
}

export interface BotRuntime {
  /** Runs one planned turn: says the plan's replies, begins, continues or drops the scripted survey. Touches nothing outside. */
  run(plan: TurnPlan, conversationId: string, residentId: string): Promise<RanTurn>;
}

/** The turn runtime. Order per conversation is kept outside; here turns of different conversations run side by side. */
export function botRuntime(): BotRuntime {
  const turns = new AsyncLocalStorage<Turn>();
  const adapter = new CollectingAdapter(turns);
  const controller = new SettlingBotkit({
    adapter, storage: new TurnStorage(turns), disable_webserver: true, disable_console: true,
  });
  const here = (): Turn => {
    const turn = turns.getStore();
    if (!turn) throw new AppError('bot.failed', 'Botkit ran outside a turn');
    return turn;
  };

  controller.addDialog(followUpScript(controller, (answers) => {
    here().answers = answers;
  }));
  controller.interrupts(async () => here().plan.survey.do !== 'continue', 'message', async (bot: BotWorker, message: BotkitMessage) => {
    const { plan } = here();
    if (plan.survey.do !== 'none') await bot.cancelAllDialogs();
    for (const planned of plan.replies) await bot.reply(message, { text: '-', channelData: { planned } });
    if (plan.survey.do === 'begin') await bot.beginDialog(FOLLOW_UP_SCRIPT, { number: plan.survey.number, title: plan.survey.title });
  });

  return {
    async run(plan, conversationId, residentId) {
      const turn: Turn = { plan, said: [], dialog: { ...plan.memory.dialog }, answers: null };
      const activity: Partial<Activity> = {
        type: ActivityTypes.Message, channelId: 'jiban', text: plan.survey.do === 'continue' ? plan.survey.answer : '-',
        from: { id: residentId, name: '' }, recipient: { id: 'jiban', name: '' }, conversation: { id: conversationId, isGroup: false, conversationType: '', name: '' },
      };
      await turns.run(turn, () => controller.handleTurn(new TurnContext(adapter, activity)));
      const surveyRuns = JSON.stringify(turn.dialog).includes(`"${FOLLOW_UP_SCRIPT}"`);
      return { replies: turn.said, dialog: surveyRuns ? turn.dialog : null, answers: turn.answers, surveyRuns };
    },
  };
}
