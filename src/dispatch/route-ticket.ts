import { typeName, type Catalogue } from '../domain/catalogue.ts';
import { DISTRICT_GOVERNMENT, type Directory, type DirectoryRow, type Hardness, type Lead, type Routable, type Routed, type Unit } from '../domain/directory.ts';
import type { UnitId } from '../domain/ids.ts';
import { chooseRows, fits, ownerIn, rowsFor, type Matter } from './choose-row.ts';
import { localTime, timeWindowZh } from './time-window.ts';

/**
 * Which unit can act (谁能管谁领走), by the directory alone, with the reason in a sentence a resident can read. Art. 12: a clear matter
 * goes straight to its unit with a copy to the district, one of which only the district is known goes to the district, a hard one is
 * `unrouted` for a dispatcher, never a default unit. Pure; `directory` null: none is in force.
 */
export function routeTicket(directory: Directory | null, catalogue: Catalogue, matter: Routable): Routed {
  const name = typeName(catalogue, matter.type);
  if (!directory) return hard({ version: '' }, 'no_directory', `今天没有生效的派单目录，「${name}」由派单员确定`);
  const looked = matterOf(directory, matter);
  const [row, ...equals] = chooseRows(directory, looked);
  if (!row) return noRow(directory, catalogue, looked, name);
  if (equals.length > 0) {
    const rivals = [row, ...equals].flatMap((each) => ('lead' in each.to ? unitsFor(directory, each.to.lead, looked.here) : []));
    return hard(directory, 'rivals', `派单目录里有${equals.length + 1}条规则同样适用于「${name}」，由派单员确定`, row.id, rivals);
  }
  if ('confer' in row.to) {
    const rivals = row.to.confer.flatMap((lead) => unitsFor(directory, lead, looked.here));
    return hard(directory, 'confer', `「${name}」涉及${listed(row.to.confer.map((lead) => leadName(directory, catalogue, lead, looked.here)))}，按规定先会商再派单`, row.id, rivals);
  }
  return byRow(directory, catalogue, { row, lead: row.to.lead, matter: looked, name });
}

function byRow(directory: Directory, catalogue: Catalogue, { row, lead, matter, name }: { row: DirectoryRow; lead: Lead; matter: Matter; name: string }): Routed {
  const { here } = matter;
  const found = unitsFor(directory, lead, here);
  const [unit] = found;
  if (found.length > 1) return hard(directory, 'rivals', `「${name}」在这里登记了${found.length}家同类单位，由派单员确定哪一家办理`, row.id, found);
  const co = [...new Set(row.co.flatMap((each) => unitsFor(directory, each, here)))];
  const call = [...new Set(row.call.flatMap((each) => unitsFor(directory, each, here)))];
  const done = (to: Unit, way: 'direct' | 'district', because: string, copies: readonly Unit[]): Routed => ({
    kind: 'routed', to: to.id, rule: row.id, because, version: directory.version, way, clock: row.clock,
    co: co.flatMap((each) => (each.id === to.id ? [] : [each.id])), call: call.flatMap((each) => (each.id === to.id ? [] : [each.id])), copies: copies.map((each) => each.id),
  });
  const district = unitAt(directory, directory.fallback, here.slice(0, 6));
  if (unit) return done(unit, 'direct', `按派单目录，${conditionZh(directory, row, here)}「${name}」由${unit.name}负责`, hearsOfIt(directory, unit, district) && district ? [district] : []);
  const kind = leadName(directory, catalogue, lead, here);
  if (here === '') return hard(directory, 'place_unknown', `还不知道在哪个区，由派单员确定哪一家「${kind}」单位办理`, row.id);
  if (district && here.length === 6) {
    return done(district, 'district', `「${name}」由街道一级的「${kind}」单位办理，现在只知道在${placeName(directory, here)}，按规定先派给${district.name}，由区里确定`, []);
  }
  return hard(directory, 'no_unit', `这个地点没有登记「${kind}」单位，由派单员确定`, row.id);
}

/** The more that is unknown, the more honest the sentence: what would have decided it is named. */
function noRow(directory: Directory, catalogue: Catalogue, matter: Matter, name: string): Routed {
  if (catalogue.types[matter.type]?.transferOnly) return hard(directory, 'not_dispatched', `「${name}」按规定不作为普通工单派发，由工作人员告知法定渠道`);
  const rows = rowsFor(directory, matter.type);
  if (matter.owner === null && rows.some((row) => row.owner !== null && fits({ ...row, owner: null }, matter))) return hard(directory, 'owner_unknown', `「${name}」要看是谁的设施，由派单员核实后确定`);
  if (matter.here === '' && rows.length > 0) return hard(directory, 'place_unknown', `还不知道「${name}」发生在哪里，由派单员确定`);
  return hard(directory, 'no_rule', `「${name}」在派单目录里没有对应单位，由派单员确定`);
}

function hard(directory: Pick<Directory, 'version'>, why: Hardness, because: string, rule: string | null = null, rivals: readonly Unit[] = []): Routed {
  return { kind: 'unrouted', because, version: directory.version, why, rule, rivals: [...new Set(rivals.map((unit) => unit.id))] };
}

function matterOf(directory: Directory, { type, place, text, at }: Routable): Matter {
  return {
    type, here: place?.community ?? place?.street ?? place?.district ?? '', owner: text === undefined ? null : ownerIn(directory.owners, text),
    time: at === undefined ? null : localTime(at, directory.utcOffsetMinutes),
  };
}

/** Art. 12: the district hears of what goes to its streets and towns; a city may want it to hear of everything. */
function hearsOfIt(directory: Directory, unit: Unit, district: Unit | undefined): boolean {
  return district !== undefined && district.id !== unit.id && (directory.copies === 'all' || unit.area.length > 6);
}

/** The certain unit; or the units of the kind whose area is the longest prefix of the place, city-wide ones serving everywhere. */
export function unitsFor(directory: Pick<Directory, 'units'>, lead: Lead, here: string): readonly Unit[] {
  if ('unit' in lead) return [directory.units.get(lead.unit)].filter((unit) => unit !== undefined);
  for (const length of [12, 9, 6, 0]) {
    const units = here.length < length ? undefined : indexOf(directory.units).get(`${lead.kind}\n${here.slice(0, length)}`);
    if (units) return units;
  }
  return [];
}

const unitAt = (directory: Directory, kind: string, area: string): Unit | undefined => indexOf(directory.units).get(`${kind}\n${area}`)?.[0];

const indexes = new WeakMap<ReadonlyMap<UnitId, Unit>, ReadonlyMap<string, readonly Unit[]>>();
function indexOf(units: ReadonlyMap<UnitId, Unit>): ReadonlyMap<string, readonly Unit[]> {
  const known = indexes.get(units);
  if (known) return known;
  const index = new Map<string, Unit[]>();
  for (const unit of units.values()) index.set(`${unit.kind}\n${unit.area}`, [...(index.get(`${unit.kind}\n${unit.area}`) ?? []), unit]);
  indexes.set(units, index);
  return index;
}

/** What the row asked for besides the type, so that the reason says why this one and not the general one. */
function conditionZh(directory: Directory, row: DirectoryRow, here: string): string {
  const area = row.area === '' ? placeName(directory, here) : placeName(directory, row.area);
  const owner = row.owner === null ? '' : (directory.owners.get(row.owner)?.zh ?? row.owner);
  const time = row.time === null ? '' : timeWindowZh(row.time);
  const said = [area, owner, time].filter((part) => part !== '').join('、');
  return said === '' ? '' : `${said}的`;
}

/** 「丰台区西罗园街道」; a community by its street. */
function placeName(directory: Directory, code: string): string {
  return [6, 9].flatMap((length) => (code.length < length ? [] : [directory.places.get(code.slice(0, length)) ?? ''])).join('');
}

function leadName(directory: Directory, catalogue: Catalogue, lead: Lead, here: string): string {
  if ('unit' in lead) return directory.units.get(lead.unit)?.name ?? lead.unit;
  return unitsFor(directory, lead, here)[0]?.name ?? (lead.kind === DISTRICT_GOVERNMENT ? '区人民政府' : (catalogue.units[lead.kind] ?? lead.kind));
}

const listed = (names: readonly string[]): string => [...new Set(names)].join('、');
