import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collide } from '../../src/dispatch/choose-row.ts';
import { checkDirectory } from '../../src/dispatch/check-directory.ts';
import { loadUnits } from '../../src/dispatch/load-directory.ts';
import { readDirectory } from '../../src/dispatch/read-directory.ts';
import { routeTicket } from '../../src/dispatch/route-ticket.ts';
import type { Catalogue } from '../../src/domain/catalogue.ts';
import type { Directory, DirectoryRow, Routable } from '../../src/domain/directory.ts';
import type { UnitId } from '../../src/domain/ids.ts';

/** A city small enough to ask everything: 2 groups, 3 types, 2 districts of 2 streets. */
const type = (code: string) => ({ code, zh: code, en: code, means: '', lead: null, co: [], clock: 'd7' as const, transferOnly: false });
const catalogue = {
  version: 't', units: { x: 'x', community: '社区' }, groups: { a: { code: 'a', zh: 'a', en: 'a' }, b: { code: 'b', zh: 'b', en: 'b' } },
  types: { 'a.1': type('a.1'), 'a.2': type('a.2'), 'b.1': type('b.1') }, dispositions: {}, natures: {}, urgency: {},
} as unknown as Catalogue;
const places = new Map([['110101', 'D1'], ['110101001', 'S11'], ['110101002', 'S12'], ['110102', 'D2'], ['110102001', 'S21']]);
const UNITS = ['u0', 'u1', 'u2', 'u3', 'u4'];
const units = loadUnits(`${UNITS.map((id) => `- { kind: x, per: city, id: ${id}, name: ${id} }`).join('\n')}\n- { kind: district_government, per: district, name: "{place}" }`, places, catalogue);
const OWNERS = { red: { zh: 'red', words: ['红'] }, blue: { zh: 'blue', words: ['蓝'] } };
const AREAS = ['', '110101', '110101001', '110101002', '110102', '110102001', '110101001003'];
const TIMES = ['06:00-22:00', '22:00-06:00', '12:00-23:00', '11-15..03-15', 'sat,sun', 'mon..fri 08:00-18:00', '01-01..06-30 sat 20:00-24:00'];

const row = fc.record({
  type: fc.constantFrom('*', 'a', 'b', 'a.1', 'a.2', 'b.1'), area: fc.constantFrom(...AREAS), owner: fc.option(fc.constantFrom('red', 'blue'), { nil: undefined }),
  time: fc.option(fc.constantFrom(...TIMES), { nil: undefined }), lead: fc.constantFrom(...UNITS.map((id) => `unit:${id}`)),
});
type Written = { type: string; area: string; owner?: string | undefined; time?: string | undefined; lead: string };
const written = fc.array(row, { maxLength: 14 });

const fileOf = (rows: readonly Written[]): string => JSON.stringify({
  version: 'v', valid_from: '2026-01-01', fallback: { kind: 'district_government' }, owners: OWNERS, rows: rows.map((each, index) => ({ id: `r${index}`, ...each })),
});
const check = (rows: readonly Written[]) => checkDirectory(readDirectory('d.yaml', fileOf(rows)), { catalogue, units, places, utcOffsetMinutes: 480 });
/** The directory of these rows whether it is sound or not: each is read in a file of its own. */
const unchecked = (rows: readonly Written[]): Directory => {
  const alone = rows.map((each, index): DirectoryRow => ({ ...check([each]).directory!.rows[0]!, id: `r${index}` }));
  return { ...check([]).directory!, rows: alone };
};

/** Every hour of a Saturday and a Monday in winter and in summer. */
const MOMENTS = ['2026-11-21', '2026-11-23', '2026-07-04', '2026-07-06', '2026-02-28', '2026-03-02'].flatMap((day) => Array.from({ length: 24 }, (_, index) => Date.parse(`${day}T00:30:00+08:00`) + index * 3_600_000));
const matter: fc.Arbitrary<Routable> = fc.record({
  type: fc.constantFrom('a.1', 'a.2', 'b.1'), at: fc.constantFrom(...MOMENTS), text: fc.constantFrom('', '红', '蓝', '红蓝'),
  place: fc.constantFrom(null, ...AREAS.slice(1).map((code) => ({ district: code.slice(0, 6), street: code.length > 6 ? code.slice(0, 9) : null, community: code.length > 9 ? code : null }))),
});

/** Written again from docs/directory.md, without the code under test: every row looked at, the words of the order taken one by one. */
function oracle(rows: readonly Written[], { type: asked, place, text = '', at = 0 }: Routable): string | null {
  const here = place?.community ?? place?.street ?? place?.district ?? '';
  const owner = text === '红' ? 'red' : text === '蓝' ? 'blue' : null;
  const [day = '', clock = ''] = new Date(at + 8 * 3_600_000).toISOString().slice(0, 16).split('T');
  const weekday = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
  const around = (from: string, to: string, value: string, last: boolean): boolean => {
    const beforeEnd = last ? value <= to : value < to;
    return from <= to ? value >= from && beforeEnd : value >= from || beforeEnd;
  };
  const holds = (word: string): boolean => {
    if (word.includes(':')) return around(word.slice(0, 5), word.slice(6), clock, false);
    if (/^\d/.test(word)) return around(word.slice(0, 5), word.slice(7), day.slice(5), true);
    return word === 'mon..fri' ? !['sat', 'sun'].includes(weekday) : word.split(',').includes(weekday);
  };
  const fitting = rows.filter((each) => ['*', asked, asked[0]].includes(each.type) && here.startsWith(each.area) && (each.owner === undefined || each.owner === owner)
    && (each.time === undefined || each.time.split(' ').every(holds)));
  const keep = (left: readonly Written[], how: (each: Written) => number): readonly Written[] => left.filter((each) => how(each) === Math.max(...left.map(how)));
  const best = [(each: Written) => (each.type === '*' ? 0 : each.type.length), (each: Written) => each.area.length, (each: Written) => Number(each.owner !== undefined), (each: Written) => Number(each.time !== undefined)]
    .reduce(keep, fitting);
  return best.length === 1 ? (best[0]?.lead.slice('unit:'.length) ?? null) : null;
}
const unitOf = (directory: Directory, asked: Routable): UnitId | null => {
  const routed = routeTicket(directory, catalogue, asked);
  return routed.kind === 'routed' ? routed.to : null;
};

describe('random directories', () => {
  test('route as a brute-force reading of the written order does', () => {
    fc.assert(fc.property(written, fc.array(matter, { minLength: 1, maxLength: 12 }), (rows, matters) => {
      const directory = unchecked(rows);
      for (const each of matters) expect(unitOf(directory, each)).toBe(oracle(rows, each));
    }), { numRuns: 300 });
  });

  test('a further row changes nothing outside its own subtree', () => {
    fc.assert(fc.property(written, row, matter, (rows, more, asked) => {
      const here = asked.place?.community ?? asked.place?.street ?? asked.place?.district ?? '';
      fc.pre(!here.startsWith(more.area));
      const [before, after] = [rows, [...rows, more]].map((each) => routeTicket(unchecked(each), catalogue, asked));
      // Unrouted may be told in other words: 「where is it?」 once there is a row for some place.
      if (before?.kind === 'unrouted') expect(after?.kind).toBe('unrouted');
      else expect(after).toEqual(before);
    }), { numRuns: 300 });
  });

  test('what the validator accepts never leaves two rows equal; what it refuses for an overlap does, where only those two stand', () => {
    fc.assert(fc.property(written, fc.array(matter, { minLength: 1, maxLength: 12 }), (rows, matters) => {
      const { directory, mistakes } = check(rows);
      for (const each of matters) if (directory) expect(routeTicket(directory, catalogue, each)).not.toMatchObject({ why: 'rivals' });
      expect(mistakes.every(({ says }) => says.startsWith('overlaps'))).toBe(true);
      const [one] = mistakes;
      const [second, first] = one ? [/row (\d+)/.exec(one.where), /row (\d+)/.exec(one.says)].map((found) => rows[Number(found?.[1]) - 1]!) : [];
      if (!first || !second) return;
      const { rows: [a, b], ...pair } = unchecked([first, second]);
      expect(collide(a!, b!)).toBe(true);
      const everywhere = { district: first.area.slice(0, 6), street: first.area.slice(0, 9), community: first.area };
      const asked = MOMENTS.flatMap((at) => ['a.1', 'a.2', 'b.1'].flatMap((code) => ['红', '蓝'].map((text): Routable => ({ type: code, at, text, place: everywhere }))));
      const equal = asked.some((each) => routeTicket({ ...pair, rows: [a!, b!] }, catalogue, each).kind === 'unrouted' && (routeTicket({ ...pair, rows: [a!, b!] }, catalogue, each) as { why: string }).why === 'rivals');
      expect(equal, JSON.stringify([first, second])).toBe(true);
    }), { numRuns: 200 });
  });
});
