// Writes config/beijing/directory.yaml, the SAMPLE: one row per type of the catalogue, and the rows below. With --check: only tells whether the file is so.
// node scripts/sample-directory.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const city = join(root, 'config', 'beijing');
const catalogue = parse(readFileSync(join(city, 'catalogue.yaml'), 'utf8'));
const gazetteer = JSON.parse(readFileSync(join(root, 'models', 'gazetteer', 'beijing.json'), 'utf8'));
const places = `code,name\n${[...gazetteer.districts, ...gazetteer.streets].map((place) => place.join(',')).join('\n')}\n`;

/** Kinds that work for the whole city where a type says so; else the unit of the place is meant. */
const CITY_WIDE = { 'traffic.public_transit': 'transport' };
const BY_HAND = `  # What is one owner's and not the street's: by the words under "owners".
  - { id: lighting-compound, type: roads.lighting, owner: compound, lead: property, co: [urban_management] }
  - { id: manhole-compound, type: roads.manhole_and_barrier, owner: compound, lead: property, co: [urban_management] }
  # Times: the heating season; work and vendors by night.
  - { id: heating-season, type: utilities.heating, time: "11-15..03-15", lead: heating, co: [property, subdistrict], clock: h24 }
  - { id: construction-night, type: noise.construction, time: "22:00-06:00", lead: urban_enforcement, co: [police, housing, environment] }
  - { id: vendors-night, type: city_appearance.vendors, time: "22:00-06:00", lead: urban_enforcement, call: [police], co: [subdistrict, market] }
  # A place: in the airport's own subtree (大兴国际机场) its administration answers first.
  - { id: airport-property, type: housing.property_service, area: "110115406", lead: subdistrict, co: [housing, property] }
  # Several are in charge: discussed (会商) before it is dispatched.
  - { id: reclaimed-land, type: rural.land, confer: [agriculture, planning] }
`;
const taken = new Set(['rural.land']);

const listOf = (kinds) => (kinds?.length > 0 ? `, co: [${kinds.join(', ')}]` : '');
const rows = Object.entries(catalogue.types).filter(([code, type]) => code.includes('.') && type.lead && !type.transfer_only && !taken.has(code)).map(([code, type]) => {
  const lead = CITY_WIDE[code] ? `{ unit: ${CITY_WIDE[code]} }` : type.lead;
  return `  - { id: ${code}, type: ${code}, lead: ${lead}${listOf(type.co)}${type.clock === 'h2' ? ', clock: h2' : ''} }`;
});

const directory = `# 派单目录, the dispatch directory of Beijing: A SAMPLE, written by scripts/sample-directory.mjs and by no authority. docs/directory.md says how to
# read it and how a city brings its own. It covers the ${gazetteer.districts.length} districts and their ${gazetteer.streets.length} streets and towns by subtrees: a row without "area"
# holds everywhere, and its lead is the unit of that kind nearest above the place (units.yaml has them for each district and street).
version: sample-2026-11
valid_from: 2026-01-01
fallback: { kind: district_government }
# all: the district gets a copy of what goes directly to a unit. Art. 12 asks it for streets and towns ("streets").
copies: all
owners:
  compound: { zh: 小区内设施, words: [小区里, 小区内, 小区的路灯, 小区路灯, 小区井盖, 院里, 院内, 楼门口] }
  municipal: { zh: 市政道路设施, words: [马路, 大街, 主路, 辅路, 人行道, 过街天桥] }
# What a community may lead (its list, art. 17). Empty: nothing.
community_duties: []
rows:
${BY_HAND}  # One row per type, from the catalogue: who answers first, and who is called when the case needs them.
${rows.join('\n')}
`;

const files = [['places.csv', places], ['directory.yaml', directory]];
const stale = files.filter(([name, text]) => readFileSync(join(city, name), 'utf8') !== text);
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`config/beijing/${name} is not what scripts/sample-directory.mjs writes`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [name, text] of stale) writeFileSync(join(city, name), text);
  console.log(`${gazetteer.districts.length} districts, ${gazetteer.streets.length} streets and towns, ${rows.length} rows from the catalogue`);
}
