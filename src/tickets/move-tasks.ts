import type { TaskId, UnitId } from '../domain/ids.ts';
import { isUnderWay, type TicketCommand } from '../domain/ticket.ts';
import { isOpenTask, type Call, type Task } from '../domain/ticket-work.ts';
import { idList, type Moved, type Mover } from './mover.ts';

type Command<K extends TicketCommand['do']> = Extract<TicketCommand, { do: K }>;

/** Tasks with those of `calls` that are not already at work on it; the lead is never called to its own ticket. */
export function withCalls(mover: Mover, calls: readonly Call[], by: Task['by'], lead: UnitId | null): { readonly tasks: readonly Task[]; readonly called: readonly Task[] } {
  const { work: { tasks }, now } = mover;
  const busy = new Set([...tasks.filter(isOpenTask).map((task) => `${task.unit} ${task.kind}`), `${lead ?? ''} whistle`]);
  const called = calls.filter((call) => !busy.has(`${call.unit} ${call.kind}`)).map((call): Task => ({ ...call, calledAt: now, by, reportedAt: null, end: null }));
  return { tasks: [...tasks, ...called], called };
}

/** 吹哨: other units are called to the matter; each has its own clock and answer, the lead stays the lead (art. 14, 16). */
export function whistle(mover: Mover, { calls }: Command<'whistle'>): Moved {
  const { ticket: { state }, actor } = mover;
  if (!isUnderWay(state.status)) return mover.refused('the ticket is no longer under way');
  return mover.asHolder((holder) => {
    const by = actor.role === 'unit' ? actor.unitId : actor.role === 'operator' ? actor.userId : 'directory';
    const { tasks, called } = withCalls(mover, calls, by, holder);
    if (called.length === 0) return mover.refused('these units are already called, or it is the lead itself');
    return mover.stay(mover.works({ tasks }), mover.event('ticket_whistled', {
      ...idList('units', called.map((task) => task.unit)), ...idList('tasks', called.map((task) => task.id)), kind: called[0]?.kind ?? 'whistle',
      reportBy: Math.min(...called.map((task) => task.reportBy)), answerBy: Math.min(...called.map((task) => task.answerBy)),
    }, { ask: called[0]?.ask ?? '' }));
  });
}

export const reportIn = (mover: Mover, { taskId }: Command<'report_in'>): Moved => onTask(mover, taskId, (task) =>
  (task.reportedAt === null
    ? mover.stay(changed(mover, { ...task, reportedAt: mover.now }), mover.event('ticket_reported_in', { unit: task.unit, task: task.id, late: mover.now > task.reportBy }))
    : mover.refused('this unit has reported in already')));

export const answerTask = (mover: Mover, { taskId, answer, outcome }: Command<'answer_task'>): Moved => onTask(mover, taskId, (task) => {
  const { ticket: { secret }, now } = mover;
  return mover.stay(
    {
      ...changed(mover, { ...task, reportedAt: task.reportedAt ?? now, end: { how: outcome, at: now } }),
      secret: secret === null ? null : { ...secret, taskAnswers: { ...secret.taskAnswers, [task.id]: answer } },
    },
    mover.event('ticket_task_answered', { unit: task.unit, task: task.id, kind: task.kind, outcome, late: now > task.answerBy }, { answer }),
  );
});

/** The lead, or a dispatcher, no longer needs it. */
export function closeTask(mover: Mover, { taskId, reason }: Command<'close_task'>): Moved {
  return mover.asHolder(() => {
    const task = mover.work.tasks.find((each) => each.id === taskId && isOpenTask(each));
    if (!task) return mover.refused('no such call is open');
    return mover.stay(changed(mover, { ...task, end: { how: 'closed', at: mover.now } }), mover.event('ticket_task_closed', { unit: task.unit, task: task.id }, { reason }));
  });
}

function onTask(mover: Mover, id: TaskId, move: (task: Task) => Moved): Moved {
  const { actor, work } = mover;
  const task = work.tasks.find((each) => each.id === id);
  if (!task || !isOpenTask(task)) return mover.refused('no such call is open');
  if (actor.role === 'unit' && actor.unitId !== task.unit) return mover.refused('another unit was called');
  return move(task);
}

const changed = (mover: Mover, task: Task) => mover.works({ tasks: mover.work.tasks.map((each) => (each.id === task.id ? task : each)) });
