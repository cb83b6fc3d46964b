import { CODES, type Code } from '../calls.ts';
import { bytesOf, listOf, numberOf, objectOf, textOf, type JsonObject } from '../json.ts';
import type { MediaStore } from '../media.ts';
import type { MenuItem, ScreenContent } from '../person.ts';
import type { KfSettings } from './settings.ts';

/** Largest label of a tappable item, bytes. */
const LABEL_BYTES = 128;

/** What send_msg is given, checked as the platform checks it. */
export function readContent(body: JsonObject, settings: KfSettings, media: MediaStore): ScreenContent | Code {
  const msgType = textOf(body, 'msgtype');
  const part = objectOf(body, msgType);
  switch (msgType) {
    case 'text': {
      const text = textOf(part, 'content');
      if (text === '') return CODES.emptyText;
      return bytesOf(text) > settings.textBytes ? CODES.tooLong : { kind: 'text', text };
    }
    case 'image':
    case 'voice':
    case 'video':
    case 'file': {
      const mediaId = textOf(part, 'media_id');
      return media.has(mediaId, msgType) ? { kind: msgType, mediaId } : CODES.badMediaId;
    }
    case 'location': {
      const [latitude, longitude] = [numberOf(part, 'latitude'), numberOf(part, 'longitude')];
      if (latitude === undefined || longitude === undefined) return CODES.badParameter;
      return { kind: 'location', latitude, longitude, label: [textOf(part, 'name'), textOf(part, 'address')].filter(Boolean).join(' ') };
    }
    case 'link':
      return { kind: 'link', title: textOf(part, 'title'), description: textOf(part, 'desc'), url: textOf(part, 'url') };
    case 'msgmenu':
      return readMenu(part, settings);
    case 'miniprogram':
      return { kind: 'other', msgType };
    default:
      return CODES.badMessageType;
  }
}

function readMenu(part: JsonObject, { menu }: KfSettings): ScreenContent | Code {
  const [head, tail] = [textOf(part, 'head_content'), textOf(part, 'tail_content')];
  const list = part['list'] === undefined ? [] : listOf(part, 'list');
  if (list === undefined || (head === '' && list.length === 0)) return CODES.badParameter;
  if (list.length > menu.items) return CODES.tooManyItems;
  if (bytesOf(head) > menu.headBytes || bytesOf(tail) > menu.tailBytes) return CODES.tooLong;
  const items: MenuItem[] = [];
  for (const each of list) {
    const item = readItem(each, menu.idBytes);
    if ('errcode' in item) return item;
    items.push(item);
  }
  return { kind: 'menu', head, items, tail };
}

function readItem(item: JsonObject, idBytes: number): MenuItem | Code {
  const type = textOf(item, 'type');
  const part = objectOf(item, type);
  const label = textOf(part, 'content');
  if (label === '' || (type === 'click' && bytesOf(label) > LABEL_BYTES)) return CODES.badParameter;
  switch (type) {
    case 'click': {
      const id = textOf(part, 'id');
      return bytesOf(id) > idBytes ? CODES.badParameter : { id, label };
    }
    case 'view':
      return { id: '', label, url: textOf(part, 'url') };
    case 'text':
    case 'miniprogram':
      return { id: '', label };
    default:
      return CODES.badItemType;
  }
}
