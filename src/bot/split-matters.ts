import type { Understanding } from '../domain/understanding.ts';
import type { Heard } from './plan.ts';

/** 「1、…2、…」, 「一是…二是…」, 「首先…其次…」: the writer counts the matters. */
const COUNTED: readonly RegExp[] = [
  /(?:^|[。；;，,：:\s])[1-9一二三四五](?:[、)）]|[.．](?!\d))|[①②③④⑤]|(?<=\p{sc=Han})[2-5][、.．](?!\d)/gu,
  /(?:^|[。；;，,：:\s])(?:第[一二三四](?:件事|件|个事|个|，|,|：|:|\s)|[一二三]是|一个(?=是)|首先|其次|最后)/gu,
];
/** What stands before the first number: 「反映两件事：」. */
const PREAMBLE = /^.{0,16}(?:[两三四俩2-4]\s?(?:件|个|桩|点)?(?:事|问题|情况)?|反映|投诉)[^。]{0,12}$/u;
/** Words that say: now something else. */
const ANEW = /(?:[。！!？?；;，,\n\s]|^)(?=(?:还有(?:(?:一|个|一个|几)?(?:件事|个事|事|问题)|就是|啊)|另有一事|另外(?:一(?:件|个)|[，,]?(?:我)?(?:还?想|要)(?:反映|问|投诉|举报))|再(?:一个|就是|反映|投诉|问)|顺便|第二(?:件|个)?(?:事|是)|对了|此外|除此之外|(?:我)?还(?:想|要)(?:问|反映|举报|投诉)|然后我))/u;
/** Words that may also go on with the same matter. */
const ALSO = /(?:[。！!？?；;，,\n\s]|^)(?=(?:另外|另[，,]|还有|以及|同时|而且|外加|再)[，,：:\s]?)/u;
/** A part that leans on the one before: its cause or consequence, what is wanted, the same thing again. */
const LEANS = /^(?:(?:另外|还有|而且|同时|再就是|以及|对了|顺便)[，,\s]?)?(?:就是)?(?:刚才|刚刚|忘了?说|补充|请|希望|要求|麻烦(?:尽快|快)|不要透露|谢谢|辛苦|尽快|给(?:我|个)|我的电话|电话是|我家是|因为|所以|导致|害得|结果|是因为|他们|它|她们?|他(?!家)|这样|现在|昨天|前天|上周|差点|为什么|怎么|多久|多长|需要|要本人|费用|去哪|什么时候|客服|老板|物业说|要(?!反映|问|投诉|举报)|人|人家|态度|没人|也不|也没|不肯|不给|说)/u;
const REQUESTS = new Set(['report', 'question']);

/** How sure of its type each part must be: the plainer the seam, the surer. */
const SURE = { counted: 0.4, anew: 0.6, also: 0.95, plain: 0.97 } as const;
/** 「公交站也堵了」 goes on with the same, unless the sentence before it was ended. */
const TOO = /^[^，。,]{0,9}也/u;
/** Of what one part surely is, the other must have next to nothing. */
const MOST_SHARED = 0.08;
/** Matters that so often come of one another that only counting tells them apart. */
const AKIN: readonly ReadonlySet<string>[] = [
  ['utilities.water', 'utilities.drainage', 'housing.repair'], ['utilities.power', 'housing.elevator'], ['noise.social', 'noise.industrial', 'noise.construction', 'environment.air'],
  ['market.consumer_dispute', 'market.price_and_fees', 'market.fake_and_unlicensed', 'market.food_and_drugs', 'market.tourism', 'market.finance'],
  ['labour.unpaid_wages', 'labour.contract_and_leave', 'labour.social_insurance'], ['housing.property_service', 'housing.environment', 'safety.public_order', 'housing.owners_committee'],
  ['roads.surface', 'roads.manhole_and_barrier', 'utilities.drainage'], ['traffic.illegal_parking', 'traffic.congestion_and_signals', 'traffic.public_transit', 'housing.parking', 'safety.fire'],
  ['education.teachers', 'education.school_management', 'education.fees_and_tutoring', 'education.admission'], ['government.service', 'government.household_and_id', 'labour.social_insurance'],
  ['rural.land', 'rural.village_affairs', 'real_estate.expropriation', 'government.conduct'], ['real_estate.purchase', 'real_estate.title', 'housing.repair'], ['real_estate.rental', 'illegal_building.change_of_use'],
  ['noise.construction', 'environment.air', 'roads.surface'], ['city_appearance.vendors', 'city_appearance.waste', 'environment.air'], ['city_appearance.waste', 'housing.environment', 'environment.water_body'],
  ['safety.dangerous_building', 'housing.repair', 'safety.disaster', 'utilities.power'], ['health.medical_service', 'health.medical_insurance'], ['traffic.taxi_and_shared', 'traffic.congestion_and_signals', 'traffic.illegal_parking'],
  ['market.food_and_drugs', 'health.public_health', 'health.medical_service'], ['roads.lighting', 'safety.public_order', 'traffic.congestion_and_signals', 'roads.surface'], ['environment.water_body', 'environment.air'],
].map((types) => new Set(types));

type Seam = keyof typeof SURE;

/**
 * Parts of a message that may be matters of their own. Only a proposal: see `findMatters`. Each part keeps at least four characters.
 */
export function splitMatters(text: string): readonly string[] {
  return proposals(text).find(({ seam }) => seam !== 'plain')?.parts ?? [text];
}

function proposals(text: string): { seam: Seam; parts: readonly string[] }[] {
  const out: { seam: Seam; parts: readonly string[] }[] = [];
  for (const mark of COUNTED) {
    const found = [...text.matchAll(mark)];
    if (found.length < 2) continue;
    const before = text.slice(0, found[0]?.index ?? 0).trim();
    const parts = found.map((match, index) => text.slice(match.index, found[index + 1]?.index ?? text.length));
    out.push({ seam: 'counted', parts: before === '' || PREAMBLE.test(before) ? parts : [`${before}${parts[0] ?? ''}`, ...parts.slice(1)] });
  }
  out.push({ seam: 'anew', parts: text.split(ANEW) });
  out.push({ seam: 'also', parts: text.split(ANEW).flatMap((part) => part.split(ALSO)) });
  out.push(...plainCuts(text).map((parts) => ({ seam: 'plain' as const, parts })));
  return out.map(({ seam, parts }) => ({ seam, parts: parts.map((part) => part.replace(/^[\s，,。；;：:]+|[\s，,；;：:]+$/gu, '')).filter((part) => part.length >= 4) }))
    .filter(({ parts }) => parts.length >= 2 && parts.length <= 4);
}

const MOST_PLAIN = 3;
/** So sure of one type, the message as a whole is worth no further look for a hidden seam: each look costs a reading. */
const ONE_MATTER = 0.9;
/** At the end of a sentence or clause, nothing said of a second matter: two parts of some length. */
function plainCuts(text: string): (readonly string[])[] {
  if (text.length > 80) return [];
  const cuts = [...text.matchAll(/[。！!？?；;，,\n]|(?<=\p{sc=Han}{4}) (?=\p{sc=Han}{4})/gu)].map(({ index }) => index + 1).filter((at) => at >= 5 && text.length - at >= 5);
  return cuts.length > MOST_PLAIN ? [] : cuts.map((at) => [text.slice(0, at), text.slice(at)]);
}

/** The matters of a message, each with its own understanding, where the evidence is clear that there are several; else nothing. */
export async function findMatters(text: string, whole: Understanding, understand: (part: string) => Promise<Understanding>): Promise<readonly Heard[]> {
  for (const { seam, parts } of proposals(text)) {
    if (seam === 'plain' && (whole.candidates[0]?.probability ?? 0) >= ONE_MATTER) continue;
    if (seam !== 'counted' && parts.slice(1).some((part) => LEANS.test(part) || (TOO.test(part) && !/[。！!\n]\s*$/u.test(text.slice(0, text.indexOf(part)))))) continue;
    const heard = await Promise.all(parts.map(async (part) => ({ text: part, understanding: await understand(part) })));
    if (areSeveral(heard.map(({ understanding }) => understanding), seam)) return heard;
  }
  return [];
}

/** Each part, judged alone, is surely a request, and of a type that the others are surely not. */
function areSeveral(parts: readonly Understanding[], seam: Seam): boolean {
  const own = parts.map(({ type }) => type);
  if (new Set(own).size < own.length || own.some((type) => type === null)) return false;
  if (parts.some(({ intent, candidates }) => !REQUESTS.has(intent.value) || (candidates[0]?.probability ?? 0) < SURE[seam])) return false;
  if (parts.every(({ intent }) => intent.value === 'question')) return seam === 'counted';
  if (seam === 'counted') return true;
  const group = (type: string | null) => type?.split('.')[0];
  if ((seam === 'also' || seam === 'plain') && new Set(own.map(group)).size < own.length) return false;
  const shares = (a: Understanding, type: string | null) => (a.candidates.find(({ value }) => value === type)?.probability ?? 0) > MOST_SHARED;
  return parts.every((one, index) => parts.slice(index + 1).every((other) =>
    !shares(one, other.type) && !shares(other, one.type) && !AKIN.some((akin) => akin.has(one.type as string) && akin.has(other.type as string))));
}
