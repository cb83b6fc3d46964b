import type { User } from '../domain/desk.ts';
import { isUnderWay, type Ticket } from '../domain/ticket.ts';
import { isOpenTask, type Task } from '../domain/ticket-work.ts';
import type { DeskDeps } from './deps.ts';
import { unitName } from './names.ts';
import { mayOn } from './permissions.ts';
import type { TaskView, WorkAction, WorkView } from './views.ts';

/** What goes on around a ticket, as this reader may see it: another called unit's answer is the lead's and the city's business. */
export function workView(deps: Pick<DeskDeps, 'units' | 'stagesOf'>, user: User, ticket: Ticket): WorkView {
  const { work, secret, type } = ticket;
  const sides = mayOn(user, 'ticket.whistle', ticket) || mayOn(user, 'ticket.correct', ticket);
  const task = (each: Task): TaskView => {
    const mine = each.unit === user.unitId && mayOn(user, 'ticket.answer_task', ticket);
    return {
      id: each.id, unitName: unitName(deps, each.unit) ?? each.unit, kind: each.kind, ask: each.ask, calledAt: each.calledAt, reportBy: each.reportBy, answerBy: each.answerBy,
      reportedAt: each.reportedAt, end: each.end, answer: sides || mine ? (secret?.taskAnswers?.[each.id] ?? null) : null, mine: mine && isOpenTask(each),
    };
  };
  return {
    objectBy: work.objectBy, tasks: work.tasks.map(task), pause: work.pause, stage: work.stage, stages: deps.stagesOf(type)?.stages.map(({ name }) => name) ?? null,
    timeAsked: work.timeAsked && { want: work.timeAsked.want, unitName: unitName(deps, work.timeAsked.by) ?? '', until: work.timeAsked.until, decideBy: work.timeAsked.decideBy, reason: work.timeAsked.reason },
    escalated: work.escalated && { level: work.escalated.level, unitName: unitName(deps, work.escalated.to), at: work.escalated.at },
    leads: work.leads.map((unit) => unitName(deps, unit) ?? unit), excluded: work.excluded, can: workActions(user, ticket),
  };
}

function workActions(user: User, ticket: Ticket): readonly WorkAction[] {
  const { work, state } = ticket;
  const held = state.status === 'dispatched' || state.status === 'accepted' || state.status === 'in_progress';
  const working = state.status === 'accepted' || state.status === 'in_progress';
  const possible: Readonly<Record<WorkAction, boolean>> = {
    whistle: held && mayOn(user, 'ticket.whistle', ticket),
    'ask-time': working && !work.timeAsked && !work.pause && mayOn(user, 'ticket.ask_time', ticket),
    'decide-time': work.timeAsked !== null && mayOn(user, 'ticket.decide', ticket),
    'refuse-objection': state.status === 'returned' && mayOn(user, 'ticket.decide', ticket),
    resume: work.pause !== null && mayOn(user, 'ticket.stage', ticket),
    'next-stage': work.stage !== null && work.stage.next !== '' && working && mayOn(user, 'ticket.stage', ticket),
    exclude: work.excluded === null && isUnderWay(state.status) && mayOn(user, 'ticket.decide', ticket),
  };
  return (Object.keys(possible) as WorkAction[]).filter((action) => possible[action]);
}
