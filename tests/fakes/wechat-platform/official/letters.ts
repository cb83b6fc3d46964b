import type { Delivery } from '../callbacks.ts';
import type { ChannelName, ScreenContent, Via } from '../person.ts';
import { wireSeconds, type ChannelParts, type Verification } from '../parts.ts';
import { encrypt, sign, type SealKeys } from '../seal.ts';
import type { WireAnswer, WireRequest } from '../wire.ts';
import { OUT_OF_ORDER, TRANSFERRED } from '../words.zh.ts';
import { writeXml, type XmlFields } from '../xml.ts';
import type { Follower } from './follower.ts';
import { readPassiveReply, type PassiveReply } from './passive-reply.ts';
import type { OfficialSettings } from './settings.ts';

/** One message or event on its way to the account's server. */
export interface Letter {
  readonly from: Follower;
  readonly fields: XmlFields;
  /** Absent for events. */
  readonly msgId?: string;
  readonly label: string;
  /** Whether the person waits for an answer, and so is told when there is none. */
  readonly awaited: boolean;
  readonly afterMs?: number;
}

/** What the platform made of an answer; kept for every delivery. */
export interface ReplyRecord {
  readonly deliveryId: string;
  readonly reply: PassiveReply | { readonly kind: 'unanswered' };
}

const CHANNEL: ChannelName = 'official';

/** Writes, signs and encrypts callbacks, and shows the person what comes of them. */
export class Letters {
  readonly replies: ReplyRecord[] = [];
  readonly #parts: ChannelParts;
  readonly #settings: OfficialSettings;
  #events = 0;

  constructor(parts: ChannelParts, settings: OfficialSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  get #keys(): SealKeys {
    const { token, aesKey, appId } = this.#settings;
    return { token, aesKey, receiveId: appId };
  }

  send(letter: Letter): Delivery {
    const { ids } = this.#parts;
    const id = letter.msgId ?? `event-${++this.#events}`;
    const message = writeXml({
      ToUserName: this.#settings.originalId, FromUserName: letter.from.person.openId, CreateTime: wireSeconds(this.#parts), ...letter.fields,
      ...(letter.msgId === undefined ? {} : { MsgId: letter.msgId }),
    });
    return this.#parts.callbacks.deliver({
      id, label: letter.label,
      request: () => this.#request(letter.from.person.openId, message, ids.digits(10)),
      answered: (answer) => this.#answered(letter, id, answer),
      failed: () => this.#failed(letter, id),
    }, letter.afterMs);
  }

  /** GET with a plain `echostr`: the answer must be just that. */
  async verify(): Promise<Verification> {
    const echo = this.#parts.ids.digits(19);
    const url = this.#address(this.#parts.ids.digits(10));
    url.searchParams.set('echostr', echo);
    const result = await this.#parts.callbacks.once({ method: 'GET', url: url.href, headers: {}, body: Buffer.alloc(0) }, this.#settings.callbacks.patienceMs);
    if ('failure' in result) return { ok: false, why: result.failure };
    if (result.answer.status !== 200) return { ok: false, why: `status ${result.answer.status}` };
    return result.answer.body.toString() === echo ? { ok: true, why: '' } : { ok: false, why: 'the answer is not the echostr' };
  }

  #address(nonce: string): URL {
    const timestamp = String(wireSeconds(this.#parts));
    const url = new URL(this.#settings.callbackUrl);
    url.searchParams.set('signature', sign(this.#settings.token, timestamp, nonce));
    url.searchParams.set('timestamp', timestamp);
    url.searchParams.set('nonce', nonce);
    return url;
  }

  #request(openId: string, message: string, nonce: string): WireRequest {
    const { mode, originalId, token } = this.#settings;
    const url = this.#address(nonce);
    url.searchParams.set('openid', openId);
    const headers = { 'content-type': 'text/xml' };
    if (mode === 'plain') return { method: 'POST', url: url.href, headers, body: Buffer.from(message) };
    const sealed = encrypt(this.#keys, message, this.#parts.ids.bytes(16));
    url.searchParams.set('encrypt_type', 'aes');
    url.searchParams.set('msg_signature', sign(token, url.searchParams.get('timestamp') ?? '', nonce, sealed));
    const cover = `<Encrypt><![CDATA[${sealed}]]></Encrypt>`;
    const body = mode === 'safe' ? `<xml><ToUserName><![CDATA[${originalId}]]></ToUserName>${cover}</xml>` : message.replace(/<\/xml>$/, `${cover}</xml>`);
    return { method: 'POST', url: url.href, headers, body: Buffer.from(body) };
  }

  #answered(letter: Letter, deliveryId: string, answer: WireAnswer): void {
    const { mode, originalId, textBytes } = this.#settings;
    const reply = readPassiveReply(answer.body.toString(), { mode, keys: this.#keys, openId: letter.from.person.openId, accountId: originalId, textBytes });
    this.replies.push({ deliveryId, reply });
    switch (reply.kind) {
      case 'nothing':
        return;
      case 'message':
        return this.#show(letter, deliveryId, 'passive', reply.content);
      case 'transfer':
        return this.#show(letter, deliveryId, 'notice', { kind: 'notice', text: TRANSFERRED });
      case 'wrong':
        return this.#apologize(letter, deliveryId);
      default:
        return reply satisfies never;
    }
  }

  #failed(letter: Letter, deliveryId: string): void {
    this.replies.push({ deliveryId, reply: { kind: 'unanswered' } });
    this.#apologize(letter, deliveryId);
  }

  #apologize(letter: Letter, id: string): void {
    if (letter.awaited) this.#show(letter, id, 'notice', { kind: 'notice', text: OUT_OF_ORDER });
  }

  #show({ from }: Letter, id: string, via: Via, content: ScreenContent): void {
    if (from.following) from.person.show({ at: this.#parts.clock.now(), channel: CHANNEL, via, id, content });
  }
}
