import { isUnderWay, type TicketCommand } from '../domain/ticket.ts';
import type { Stage } from '../domain/ticket-work.ts';
import type { Moved, Mover } from './mover.ts';

type Command<K extends TicketCommand['do']> = Extract<TicketCommand, { do: K }>;

/** Art. 15: more time is asked before the time is over, with the reason and the new date. The clock runs on until somebody decides. */
export function askTime(mover: Mover, { want, reason, until, decideBy }: Command<'ask_time'>): Moved {
  const { ticket, work, now } = mover;
  if (ticket.state.status !== 'accepted' && ticket.state.status !== 'in_progress') return mover.refused('only a unit that has accepted asks for time');
  if (work.timeAsked) return mover.refused('a request is being decided already');
  if (work.pause) return mover.refused('the clock is stopped already');
  if (now >= ticket.dueAt) return mover.refused('time is asked for before the deadline, not after it', 'ticket.too_late');
  if (until <= now || (want === 'extend' && until <= ticket.dueAt)) return mover.refused('the new date must lie after the present one');
  return mover.asHolder((holder) =>
    mover.stay(mover.works({ timeAsked: { want, by: holder, at: now, until, decideBy, reason } }), mover.event('ticket_time_asked', { unit: holder, want, until, decideBy, because: reason })));
}

/** A named person grants it: the resident is told reason and date. */
export function grantTime(mover: Mover, { because, stage }: Command<'grant_time'>): Moved {
  const { ticket, work, now, actor } = mover;
  const asked = work.timeAsked;
  if (!asked || !isUnderWay(ticket.state.status)) return mover.refused('no request is open');
  if (actor.role !== 'operator') return mover.refused('a person of the city decides, not the side that asks');
  const told = { unit: asked.by, want: asked.want, reason: asked.reason, because };
  switch (asked.want) {
    case 'extend':
      return mover.stay({ dueAt: asked.until, ...mover.works({ timeAsked: null, reminded: null, escalated: null }) }, mover.event('ticket_time_granted', { ...told, from: ticket.dueAt, dueAt: asked.until }));
    case 'pause': {
      const until = Math.max(now, asked.until);
      const dueAt = ticket.dueAt + (until - now);
      return mover.stay(
        { dueAt, ...mover.works({ timeAsked: null, pause: { since: now, until, reason: asked.reason } }) },
        mover.event('ticket_time_granted', { ...told, from: ticket.dueAt, dueAt, until }),
      );
    }
    case 'stages':
      if (!stage) return mover.refused('the first stage is missing');
      return mover.stay({ ...enter(mover, stage) }, mover.event('ticket_time_granted', { ...told, from: ticket.dueAt, dueAt: stage.until, stage: stage.name, next: stage.next }));
    default: return asked.want satisfies never;
  }
}

export function refuseTime(mover: Mover, { because }: Command<'refuse_time'>): Moved {
  const { work: { timeAsked }, actor } = mover;
  if (!timeAsked) return mover.refused('no request is open');
  if (actor.role !== 'operator') return mover.refused('a person of the city decides, not the side that asks');
  return mover.stay(mover.works({ timeAsked: null }), mover.event('ticket_time_refused', { unit: timeAsked.by, want: timeAsked.want, reason: timeAsked.reason, because }));
}

/** What of the pause was not used is given back. */
export function resume(mover: Mover, { reason }: Command<'resume'>): Moved {
  const { work: { pause }, actor } = mover;
  if (!pause) return mover.refused('the clock is not stopped');
  if (actor.role === 'unit' && actor.unitId !== mover.holder) return mover.refused('only the unit that holds the ticket may do this');
  const dueAt = mover.dueWithoutPause();
  return mover.stay({ dueAt, ...mover.works({ pause: null }) }, mover.event('ticket_resumed', { because: reason, dueAt }));
}

/** 挂账: the next legal stage, with its date. A stage ends the one before it. */
export function enterStage(mover: Mover, { stage, note }: Command<'enter_stage'>): Moved {
  const { ticket, work } = mover;
  if (!work.stage) return mover.refused('a first stage is asked for and granted');
  if (!isUnderWay(ticket.state.status)) return mover.refused('the ticket is no longer under way');
  if (stage.until <= mover.now) return mover.refused('a stage ends in the future');
  return mover.asHolder((holder) =>
    mover.stay(enter(mover, stage), mover.event('ticket_stage_entered', { unit: holder, stage: stage.name, key: stage.key, next: stage.next, dueAt: stage.until }, { note })));
}

function enter(mover: Mover, stage: Stage) {
  return { dueAt: stage.until, ...mover.works({ stage, clockFrom: mover.now, reminded: null, escalated: null, timeAsked: null, pause: null }) };
}
