import type { Instant } from './clock.ts';

export type ChannelName = 'official' | 'kf';

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  /** Opens a page instead of sending an answer. */
  readonly url?: string;
}

export type ScreenContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image' | 'voice' | 'video' | 'file'; readonly mediaId: string }
  | { readonly kind: 'location'; readonly latitude: number; readonly longitude: number; readonly label: string }
  | { readonly kind: 'link'; readonly title: string; readonly description: string; readonly url: string }
  | { readonly kind: 'menu'; readonly head: string; readonly items: readonly MenuItem[]; readonly tail: string }
  /** A template message or a subscription notice: its fields as the platform shows them. */
  | { readonly kind: 'template'; readonly templateId: string; readonly fields: Readonly<Record<string, string>>; readonly url: string }
  /** The platform's own grey line, such as 该公众号暂时无法提供服务. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A kind the simulator carries but does not draw. */
  | { readonly kind: 'other'; readonly msgType: string };

/** Which road it came by; `self` is what the person did. */
export type Via = 'self' | 'passive' | 'custom' | 'template' | 'subscription' | 'kf' | 'kf_event' | 'servicer' | 'notice';

/** One thing on a person's phone. */
export interface Seen {
  /** From 1, over both channels. */
  readonly seq: number;
  readonly at: Instant;
  readonly channel: ChannelName;
  readonly via: Via;
  /** The platform's id of it; '' where it has none. */
  readonly id: string;
  readonly content: ScreenContent;
}

/** A person with a phone: one WeChat account, known under another id to each channel. */
export class Person {
  readonly id: string;
  readonly name: string;
  readonly openId: string;
  readonly externalUserId: string;
  /** In the order they saw it. */
  readonly screen: Seen[] = [];

  constructor(given: { readonly id: string; readonly name: string; readonly openId: string; readonly externalUserId: string }) {
    this.id = given.id;
    this.name = given.name;
    this.openId = given.openId;
    this.externalUserId = given.externalUserId;
  }

  show(entry: Omit<Seen, 'seq'>): void {
    this.screen.push({ seq: this.screen.length + 1, ...entry });
  }

  /** What came to them: everything but what they did themselves. */
  received(channel?: ChannelName): readonly Seen[] {
    return this.screen.filter((seen) => seen.via !== 'self' && (channel === undefined || seen.channel === channel));
  }

  /** The words of what came to them, for assertions: texts, heads of menus, notices. */
  readTexts(channel?: ChannelName): readonly string[] {
    return this.received(channel).flatMap(({ content }) => {
      if (content.kind === 'text' || content.kind === 'notice') return [content.text];
      return content.kind === 'menu' ? [content.head] : [];
    });
  }

  /** An item of the newest menu on the screen that has it. */
  menuItem(channel: ChannelName, itemId: string): MenuItem {
    for (const seen of [...this.screen].reverse()) {
      const item = seen.channel === channel && seen.content.kind === 'menu' ? seen.content.items.find(({ id }) => id === itemId) : undefined;
      if (item !== undefined) return item;
    }
    throw new Error(`no menu on ${this.id}'s screen has an item ${itemId}`);
  }
}
