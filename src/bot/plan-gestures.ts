import type { Draft, DraftAddress } from '../domain/conversation.ts';
import type { InboundContent } from '../domain/message.ts';
import { isBeforeAcceptance, isOpen, type Ticket } from '../domain/ticket.ts';
import { addressOf, mergeAddress, NO_ADDRESS, stillMissing, withType } from './draft.ts';
import { advance, ask } from './plan-report.ts';
import { correctAddress } from './plan-wishes.ts';
import { SAY } from './prompts.zh.ts';
import type { Turn } from './turn.ts';

type Edit = Extract<InboundContent, { kind: 'edit' }>;
type Image = Extract<InboundContent, { kind: 'image' }>;
type Location = Extract<InboundContent, { kind: 'location' }>;

/** Pictures sent before anything was said; older ones give way. */
const MOST_LOOSE = 9;

// Each gesture is kept first, then answered; while people talk it is only kept.

/** A field of a card, corrected by hand. @returns the draft or the ticket that it belongs to */
export function keepEdit(turn: Turn, content: Edit): Draft | Ticket | null {
  const { draft } = turn.memory;
  if (draft?.id === content.target) {
    const edited = editedDraft(turn, draft, content);
    turn.remember({ draft: edited });
    return edited;
  }
  const ticket = turn.in.tickets.find((each) => each.id === content.target);
  if (!ticket || !isOpen(ticket.state.status)) return null;
  editTicket(turn, ticket, content);
  return ticket;
}

export function edit(turn: Turn, content: Edit): void {
  const edited = keepEdit(turn, content);
  if (edited === null) turn.text(SAY.noTicket);
  else if ('words' in edited) advance(turn, edited, turn.memory.asked.filter((each) => each !== content.field));
}

function editTicket(turn: Turn, ticket: Ticket, content: Edit): void {
  if (content.field === 'address') return correctAddress(turn, ticket, saidAddress(turn, content.value));
  const changeable = isBeforeAcceptance(ticket.state.status);
  if (content.field === 'type' && changeable && content.value in turn.in.naming.catalogue.types) {
    turn.commands.push({ do: 'correct', ticketId: ticket.id, changes: { type: content.value } });
    return turn.showTicket(ticket, SAY.corrected);
  }
  const said = content.field === 'type' ? `居民认为事项应是「${turn.typeName(content.value)}」` : content.value;
  turn.commands.push({ do: 'supplement', ticketId: ticket.id, text: said, media: [] });
  turn.showTicket(ticket, changeable ? SAY.supplemented : SAY.correctionAdded);
}

function editedDraft(turn: Turn, draft: Draft, { field, value }: Edit): Draft {
  switch (field) {
    case 'type': return value in turn.in.naming.catalogue.types ? withType(draft, value, 'resident') : draft;
    case 'description': return { ...draft, words: [value] };
    case 'address': {
      const said = saidAddress(turn, value);
      const address = hasPlace(turn) ? mergeAddress(draft.address, said, 'replace') : { ...said, location: draft.address.location };
      return { ...draft, address, missing: stillMissing(draft, address, true, turn.in.needs) };
    }
    default: return field satisfies never;
  }
}

/** The edited address as understood; where nothing was, as it was typed. */
function saidAddress(turn: Turn, value: string): DraftAddress {
  const { understanding } = turn.in;
  return understanding && hasPlace(turn) ? addressOf(understanding.address) : { ...NO_ADDRESS, text: value, publicText: value };
}
const hasPlace = (turn: Turn): boolean => (turn.in.understanding?.address.spans.length ?? 0) > 0;

/** @returns the draft that the picture was put to, if there is one */
export function keepImage(turn: Turn, { mediaId }: Image): Draft | null {
  const { draft, looseMedia } = turn.memory;
  if (draft === null) turn.remember({ looseMedia: [...looseMedia, mediaId].slice(-MOST_LOOSE) });
  else turn.remember({ draft: { ...draft, media: [...draft.media, mediaId] } });
  return turn.memory.draft;
}

export function image(turn: Turn, content: Image): void {
  const ticket = turn.memory.draft === null ? turn.recentTicket() : undefined;
  if (ticket) {
    turn.commands.push({ do: 'supplement', ticketId: ticket.id, text: '', media: [content.mediaId] });
    return turn.showTicket(ticket, SAY.supplemented);
  }
  const draft = keepImage(turn, content);
  if (draft === null) return turn.text(SAY.pictureFirst);
  turn.text(SAY.pictureAdded);
  const asked = turn.memory.asked.at(-1);
  if (asked === undefined) advance(turn, draft, []);
  else ask(turn, draft, asked);
}

/** @returns the draft that the place was put to; a new one without a matter where there was none */
export function keepLocation(turn: Turn, { label, latitude, longitude }: Location): Draft {
  const { understanding, newId, now, needs } = turn.in;
  const heard = understanding ? addressOf(understanding.address) : NO_ADDRESS;
  const words = label === '' ? `定位 ${latitude.toFixed(4)},${longitude.toFixed(4)}` : label;
  const piece = { ...heard, text: heard.text || words, publicText: heard.publicText || words, location: { latitude, longitude } };
  const { draft: known, looseMedia } = turn.memory;
  const address = known ? mergeAddress(known.address, piece, 'add') : piece;
  const draft: Draft = known
    ? { ...known, address, missing: stillMissing(known, address, false, needs) }
    : {
        id: newId(), words: [], media: looseMedia, type: null, typeProbability: 0, typeBy: 'model', candidates: [], nature: 'assistance', disposition: 'accept',
        urgency: 'd7', urgencyEvidence: [], lifeSafety: { rules: [], numbers: [], evidence: [] }, address, missing: [], modelVersion: '', startedAt: now,
      };
  turn.remember({ draft, ...(known ? {} : { looseMedia: [] }) });
  return draft;
}

export function location(turn: Turn, content: Location): void {
  const known = turn.memory.draft !== null;
  const draft = keepLocation(turn, content);
  if (known) advance(turn, draft, turn.memory.asked);
  else turn.text(SAY.locationFirst(content.label));
}
