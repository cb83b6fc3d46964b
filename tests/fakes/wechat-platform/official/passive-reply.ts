import type { ScreenContent } from '../person.ts';
import { open, type SealKeys } from '../seal.ts';
import { child, childText, parseXml, type XmlElement } from '../xml.ts';

/** `safe`: only encrypted bodies; `compatible`: both in one body; `plain`: no encryption. */
export type CallbackMode = 'plain' | 'compatible' | 'safe';

export type PassiveReply =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'message'; readonly content: ScreenContent }
  /** `transfer_customer_service`: the platform's own customer service takes over. */
  | { readonly kind: 'transfer' }
  /** The person is told that the account is out of order. `why` is for the developer. */
  | { readonly kind: 'wrong'; readonly why: string };

export interface ReplyExpectation {
  readonly mode: CallbackMode;
  readonly keys: SealKeys;
  readonly openId: string;
  readonly accountId: string;
  /** Largest text, bytes. */
  readonly textBytes: number;
}

const wrong = (why: string): PassiveReply => ({ kind: 'wrong', why });

/** Reads the body of a 200-answer as the platform does. */
export function readPassiveReply(body: string, expected: ReplyExpectation): PassiveReply {
  if (body === '' || body === 'success') return { kind: 'nothing' };
  const outer = parseXml(body);
  if (outer?.name !== 'xml') return wrong('not the XML of a reply');
  const sealed = childText(outer, 'Encrypt');
  if (sealed === undefined) return expected.mode === 'safe' ? wrong('a reply in safe mode must be encrypted') : readMessage(outer, expected);
  if (expected.mode === 'plain') return wrong('an encrypted reply in plain mode');
  const opened = open(expected.keys, {
    encrypt: sealed, signature: childText(outer, 'MsgSignature') ?? '', timestamp: childText(outer, 'TimeStamp') ?? '', nonce: childText(outer, 'Nonce') ?? '',
  });
  if (!opened.ok) return wrong(`the reply cannot be opened: ${opened.reason}`);
  const inner = parseXml(opened.text);
  return inner?.name === 'xml' ? readMessage(inner, expected) : wrong('the decrypted reply is not XML');
}

function readMessage(xml: XmlElement, expected: ReplyExpectation): PassiveReply {
  if (childText(xml, 'ToUserName') !== expected.openId) return wrong('ToUserName is not the person who wrote');
  if (childText(xml, 'FromUserName') !== expected.accountId) return wrong('FromUserName is not this account');
  if (!/^\d+$/.test(childText(xml, 'CreateTime') ?? '')) return wrong('CreateTime is not a number of seconds');
  return readContent(xml, childText(xml, 'MsgType') ?? '', expected);
}

function readContent(xml: XmlElement, msgType: string, { textBytes }: ReplyExpectation): PassiveReply {
  switch (msgType) {
    case 'text': {
      const text = childText(xml, 'Content') ?? '';
      if (text === '') return wrong('a text without Content');
      return Buffer.byteLength(text) > textBytes ? wrong(`Content is longer than ${textBytes} bytes`) : { kind: 'message', content: { kind: 'text', text } };
    }
    case 'image':
    case 'voice':
    case 'video': {
      const mediaId = childText(child(xml, msgType[0]?.toUpperCase() + msgType.slice(1)), 'MediaId');
      return mediaId ? { kind: 'message', content: { kind: msgType, mediaId } } : wrong(`${msgType} without MediaId`);
    }
    case 'news': {
      const article = child(child(xml, 'Articles'), 'item');
      if (article === undefined) return wrong('news without an article');
      return { kind: 'message', content: { kind: 'link', title: childText(article, 'Title') ?? '', description: childText(article, 'Description') ?? '', url: childText(article, 'Url') ?? '' } };
    }
    case 'music':
      return { kind: 'message', content: { kind: 'other', msgType } };
    case 'transfer_customer_service':
      return { kind: 'transfer' };
    default:
      return wrong(`unknown MsgType "${msgType}"`);
  }
}
