import type { Instant } from '../domain/ids.ts';
import type { Urgency } from '../domain/understanding.ts';

/** Whether a day (`YYYY-MM-DD`, the city's time) is worked; make-up workdays (调休) are, holidays are not. */
export interface WorkdayCalendar {
  isWorkday(day: string): boolean;
}

export type CountMode = 'calendar' | 'workdays';

export interface DeadlinePolicy {
  /** Class → how its days count. All four run in calendar time unless the city says otherwise. */
  readonly modes: Readonly<Record<Urgency, CountMode>>;
  readonly calendar: WorkdayCalendar;
  /** Minutes the city is ahead of UTC; China keeps one time all year. */
  readonly utcOffsetMinutes: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 2 hours, 24 hours, 7 days, 15 days (opinion of 2020-11-05, see docs/adr/0006). */
export const ALLOWED: Readonly<Record<Urgency, { readonly ms: number; readonly days: number }>> = {
  h2: { ms: 2 * HOUR_MS, days: 0 }, h24: { ms: DAY_MS, days: 1 }, d7: { ms: 7 * DAY_MS, days: 7 }, d15: { ms: 15 * DAY_MS, days: 15 },
};

/**
 * When a ticket of this class is due. In calendar time: `from` plus the class's span. In workdays: the same time of day on the
 * n-th workday after the day of `from`; a span of hours (h2) always runs in calendar time, for danger keeps no holidays.
 */
export function dueAt(urgency: Urgency, from: Instant, policy: DeadlinePolicy): Instant {
  const allowed = ALLOWED[urgency];
  if (policy.modes[urgency] === 'calendar' || allowed.days === 0) return from + allowed.ms;
  return addWorkdays(from, allowed.days, policy);
}

/** The same time of day on the n-th workday after the day of `from`. */
export function addWorkdays(from: Instant, workdays: number, policy: Pick<DeadlinePolicy, 'calendar' | 'utcOffsetMinutes'>): Instant {
  let at = from;
  let left = workdays;
  while (left > 0) {
    at += DAY_MS;
    if (policy.calendar.isWorkday(dayOf(at, policy.utcOffsetMinutes))) left -= 1;
  }
  return at;
}

/**
 * 派单异议期: `workdays` workdays, but never more than half of the time that is left, so that an objection never eats up an urgent matter.
 * The length is the city's own (no source names one for all).
 */
export function objectBy(ticket: { readonly dueAt: Instant }, now: Instant, workdays: number, policy: Pick<DeadlinePolicy, 'calendar' | 'utcOffsetMinutes'>): Instant {
  return Math.min(addWorkdays(now, workdays, policy), now + Math.max(0, Math.round((ticket.dueAt - now) / 2)));
}

/** `YYYY-MM-DD` in the city's time. */
export function dayOf(at: Instant, utcOffsetMinutes: number): string {
  return new Date(at + utcOffsetMinutes * 60_000).toISOString().slice(0, 10);
}
