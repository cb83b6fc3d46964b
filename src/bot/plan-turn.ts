import { typeName } from '../domain/catalogue.ts';
import type { Asked, ConversationMemory, Draft, Handoff, HandoffReason } from '../domain/conversation.ts';
import type { TicketId } from '../domain/ids.ts';
import type { Chip, InboundContent } from '../domain/message.ts';
import { isOpen, type Ticket } from '../domain/ticket.ts';
import { shortTitle } from '../domain/ticket-card.ts';
import type { Understanding, Urgency } from '../domain/understanding.ts';
import { dateZh, numberZh, STATUS_ZH } from '../domain/words.zh.ts';
import { addressOf, addressOfTicket, addToDraft, draftOf, mergeAddress, moreUrgent, NO_ADDRESS, placedAt, stillMissing, withType } from './draft.ts';
import { DANGER_TYPES, digits, isCorrection, isSensitive, sameMatter, splitChip, THANKS } from './hear-words.ts';
import { nextQuestion } from './next-question.ts';
import type { Heard, PlannedReply, TurnCommand, TurnInput, TurnPlan } from './plan.ts';
import { CHIPS, HANDOFF_SAY, SAY, WAIT_MINUTES } from './prompts.zh.ts';
import { readYesNo } from './read-answer.ts';
import { understoodCard } from './understood-card.ts';

/** A second message within this time about the same place is taken to be about the same spot. */
const SAME_SPOT_MS = 30 * 60_000;
const SURE = 0.6;

/**
 * Decides what one message leads to: what is said, what is done, what is remembered. Pure.
 *
 * Order of concern: danger to life; who has the floor (an operator's conversation is never answered here); what was asked before;
 * what the resident wants now.
 */
export function planTurn(input: TurnInput): TurnPlan {
  return new Planner(input).plan();
}

class Planner {
  readonly #in: TurnInput;
  #memory: ConversationMemory;
  #replies: PlannedReply[] = [];
  #commands: TurnCommand[] = [];
  #handoff: Handoff | null = null;
  #endWaiting = false;
  #survey: TurnPlan['survey'] = { do: 'none' };

  constructor(input: TurnInput) {
    this.#in = input;
    this.#memory = { ...input.conversation.memory };
  }

  plan(): TurnPlan {
    const { content } = this.#in.message;
    const { mode } = this.#in.conversation;
    if (content.kind === 'system') this.#system(content.ticketId);
    else if (mode === 'operator') this.#underOperator();
    else {
      this.#sayDanger();
      if (mode === 'waiting') this.#whileWaiting(content);
      else this.#asBot(content);
    }
    return {
      replies: this.#replies, commands: this.#commands, memory: { ...this.#memory, greeted: true }, handoff: this.#handoff,
      endWaiting: this.#endWaiting, survey: this.#survey,
    };
  }

  // --- saying and doing -------------------------------------------------------------------------------------------------

  #text(text: string, ...chips: Chip[]): void {
    this.#replies.push({ kind: 'text', text, ...(chips.length > 0 ? { chips } : {}) });
  }
  #remember(change: Partial<ConversationMemory>): void {
    this.#memory = { ...this.#memory, ...change };
  }
  #title(ticket: Ticket): string {
    return shortTitle(ticket, this.#in.naming);
  }
  #typeName(code: string | null): string {
    return code === null ? '待确认' : typeName(this.#in.naming.catalogue, code);
  }
  #showTicket(ticket: Ticket, text: (title: string, status: string) => string, ...chips: Chip[]): void {
    this.#replies.push({ kind: 'ticket_after', of: { ticket: ticket.id }, say: (card, title) => text(title, card.statusName), ...(chips.length > 0 ? { chips } : {}) });
    this.#remember({ lastTicketId: ticket.id });
  }

  #handOver(reason: HandoffReason, urgency: Urgency, note: string): void {
    this.#handoff = { reason, urgency, note };
    this.#text(HANDOFF_SAY[reason](WAIT_MINUTES[urgency]), CHIPS.stopWaiting);
  }

  /** The number to call stands first, before any question and whatever else is said. */
  #sayDanger(): void {
    const { numbers } = this.#in.lifeSafety;
    if (numbers.length === 0) return;
    this.#replies.push({ kind: 'emergency', text: SAY.emergency(numbers), numbers });
  }

  // --- who has the floor ------------------------------------------------------------------------------------------------

  #underOperator(): void {
    const { lifeSafety, conversation } = this.#in;
    if (lifeSafety.rules.length > 0 && conversation.handoff) {
      // The operator speaks; the desk shows what the machine saw.
      this.#handoff = { ...conversation.handoff, urgency: 'h2', note: `居民最新消息提到危险（${lifeSafety.evidence.map((each) => each.span.text).join('、')}）。${conversation.handoff.note}`.slice(0, 400) };
    }
    this.#keepForOperator();
  }

  /** While people talk, the bot only collects what belongs to the matter in hand. */
  #keepForOperator(): void {
    const { message: { content }, understanding, text } = this.#in;
    const { draft } = this.#memory;
    if (content.kind === 'image') {
      if (draft) this.#remember({ draft: { ...draft, media: [...draft.media, content.mediaId] } });
      else this.#remember({ looseMedia: [...this.#memory.looseMedia, content.mediaId] });
    } else if (content.kind === 'location') {
      const at = { ...NO_ADDRESS, text: content.label, publicText: content.label, location: { latitude: content.latitude, longitude: content.longitude } };
      if (draft) this.#remember({ draft: { ...draft, address: mergeAddress(draft.address, at, 'add') } });
    } else if (content.kind === 'edit' && draft) this.#editDraft(draft, content);
    else if (understanding && text !== '') {
      if (draft) this.#remember({ draft: addToDraft(draft, text, understanding, 'add', this.#in.needs) });
      else if (understanding.intent.value === 'report') this.#remember({ draft: this.#newDraft({ text, understanding }) });
    }
  }

  #whileWaiting(content: InboundContent): void {
    const { conversation, lifeSafety, now } = this.#in;
    if (content.kind === 'tap' && content.chip === CHIPS.stopWaiting.id) {
      this.#endWaiting = true;
      const { draft } = this.#memory;
      if (draft) this.#advance({ ...draft }, []);
      else this.#text(SAY.backToBot);
      return;
    }
    if (lifeSafety.rules.length > 0 && conversation.handoff) this.#handoff = { ...conversation.handoff, urgency: 'h2', note: `居民提到危险：${lifeSafety.evidence.map((each) => each.span.text).join('、')}。${conversation.handoff.note}`.slice(0, 400) };
    this.#keepForOperator();
    const left = Math.max(1, Math.ceil(((conversation.waitingUntil ?? now) - now) / 60_000));
    if (content.kind === 'tap' && (content.chip === CHIPS.human.id || content.chip === CHIPS.status.id)) this.#text(SAY.stillWaiting(left), CHIPS.stopWaiting);
    else if (lifeSafety.rules.length === 0) this.#text(SAY.waitingAck, CHIPS.stopWaiting);
  }

  // --- the bot's own conversation ---------------------------------------------------------------------------------------

  #asBot(content: Exclude<InboundContent, { kind: 'system' }>): void {
    switch (content.kind) {
      case 'tap': return this.#tap(content.chip, content.label);
      case 'edit': return this.#edit(content);
      case 'image': return this.#image(content);
      case 'location': return this.#location(content);
      case 'text': return this.#words();
      default: return content satisfies never;
    }
  }

  #words(): void {
    const { text, understanding, modelDown, matters } = this.#in;
    if (this.#continueSurvey(text)) return;
    if (modelDown || (understanding === null && text !== '')) return this.#withoutModel();
    if (understanding === null) return this.#text(SAY.empty);
    if (this.#memory.confirm !== null) {
      const answer = readYesNo(text);
      if (answer !== null) return this.#confirmed(answer);
      this.#remember({ confirm: null });
    }
    const { intent } = understanding;
    const danger = this.#in.lifeSafety.rules.length > 0;
    if (!danger && intent.value === 'human' && intent.probability >= 0.5) return this.#human();
    if (!danger && understanding.anger.length > 0) return this.#angry(understanding);
    if (!danger && this.#memory.draft !== null && intent.value === 'cancel' && intent.probability >= 0.5) return this.#cancel();
    if (matters.length >= 2) return this.#several(matters);
    if (this.#memory.draft !== null && this.#memory.asked.length > 0) return this.#answer(this.#memory.draft, understanding);
    if (isCorrection(text) && this.#correctLast(understanding)) return;
    const wish = danger ? 'report' : intent.value;
    switch (wish) {
      case 'human': return this.#text(SAY.rephrase, CHIPS.human);
      case 'status': return this.#status(understanding.ticketNumber);
      case 'cancel': return this.#cancel();
      case 'rate': return this.#rated(understanding);
      case 'chat': return this.#chat(understanding);
      case 'supplement': return this.#supplement(understanding);
      case 'question':
      case 'report': return this.#report({ text, understanding });
      default: return wish satisfies never;
    }
  }

  #withoutModel(): void {
    const danger = this.#in.lifeSafety.rules.length > 0;
    this.#handOver('model_unavailable', danger ? 'h2' : 'h24', '识别服务不可用，原话未经分类，请直接阅读。');
  }

  #human(): void {
    const { draft } = this.#memory;
    this.#handOver('asked_for_human', draft?.urgency ?? 'd7', draft ? `居民要求人工。已知：${this.#typeName(draft.type)}，${draft.address.publicText || '地点未知'}。` : '居民要求人工。');
  }

  #angry(understanding: Understanding): void {
    const { text } = this.#in;
    const draft = this.#memory.draft ? addToDraft(this.#memory.draft, text, understanding, 'add', this.#in.needs) : this.#newDraft({ text, understanding });
    this.#remember({ draft });
    this.#handOver('angry', draft.urgency, `居民情绪激动（${understanding.anger.map((span) => span.text).join('、')}）。机器判断：${this.#typeName(draft.type)}。`);
  }

  // --- reports ----------------------------------------------------------------------------------------------------------

  #newDraft(heard: Heard): Draft {
    const draft = draftOf(heard.text, heard.understanding, { id: this.#in.newId(), now: this.#in.now, media: this.#memory.looseMedia, needs: this.#in.needs });
    this.#remember({ looseMedia: [] });
    return this.#typedByDanger(draft);
  }

  /** What burns, leaks or traps people tells the crew to send better than a guess of the model below one half. */
  #typedByDanger(draft: Draft): Draft {
    if (draft.typeBy !== 'model' || draft.typeProbability >= 0.5) return draft;
    const type = draft.lifeSafety.rules.map((rule) => DANGER_TYPES[rule]).find((code) => code !== undefined && code in this.#in.naming.catalogue.types);
    return type === undefined ? draft : { ...draft, type };
  }

  #report(heard: Heard): void {
    const { understanding } = heard;
    const known = this.#memory.draft;
    if (known !== null && known.type === null && known.words.length === 0) return this.#answer(known, understanding); // a location came before its matter
    const repeated = sameMatter(this.#in.tickets, understanding);
    if (repeated && this.#in.lifeSafety.rules.length === 0) return this.#mergeInto(repeated, heard);
    if (isSensitive(understanding, this.#in.naming.catalogue)) {
      this.#remember({ draft: this.#newDraft(heard), asked: [] });
      return this.#handOver('sensitive', 'd7', `涉及${this.#typeName(understanding.type)}（${understanding.disposition.value}），请告知法定渠道并决定是否立单。`);
    }
    if (understanding.address.outside && understanding.address.place === null) return this.#text(SAY.tooFarOutside, CHIPS.human);
    let draft = this.#newDraft(heard);
    if (known !== null) draft = { ...draft, media: [...known.media, ...draft.media] };
    this.#remember({ notUnderstood: 0, merged: null });
    this.#advance(this.#atLastSpot(draft), [], understanding);
  }

  /** Danger does not wait for an address already given minutes ago. */
  #atLastSpot(draft: Draft): Draft {
    const last = this.#recentTicket();
    if (!last || draft.address.text !== '' || draft.lifeSafety.rules.length === 0) return draft;
    return { ...draft, address: addressOfTicket(last), missing: draft.missing.filter((field) => field !== 'address' && field !== 'building') };
  }

  #recentTicket(): Ticket | undefined {
    return this.#in.tickets.find((ticket) => isOpen(ticket.state.status) && this.#in.now - ticket.openedAt < SAME_SPOT_MS);
  }

  #several(matters: readonly Heard[]): void {
    const drafts = matters.map((heard) => this.#newDraft(heard));
    const [first, ...rest] = drafts;
    if (!first) return;
    // 「12号楼停水，另外楼下路灯也不亮」: what follows without a place of its own is at the place just named.
    const placed = rest.map((draft) => placedAt(draft, first.address, this.#in.needs));
    this.#remember({ draft: null, asked: [], later: [...this.#memory.later, ...placed] });
    this.#advance(first, []);
  }

  #mergeInto(ticket: Ticket, heard: Heard): void {
    const draft = draftOf(heard.text, heard.understanding, { id: this.#in.newId(), now: this.#in.now, media: this.#memory.looseMedia, needs: this.#in.needs });
    this.#commands.push({ do: 'supplement', ticketId: ticket.id, text: heard.text, media: this.#memory.looseMedia });
    this.#remember({ merged: { draft, ticketId: ticket.id }, looseMedia: [] });
    this.#showTicket(ticket, SAY.merged, CHIPS.notSame, CHIPS.human);
  }

  /** Takes the draft as far as it can go: a question, a ticket, or an operator. */
  #advance(draft: Draft, asked: readonly Asked[], understanding?: Understanding): void {
    const next = nextQuestion(draft, asked, understanding);
    if (next.kind === 'open') return this.#open(draft);
    if (next.kind === 'handoff') {
      this.#remember({ draft, asked });
      return this.#handOver(next.reason, draft.urgency, this.#noteOf(draft, next.reason));
    }
    this.#remember({ draft, asked: [...asked, next.ask] });
    this.#ask(draft, next.ask);
  }

  #ask(draft: Draft, ask: Asked): void {
    const card = understoodCard(draft, this.#in.naming.catalogue);
    const say = (text: string, ...chips: Chip[]): void => void this.#replies.push({ kind: 'understood', text, card, chips });
    const what = draft.type === null ? '' : `您反映的是${this.#typeName(draft.type)}问题。`;
    const last = this.#recentTicket();
    switch (ask) {
      case 'type': return this.#text(SAY.askType, ...draft.candidates.slice(0, 4).map((each) => ({ id: `type:${each.value}`, label: this.#typeName(each.value) })), CHIPS.otherType);
      case 'rephrase': return this.#text(SAY.rephrase, CHIPS.human);
      case 'place': return say(SAY.askPlace(draft.address.publicText), ...draft.address.rivals.slice(0, 5).map((rival, index) => ({ id: `place:${index}`, label: rival.label })), CHIPS.skipAddress);
      case 'address': return say(SAY.askAddress(what), ...(last ? [CHIPS.lastAddress] : []), CHIPS.skipAddress);
      case 'building': return say(SAY.askBuilding(draft.address.label || draft.address.publicText), CHIPS.skipBuilding);
      case 'what': return say(SAY.askWhat, CHIPS.skipBuilding);
      case 'time': return say(SAY.askTime, CHIPS.skipBuilding);
      case 'party': return say(SAY.askParty, CHIPS.skipBuilding);
      case 'ticket': return this.#text(SAY.askTicket);
      default: return ask satisfies never;
    }
  }

  #open(draft: Draft): void {
    const danger = draft.lifeSafety.rules.length > 0;
    this.#commands.push({ do: 'open', draft });
    const { utcOffsetMinutes } = this.#in.naming;
    this.#replies.push({
      kind: 'ticket_after', of: { draft: draft.id }, chips: [CHIPS.status, CHIPS.human],
      say: (card, title) => (danger ? SAY.openedEmergency : SAY.opened)(title, dateZh(card.dueAt, utcOffsetMinutes)) + (danger ? '' : SAY.wrongHint),
    });
    const [next, ...later] = this.#memory.later;
    this.#remember({ draft: null, asked: [], later, merged: null });
    if (next) {
      const place = placedAt(next, draft.address, this.#in.needs);
      if (place.type !== null && !place.missing.includes('address')) return this.#open(place);
      this.#text(SAY.laterMatter(place.words.join(' ').slice(0, 60)));
      this.#advance(place, []);
    }
  }

  #noteOf(draft: Draft, reason: HandoffReason): string {
    const best = draft.candidates.slice(0, 3).filter((each) => each.probability >= 0.05).map((each) => `${this.#typeName(each.value)} ${Math.round(each.probability * 100)}%`).join('、');
    const why: Partial<Record<HandoffReason, string>> = { low_confidence: '机器拿不准事项分类', no_address: '问过地点仍不清楚', emergency: '可能危及生命安全，地点还不清楚' };
    return `${why[reason] ?? '需要人工判断'}。候选：${best || '无'}。地点：${draft.address.publicText || '未知'}。`;
  }

  // --- answers ----------------------------------------------------------------------------------------------------------

  #answer(draft: Draft, understanding: Understanding): void {
    const { text } = this.#in;
    const asked = this.#memory.asked.at(-1);
    const { intent } = understanding;
    const danger = this.#in.lifeSafety.rules.length > 0;
    const sure = intent.probability >= SURE;
    const saysPlace = understanding.address.spans.length > 0;
    if (!danger && sure && !saysPlace && intent.value === 'status') return this.#status(understanding.ticketNumber);
    if (!danger && !saysPlace && intent.value === 'cancel') return this.#cancel();
    if (!danger && !saysPlace && intent.value === 'human') return this.#human();
    if (!danger && !saysPlace && intent.value === 'chat' && asked !== 'what' && asked !== 'rephrase') return this.#advance(draft, this.#memory.asked); // no answer: the question counts again
    if (asked === 'type' || asked === 'rephrase') return this.#answerType(draft, understanding);
    if (isCorrection(text)) return this.#advance(this.#corrected(draft, text, understanding), this.#memory.asked);
    const other = sure && intent.value === 'report' && understanding.type !== null && understanding.type !== draft.type
      && (understanding.candidates[0]?.probability ?? 0) >= 0.75 && draft.typeProbability >= 0.5 && !danger;
    if (other && !saysPlace && asked !== 'what') {
      // Another matter instead of the answer: kept for afterwards, and the question stands.
      this.#remember({ later: [...this.#memory.later, this.#newDraft({ text, understanding })] });
      this.#text(SAY.noted(this.#typeName(understanding.type)));
      return this.#ask(draft, asked ?? 'address');
    }
    let next = addToDraft(draft, text, understanding, 'add', this.#in.needs, this.#memory.looseMedia);
    this.#remember({ looseMedia: [] });
    if ((asked === 'address' || asked === 'building') && !saysPlace) next = this.#plainAddress(next, text, asked);
    // A location that came first has no type yet; the words that follow bring it.
    if (next.type === null && understanding.type !== null) next = { ...this.#newDraft({ text, understanding }), id: draft.id, address: next.address, media: next.media, missing: stillMissing(draftOf(text, understanding, { id: draft.id, now: this.#in.now, media: [], needs: this.#in.needs }), next.address, false, this.#in.needs) };
    this.#advance(next, this.#memory.asked);
  }

  /** An answer the tagger sees no place in is still the resident's answer: 「3号」, 「就在门口大槐树那儿」. */
  #plainAddress(draft: Draft, text: string, asked: 'address' | 'building'): Draft {
    if (text.length > 40 || /^(?:不知道|不清楚|没有|嗯|哦|好|算了)/u.test(text)) return draft;
    if (asked === 'address' && !/[\u4e00-\u9fffA-Za-z0-9]{2}/u.test(text)) return draft;
    const piece = { ...NO_ADDRESS, text, publicText: text, building: asked === 'building' ? text : '' };
    const address = mergeAddress(draft.address, piece, 'add');
    return { ...draft, address, missing: draft.missing.filter((field) => field !== asked) };
  }

  #answerType(draft: Draft, understanding: Understanding): void {
    const { text } = this.#in;
    const chosen = draft.candidates.find((each) => text.includes(this.#typeName(each.value)));
    if (chosen) return this.#advance(addToDraft(withType(draft, chosen.value, 'resident'), text, understanding, 'add', this.#in.needs), this.#memory.asked);
    const placeOnly = understanding.address.spans.reduce((sum, span) => sum + span.text.length, 0) >= text.length * 0.6;
    if (placeOnly && this.#memory.asked.filter((each) => each === 'type').length === 1) {
      // They told where instead of what: kept, and the same choice stands.
      const placed = addToDraft(draft, text, understanding, 'add', this.#in.needs);
      this.#remember({ draft: placed, asked: [...this.#memory.asked, 'type'] });
      return this.#ask(placed, 'type');
    }
    const again: Draft = { ...draftOf([...draft.words, text].join('，'), understanding, { id: draft.id, now: this.#in.now, media: draft.media, needs: this.#in.needs }), words: [...draft.words, text], urgency: moreUrgent(draft.urgency, understanding.urgency?.value ?? 'd15') };
    const address = mergeAddress(draft.address, addressOf(understanding.address), 'add');
    this.#advance({ ...again, address, missing: stillMissing(again, address, false, this.#in.needs) }, this.#memory.asked, understanding);
  }

  #corrected(draft: Draft, text: string, understanding: Understanding): Draft {
    const piece = addressOf(understanding.address);
    const words = [...draft.words, text];
    let next: Draft = { ...draft, words };
    if (piece.text !== '') {
      const address = mergeAddress(draft.address, piece, 'replace');
      next = { ...next, address, missing: stillMissing(draft, address, true, this.#in.needs) };
    }
    const newType = understanding.type !== null && understanding.type !== draft.type && (understanding.candidates[0]?.probability ?? 0) >= SURE && understanding.intent.value === 'report';
    return newType ? withType(next, understanding.type ?? 'other.unclassified', 'model') : next;
  }

  /** 「不对，是8号楼」 after the ticket is open. */
  #correctLast(understanding: Understanding): boolean {
    const ticket = this.#recentTicket();
    const piece = addressOf(understanding.address);
    if (!ticket || piece.text === '') return false;
    this.#correctAddress(ticket, piece);
    return true;
  }

  #correctAddress(ticket: Ticket, piece: ReturnType<typeof addressOf>): void {
    const { text } = this.#in;
    if (ticket.state.status !== 'opened' && ticket.state.status !== 'dispatched' && ticket.state.status !== 'unrouted') {
      this.#commands.push({ do: 'supplement', ticketId: ticket.id, text, media: [] });
      return this.#showTicket(ticket, SAY.correctionAdded);
    }
    const known = addressOfTicket(ticket);
    const address = mergeAddress(known, piece, 'replace');
    this.#commands.push({ do: 'correct', ticketId: ticket.id, changes: { address: { text: address.publicText, place: address.place, label: address.label, location: address.location }, addressPrivate: address.text } });
    this.#showTicket(ticket, SAY.corrected);
  }

  // --- other wishes -----------------------------------------------------------------------------------------------------

  #status(number: string | null): void {
    const { tickets } = this.#in;
    const named = number === null ? undefined : tickets.find((ticket) => digits(number) !== '' && ticket.number.endsWith(digits(number)));
    const open = tickets.filter((ticket) => isOpen(ticket.state.status));
    const shown = named ? [named] : (open.length > 0 ? open : tickets).slice(0, named ? 1 : 3);
    if (shown.length === 0) return this.#text(SAY.noTicket);
    for (const ticket of shown) this.#showTicket(ticket, SAY.status, CHIPS.human);
  }

  #cancel(): void {
    if (this.#memory.draft !== null) {
      this.#remember({ draft: null, asked: [], later: [] });
      return this.#text(SAY.draftDropped);
    }
    const ticket = this.#in.tickets.find((each) => each.id === this.#memory.lastTicketId && isOpen(each.state.status)) ?? this.#in.tickets.find((each) => isOpen(each.state.status));
    if (!ticket) return this.#text(SAY.nothingToCancel);
    if (ticket.state.status === 'resolved' || ticket.state.status === 'following_up') return this.#text(SAY.cannotWithdraw(this.#title(ticket), STATUS_ZH[ticket.state.status]));
    this.#remember({ confirm: { kind: 'withdraw', ticketId: ticket.id } });
    this.#text(SAY.confirmWithdraw(this.#title(ticket)), CHIPS.withdrawYes, CHIPS.withdrawNo);
  }

  #confirmed(yes: boolean): void {
    const { confirm } = this.#memory;
    this.#remember({ confirm: null });
    const ticket = this.#in.tickets.find((each) => each.id === confirm?.ticketId);
    if (!ticket || !yes) return this.#text(SAY.keptTicket);
    if (!isOpen(ticket.state.status) || ticket.state.status === 'resolved' || ticket.state.status === 'following_up') return this.#text(SAY.cannotWithdraw(this.#title(ticket), STATUS_ZH[ticket.state.status]));
    this.#commands.push({ do: 'withdraw', ticketId: ticket.id, reason: this.#in.text || '居民撤回' });
    this.#showTicket(ticket, SAY.withdrawn);
  }

  #rated(understanding: Understanding): void {
    if (THANKS.test(this.#in.text) && this.#in.text.length <= 12) return this.#text(SAY.thanks);
    // The survey was put aside for something else; the word that comes late still counts.
    const asked = this.#in.tickets.find((ticket) => ticket.state.status === 'following_up');
    const solved = readYesNo(this.#in.text);
    if (asked && solved !== null) {
      this.#commands.push({ do: 'follow_up', ticketId: asked.id, answers: { contacted: null, solved, satisfied: solved ? null : false, comment: this.#in.text } });
      return this.#showTicket(asked, (title, status) => SAY.status(title, status));
    }
    this.#text(understanding.nature?.value === 'praise' ? SAY.praise : SAY.rateNone);
  }

  #chat(understanding: Understanding): void {
    const { text } = this.#in;
    if (THANKS.test(text) && text.length <= 12) return this.#text(SAY.thanks);
    // Someone with a ticket under way who says something unclear most likely asks about it.
    const asksStatus = understanding.intents.find((each) => each.value === 'status')?.probability ?? 0;
    if (asksStatus >= 0.15 && this.#in.tickets.some((ticket) => isOpen(ticket.state.status))) return this.#status(understanding.ticketNumber);
    if (!this.#memory.greeted || /(?:你好|您好|在吗|早上好|晚上好|hello|hi)/iu.test(text)) return this.#text(SAY.greeting, CHIPS.human);
    this.#remember({ notUnderstood: this.#memory.notUnderstood + 1 });
    this.#text(understanding.intent.probability >= SURE ? SAY.chat : SAY.nonsense, CHIPS.human);
  }

  #supplement(understanding: Understanding): void {
    const { text, tickets } = this.#in;
    const number = understanding.ticketNumber;
    const named = number === null ? undefined : tickets.find((each) => isOpen(each.state.status) && digits(number) !== '' && each.number.endsWith(digits(number)));
    const ticket = named ?? tickets.find((each) => each.id === this.#memory.lastTicketId && isOpen(each.state.status)) ?? tickets.find((each) => isOpen(each.state.status));
    if (!ticket) return this.#report({ text, understanding });
    this.#commands.push({ do: 'supplement', ticketId: ticket.id, text, media: this.#memory.looseMedia });
    this.#remember({ looseMedia: [], merged: { draft: draftOf(text, understanding, { id: this.#in.newId(), now: this.#in.now, media: [], needs: this.#in.needs }), ticketId: ticket.id } });
    this.#showTicket(ticket, SAY.supplemented, CHIPS.notSame);
  }

  // --- taps, edits, pictures, places ------------------------------------------------------------------------------------

  #tap(chip: string, label: string): void {
    const { draft, merged } = this.#memory;
    const [kind = '', value = ''] = splitChip(chip);
    if (this.#memory.followUp !== null && kind === 'fu') return this.#surveyAnswer(value);
    if (chip === CHIPS.human.id) return this.#human();
    if (chip === CHIPS.status.id) return this.#status(null);
    if (chip === CHIPS.cancelDraft.id) return this.#cancel();
    if (kind === 'withdraw' && this.#memory.confirm !== null) return this.#confirmed(value === 'yes');
    if (chip === CHIPS.notSame.id && merged !== null) {
      this.#remember({ merged: null });
      return this.#advance(merged.draft, []);
    }
    if (draft !== null) {
      if (chip === CHIPS.otherType.id) return this.#advance({ ...draft, type: null }, [...this.#memory.asked]);
      if (kind === 'type') return this.#advance(withType(draft, value, 'resident'), this.#memory.asked);
      const rival = kind === 'place' ? draft.address.rivals[Number(value)] : undefined;
      if (rival) return this.#advance({ ...draft, address: { ...draft.address, place: rival.place, label: rival.label, rivals: [] } }, this.#memory.asked);
      if (chip === CHIPS.lastAddress.id) {
        const last = this.#recentTicket();
        if (last) return this.#advance({ ...draft, address: addressOfTicket(last), missing: [] }, this.#memory.asked);
      }
      if (kind === 'skip') {
        const asked = this.#memory.asked.at(-1);
        if (chip === CHIPS.skipAddress.id) {
          this.#remember({ draft });
          return this.#handOver(draft.lifeSafety.rules.length > 0 ? 'emergency' : 'no_address', draft.urgency, this.#noteOf(draft, 'no_address'));
        }
        return this.#advance({ ...draft, missing: draft.missing.filter((field) => field !== asked) }, this.#memory.asked);
      }
    }
    // A chip of a question long answered, or of another channel's menu: its label is what the resident meant to say.
    if (this.#in.understanding !== null && label !== '') return this.#words();
    this.#text(SAY.nonsense, CHIPS.human);
  }

  #edit(content: Extract<InboundContent, { kind: 'edit' }>): void {
    const { draft } = this.#memory;
    if (draft?.id === content.target) {
      this.#editDraft(draft, content);
      const changed = this.#memory.draft ?? draft;
      return this.#advance(changed, this.#memory.asked.filter((each) => each !== content.field));
    }
    const ticket = this.#in.tickets.find((each) => each.id === content.target);
    if (!ticket || !isOpen(ticket.state.status)) return this.#text(SAY.noTicket);
    if (content.field === 'address') {
      const { understanding } = this.#in;
      const piece = understanding && understanding.address.spans.length > 0 ? addressOf(understanding.address) : { ...NO_ADDRESS, text: content.value, publicText: content.value };
      return this.#correctAddress(ticket, piece);
    }
    const changeable = ['opened', 'dispatched', 'unrouted'].includes(ticket.state.status);
    if (content.field === 'type' && changeable && content.value in this.#in.naming.catalogue.types) {
      this.#commands.push({ do: 'correct', ticketId: ticket.id, changes: { type: content.value } });
      return this.#showTicket(ticket, SAY.corrected);
    }
    const said = content.field === 'type' ? `居民认为事项应是「${this.#typeName(content.value)}」` : content.value;
    this.#commands.push({ do: 'supplement', ticketId: ticket.id, text: said, media: [] });
    this.#showTicket(ticket, changeable ? SAY.supplemented : SAY.correctionAdded);
  }

  #editDraft(draft: Draft, content: Extract<InboundContent, { kind: 'edit' }>): void {
    if (content.field === 'type' && content.value in this.#in.naming.catalogue.types) this.#remember({ draft: withType(draft, content.value, 'resident') });
    else if (content.field === 'description') this.#remember({ draft: { ...draft, words: [content.value] } });
    else if (content.field === 'address') {
      const { understanding } = this.#in;
      const address = understanding && understanding.address.spans.length > 0
        ? mergeAddress(draft.address, addressOf(understanding.address), 'replace')
        : { ...NO_ADDRESS, text: content.value, publicText: content.value, location: draft.address.location };
      this.#remember({ draft: { ...draft, address, missing: stillMissing(draft, address, true, this.#in.needs) } });
    }
  }

  #image(content: Extract<InboundContent, { kind: 'image' }>): void {
    const { draft } = this.#memory;
    if (draft !== null) {
      this.#remember({ draft: { ...draft, media: [...draft.media, content.mediaId] } });
      this.#text(SAY.pictureAdded);
      const asked = this.#memory.asked.at(-1);
      return asked === undefined ? this.#advance({ ...draft, media: [...draft.media, content.mediaId] }, []) : this.#ask({ ...draft, media: [...draft.media, content.mediaId] }, asked);
    }
    const ticket = this.#recentTicket();
    if (ticket) {
      this.#commands.push({ do: 'supplement', ticketId: ticket.id, text: '', media: [content.mediaId] });
      return this.#showTicket(ticket, SAY.supplemented);
    }
    this.#remember({ looseMedia: [...this.#memory.looseMedia, content.mediaId].slice(-9) });
    this.#text(SAY.pictureFirst);
  }

  #location(content: Extract<InboundContent, { kind: 'location' }>): void {
    const { understanding } = this.#in;
    const heard = understanding ? addressOf(understanding.address) : NO_ADDRESS;
    const words = content.label === '' ? `定位 ${content.latitude.toFixed(4)},${content.longitude.toFixed(4)}` : content.label;
    const piece = { ...heard, text: heard.text || words, publicText: heard.publicText || words, location: { latitude: content.latitude, longitude: content.longitude } };
    const { draft } = this.#memory;
    if (draft !== null) {
      const address = mergeAddress(draft.address, piece, 'add');
      return this.#advance({ ...draft, address, missing: stillMissing(draft, address, false, this.#in.needs) }, this.#memory.asked);
    }
    const empty: Draft = {
      id: this.#in.newId(), words: [], media: this.#memory.looseMedia, type: null, typeProbability: 0, typeBy: 'model', candidates: [], nature: 'assistance', disposition: 'accept',
      urgency: 'd7', urgencyEvidence: [], lifeSafety: { rules: [], numbers: [], evidence: [] }, address: piece, missing: [], modelVersion: '', startedAt: this.#in.now,
    };
    this.#remember({ draft: empty, looseMedia: [] });
    this.#text(SAY.locationFirst(content.label));
  }

  // --- the follow-up survey ---------------------------------------------------------------------------------------------

  #system(ticketId: TicketId): void {
    const ticket = this.#in.tickets.find((each) => each.id === ticketId);
    if (!ticket || (ticket.state.status !== 'resolved' && ticket.state.status !== 'following_up')) return;
    const busy = this.#in.conversation.mode !== 'bot' || this.#memory.draft !== null || this.#memory.followUp !== null;
    if (busy) return void this.#commands.push({ do: 'follow_up_later', ticketId });
    this.#commands.push({ do: 'ask_follow_up', ticketId });
    this.#survey = { do: 'begin', ticketId, number: numberZh(ticket.number), title: `${this.#typeName(ticket.type)}${ticket.address.text === '' ? '' : ` · ${ticket.address.text}`}` };
    this.#remember({ lastTicketId: ticketId });
  }

  /** true: the words were the survey's, nothing else is to be said. */
  #continueSurvey(text: string): boolean {
    const { followUp } = this.#memory;
    if (followUp === null) return false;
    const { understanding } = this.#in;
    const answer = readYesNo(text);
    const wish = understanding?.intent;
    const turnsAway = this.#in.lifeSafety.rules.length > 0
      || (answer === null && wish !== undefined && wish.probability >= SURE && ['report', 'human', 'question', 'status'].includes(wish.value) && !(wish.value === 'report' && this.#awaitsComment()));
    if (!turnsAway) {
      this.#surveyAnswer(answer === null ? text : answer ? 'yes' : 'no');
      return true;
    }
    this.#survey = { do: 'drop' };
    this.#remember({ followUp: null, dialog: null });
    return false;
  }
  #awaitsComment(): boolean {
    return JSON.stringify(this.#memory.dialog ?? {}).includes('"thread":"unsolved"');
  }
  #surveyAnswer(answer: string): void {
    this.#survey = { do: 'continue', answer };
  }
}
