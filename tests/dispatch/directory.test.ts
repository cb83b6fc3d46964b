import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCity } from '../../src/app.ts';
import { directoryInForce } from '../../src/dispatch/check-directory.ts';
import { checkFiles, loadDirectories, loadUnits, parsePlaces } from '../../src/dispatch/load-directory.ts';
import { mistakeText } from '../../src/dispatch/read-directory.ts';
import { goesElsewhere } from '../../src/dispatch/replay.ts';
import { routeTicket } from '../../src/dispatch/route-ticket.ts';
import type { Directory, Routable } from '../../src/domain/directory.ts';
import type { UnitId } from '../../src/domain/ids.ts';
import type { Place } from '../../src/domain/understanding.ts';
import { ROOT } from '../fakes/test-app.ts';

const cityDir = join(ROOT, 'config', 'beijing');
const { catalogue, units, directories } = loadCity({ CITY_DIR: cityDir });
const read = (name: string): string => readFileSync(join(cityDir, name), 'utf8');
const places = parsePlaces(read('places.csv'));
const city = { catalogue, units, places, utcOffsetMinutes: 480 };
const sample = directoryInForce(directories, '2026-11-24');
const xiluoyuan: Place = { district: '110106', street: '110106003', community: '110106003002' };
const fengtai: Place = { district: '110106', street: null, community: null };
const route = (type: string, place: Place | null, more: Partial<Routable> = {}) => routeTicket(sample, catalogue, { type, place, ...more });
const beijing = (time: string): number => Date.parse(`${time}+08:00`);

describe('routing in the sample city', () => {
  test.each([
    ['utilities.water', xiluoyuan, 'water-110106'], ['housing.property_service', xiluoyuan, 'property-110106003'], ['noise.social', xiluoyuan, 'police-110106'],
    ['housing.owners_committee', xiluoyuan, 'subdistrict-110106003'], ['traffic.public_transit', null, 'transport'], ['utilities.telecom', xiluoyuan, 'telecom'],
    ['roads.lighting', { district: '110105', street: null, community: null }, 'urban_management-110105'],
  ])('%s goes straight to the unit of its place', (type, place, unit) => {
    expect(route(type, place)).toMatchObject({ kind: 'routed', way: 'direct', to: unit, version: 'sample-2026-11', rule: type });
  });

  test('the reason is a sentence a resident can read: the place, the matter, the unit', () => {
    expect(route('utilities.water', xiluoyuan).because).toBe('按派单目录，丰台区西罗园街道的「供水」由丰台区供水服务中心负责');
  });

  test('the district gets a copy of a clear matter; a city that asks for no more than art. 12 copies what goes to its streets', () => {
    expect(route('utilities.water', xiluoyuan)).toMatchObject({ copies: ['district_government-110106'], co: ['property-110106003', 'subdistrict-110106003'] });
    const strict: Directory = { ...sample!, copies: 'streets' };
    expect(routeTicket(strict, catalogue, { type: 'utilities.water', place: xiluoyuan })).toMatchObject({ copies: [] });
    expect(routeTicket(strict, catalogue, { type: 'housing.owners_committee', place: xiluoyuan })).toMatchObject({ copies: ['district_government-110106'] });
  });

  test('where a street’s unit would act and only the district is known, the district takes it (兜底)', () => {
    const routed = route('housing.property_service', fengtai);
    expect(routed).toMatchObject({ kind: 'routed', way: 'district', to: 'district_government-110106', rule: 'housing.property_service', copies: [] });
    expect(routed.because).toMatch(/现在只知道在丰台区.*先派给丰台区人民政府/);
  });

  test.each([
    ['utilities.water', null, 'place_unknown', '哪个区'], ['other.unclassified', xiluoyuan, 'no_rule', '派单员'], ['other.unclassified', fengtai, 'no_rule', '派单员'],
    ['government.conduct', xiluoyuan, 'not_dispatched', '法定渠道'], ['rural.land', xiluoyuan, 'confer', '先会商再派单'],
    ['utilities.water', { district: '999999', street: null, community: null }, 'no_unit', '派单员'],
  ])('%s at %o is hard (%s): unrouted with its reason, never a default unit', (type, place, why, reason) => {
    const routed = route(type, place);
    expect(routed).toMatchObject({ kind: 'unrouted', why, version: 'sample-2026-11' });
    expect(routed.because).toContain(reason);
  });

  test('a discussion names the row that asks for it and the units that confer', () => {
    expect(route('rural.land', xiluoyuan)).toMatchObject({ rule: 'reclaimed-land', rivals: ['agriculture-110106', 'planning-110106'] });
  });

  test('the owner named in the words decides; no owner or two are no reason to leave the general row', () => {
    expect(route('roads.lighting', xiluoyuan, { text: '小区里三盏路灯不亮' })).toMatchObject({ to: 'property-110106003', rule: 'lighting-compound' });
    expect(route('roads.lighting', xiluoyuan, { text: '小区里和马路上的路灯都不亮' })).toMatchObject({ to: 'urban_management-110106', rule: 'roads.lighting' });
    expect(route('roads.lighting', xiluoyuan)).toMatchObject({ rule: 'roads.lighting' });
  });

  test.each([
    ['utilities.heating', '2026-11-14T12:00', 'utilities.heating', 'the day before the season'], ['utilities.heating', '2026-11-15T00:00', 'heating-season', 'its first minute'],
    ['utilities.heating', '2027-03-15T23:59', 'heating-season', 'its last minute'], ['utilities.heating', '2027-03-16T00:00', 'utilities.heating', 'the day after'],
    ['city_appearance.vendors', '2026-11-24T21:59', 'city_appearance.vendors', 'before the night'], ['city_appearance.vendors', '2026-11-24T22:00', 'vendors-night', 'the night begins'],
    ['city_appearance.vendors', '2026-11-25T05:59', 'vendors-night', 'over midnight'], ['city_appearance.vendors', '2026-11-25T06:00', 'city_appearance.vendors', 'the night is over'],
  ])('%s reported at %s falls under row %s: %s', (type, time, rule) => {
    expect(route(type, xiluoyuan, { at: beijing(time) })).toMatchObject({ rule });
  });

  test('every type that may be dispatched has a unit in each of the 349 streets of the 16 districts', () => {
    const streets = [...places.keys()].filter((code) => code.length === 9);
    expect(streets).toHaveLength(349);
    expect(new Set(streets.map((code) => code.slice(0, 6))).size).toBe(16);
    for (const type of Object.values(catalogue.types)) {
      if (type.lead === null || type.transferOnly || type.code === 'rural.land') continue;
      for (const street of streets) expect(route(type.code, { district: street.slice(0, 6), street, community: null }).kind, `${type.code} ${street}`).toBe('routed');
    }
  });

  test('the sample is what its script writes from catalogue and gazetteer', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'sample-directory.mjs'), '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

const HEAD = 'version: v\nvalid_from: 2026-01-01\nfallback: { kind: district_government }\nowners: { compound: { zh: 小区内, words: [小区里] } }\ncommunity_duties: [culture.facilities]\n';
const told = (rows: string, head = HEAD, knowledge = city): readonly string[] => checkFiles([{ name: 'd.yaml', text: `${head}rows:\n${rows}` }], knowledge).mistakes.map(mistakeText);

describe('the validator names file, row and mistake in a sentence', () => {
  test.each([
    ['{ id: a, type: no.such, lead: water }', /^d\.yaml row 1 \(a\): the catalogue has no type no\.such$/],
    ['{ id: a, type: government.conduct, lead: police }', /row 1 \(a\).*never dispatched/],
    ['{ id: a, type: "*", lead: community }', /row 1 \(a\).*can't lead \*.*art\. 17/],
    ['{ id: a, type: utilities.water, lead: { unit: nobody } }', /row 1 \(a\): there is no unit nobody$/],
    ['{ id: a, type: utilities.water, lead: wizard }', /row 1 \(a\): there is no kind of unit wizard$/],
    ['{ id: a, type: utilities.water, lead: water, co: [wizard] }', /row 1 \(a\): there is no kind of unit wizard$/],
    ['{ id: a, type: "*", area: "12", lead: water }', /row 1 \(a\): the area "12" is no administrative code/],
    ['{ id: a, type: "*", area: "110106999", lead: water }', /row 1 \(a\): the city has no street 110106999/],
    ['{ id: a, type: "*", area: "999999001001", lead: water }', /row 1 \(a\): the city has no district 999999/],
    ['{ id: a, type: "*", owner: moon, lead: water }', /row 1 \(a\): there is no owner moon/],
    ['{ id: a, type: "*", time: "25:00-26:00", lead: water }', /row 1 \(a\): "25:00-26:00" is no season/],
    ['{ id: a, type: "*" }', /row 1 \(a\): the row names neither a lead/],
    ['{ id: a, type: "*", lead: water, confer: [gas, power] }', /row 1 \(a\): the row names a lead and also/],
    ['{ id: a, type: "*", confer: [gas] }', /row 1 \(a\): one unit alone cannot confer/],
    ['{ id: a, type: "*", lead: water, colour: red }', /row 1 \(a\): there is no key "colour" here/],
    ['{ type: "*", lead: water }', /row 1: "id" is missing/],
    ['{ id: a, type: "*", lead: water, clock: h3 }', /row 1 \(a\): "clock"/],
  ])('%s', (row, message) => {
    const mistakes = told(`  - ${row}`);
    expect(mistakes.filter((mistake) => message.test(mistake)), mistakes.join('\n')).toHaveLength(1);
  });

  test('a community leads what stands in its list, and nothing else', () => {
    expect(told('  - { id: a, type: culture.facilities, lead: community }')).toEqual([]);
    expect(told('  - { id: a, type: culture, lead: community }')).toHaveLength(1);
    expect(told('  - { id: a, type: noise.social, confer: [police, community] }')).toHaveLength(1);
    expect(told('  - { id: a, type: noise.social, lead: police, co: [community] }')).toEqual([]);
    const withOne = { ...city, units: loadUnits(`${read('units.yaml')}\n- { kind: community, per: one, area: "110106003002", name: 西罗园第二社区居委会 }`, places, catalogue) };
    expect(told('  - { id: a, type: noise.social, lead: "unit:community-110106003002" }', HEAD, withOne)).toEqual([expect.stringMatching(/art\. 17/)]);
  });

  test.each([
    ['{ id: a, type: noise, lead: police }', '{ id: b, type: noise, lead: environment }', true],
    ['{ id: a, type: noise, lead: police }', '{ id: b, type: noise.social, lead: environment }', false],
    ['{ id: a, type: noise, area: "110106", lead: police }', '{ id: b, type: noise, area: "110106003", lead: environment }', false],
    ['{ id: a, type: noise, lead: police }', '{ id: b, type: noise, owner: compound, lead: environment }', false],
    ['{ id: a, type: noise, lead: police }', '{ id: b, type: noise, time: "22:00-06:00", lead: environment }', false],
    ['{ id: a, type: noise, time: "05:00-12:00", lead: police }', '{ id: b, type: noise, time: "22:00-06:00", lead: environment }', true],
    ['{ id: a, type: noise, time: "06:00-22:00", lead: police }', '{ id: b, type: noise, time: "22:00-06:00", lead: environment }', false],
    ['{ id: a, type: noise, time: "mon..fri 22:00-06:00", lead: police }', '{ id: b, type: noise, time: "sat,sun 22:00-06:00", lead: environment }', false],
    ['{ id: a, type: noise, time: "11-15..03-15", lead: police }', '{ id: b, type: noise, time: "03-15..11-14 mon", lead: environment }', true],
  ])('%s and %s overlap: %s', (a, b, overlaps) => {
    expect(told(`  - ${a}\n  - ${b}`)).toEqual(overlaps ? [expect.stringMatching(/^d\.yaml row 2 \(b\): overlaps d\.yaml row 1 \(a\)/)] : []);
  });

  test('all mistakes are told at once, those of the header too', () => {
    const mistakes = told('  - { id: a, type: x, lead: y }\n  - { id: a, type: "*", lead: water }', 'version: v\nvalid_from: 2026-02-30\nfallback: { kind: telecom }\n');
    expect(mistakes.filter((mistake) => mistake.includes('has no fallback'))).toHaveLength(16);
    expect(mistakes.filter((mistake) => !mistake.includes('has no fallback'))).toEqual([
      expect.stringContaining('2026-02-30'), expect.stringContaining('no type x'), expect.stringContaining('no kind of unit y'), expect.stringContaining('used twice'),
    ]);
    expect(told('  - { id: a, type: x, lead: water }', 'version: v\n')).toEqual(['d.yaml: "valid_from" is missing', 'd.yaml: "fallback" is missing', 'd.yaml row 1 (a): the catalogue has no type x']);
  });

  test('what is no YAML is told with its line; starting with any mistake is refused', () => {
    expect(told('  - { id: a, type: "*" lead')[0]).toMatch(/^d\.yaml: not valid YAML: .*line 7/);
    const start = () => loadDirectories([{ name: 'd.yaml', text: `${HEAD}rows:\n  - { id: a, type: x, lead: y }` }], city);
    expect(start).toThrow(expect.objectContaining({ code: 'directory.invalid', message: 'd.yaml row 1 (a): the catalogue has no type x\nd.yaml row 1 (a): there is no kind of unit y' }) as Error);
  });

  test('types without a row are noted, not refused', () => {
    const { mistakes, notes } = checkFiles([{ name: 'd.yaml', text: `${HEAD}rows:\n  - { id: a, type: utilities, lead: { unit: telecom } }` }], city);
    expect(mistakes).toEqual([]);
    expect(notes.map(mistakeText).join()).toMatch(/no row for housing\.property_service/);
  });

  test('a unit of an unknown kind is refused', () => {
    expect(() => loadUnits('- { kind: wizard, per: city, name: x }', places, catalogue)).toThrow(/units\.yaml row 1.*wizard/);
  });
});

describe('versions by date', () => {
  const version = (name: string, from: string, to?: string) => ({ name: `directory-${name}.yaml`, text: HEAD.replace('version: v', `version: ${name}`).replace('2026-01-01', `${from}${to === undefined ? '' : `\nvalid_to: ${to}`}`) + 'rows: []' });
  const dates = (...files: readonly ReturnType<typeof version>[]): readonly string[] => checkFiles(files, city).mistakes.map(mistakeText);

  test.each([
    ['one after the other', [version('a', '2026-01-01', '2026-06-30'), version('b', '2026-07-01')], []],
    ['the earlier ends where the next begins', [version('b', '2026-07-01'), version('a', '2026-01-01')], []],
    ['two from the same day', [version('a', '2026-01-01'), version('b', '2026-01-01')], [/directory-b\.yaml: begins on 2026-01-01, the same day as directory-a\.yaml: the two overlap/]],
    ['days of both', [version('a', '2026-01-01', '2026-07-01'), version('b', '2026-07-01')], [/the two overlap/]],
    ['days of none', [version('a', '2026-01-01', '2026-06-29'), version('b', '2026-07-01')], [/ends on 2026-06-29: the days between are a hole/]],
    ['nothing follows', [version('a', '2026-01-01', '2026-12-31')], [/from 2027-01-01 on there is a hole/]],
    ['one name twice', [version('a', '2026-01-01'), version('a', '2026-02-01')], [/is also that of/]],
    ['ends before it begins', [version('a', '2026-02-01', '2026-01-01'), version('b', '2026-03-01')], [/before it begins/, /a hole/]],
  ])('%s', (_name, files, messages) => {
    expect(dates(...files)).toEqual(messages.map((message) => expect.stringMatching(message) as string));
  });

  test('the last that has begun holds; before the first, nothing does, and a dispatcher sees it', () => {
    const loaded = loadDirectories([version('a', '2026-01-01'), version('b', '2026-07-01')], city);
    expect(['2025-12-31', '2026-01-01', '2026-06-30', '2026-07-01'].map((day) => directoryInForce(loaded, day)?.version ?? null)).toEqual([null, 'a', 'a', 'b']);
    expect(routeTicket(null, catalogue, { type: 'utilities.water', place: xiluoyuan })).toMatchObject({ kind: 'unrouted', why: 'no_directory' });
  });
});

describe('a directory as CSV', () => {
  const csv = [
    '\ufeff# version: c-1,,,,', '# valid_from: 2026-01-01', '# fallback: district_government', '# owner compound: 小区内 = 小区里 院里', '# community_duties: culture.facilities', '# a remark',
    'id,type,area,owner,time,lead,co,confer,clock', 'water,utilities.water,,,,water,property subdistrict,,h24', 'lamp,roads.lighting,110106,compound,"22:00-06:00 sat,sun",unit:telecom,,,', 'land,rural.land,,,,,,agriculture planning,', '',
  ];
  test('says the same as YAML', () => {
    const { mistakes, directories: [directory] } = checkFiles([{ name: 'd.csv', text: csv.join('\r\n') }], city);
    expect(mistakes).toEqual([]);
    expect(directory).toMatchObject({ version: 'c-1', validFrom: '2026-01-01', fallback: 'district_government' });
    expect(directory?.rows).toMatchObject([
      { id: 'water', to: { lead: { kind: 'water' } }, co: [{ kind: 'property' }, { kind: 'subdistrict' }], clock: 'h24', owner: null, time: null },
      { id: 'lamp', area: '110106', owner: 'compound', time: { weekdays: [6, 7], hours: { from: 1320, to: 360 } }, to: { lead: { unit: 'telecom' } } },
      { id: 'land', to: { confer: [{ kind: 'agriculture' }, { kind: 'planning' }] } },
    ]);
  });
  test('names the line', () => {
    const bad = [...csv.slice(0, 8), 'x,no.such,,,,water,,,', 'y,noise,,,,police,,,,,'];
    expect(checkFiles([{ name: 'd.csv', text: bad.join('\n') }], city).mistakes.map(mistakeText)).toEqual(['d.csv line 10: the line has 11 cells, the header 9', 'd.csv line 9 (x): the catalogue has no type no.such']);
    expect(checkFiles([{ name: 'd.csv', text: csv.join('\n').replace('co,', 'colour,') }], city).mistakes.map(mistakeText)[0]).toMatch(/^d\.csv line 7: there is no column "colour"/);
  });
});

test('another directory tells which past tickets it would send elsewhere', () => {
  const other = loadDirectories([{ name: 'd.yaml', text: `${HEAD}rows:\n  - { id: all-water, type: utilities.water, lead: { unit: telecom } }` }], city)[0]!;
  const past = (type: string, unitId: string | null) => goesElsewhere(other, catalogue, { number: '261124000001', unitId: unitId as UnitId | null, matter: { type, place: xiluoyuan } });
  expect(past('utilities.water', 'water-110106')).toMatchObject({ number: '261124000001', from: 'water-110106', to: 'telecom', rule: 'all-water' });
  expect(past('utilities.water', 'telecom')).toBeNull();
  expect(past('utilities.gas', 'gas-110106')).toMatchObject({ to: null, rule: null });
  expect(past('utilities.gas', null)).toBeNull();
});
