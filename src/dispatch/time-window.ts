import type { TimeWindow } from '../domain/directory.ts';
import type { Instant } from '../domain/ids.ts';

/** A moment as a clock on the wall shows it. */
export interface LocalTime {
  /** `MM-DD`. */
  readonly monthDay: string;
  /** 1 = Monday … 7 = Sunday. */
  readonly weekday: number;
  /** Minute of the day. */
  readonly minute: number;
}

export function localTime(at: Instant, utcOffsetMinutes: number): LocalTime {
  const local = new Date(at + utcOffsetMinutes * 60_000);
  return { monthDay: local.toISOString().slice(5, 10), weekday: local.getUTCDay() || 7, minute: local.getUTCHours() * 60 + local.getUTCMinutes() };
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAYS_ZH = ['一', '二', '三', '四', '五', '六', '日'] as const;
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Reads `11-15..03-15 mon..fri 22:00-06:00`: season, weekdays and hours, in any order, each at most once, at least one of them.
 * @returns a sentence where it is none
 */
export function parseTimeWindow(text: string): TimeWindow | string {
  let season: TimeWindow['season'] = null;
  let weekdays: TimeWindow['weekdays'] = null;
  let hours: TimeWindow['hours'] = null;
  for (const word of text.trim().split(/\s+/)) {
    const days = parseSeason(word);
    const week = parseWeekdays(word);
    const clock = parseHours(word);
    if (days && season === null) season = days;
    else if (week && weekdays === null) weekdays = week;
    else if (clock && hours === null) hours = clock;
    else return days || week || clock ? `"${word}" repeats what the time "${text}" has said` : `"${word}" is no season (11-15..03-15), weekdays (mon..fri or sat,sun) or hours (22:00-06:00)`;
  }
  return { season, weekdays, hours };
}

function parseSeason(word: string): TimeWindow['season'] {
  const found = /^(\d\d-\d\d)\.\.(\d\d-\d\d)$/.exec(word);
  const [from, to] = [found?.[1] ?? '', found?.[2] ?? ''];
  return isMonthDay(from) && isMonthDay(to) ? { from, to } : null;
}

function isMonthDay(text: string): boolean {
  const day = Number(text.slice(3));
  return day >= 1 && day <= (DAYS_OF_MONTH[Number(text.slice(0, 2)) - 1] ?? 0);
}

function parseWeekdays(word: string): readonly number[] | null {
  const numberOf = (name: string): number => DAYS.indexOf(name as (typeof DAYS)[number]) + 1;
  const [from, to, more] = word.split('..').map(numberOf);
  if (word.includes('..')) {
    if (!from || !to || more !== undefined) return null;
    return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => ((from - 1 + index) % 7) + 1).sort();
  }
  const days = word.split(',').map(numberOf);
  return days.includes(0) ? null : [...new Set(days)].sort();
}

function parseHours(word: string): TimeWindow['hours'] {
  const found = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/.exec(word);
  if (!found) return null;
  const [from, to] = [Number(found[1]) * 60 + Number(found[2]), Number(found[3]) * 60 + Number(found[4])];
  return from === to || to > 1_440 ? null : { from, to };
}

/** Hours that run over midnight belong to the day on which the clock shows them: `fri 22:00-06:00` is Friday before 6 and after 22. */
export function covers({ season, weekdays, hours }: TimeWindow, at: LocalTime): boolean {
  return (season === null || inSeason(season, at.monthDay)) && (weekdays === null || weekdays.includes(at.weekday)) && (hours === null || inHours(hours, at.minute));
}

/** Whether there is a moment that both cover. Any day of the year falls on every weekday in some year, so the parts are independent. */
export function overlap(a: TimeWindow, b: TimeWindow): boolean {
  const seasons = a.season === null || b.season === null || inSeason(a.season, b.season.from) || inSeason(b.season, a.season.from);
  const days = a.weekdays === null || b.weekdays === null || a.weekdays.some((day) => b.weekdays?.includes(day));
  const hours = a.hours === null || b.hours === null || inHours(a.hours, b.hours.from) || inHours(b.hours, a.hours.from);
  return seasons && days && hours;
}

const inSeason = ({ from, to }: NonNullable<TimeWindow['season']>, day: string): boolean => (from <= to ? day >= from && day <= to : day >= from || day <= to);
const inHours = ({ from, to }: NonNullable<TimeWindow['hours']>, minute: number): boolean => (from < to ? minute >= from && minute < to : minute >= from || minute < to);

/** 「11月15日至3月15日22:00至06:00」. */
export function timeWindowZh({ season, weekdays, hours }: TimeWindow): string {
  const day = (text: string): string => `${Number(text.slice(0, 2))}月${Number(text.slice(3))}日`;
  const clock = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return [
    season === null ? '' : `${day(season.from)}至${day(season.to)}`,
    weekdays === null ? '' : `周${weekdays.map((number) => DAYS_ZH[number - 1]).join('、')}`,
    hours === null ? '' : `${clock(hours.from)}至${clock(hours.to)}`,
  ].join('');
}
