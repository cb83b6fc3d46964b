import chineseDays from 'chinese-days';
import type { WorkdayCalendar } from './deadlines.ts';

/**
 * Holidays and make-up workdays by the State Council's yearly notices, from `chinese-days`. For a year whose notice it does not
 * hold yet that library answers as if there were no holidays; then weekends alone are free, and `onUnknownYear` is told once a year.
 */
export function chinaCalendar(onUnknownYear: (year: number) => void): WorkdayCalendar {
  const known = new Map<number, boolean>();
  const isKnown = (year: number): boolean => {
    let yes = known.get(year);
    if (yes === undefined) {
      // New Year's Day is a holiday in every notice; a year where it is none has no notice here.
      yes = chineseDays.isHoliday(`${year}-01-01`) && chineseDays.getDayDetail(`${year}-01-01`).name.includes(',');
      known.set(year, yes);
      if (!yes) onUnknownYear(year);
    }
    return yes;
  };
  return {
    isWorkday(day) {
      if (isKnown(Number(day.slice(0, 4)))) return chineseDays.isWorkday(day);
      const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
      return weekday !== 0 && weekday !== 6;
    },
  };
}
