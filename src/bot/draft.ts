import type { Draft, DraftAddress } from '../domain/conversation.ts';
import type { Instant, MediaId } from '../domain/ids.ts';
import type { Ticket } from '../domain/ticket.ts';
import type { AddressUnderstanding, Place, Understanding, Urgency } from '../domain/understanding.ts';
import { URGENCIES } from '../domain/understanding.ts';

export const NO_ADDRESS: DraftAddress = { text: '', publicText: '', place: null, label: '', building: '', rivals: [], location: null };

export const moreUrgent = (a: Urgency, b: Urgency): Urgency => (URGENCIES.indexOf(a) <= URGENCIES.indexOf(b) ? a : b);

const depth = (place: Place | null): number => (place?.community ? 3 : place?.street ? 2 : place?.district ? 1 : 0);

/** What an utterance says of the place, room and unit kept apart from what may stand in clear. */
export function addressOf(address: AddressUnderstanding): DraftAddress {
  // A lone character (「上」, 「里」) is a slip of the tagger, not a piece of an address.
  const text = address.spans.map((span) => span.text.trim()).filter((piece) => [...piece].length > 1 || /\d/u.test(piece)).join(' ').trim();
  const hidden = [...(address.parts.room ?? []), ...(address.parts.unit ?? [])];
  const publicText = hidden.reduce((current, part) => current.replace(part, ''), text).replace(/\s+/g, ' ').trim();
  return {
    text, publicText, place: address.place, label: address.label, rivals: address.rivals, location: null,
    building: (address.parts.building ?? address.parts.roadno ?? []).join(''),
  };
}

/** A ticket's place as the next matter at the same spot takes it over. */
export function addressOfTicket(ticket: Ticket): DraftAddress {
  const { text, place, label, location } = ticket.address;
  return { ...NO_ADDRESS, text: ticket.secret?.address ?? text, publicText: text, place, label, location, building: BUILDING.exec(text)?.[0] ?? '' };
}
const BUILDING = /[A-Za-z0-9一二三四五六七八九十]+\s*(?:号楼|栋|幢|座|#)/u;

export function draftOf(words: string, understanding: Understanding, context: { readonly id: string; readonly now: Instant; readonly media: readonly MediaId[]; readonly needs: PlaceNeeds }): Draft {
  const { lifeSafety } = understanding;
  const address = addressOf(understanding.address);
  return {
    id: context.id, words: [words], media: context.media,
    type: understanding.decision.kind === 'ask' && understanding.decision.ask === 'type' ? null : understanding.type,
    typeProbability: understanding.candidates[0]?.probability ?? 0, typeBy: 'model', candidates: understanding.candidates.slice(0, 8),
    nature: understanding.nature?.value ?? 'assistance', disposition: understanding.disposition.value, dispositionProbability: understanding.disposition.probability,
    urgency: lifeSafety.rules.length > 0 ? 'h2' : (understanding.urgency?.value ?? 'd7'), urgencyEvidence: understanding.urgencyEvidence, lifeSafety,
    address, missing: missingAtFirst(words, understanding, address, context.needs), modelVersion: understanding.modelVersion, startedAt: context.now,
  };
}

/** 「垃圾好几天没人收」 asks nothing, whatever the model makes of it. */
const asksSomething = (words: string): boolean => /[?？吗]|呢[。！!~]*$|请问|咨询|想问|问一?下|怎么|如何|多少|哪|几[点号时岁]|[什啥]么?时候|能不能|可不可以|能否|是否|是不是|有没有|需要什么|多久|凭什么|为什么|为啥/u.test(words);

/** Whatever the words' form (「…是不是该修了？」), what a unit has to go to needs a place; only a question that words can answer does not. */
function missingAtFirst(words: string, understanding: Understanding, address: DraftAddress, needs: PlaceNeeds): Draft['missing'] {
  const { missing } = understanding.address;
  const answerable = understanding.intent.value === 'question' && understanding.disposition.value === 'answer' && asksSomething(words);
  const placeless = understanding.type === null || !needs(understanding.type).place || hasArea(address) || missing.includes('address');
  return answerable || placeless ? missing.filter((field) => field !== 'ticket') : ['address', ...missing.filter((field) => field !== 'ticket')];
}

const hasArea = (address: DraftAddress): boolean => address.place !== null || address.rivals.length > 0 || address.publicText.replace(address.building, '').trim() !== '' || address.location !== null;

/**
 * Puts a further piece of address to what is known. A piece with a place of its own replaces a coarser one; a bare building
 * (「12号楼」) goes to the place already known.
 */
export function mergeAddress(known: DraftAddress, piece: DraftAddress, mode: 'add' | 'replace'): DraftAddress {
  if (piece.text === '' && piece.location === null) return known;
  if (known.text === '' && known.location === null) return piece;
  if (!hasArea(piece)) {
    // Only a building (or unit, or room): it belongs to the area known before.
    const area = known.building === '' ? known.publicText : known.publicText.replace(known.building, '').trim();
    return { ...known, text: joined(known.building === '' ? known.text : known.text.replace(known.building, '').trim(), piece.text), publicText: joined(area, piece.publicText), building: piece.building || known.building };
  }
  const location = piece.location ?? known.location;
  if (mode === 'replace' && (piece.place !== null || piece.rivals.length > 0)) return { ...piece, building: piece.building, location };
  const settled = settleRivals(known, piece) ?? (depth(piece.place) >= depth(known.place) ? piece : known);
  return {
    text: joined(known.text, piece.text), publicText: joined(known.publicText, piece.publicText), place: settled.place, label: settled.label,
    building: piece.building || known.building, rivals: settled.place === null ? settled.rivals : [], location,
  };
}

/** 「劲松」 fits in several districts; the answer 「朝阳区」 settles which. */
function settleRivals(known: DraftAddress, piece: DraftAddress): DraftAddress | null {
  if (known.rivals.length === 0 || piece.place === null) return null;
  const inside = known.rivals.filter((rival) => depth(rival.place) > depth(piece.place) && within(rival.place, piece.place));
  const [only] = inside;
  return inside.length === 1 && only ? { ...known, place: only.place, label: only.label, rivals: [] } : null;
}

function within(inner: Place, outer: Place | null): boolean {
  return outer !== null && (['district', 'street', 'community'] as const).every((level) => outer[level] === null || outer[level] === inner[level]);
}

function joined(a: string, b: string): string {
  if (a === '' || b.includes(a)) return b;
  return b === '' || a.includes(b) ? a : `${a} ${b}`;
}

/** 「楼下」「旁边那条路」: words of a place that mean nothing without the place named before. */
export function placedAt(draft: Draft, named: DraftAddress, needs: PlaceNeeds): Draft {
  const own = draft.address;
  if (named.text === '' || own.place !== null || own.rivals.length > 0 || own.location !== null) return draft;
  const address = { ...named, text: joined(named.text, own.text), publicText: joined(named.publicText, own.publicText) };
  return { ...draft, address, missing: stillMissing(draft, address, false, needs).filter((field) => field !== 'building' || named.building === '') };
}

/** 「在西罗园第二社区12号楼」 says where and nothing of the matter: it belongs to the address, not to what units read as the matter. */
function isOnlyPlace(words: string, { address }: Understanding): boolean {
  if (address.spans.length === 0) return false;
  const rest = address.spans.reduce((left, { text }) => left.replace(text, ''), words);
  return /^(?:[\s，,。.！!、]|我们?|家|住|就|是|在|的|这里|这边|那边|里|吧|啊|呢)*$/u.test(rest);
}

/** An answer or addition goes into the draft: words, address, and danger if it speaks of any. */
export function addToDraft(draft: Draft, words: string, understanding: Understanding | null, mode: 'add' | 'replace', needs: PlaceNeeds, media: readonly MediaId[] = []): Draft {
  const tells = words !== '' && !(understanding && isOnlyPlace(words, understanding));
  const withWords: Draft = { ...draft, words: tells ? [...draft.words, words] : draft.words, media: [...draft.media, ...media] };
  if (!understanding) return withWords;
  const address = mergeAddress(draft.address, addressOf(understanding.address), mode);
  const danger = understanding.lifeSafety.rules.length > 0;
  return {
    ...withWords, address,
    missing: stillMissing(draft, address, true, needs),
    ...(danger ? { lifeSafety: understanding.lifeSafety, urgency: 'h2' as const, disposition: 'emergency_line' as const, urgencyEvidence: understanding.urgencyEvidence } : {}),
  };
}

/** What a type needs to know of its place; handed in by `app.ts` from the language side. */
export type PlaceNeeds = (type: string) => { readonly place: boolean; readonly building: boolean };

const EXACT = /门口|旁边|对面|路口|东门|西门|南门|北门|后门|楼下|交叉口/u;

/**
 * What a clerk would still ask, now that the address stands as it does. Once the area is known, a type that needs the building
 * asks for it; what was asked and answered with anything is not asked again.
 */
export function stillMissing(draft: Draft, address: DraftAddress, answered: boolean, needs: PlaceNeeds): Draft['missing'] {
  const exact = address.building !== '' || address.location !== null || EXACT.test(address.publicText);
  const missing = draft.missing.filter((field) => {
    if (field === 'address') return !hasArea(address);
    if (field === 'building') return !exact;
    return !answered;
  });
  const nowAreaKnown = draft.missing.includes('address') && hasArea(address);
  return nowAreaKnown && !exact && draft.type !== null && needs(draft.type).building && !missing.includes('building') ? [...missing, 'building'] : missing;
}

/** Another type is now known: what it needs to be acted on may differ; keep only what is still asked of places. */
export function withType(draft: Draft, type: string, by: Draft['typeBy']): Draft {
  return { ...draft, type, typeBy: by, typeProbability: by === 'model' ? draft.typeProbability : 1 };
}
