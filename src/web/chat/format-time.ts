import { strings } from './strings.zh.ts';

const DAY_MS = 86_400_000;
const two = (value: number): string => String(value).padStart(2, '0');
/**
 * The city's clock, not the device's: a deadline on a card and the same deadline in a sentence must be one. China keeps one
 * offset all year, so a date shifted by it may be read in UTC.
 */
const CITY_OFFSET_MS = 8 * 3_600_000;
const inCity = (at: number): Date => new Date(at + CITY_OFFSET_MS);
const startOfDay = (at: number): number => Math.floor((at + CITY_OFFSET_MS) / DAY_MS) * DAY_MS;

/** As a chat shows it: 今天 is left out, 昨天 is said, another year is written out. The city's time. */
export function formatTime(at: number, now: number): string {
  const date = inCity(at);
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
  if (days === 0) return clock;
  if (days === 1) return `${strings.days.yesterday} ${clock}`;
  return `${formatDay(date, now)} ${clock}`;
}

/** A moment that is to come: the day is always said. */
export function formatDeadline(at: number, now: number): string {
  const date = inCity(at);
  const day = startOfDay(at) === startOfDay(now) ? strings.days.today : formatDay(date, now);
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

function formatDay(date: Date, now: number): string {
  const day = `${date.getUTCMonth() + 1}月${date.getUTCDate()}日`;
  return date.getUTCFullYear() === inCity(now).getUTCFullYear() ? day : `${date.getUTCFullYear()}年${day}`;
}
