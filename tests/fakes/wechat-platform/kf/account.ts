import type { Delivery } from '../callbacks.ts';
import { MediaStore } from '../media.ts';
import { wireSeconds, type ChannelParts, type Verification } from '../parts.ts';
import type { Person, ScreenContent } from '../person.ts';
import { SAMPLE_AMR, SAMPLE_JPEG, SAMPLE_MP4 } from '../samples.ts';
import { TokenBook } from '../tokens.ts';
import { ENTERED_KF, KF_REFUSED } from '../words.zh.ts';
import { Bell } from './bell.ts';
import { newConversation, type Conversation } from './conversation.ts';
import { Mailbox } from './mailbox.ts';
import { KfSending, type FailType } from './sending.ts';
import type { KfSettings } from './settings.ts';

const ORIGIN = { person: 3, system: 4, servicer: 5 } as const;
/** session_status_change: 1 taken from the pool, 2 passed on, 3 ended. */
type ChangeType = 1 | 2 | 3;

/** A 微信客服 account, the people who write to it and the servicers who answer inside WeCom. */
export class CustomerService {
  readonly settings: KfSettings;
  readonly media: MediaStore;
  readonly mailbox: Mailbox;
  readonly sending: KfSending;
  readonly tokens: TokenBook;
  readonly #parts: ChannelParts;
  readonly #bell: Bell;
  readonly #conversations = new Map<string, Conversation>();

  constructor(parts: ChannelParts, settings: KfSettings) {
    this.settings = settings;
    this.#parts = parts;
    this.media = new MediaStore(parts.clock, parts.ids);
    this.mailbox = new Mailbox(settings, parts);
    this.tokens = new TokenBook(parts.clock, parts.ids, settings.tokens);
    this.#bell = new Bell(parts, settings, () => this.mailbox.issueToken());
    this.sending = new KfSending(parts, settings, this.media, {
      conversationOf: (externalUserId) => this.#conversations.get(externalUserId),
      sendFailed: (conversation, msgId, failType) => this.#sendFailed(conversation, msgId, failType),
    });
  }

  verify(): Promise<Verification> {
    return this.#bell.verify();
  }

  conversation(person: Person): Conversation {
    const known = this.#conversations.get(person.externalUserId) ?? newConversation(person);
    this.#conversations.set(person.externalUserId, known);
    return known;
  }

  /** Another callback although nothing is new, as the platform sends now and then. */
  ringAgain(): Delivery {
    return this.#bell.ring('again');
  }

  /** Opens the conversation: enter_session, with a welcome code if the person was neither greeted nor wrote in the last 48 h. */
  enter(person: Person, scene = ''): Delivery {
    const conversation = this.conversation(person);
    const [now, quietMs] = [this.#parts.clock.now(), this.settings.grant.windowMs];
    const greeted = now - Math.max(conversation.lastWelcomeAt, conversation.lastMessageAt) < quietMs;
    if (!greeted) conversation.lastWelcomeAt = now;
    this.#mark(person, { kind: 'notice', text: ENTERED_KF });
    return this.#event(person, { event_type: 'enter_session', scene, ...(greeted ? {} : { welcome_code: this.sending.issueCode(conversation, 'welcome') }) });
  }

  text(person: Person, text: string): Delivery {
    return this.#message(person, { msgtype: 'text', text: { content: text } }, { kind: 'text', text });
  }

  /** Taps an item of the newest menu on the screen that has it. */
  tapMenu(person: Person, itemId: string): Delivery {
    const { label } = person.menuItem('kf', itemId);
    return this.#message(person, { msgtype: 'text', text: { content: label, menu_id: itemId } }, { kind: 'text', text: label });
  }

  image(person: Person, bytes = SAMPLE_JPEG, contentType = 'image/jpeg'): Delivery {
    const mediaId = this.media.put({ kind: 'image', bytes, contentType });
    return this.#message(person, { msgtype: 'image', image: { media_id: mediaId } }, { kind: 'image', mediaId });
  }

  voice(person: Person, bytes = SAMPLE_AMR): Delivery {
    const mediaId = this.media.put({ kind: 'voice', bytes });
    return this.#message(person, { msgtype: 'voice', voice: { media_id: mediaId } }, { kind: 'voice', mediaId });
  }

  video(person: Person, bytes = SAMPLE_MP4): Delivery {
    const mediaId = this.media.put({ kind: 'video', bytes });
    return this.#message(person, { msgtype: 'video', video: { media_id: mediaId } }, { kind: 'video', mediaId });
  }

  location(person: Person, place: { readonly latitude: number; readonly longitude: number; readonly label: string; readonly address?: string }): Delivery {
    const { latitude, longitude, label, address = '' } = place;
    return this.#message(person, { msgtype: 'location', location: { latitude, longitude, name: label, address } }, { kind: 'location', latitude, longitude, label });
  }

  link(person: Person, link: { readonly title: string; readonly description: string; readonly url: string }): Delivery {
    const { title, description, url } = link;
    return this.#message(person, { msgtype: 'link', link: { title, desc: description, url, pic_url: '' } }, { kind: 'link', ...link });
  }

  /** From now on the account's messages are accepted and fail with type 10. */
  refuse(person: Person): void {
    this.conversation(person).refuses = true;
    this.#mark(person, { kind: 'notice', text: KF_REFUSED });
  }

  /** A servicer takes a person out of the pool (2 → 3). */
  servicerTakes(person: Person, servicer: string): Delivery {
    const conversation = this.#inState(person, 2);
    conversation.state = 3;
    conversation.servicer = servicer;
    return this.#change(conversation, 1, { new_servicer_userid: servicer, msg_code: this.sending.issueCode(conversation, 'handover') });
  }

  /** A servicer answers inside WeCom: the person sees it, and it comes with sync_msg as origin 5. */
  servicerSays(person: Person, text: string): Delivery {
    const { servicer } = this.#inState(person, 3);
    const msgid = this.#parts.ids.word(32);
    person.show({ at: this.#parts.clock.now(), channel: 'kf', via: 'servicer', id: msgid, content: { kind: 'text', text } });
    this.mailbox.add({ ...this.#entry(person, ORIGIN.servicer, msgid), servicer_userid: servicer, msgtype: 'text', text: { content: text } });
    return this.#bell.ring('servicer text');
  }

  /** A servicer passes a person on to a colleague. */
  servicerPasses(person: Person, to: string): Delivery {
    const conversation = this.#inState(person, 3);
    const from = conversation.servicer;
    conversation.servicer = to;
    return this.#change(conversation, 2, { old_servicer_userid: from, new_servicer_userid: to });
  }

  /** A servicer ends it (3 → 4). */
  servicerEnds(person: Person): Delivery {
    const conversation = this.#inState(person, 3);
    const from = conversation.servicer;
    conversation.state = 4;
    conversation.servicer = '';
    return this.#change(conversation, 3, { old_servicer_userid: from, msg_code: this.sending.issueCode(conversation, 'end') });
  }

  #message(person: Person, fields: Readonly<Record<string, unknown>>, content: ScreenContent): Delivery {
    const conversation = this.conversation(person);
    const now = this.#parts.clock.now();
    if (conversation.state === 4) conversation.state = 0; // the next message begins a new session
    conversation.left = this.settings.grant.count;
    conversation.until = now + this.settings.grant.windowMs;
    conversation.lastMessageAt = now;
    const msgid = this.#parts.ids.word(32);
    this.#mark(person, content, msgid);
    this.mailbox.add({ ...this.#entry(person, ORIGIN.person, msgid), ...fields });
    return this.#bell.ring(String(fields['msgtype']));
  }

  #sendFailed({ person }: Conversation, msgId: string, failType: FailType): void {
    this.#event(person, { event_type: 'msg_send_fail', fail_msgid: msgId, fail_type: failType });
  }

  #change({ person }: Conversation, changeType: ChangeType, fields: Readonly<Record<string, unknown>>): Delivery {
    return this.#event(person, { event_type: 'session_status_change', change_type: changeType, ...fields });
  }

  /** Of an event the platform writes account and person inside `event` only. */
  #event(person: Person, event: Readonly<Record<string, unknown>> & { readonly event_type: string }): Delivery {
    const inside = { open_kfid: this.settings.openKfId, external_userid: person.externalUserId, ...event };
    this.mailbox.add({ msgid: this.#parts.ids.word(32), send_time: wireSeconds(this.#parts), origin: ORIGIN.system, msgtype: 'event', event: inside });
    return this.#bell.ring(event.event_type);
  }

  #entry(person: Person, origin: number, msgid: string): { readonly msgid: string } & Readonly<Record<string, unknown>> {
    return { msgid, open_kfid: this.settings.openKfId, external_userid: person.externalUserId, send_time: wireSeconds(this.#parts), origin };
  }

  #inState(person: Person, state: number): Conversation {
    const conversation = this.conversation(person);
    if (conversation.state !== state) throw new Error(`the conversation of ${person.id} is in state ${conversation.state}, not ${state}`);
    return conversation;
  }

  #mark(person: Person, content: ScreenContent, id = ''): void {
    person.show({ at: this.#parts.clock.now(), channel: 'kf', via: 'self', id, content });
  }
}
