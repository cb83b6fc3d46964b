import type { Instant } from '../domain/ids.ts';
import { isOpen, isUnderWay, type Actor, type Ticket, type TicketCommand } from '../domain/ticket.ts';
import { isOpenTask, newWork } from '../domain/ticket-work.ts';
import { askTime, enterStage, grantTime, refuseTime, resume } from './move-clock.ts';
import { answerTask, closeTask, reportIn, whistle, withCalls } from './move-tasks.ts';
import { idList, Mover, type Moved } from './mover.ts';

/** The rule of art. 14 by which a ticket goes back to the unit that had it; no row of the directory. */
const FIRST_UNIT = 'first_unit';
/** From so many hand-overs on a matter is passed on rather than treated (接诉即转). */
const MANY_HOPS = 3;

type Command<K extends TicketCommand['do']> = Extract<TicketCommand, { do: K }>;

/**
 * What a command makes of a ticket: the next ticket (version + 1) and the lines of history it leaves, or why not.
 * Pure; the table of allowed moves is `NEXT`, what it waits for afterwards says `waitsOf`.
 */
export function moveTicket(ticket: Ticket, command: TicketCommand, actor: Actor, now: Instant): Moved {
  const mover = new Mover(ticket, actor, now);
  switch (command.do) {
    case 'dispatch': return dispatch(mover, command);
    case 'leave_unrouted': return leaveUnrouted(mover, command);
    case 'accept': return mover.asHolder((by) => mover.go({ status: 'accepted', by }, {}, mover.event('ticket_accepted', { unit: by })));
    case 'progress': return progress(mover, command);
    case 'return': return object(mover, command);
    case 'refuse_objection': return refuseObjection(mover, command);
    case 'resolve': return resolve(mover, command);
    case 'ask_follow_up': return askFollowUp(mover, command);
    case 'answer_follow_up': return answerFollowUp(mover, command);
    case 'give_up_follow_up':
      if (ticket.state.status !== 'following_up') return mover.refused('no follow-up is open');
      return mover.go({ status: 'archived', outcome: { kind: 'unreached' }, by: ticket.state.by }, {}, mover.event('ticket_archived', { outcome: 'unreached' }));
    case 'withdraw': return mover.go({ status: 'withdrawn' }, mover.settled(), mover.event('ticket_withdrawn', {}, { reason: command.reason }));
    case 'supplement': return supplement(mover, command);
    case 'correct': return correct(mover, command);
    case 'whistle': return whistle(mover, command);
    case 'report_in': return reportIn(mover, command);
    case 'answer_task': return answerTask(mover, command);
    case 'close_task': return closeTask(mover, command);
    case 'ask_time': return askTime(mover, command);
    case 'grant_time': return grantTime(mover, command);
    case 'refuse_time': return refuseTime(mover, command);
    case 'resume': return resume(mover, command);
    case 'enter_stage': return enterStage(mover, command);
    case 'remind':
      if (!isUnderWay(ticket.state.status)) return mover.refused('the ticket is no longer under way');
      return mover.stay(mover.works({ reminded: command.share }), mover.event('ticket_reminded', { share: command.share, dueAt: ticket.dueAt }));
    case 'escalate': {
      if (!isUnderWay(ticket.state.status)) return mover.refused('the ticket is no longer under way');
      const { level, to, nextAt } = command;
      return mover.stay(mover.works({ escalated: { level, to, at: now, nextAt } }), mover.event('ticket_escalated', { level, ...(to !== null && { to }) }));
    }
    case 'exclude':
      return mover.stay(mover.works({ excluded: command.reason }), mover.event('ticket_excluded', { because: command.reason }));
    case 'mark_overdue':
      if (!isOpen(ticket.state.status)) return mover.refused('the ticket is closed');
      return mover.stay({}, mover.event('ticket_overdue', { waitedFor: command.waitedFor, ...(command.taskId && { task: command.taskId, unit: mover.work.tasks.find(({ id }) => id === command.taskId)?.unit ?? null }) }));
    default:
      return command satisfies never;
  }
}

function dispatch(mover: Mover, command: Command<'dispatch'>): Moved {
  const { ticket, work } = mover;
  if (work.pause) return mover.refused('the clock is stopped; resume it first');
  const { to, acceptBy, objectBy, copies = [] } = command;
  const last = work.leads.at(-1);
  const hops = ticket.hops + (ticket.unitId === to ? 0 : 1);
  // Whoever leads now is no longer called; a call of the former lead goes on, for the matter is the same.
  const kept = work.tasks.map((task) => (isOpenTask(task) && task.unit === to && task.kind === 'whistle' ? { ...task, end: { how: 'closed' as const, at: mover.now } } : task));
  const { tasks, called } = withCalls(new Mover({ ...ticket, work: { ...work, tasks: kept } }, mover.actor, mover.now), command.calls ?? [], 'directory', to);
  const bouncedBack = last !== undefined && last !== to && work.leads.includes(to);
  return mover.go(
    { status: 'dispatched', to, acceptBy },
    {
      unitId: to, hops, versions: { ...ticket.versions, directory: command.directoryVersion }, ...command.clock,
      ...mover.works({ leads: last === to ? work.leads : [...work.leads, to], copies, objectBy: work.refused.includes(to) ? null : objectBy, tasks, timeAsked: null }),
    },
    mover.event('ticket_dispatched', {
      to, rule: command.rule, because: command.because, directory: command.directoryVersion, acceptBy,
      ...(command.way && { way: command.way }), ...idList('co', command.co), ...idList('copies', copies),
      ...(command.clock && { urgencyFrom: ticket.urgency, urgencyTo: command.clock.urgency, dueAt: command.clock.dueAt }),
    }),
    ...(called.length === 0 ? [] : [mover.event('ticket_whistled', {
      ...idList('units', called.map((task) => task.unit)), ...idList('tasks', called.map((task) => task.id)), kind: 'whistle', rule: command.rule,
      reportBy: Math.min(...called.map((task) => task.reportBy)), answerBy: Math.min(...called.map((task) => task.answerBy)),
    }, { ask: called[0]?.ask ?? '' })]),
    ...(bouncedBack || (hops >= MANY_HOPS && hops > ticket.hops) ? [mover.event('ticket_bounced', { to, hops, why: bouncedBack ? 'back_again' : 'many_hops' })] : []),
  );
}

function leaveUnrouted(mover: Mover, command: Command<'leave_unrouted'>): Moved {
  const { because, decideBy, why, rule } = command;
  return mover.go({ status: 'unrouted', because, decideBy }, {}, mover.event('ticket_unrouted', {
    because, ...(command.directoryVersion !== undefined && { directory: command.directoryVersion }), ...(why && { why }),
    ...(rule && { rule }), ...idList('rivals', command.rivals),
  }));
}

function progress(mover: Mover, { note, media = [] }: Command<'progress'>): Moved {
  const { state, media: known } = mover.ticket;
  if (state.status !== 'accepted' && state.status !== 'in_progress') return mover.refused('only an accepted ticket has progress');
  return mover.asHolder((by) => mover.go({ status: 'in_progress', by }, { media: [...known, ...media] }, mover.event('ticket_progress', { unit: by, pictures: media.length }, { note })));
}

/** 首接负责: a unit passes nothing on; within its window it may object, once. */
function object(mover: Mover, { reason, decideBy, suggests, media = [] }: Command<'return'>): Moved {
  const { work, now, ticket } = mover;
  return mover.asHolder((by) => {
    if (work.refused.includes(by)) return mover.refused('this unit’s objection was heard and refused');
    if (work.objectBy === null || now > work.objectBy) return mover.refused('the time to object is over', 'ticket.too_late');
    return mover.go({ status: 'returned', by, decideBy }, { media: [...ticket.media, ...media], ...mover.works({ timeAsked: null }) },
      mover.event('ticket_returned', { unit: by, pictures: media.length, ...(suggests !== undefined && { suggests }) }, { reason }));
  });
}

/** The dispatcher finds the unit in charge after all: it has it again, for good. */
function refuseObjection(mover: Mover, { because, acceptBy }: Command<'refuse_objection'>): Moved {
  const { ticket: { state, versions }, work, actor } = mover;
  if (state.status !== 'returned') return mover.refused('no objection is open');
  if (actor.role !== 'operator') return mover.refused('a dispatcher decides');
  return mover.go({ status: 'dispatched', to: state.by, acceptBy }, mover.works({ refused: [...work.refused, state.by], objectBy: null }),
    mover.event('ticket_objection_refused', { to: state.by, because, acceptBy, directory: versions.directory }));
}

/** One answer for the resident: what the called units owe must be in, or late. */
function resolve(mover: Mover, { answer }: Command<'resolve'>): Moved {
  const { work, now } = mover;
  const awaited = work.tasks.filter((task) => isOpenTask(task) && task.kind === 'whistle' && now <= task.answerBy);
  if (awaited.length > 0) return mover.refused(`answers are still awaited from ${awaited.map((task) => task.unit).join(', ')}`);
  return mover.asHolder((by) => {
    const settled = mover.settled();
    return mover.go({ status: 'resolved', by, resolvedAt: now }, settled, mover.event('ticket_resolved', { unit: by, late: now > settled.dueAt }, { answer }));
  });
}

function askFollowUp(mover: Mover, { giveUpAt }: Command<'ask_follow_up'>): Moved {
  const { state } = mover.ticket;
  if (state.status === 'following_up') return mover.stay({}); // asked already: the same question twice would be a nuisance
  if (state.status !== 'resolved') return mover.refused('only a resolved ticket is followed up');
  return mover.go({ status: 'following_up', by: state.by, askedAt: mover.now, giveUpAt }, {}, mover.event('ticket_follow_up_asked', { giveUpAt }));
}

function answerFollowUp(mover: Mover, { answers, dueAt, acceptBy }: Command<'answer_follow_up'>): Moved {
  const { ticket, work, now } = mover;
  const { state } = ticket;
  if (state.status !== 'following_up') return mover.refused('no follow-up is open');
  const { contacted, solved, satisfied, comment } = answers;
  const answered = mover.event('ticket_follow_up_answered', { contacted, solved, satisfied }, comment === undefined ? null : { comment });
  if (solved !== false) {
    return mover.go({ status: 'archived', outcome: { kind: 'answered', answers }, by: state.by }, {}, answered, mover.event('ticket_archived', { outcome: 'answered' }));
  }
  // Not solved: back to the same unit (首接负责), the clock starts anew and the count is shown.
  return mover.go(
    { status: 'dispatched', to: state.by, acceptBy },
    { dueAt, reopened: ticket.reopened + 1, work: { ...newWork(now), leads: work.leads, copies: work.copies, refused: work.refused, tasks: work.tasks, excluded: work.excluded } },
    answered, mover.event('ticket_reopened', {
      to: state.by, dueAt, times: ticket.reopened + 1,
      rule: FIRST_UNIT, because: '居民反映没有解决，按首接负责退回原承办单位', directory: ticket.versions.directory,
    }),
  );
}

function supplement(mover: Mover, { text, redacted, media = [] }: Command<'supplement'>): Moved {
  const { ticket } = mover;
  if (!isOpen(ticket.state.status)) return mover.refused('the ticket is closed');
  const secret = ticket.secret === null ? null : { ...ticket.secret, words: [...ticket.secret.words, text] };
  return mover.stay(
    { secret, media: [...ticket.media, ...media], description: redacted === '' ? ticket.description : `${ticket.description}\n补充：${redacted}` },
    mover.event('ticket_supplemented', { pictures: media.length }, { text }),
  );
}

function correct(mover: Mover, { changes }: Command<'correct'>): Moved {
  const { ticket } = mover;
  if (!isOpen(ticket.state.status)) return mover.refused('the ticket is closed');
  const { addressPrivate, ...plain } = changes;
  const secret = addressPrivate === undefined || ticket.secret === null ? ticket.secret : { ...ticket.secret, address: addressPrivate };
  const open = {
    ...(changes.type === undefined ? {} : { typeFrom: ticket.type, typeTo: changes.type }),
    ...(changes.urgency === undefined ? {} : { urgencyFrom: ticket.urgency, urgencyTo: changes.urgency }),
    address: changes.address !== undefined, description: changes.description !== undefined,
  };
  return mover.stay({ ...plain, secret }, mover.event('ticket_corrected', open, { changes }));
}
