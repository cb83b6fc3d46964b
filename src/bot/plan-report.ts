import type { Asked, Draft, HandoffReason } from '../domain/conversation.ts';
import type { Chip } from '../domain/message.ts';
import type { Ticket } from '../domain/ticket.ts';
import { dateZh } from '../domain/words.zh.ts';
import type { Understanding } from '../domain/understanding.ts';
import { addressOfTicket, mergeAddress, placedAt, stillMissing } from './draft.ts';
import { DANGER_TYPES, isSensitive, sameMatter } from './hear-words.ts';
import { nextQuestion } from './next-question.ts';
import type { Heard } from './plan.ts';
import { CHIPS, SAY } from './prompts.zh.ts';
import type { Turn } from './turn.ts';
import { understoodCard } from './understood-card.ts';

export function report(turn: Turn, heard: Heard): void {
  const { understanding } = heard;
  const known = turn.memory.draft;
  const place = known !== null && isPlaceOnly(known) ? known : null;
  const repeated = sameMatter(turn.in.tickets, understanding);
  if (repeated && !turn.danger && !place) return mergeInto(turn, repeated, heard);
  if (isSensitive(understanding, turn.in.naming.catalogue)) {
    turn.remember({ draft: place ? matterAt(turn, place, heard) : newDraft(turn, heard), asked: [] });
    return turn.handOver('sensitive', 'd7', `涉及${turn.typeName(understanding.type)}（${understanding.disposition.value} ${Math.round(understanding.disposition.probability * 100)}%），请告知法定渠道并决定是否立单。`);
  }
  if (understanding.address.outside && understanding.address.place === null && !place) return turn.text(SAY.tooFarOutside, CHIPS.human);
  let draft = place ? matterAt(turn, place, heard) : newDraft(turn, heard);
  if (known !== null && !place) draft = { ...draft, media: [...known.media, ...draft.media] };
  turn.remember({ notUnderstood: 0, merged: null });
  advance(turn, atLastSpot(turn, draft), [], understanding);
}

export function several(turn: Turn, matters: readonly Heard[]): void {
  const drafts = matters.map((heard) => newDraft(turn, heard));
  const [first, ...rest] = drafts;
  if (!first) return;
  // 「12号楼停水，另外楼下路灯也不亮」: what follows without a place of its own is at the place just named.
  const placed = rest.map((draft) => placedAt(draft, first.address, turn.in.needs));
  turn.remember({ draft: null, asked: [], later: [...turn.memory.later, ...placed] });
  advance(turn, first, []);
}

/** Takes the draft as far as it can go: a question, a ticket, or an operator. */
export function advance(turn: Turn, draft: Draft, asked: readonly Asked[], understanding?: Understanding): void {
  const next = nextQuestion(draft, asked, understanding);
  if (next.kind === 'open') return open(turn, draft);
  if (next.kind === 'handoff') {
    turn.remember({ draft, asked });
    return turn.handOver(next.reason, draft.urgency, noteOf(turn, draft, next.reason));
  }
  turn.remember({ draft, asked: [...asked, next.ask] });
  ask(turn, draft, next.ask);
}

export function ask(turn: Turn, draft: Draft, ask: Asked): void {
  const card = understoodCard(draft, turn.in.naming.catalogue);
  const say = (text: string, ...chips: Chip[]): void => void turn.replies.push({ kind: 'understood', text, card, chips });
  const what = draft.type === null ? '' : `您反映的是${turn.typeName(draft.type)}问题。`;
  const last = turn.recentTicket();
  switch (ask) {
    case 'type': return turn.text(SAY.askType, ...draft.candidates.slice(0, 4).map((each) => ({ id: `type:${each.value}`, label: turn.typeName(each.value) })), CHIPS.otherType);
    case 'rephrase': return turn.text(SAY.rephrase, CHIPS.human);
    case 'place': return say(SAY.askPlace(draft.address.publicText), ...draft.address.rivals.slice(0, 5).map((rival, index) => ({ id: `place:${index}`, label: rival.label })), CHIPS.skipAddress);
    case 'address': return say(SAY.askAddress(what), ...(last ? [CHIPS.lastAddress] : []), CHIPS.skipAddress);
    case 'building': return say(SAY.askBuilding(draft.address.label || draft.address.publicText), CHIPS.skipBuilding);
    case 'what': return say(SAY.askWhat, CHIPS.skipBuilding);
    case 'time': return say(SAY.askTime, CHIPS.skipBuilding);
    case 'party': return say(SAY.askParty, CHIPS.skipBuilding);
    case 'ticket': return turn.text(SAY.askTicket);
    default: return ask satisfies never;
  }
}

export function newDraft(turn: Turn, heard: Heard): Draft {
  const draft = turn.draftOf(heard, turn.memory.looseMedia);
  turn.remember({ looseMedia: [] });
  return typedByDanger(turn, draft);
}

/** A location that was sent before anything was said. */
export const isPlaceOnly = (draft: Draft): boolean => draft.type === null && draft.words.length === 0;

/** The words that follow such a location bring its matter. */
export function matterAt(turn: Turn, place: Draft, heard: Heard): Draft {
  const draft = newDraft(turn, heard);
  const address = mergeAddress(place.address, draft.address, 'add');
  return { ...draft, id: place.id, address, media: [...place.media, ...draft.media], missing: stillMissing(draft, address, false, turn.in.needs) };
}

export function noteOf(turn: Turn, draft: Draft, reason: HandoffReason): string {
  const best = draft.candidates.slice(0, 3).filter((each) => each.probability >= 0.05).map((each) => `${turn.typeName(each.value)} ${Math.round(each.probability * 100)}%`).join('、');
  const why: Partial<Record<HandoffReason, string>> = { low_confidence: '机器拿不准事项分类', no_address: '问过地点仍不清楚', emergency: '可能危及生命安全，地点还不清楚' };
  return `${why[reason] ?? '需要人工判断'}。候选：${best || '无'}。地点：${draft.address.publicText || '未知'}。`;
}

/** Without these, someone alone and old, ill, or with an infant is in need at once. */
const LEAVES_HELPLESS = /^(?:utilities\.(?:water|power|heating|gas)|housing\.elevator)$/;

function open(turn: Turn, draft: Draft): void {
  const danger = draft.lifeSafety.rules.length > 0;
  turn.commands.push({ do: 'open', draft });
  const { utcOffsetMinutes } = turn.in.naming;
  turn.replies.push({
    kind: 'ticket_after', of: { draft: draft.id }, chips: [CHIPS.status, ...(LEAVES_HELPLESS.test(draft.type ?? '') ? [CHIPS.care] : []), CHIPS.human],
    say: (card, title) => (danger ? SAY.openedEmergency : SAY.opened)(title, dateZh(card.dueAt, utcOffsetMinutes)) + (danger ? '' : SAY.wrongHint),
  });
  const [next, ...later] = turn.memory.later;
  turn.remember({ draft: null, asked: [], later, merged: null });
  if (next) {
    const place = placedAt(next, draft.address, turn.in.needs);
    if (place.type !== null && !place.missing.includes('address')) return open(turn, place);
    turn.text(SAY.laterMatter(place.words.join(' ').slice(0, 60)));
    advance(turn, place, []);
  }
}

function mergeInto(turn: Turn, ticket: Ticket, heard: Heard): void {
  const draft = turn.draftOf(heard, turn.memory.looseMedia);
  turn.commands.push({ do: 'supplement', ticketId: ticket.id, text: heard.text, media: turn.memory.looseMedia });
  turn.remember({ merged: { draft, ticketId: ticket.id }, looseMedia: [] });
  turn.showTicket(ticket, (title, status) => SAY.merged(title, status) + turn.stage(ticket), CHIPS.notSame, CHIPS.human);
}

/** Danger does not wait for an address already given minutes ago. */
function atLastSpot(turn: Turn, draft: Draft): Draft {
  const last = turn.recentTicket();
  if (!last || draft.address.text !== '' || draft.lifeSafety.rules.length === 0) return draft;
  return { ...draft, address: addressOfTicket(last), missing: draft.missing.filter((field) => field !== 'address' && field !== 'building') };
}

/** What burns, leaks or traps people tells the crew to send better than a guess of the model below one half. */
function typedByDanger(turn: Turn, draft: Draft): Draft {
  if (draft.typeBy !== 'model' || draft.typeProbability >= 0.5) return draft;
  const type = draft.lifeSafety.rules.map((rule) => DANGER_TYPES[rule]).find((code) => code !== undefined && code in turn.in.naming.catalogue.types);
  return type === undefined ? draft : { ...draft, type };
}
