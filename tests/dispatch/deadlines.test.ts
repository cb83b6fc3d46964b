import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chinaCalendar } from '../../src/dispatch/china-calendar.ts';
import { addWorkdays, ALLOWED, dayOf, dueAt, type DeadlinePolicy } from '../../src/dispatch/deadlines.ts';

const unknown: number[] = [];
const calendar = chinaCalendar((year) => unknown.push(year));
const BEIJING = 480;
const at = (local: string): number => Date.parse(`${local}:00+08:00`);
const policy = (mode: 'calendar' | 'workdays'): DeadlinePolicy => ({ modes: { h2: mode, h24: mode, d7: mode, d15: mode }, calendar, utcOffsetMinutes: BEIJING });

describe('workdays', () => {
  test.each([
    ['2026-09-30T16:00', 1, '2026-10-08T16:00', 'eve of National Day: 1–7 October do not count'],
    ['2026-10-09T16:00', 1, '2026-10-10T16:00', 'Saturday 10 October is a make-up workday (调休)'],
    ['2026-11-20T09:30', 1, '2026-11-23T09:30', 'Friday to Monday'],
    ['2026-11-21T09:30', 1, '2026-11-23T09:30', 'opened on a Saturday'],
    ['2026-11-23T23:59', 7, '2026-12-02T23:59', 'seven workdays over a weekend'],
    ['2025-12-31T10:00', 1, '2026-01-04T10:00', 'New Year 1–3 January; Sunday 4 January is worked'],
  ])('%s + %i workday(s) → %s (%s)', (opened, workdays, due) => {
    expect(addWorkdays(at(opened), workdays, policy('workdays'))).toBe(at(due));
  });

  test('the day counts in the city’s time, not in UTC', () => {
    expect(dayOf(Date.parse('2026-11-22T16:30:00Z'), BEIJING)).toBe('2026-11-23');
  });

  test('a year without a notice is said aloud and falls back to weekends', () => {
    expect(calendar.isWorkday('2039-01-03')).toBe(true);
    expect(calendar.isWorkday('2039-01-01')).toBe(false);
    expect(unknown).toContain(2039);
  });

  test('against an oracle that walks day by day', () => {
    const dayMs = 86_400_000;
    fc.assert(fc.property(fc.integer({ min: at('2025-01-01T00:00'), max: at('2026-11-01T00:00') }), fc.integer({ min: 1, max: 15 }), (from, days) => {
      const due = addWorkdays(from, days, policy('workdays'));
      let worked = 0;
      for (let day = from + dayMs; day <= due; day += dayMs) if (calendar.isWorkday(dayOf(day, BEIJING))) worked += 1;
      expect(worked).toBe(days);
      expect(calendar.isWorkday(dayOf(due, BEIJING))).toBe(true);
      expect((due - from) % dayMs).toBe(0);
    }));
  });
});

test('all four classes run in calendar time by default', () => {
  for (const urgency of ['h2', 'h24', 'd7', 'd15'] as const) expect(dueAt(urgency, 5, policy('calendar'))).toBe(5 + ALLOWED[urgency].ms);
});

test('danger keeps no holidays: two hours run through whatever the mode', () => {
  expect(dueAt('h2', at('2026-10-01T00:00'), policy('workdays'))).toBe(at('2026-10-01T02:00'));
});
