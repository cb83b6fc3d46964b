import { CODES, type Code } from '../calls.ts';
import type { Instant } from '../clock.ts';
import { bytesOf, listOf, objectOf, textOf, type JsonObject } from '../json.ts';
import type { MediaStore } from '../media.ts';
import type { ChannelParts } from '../parts.ts';
import type { ScreenContent, Via } from '../person.ts';
import type { Follower, Followers } from './follower.ts';
import type { Letters } from './letters.ts';
import type { OfficialSettings, TemplateDefinition } from './settings.ts';
import { readFields } from './template-fields.ts';
import { eventFields, type TemplateStatus } from './user-messages.ts';

const OK: Code = { errcode: 0, errmsg: 'ok' };
const SENT_WHOLE = new Set(['music', 'news', 'mpnews', 'mpnewsarticle', 'wxcard', 'miniprogrampage']);

interface Repeat { readonly msgId: string; readonly at: Instant }

/** The three ways an account writes to a person unasked. Each answers as the platform's API does. */
export class OfficialSending {
  readonly #parts: ChannelParts;
  readonly #settings: OfficialSettings;
  readonly #followers: Followers;
  readonly #letters: Letters;
  readonly #media: MediaStore;
  readonly #repeats = new Map<string, Repeat>();

  constructor(parts: ChannelParts, settings: OfficialSettings, own: { readonly followers: Followers; readonly letters: Letters; readonly media: MediaStore }) {
    this.#parts = parts;
    this.#settings = settings;
    this.#followers = own.followers;
    this.#letters = own.letters;
    this.#media = own.media;
  }

  /** /cgi-bin/message/custom/send. It knows no idempotency key: a call repeated is a message repeated. */
  customSend(body: JsonObject): object {
    const follower = this.#followers.find(textOf(body, 'touser'));
    if (follower === undefined) return CODES.badOpenId;
    const content = this.#readCustom(body);
    if ('errcode' in content) return content;
    if (!follower.following) return CODES.windowOver;
    const taken = follower.budget.take(this.#parts.clock.now());
    if (taken !== 'taken') return taken === 'window_over' ? CODES.windowOver : CODES.countOver;
    this.#show(follower, 'custom', '', content);
    return OK;
  }

  /** /cgi-bin/message/template/send; TEMPLATESENDJOBFINISH follows. */
  templateSend(body: JsonObject): object {
    const follower = this.#followers.find(textOf(body, 'touser'));
    if (follower === undefined) return CODES.badOpenId;
    const template = this.#settings.templates[textOf(body, 'template_id')];
    if (template === undefined) return CODES.badTemplate;
    const fields = this.#readFields(body, template);
    if ('errcode' in fields) return fields;
    if (!follower.following) return CODES.notFollowing;
    const repeat = this.#repeatOf(follower, textOf(body, 'client_msg_id'));
    if (repeat !== undefined) return { ...OK, msgid: Number(repeat) };
    const msgId = this.#parts.ids.digits(15);
    this.#remember(follower, textOf(body, 'client_msg_id'), msgId);
    this.#finishTemplate(follower, msgId, { kind: 'template', templateId: textOf(body, 'template_id'), fields: fields.shown, url: textOf(body, 'url') });
    return { ...OK, msgid: Number(msgId) };
  }

  /** /cgi-bin/message/subscribe/bizsend: uses up one consent, or a standing one. */
  bizSend(body: JsonObject): object {
    const follower = this.#followers.find(textOf(body, 'touser'));
    if (follower === undefined) return CODES.badOpenId;
    const templateId = textOf(body, 'template_id');
    const template = this.#settings.subscriptions[templateId];
    if (template === undefined) return CODES.badTemplate;
    const fields = this.#readFields(body, template);
    if ('errcode' in fields) return fields;
    const consents = follower.consents.get(templateId) ?? 0;
    if (consents === 0) return CODES.refused;
    follower.consents.set(templateId, consents - 1);
    this.#show(follower, 'subscription', '', { kind: 'template', templateId, fields: fields.shown, url: textOf(body, 'page') });
    return OK;
  }

  #readCustom(body: JsonObject): ScreenContent | Code {
    const msgType = textOf(body, 'msgtype');
    const part = objectOf(body, msgType);
    switch (msgType) {
      case 'text': {
        const text = textOf(part, 'content');
        if (text === '') return CODES.emptyText;
        return bytesOf(text) > this.#settings.textBytes ? CODES.tooLong : { kind: 'text', text };
      }
      case 'image':
      case 'voice':
      case 'video': {
        const mediaId = textOf(part, 'media_id');
        return this.#media.has(mediaId, msgType) ? { kind: msgType, mediaId } : CODES.badMediaId;
      }
      case 'msgmenu':
        return this.#readMenu(part);
      default:
        return SENT_WHOLE.has(msgType) ? { kind: 'other', msgType } : CODES.badMessageType;
    }
  }

  #readMenu(part: JsonObject): ScreenContent | Code {
    const items = listOf(part, 'list');
    if (items === undefined || items.length === 0) return CODES.badJson;
    const read = items.map((item) => ({ id: String(item['id'] ?? ''), label: textOf(item, 'content') }));
    if (read.some(({ id, label }) => id === '' || label === '')) return CODES.badJson;
    const [head, tail] = [textOf(part, 'head_content'), textOf(part, 'tail_content')];
    const total = bytesOf(head) + bytesOf(tail) + read.reduce((sum, { label }) => sum + bytesOf(label), 0);
    return total > this.#settings.textBytes ? CODES.tooLong : { kind: 'menu', head, items: read, tail };
  }

  #readFields(body: JsonObject, template: TemplateDefinition): { readonly shown: Readonly<Record<string, string>> } | Code {
    const { fieldCharacters, fieldOffence } = this.#settings;
    const read = readFields(template.content, objectOf(body, 'data'), { characters: fieldCharacters, cut: fieldOffence === 'cut' });
    return read.offence === undefined ? { shown: read.shown } : { errcode: CODES.badArgument.errcode, errmsg: `${CODES.badArgument.errmsg} ${read.offence}` };
  }

  #repeatOf(follower: Follower, clientMsgId: string): string | undefined {
    const known = this.#repeats.get(`${follower.person.openId} ${clientMsgId}`);
    return known !== undefined && this.#parts.clock.now() - known.at < this.#settings.dedupeMs ? known.msgId : undefined;
  }

  #remember(follower: Follower, clientMsgId: string, msgId: string): void {
    if (clientMsgId !== '') this.#repeats.set(`${follower.person.openId} ${clientMsgId}`, { msgId, at: this.#parts.clock.now() });
  }

  #finishTemplate(follower: Follower, msgId: string, content: ScreenContent): void {
    const status = this.#templateStatus(follower, msgId);
    if (status === 'success') this.#show(follower, 'template', msgId, content);
    this.#letters.send({
      from: follower, label: `TEMPLATESENDJOBFINISH ${status}`, awaited: false, afterMs: this.#settings.jobFinishMs,
      fields: eventFields({ event: 'TEMPLATESENDJOBFINISH', msgId, status }),
    });
  }

  #templateStatus(follower: Follower, msgId: string): TemplateStatus {
    if (follower.blocksTemplates) return 'failed:user block';
    return this.#parts.faults.strikes('templateFails', msgId) ? 'failed: system failed' : 'success';
  }

  #show({ person }: Follower, via: Via, id: string, content: ScreenContent): void {
    person.show({ at: this.#parts.clock.now(), channel: 'official', via, id, content });
  }
}
