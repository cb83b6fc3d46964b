import type { XmlFields } from '../xml.ts';

/** What a person can send to an Official Account. Media ids are of the account's store. */
export type UserMessage =
  | { readonly kind: 'text'; readonly text: string; /** Set when a menu item was tapped. */ readonly menuItemId?: string }
  | { readonly kind: 'image'; readonly mediaId: string; readonly picUrl: string }
  /** Recognition comes back empty since 2023 unless a test says otherwise; null leaves the element out. */
  | { readonly kind: 'voice'; readonly mediaId: string; readonly format: string; readonly recognition: string | null }
  | { readonly kind: 'video' | 'shortvideo'; readonly mediaId: string; readonly thumbMediaId: string }
  | { readonly kind: 'location'; readonly latitude: number; readonly longitude: number; readonly scale: number; readonly label: string }
  | { readonly kind: 'link'; readonly title: string; readonly description: string; readonly url: string };

/** Decimal degrees as the platform writes them: bare, six places. */
const degrees = (value: number): number => Number(value.toFixed(6));

/** The elements of a message's own kind, MsgType first. */
export function messageFields(message: UserMessage): XmlFields {
  switch (message.kind) {
    case 'text':
      return { MsgType: 'text', Content: message.text, ...(message.menuItemId === undefined ? {} : { bizmsgmenuid: message.menuItemId }) };
    case 'image':
      return { MsgType: 'image', PicUrl: message.picUrl, MediaId: message.mediaId };
    case 'voice':
      return { MsgType: 'voice', MediaId: message.mediaId, Format: message.format, ...(message.recognition === null ? {} : { Recognition: message.recognition }) };
    case 'video':
    case 'shortvideo':
      return { MsgType: message.kind, MediaId: message.mediaId, ThumbMediaId: message.thumbMediaId };
    case 'location':
      return { MsgType: 'location', Location_X: degrees(message.latitude), Location_Y: degrees(message.longitude), Scale: message.scale, Label: message.label };
    case 'link':
      return { MsgType: 'link', Title: message.title, Description: message.description, Url: message.url };
    default:
      return message satisfies never;
  }
}

/** Events that concern a person. Those without a MsgId are told apart by FromUserName, CreateTime, Event and EventKey. */
export type UserEvent =
  | { readonly event: 'subscribe'; /** `qrscene_…` where a code was scanned. */ readonly eventKey: string; readonly ticket?: string }
  | { readonly event: 'unsubscribe' }
  | { readonly event: 'SCAN'; readonly eventKey: string; readonly ticket: string }
  | { readonly event: 'LOCATION'; readonly latitude: number; readonly longitude: number; readonly precision: number }
  | { readonly event: 'CLICK'; readonly eventKey: string }
  | { readonly event: 'VIEW'; readonly url: string; readonly menuId: string }
  | { readonly event: 'location_select'; readonly eventKey: string; readonly latitude: number; readonly longitude: number; readonly scale: number; readonly label: string; readonly poiName: string }
  | { readonly event: 'TEMPLATESENDJOBFINISH'; readonly msgId: string; readonly status: TemplateStatus }
  | { readonly event: 'subscribe_msg_popup_event'; readonly choices: readonly SubscriptionChoice[] };

export type TemplateStatus = 'success' | 'failed:user block' | 'failed: system failed';

export interface SubscriptionChoice {
  readonly templateId: string;
  readonly status: 'accept' | 'reject';
}

/** Where the question was put to the person: here always on a page of the account. */
const POPUP_SCENE = 2;

/** The elements of an event, MsgType first. */
export function eventFields(event: UserEvent): XmlFields {
  return { MsgType: 'event', Event: event.event, ...ownFields(event) };
}

function ownFields(event: UserEvent): XmlFields {
  switch (event.event) {
    case 'subscribe':
      return { EventKey: event.eventKey, ...(event.ticket === undefined ? {} : { Ticket: event.ticket }) };
    case 'unsubscribe':
      return { EventKey: '' };
    case 'SCAN':
      return { EventKey: event.eventKey, Ticket: event.ticket };
    case 'LOCATION':
      return { Latitude: degrees(event.latitude), Longitude: degrees(event.longitude), Precision: event.precision };
    case 'CLICK':
      return { EventKey: event.eventKey };
    case 'VIEW':
      return { EventKey: event.url, MenuId: event.menuId };
    case 'location_select':
      return {
        EventKey: event.eventKey,
        SendLocationInfo: { Location_X: String(degrees(event.latitude)), Location_Y: String(degrees(event.longitude)), Scale: String(event.scale), Label: event.label, Poiname: event.poiName },
      };
    case 'TEMPLATESENDJOBFINISH':
      return { MsgID: event.msgId, Status: event.status };
    case 'subscribe_msg_popup_event':
      return {
        SubscribeMsgPopupEvent: { List: event.choices.map(({ templateId, status }) => ({ TemplateId: templateId, SubscribeStatusString: status, PopupScene: String(POPUP_SCENE) })) },
      };
    default:
      return event satisfies never;
  }
}
