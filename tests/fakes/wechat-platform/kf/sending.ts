import { CODES, type Code } from '../calls.ts';
import type { Instant } from '../clock.ts';
import { textOf, type JsonObject } from '../json.ts';
import type { MediaStore } from '../media.ts';
import type { ChannelParts } from '../parts.ts';
import type { ScreenContent, Via } from '../person.ts';
import { readContent } from './content.ts';
import { isServiceState, TRANSITIONS, type Conversation, type ServiceState } from './conversation.ts';
import type { EventCodeKind, KfSettings } from './settings.ts';

const OK: Code = { errcode: 0, errmsg: 'ok' };
const MSG_ID = /^[\da-zA-Z_-]{0,32}$/;
const CODE_OF_STATE: Readonly<Partial<Record<ServiceState, EventCodeKind>>> = { 2: 'queue', 3: 'handover', 4: 'end' };

/** Why a message that was accepted did not arrive: 0 unknown, 1 account deleted, 2 app off, 4 over 48 h, 5 closed, 6 over 5, 10 refused. */
export type FailType = 0 | 1 | 2 | 4 | 5 | 6 | 10;

interface EventCode { readonly conversation: Conversation; readonly until: Instant; used: boolean }

export interface SendingHooks {
  conversationOf(externalUserId: string): Conversation | undefined;
  /** Puts msg_send_fail into the mailbox and calls back. */
  sendFailed(conversation: Conversation, msgId: string, failType: FailType): void;
}

/** send_msg, send_msg_on_event and service_state; each answers as the platform's API does. */
export class KfSending {
  readonly #parts: ChannelParts;
  readonly #settings: KfSettings;
  readonly #media: MediaStore;
  readonly #hooks: SendingHooks;
  readonly #sent = new Set<string>();
  readonly #codes = new Map<string, EventCode>();
  readonly #failNext: FailType[] = [];

  constructor(parts: ChannelParts, settings: KfSettings, media: MediaStore, hooks: SendingHooks) {
    this.#parts = parts;
    this.#settings = settings;
    this.#media = media;
    this.#hooks = hooks;
  }

  /** The next message is accepted and then fails so. */
  failNext(failType: FailType): void {
    this.#failNext.push(failType);
  }

  /** A code for one message in answer to an event. */
  issueCode(conversation: Conversation, kind: EventCodeKind): string {
    const code = this.#parts.ids.word(32);
    this.#codes.set(code, { conversation, until: this.#parts.clock.now() + this.#settings.codes[kind], used: false });
    return code;
  }

  /** /cgi-bin/kf/send_msg. The same msgid again is answered alike and shows nothing. */
  sendMessage(body: JsonObject): object {
    const conversation = this.#conversation(body);
    if ('errcode' in conversation) return conversation;
    const msgId = textOf(body, 'msgid') || this.#parts.ids.word(32);
    if (!MSG_ID.test(msgId)) return CODES.badParameter;
    if (this.#sent.has(msgId)) return { ...OK, msgid: msgId };
    const content = readContent(body, this.#settings, this.#media);
    if ('errcode' in content) return content;
    if (conversation.state !== 0 && conversation.state !== 1) return CODES.badState;
    const failType = this.#failNext.shift() ?? this.#takeOne(conversation);
    if (failType === 4 && this.#settings.overLimit === 'code') return CODES.kfTimeOver;
    if (failType === 6 && this.#settings.overLimit === 'code') return CODES.kfCountOver;
    this.#sent.add(msgId);
    if (failType === undefined) this.#show(conversation, 'kf', msgId, content);
    else this.#hooks.sendFailed(conversation, msgId, failType);
    return { ...OK, msgid: msgId };
  }

  /** /cgi-bin/kf/send_msg_on_event: one text or menu per code, within its time; outside state and budget. */
  sendOnEvent(body: JsonObject): object {
    const code = this.#codes.get(textOf(body, 'code'));
    const msgId = textOf(body, 'msgid') || this.#parts.ids.word(32);
    if (!MSG_ID.test(msgId)) return CODES.badParameter;
    if (this.#sent.has(msgId)) return { ...OK, msgid: msgId };
    if (code === undefined || code.used || code.until <= this.#parts.clock.now()) return CODES.badMessageToken;
    const content = readContent(body, this.#settings, this.#media);
    if ('errcode' in content) return content;
    if (content.kind !== 'text' && content.kind !== 'menu') return CODES.badMessageType;
    code.used = true;
    this.#sent.add(msgId);
    this.#show(code.conversation, 'kf_event', msgId, content);
    return { ...OK, msgid: msgId };
  }

  /** /cgi-bin/kf/service_state/get */
  getState(body: JsonObject): object {
    const conversation = this.#conversation(body, 'external_userid');
    if ('errcode' in conversation) return conversation;
    return { ...OK, service_state: conversation.state, ...(conversation.servicer === '' ? {} : { servicer_userid: conversation.servicer }) };
  }

  /** /cgi-bin/kf/service_state/trans; into 2, 3 and 4 it gives a code for send_msg_on_event. */
  changeState(body: JsonObject): object {
    const conversation = this.#conversation(body, 'external_userid');
    if ('errcode' in conversation) return conversation;
    const [from, to, servicer] = [conversation.state, body['service_state'], textOf(body, 'servicer_userid')];
    if (!isServiceState(to)) return CODES.badParameter;
    if (!TRANSITIONS[from].includes(to) || (from === 3 && to === 3 && servicer === conversation.servicer)) return CODES.badTransition;
    if (to === 3 && !this.#settings.servicers.includes(servicer)) return CODES.badServicer;
    conversation.state = to;
    conversation.servicer = to === 3 ? servicer : '';
    const kind = CODE_OF_STATE[to];
    return { ...OK, ...(kind === undefined || from === to ? {} : { msg_code: this.issueCode(conversation, kind) }) };
  }

  #conversation(body: JsonObject, name = 'touser'): Conversation | Code {
    if (textOf(body, 'open_kfid') !== this.#settings.openKfId) return CODES.badKfId;
    return this.#hooks.conversationOf(textOf(body, name)) ?? CODES.badOpenId;
  }

  /** Undefined: it arrives. */
  #takeOne(conversation: Conversation): FailType | undefined {
    if (conversation.refuses) return 10;
    if (conversation.until <= this.#parts.clock.now()) return 4;
    if (conversation.left === 0) return 6;
    conversation.left -= 1;
    return undefined;
  }

  #show({ person }: Conversation, via: Via, id: string, content: ScreenContent): void {
    person.show({ at: this.#parts.clock.now(), channel: 'kf', via, id, content });
  }
}
