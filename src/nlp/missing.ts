import type { Intent, MissingField } from '../domain/understanding.ts';
import type { Located } from './locate.ts';

/** Types, or whole level-1 groups, whose unit must find one building: the area alone does not let it start. */
const NEEDS_BUILDING = ['housing.elevator', 'housing.repair', 'utilities.water', 'utilities.heating', 'utilities.gas', 'utilities.telecom',
  'illegal_building.structure', 'illegal_building.change_of_use', 'noise.social', 'safety.dangerous_building', 'safety.fire'];
/** Matters of a person with a firm, a school, a hospital: whom it is about counts, not where. */
const NEEDS_PARTY = ['market', 'labour', 'education', 'health.medical_service', 'health.medical_insurance', 'real_estate.rental',
  'real_estate.purchase', 'traffic.taxi_and_shared', 'government.conduct', 'business'];
/** Handled by name or file number alone. */
const NEEDS_NO_PLACE = ['market.finance', 'labour.employment', 'labour.social_insurance', 'health.medical_insurance', 'government.justice',
  'government.household_and_id', 'government.service', 'traffic.vehicle_and_licence', 'real_estate.public_housing', 'real_estate.title', 'business', 'traffic.taxi_and_shared'];

/** 「口袋公园」, 「楼下烧烤摊」: every district has one. */
const ANYWHERE = /^.{0,2}(?:小区|公园|学校|小学|中学|幼儿园|超市|商场|工地|公交站|地铁站|地铁口|路口|胡同|市场|饭馆|饭店|摊|店|院|厂|商铺|车场|车棚|加油站|医院|单位|公司|厕所|河道?|桥洞?|广场|楼|门|通道|机构|那家)$/;

/** 「小区里」, 「我们村」, 「马路上」: tagged as a place, and yet no name of one. */
const NO_NAME = /^(?:我们?|咱们?|你们?|本|这个?|那个?|整个?|全|该|一个)?(?:小区|社区|院子?|大院|家属院|村子?|街道|马路|大街|路|胡同|楼)(?:里面?|内|外面?|上|边|门口|旁边)?$/;
const named = (names: readonly string[] | undefined): boolean => names?.some((name) => !NO_NAME.test(name)) ?? false;

const among = (list: readonly string[], type: string) => list.some((entry) => type === entry || type.startsWith(`${entry}.`));

/** What a unit needs to know of the place before it can start on a matter of this type. */
export function placeNeeds(type: string): { readonly place: boolean; readonly building: boolean } {
  const place = !among(NEEDS_NO_PLACE, type);
  return { place, building: place && among(NEEDS_BUILDING, type) };
}

export interface MissingInput {
  readonly intent: Intent;
  readonly type: string | null;
  readonly located: Located;
  /** It answers what was just asked, so it belongs to what is being talked about. */
  readonly answers: boolean;
  readonly ticketNumber: string | null;
  /** Code points of the message. */
  readonly length: number;
}

/** What a clerk would still have to ask before a unit can start; a plain question needs nothing. */
export function missingFields({ intent, type, located, ticketNumber, length, answers }: MissingInput): MissingField[] {
  if (answers) return located.rivals.length > 0 ? ['address'] : [];
  if (intent === 'status' || intent === 'cancel' || intent === 'rate') return ticketNumber ? [] : ['ticket'];
  if (intent !== 'report' && intent !== 'supplement') return [];
  const missing: MissingField[] = [];
  if (intent === 'supplement' && !ticketNumber) missing.push('ticket');
  if (type === null) {
    if (intent === 'report' || length < 4) missing.push('what');
    return missing;
  }
  if (intent === 'supplement') return missing;
  const { parts, place, rivals } = located;
  const found = place !== null || named(parts.community) || named(parts.road) || named(parts.town) || Boolean(parts.poi?.some((name) => !ANYWHERE.test(name)));
  const exact = Boolean(parts.building ?? parts.unit ?? parts.room ?? parts.roadno);
  const needs = placeNeeds(type);
  if (needs.place) {
    if (!found || rivals.length > 0) missing.push('address');
    else if (!exact && needs.building && !parts.near) missing.push('building');
  }
  if (among(NEEDS_PARTY, type) && !parts.poi) missing.push('party');
  return missing;
}
