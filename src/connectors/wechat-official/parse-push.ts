import { createHash } from 'node:crypto';
import type { InboundContent } from '../../domain/message.ts';
import { textAt, type XmlNode } from '../wechat/xml.ts';

type Plain = Exclude<InboundContent, { kind: 'image' | 'unheard' | 'edit' | 'system' }>;

/** What was pushed. A file is still at the platform; `noted` asks for nothing but an acknowledgement. */
export type Push = { readonly openid: string; readonly account: string; readonly messageId: string } & (
  | { readonly kind: 'says'; readonly content: Plain }
  | { readonly kind: 'sends'; readonly medium: 'image' | 'voice' | 'video'; readonly remoteId: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'greets' }
  | { readonly kind: 'noted'; readonly event: string; readonly detail: string });

/** As on the web: what is longer is cut, and no client of WeChat sends it. */
const MOST_CHARS = 8_000;
const ID = /^[\w@.-]{1,128}$/;

/** @returns null: no sender can be made out */
export function parsePush(root: XmlNode): Push | null {
  const openid = textAt(root, 'FromUserName');
  const account = textAt(root, 'ToUserName');
  if (!ID.test(openid) || !ID.test(account)) return null;
  const about = { openid, account, messageId: messageIdOf(root) };
  const type = textAt(root, 'MsgType');
  switch (type) {
    case 'text': return textOf(root, about);
    case 'image': case 'voice': case 'video': case 'shortvideo': return fileOf(root, about, type === 'shortvideo' ? 'video' : type);
    case 'location': return { ...about, ...place(textAt(root, 'Location_X'), textAt(root, 'Location_Y'), textAt(root, 'Label')) };
    case 'link': return { ...about, ...says([textAt(root, 'Title'), textAt(root, 'Description'), textAt(root, 'Url')].filter((part) => part !== '').join('\n')) };
    case 'event': return eventOf(root, about);
    default: return { ...about, kind: 'unknown' };
  }
}

/** `MsgId` is a 64-bit number and stays a string. Events have none; two may share a second, so what they are goes into the key; hashed, for it holds who sent it. */
function messageIdOf(root: XmlNode): string {
  const id = textAt(root, 'MsgId');
  if (/^\d{1,20}$/.test(id)) return id;
  const parts = ['FromUserName', 'CreateTime', 'MsgType', 'Event', 'EventKey', 'MsgID', 'Content'].map((name) => textAt(root, name));
  return `event:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
}

type About = Pick<Push, 'openid' | 'account' | 'messageId'>;
const says = (text: string): { readonly kind: 'says'; readonly content: Plain } => ({ kind: 'says', content: { kind: 'text', text: text.slice(0, MOST_CHARS) } });

function textOf(root: XmlNode, about: About): Push {
  const chip = textAt(root, 'bizmsgmenuid');
  const text = textAt(root, 'Content');
  if (chip !== '' && chip.length <= 64) return { ...about, kind: 'says', content: { kind: 'tap', chip, label: text.slice(0, 200) } };
  return { ...about, ...says(text) };
}

function fileOf(root: XmlNode, about: About, medium: 'image' | 'voice' | 'video'): Push {
  const heard = medium === 'voice' ? textAt(root, 'Recognition').trim() : '';
  if (heard !== '') return { ...about, ...says(heard) };
  const remoteId = textAt(root, 'MediaId');
  return /^[\w-]{1,256}$/.test(remoteId) ? { ...about, kind: 'sends', medium, remoteId } : { ...about, kind: 'unknown' };
}

function place(x: string, y: string, label: string): { readonly kind: 'says'; readonly content: Plain } | { readonly kind: 'unknown' } {
  const latitude = x.trim() === '' ? Number.NaN : Number(x);
  const longitude = y.trim() === '' ? Number.NaN : Number(y);
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return { kind: 'unknown' };
  return { kind: 'says', content: { kind: 'location', latitude, longitude, label: label.slice(0, 200) } };
}

function eventOf(root: XmlNode, about: About): Push {
  const event = textAt(root, 'Event');
  const key = textAt(root, 'EventKey');
  switch (event) {
    case 'subscribe': case 'SCAN': return { ...about, kind: 'greets' };
    case 'CLICK': return key !== '' && key.length <= 64 ? { ...about, kind: 'says', content: { kind: 'tap', chip: key, label: '' } } : { ...about, kind: 'noted', event, detail: '' };
    case 'location_select': {
      const at = (name: string): string => textAt(root, 'SendLocationInfo', name);
      return { ...about, ...place(at('Location_X'), at('Location_Y'), [at('Poiname'), at('Label')].find((name) => name !== '') ?? '') };
    }
    // Where someone happens to be when they open the account is not a message: it is not kept.
    case 'LOCATION': return { ...about, kind: 'noted', event, detail: '' };
    case 'TEMPLATESENDJOBFINISH': return { ...about, kind: 'noted', event, detail: `${textAt(root, 'MsgID')} ${textAt(root, 'Status')}`.slice(0, 100) };
    case 'subscribe_msg_popup_event': case 'subscribe_msg_change_event': return { ...about, kind: 'noted', event, detail: subscriptions(root) };
    default: return { ...about, kind: 'noted', event: event.slice(0, 40), detail: '' };
  }
}

/** `List` comes once or several times, in either of two wrappers. */
function subscriptions(root: XmlNode): string {
  const lists = ['SubscribeMsgPopupEvent', 'SubscribeMsgChangeEvent'].flatMap((name) => root.children.get(name)?.[0]?.children.get('List') ?? []);
  return lists.map((list) => `${textAt(list, 'TemplateId')}:${textAt(list, 'SubscribeStatusString')}`).join(' ').slice(0, 300);
}
