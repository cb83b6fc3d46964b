import type { Delivery } from '../callbacks.ts';
import { MediaStore } from '../media.ts';
import type { ChannelParts, Verification } from '../parts.ts';
import type { Person, ScreenContent } from '../person.ts';
import { SAMPLE_AMR, SAMPLE_JPEG, SAMPLE_MP4 } from '../samples.ts';
import { TokenBook } from '../tokens.ts';
import { choseSubscriptions, FOLLOWED, openedPage, scannedCode, tappedMenu, UNFOLLOWED } from '../words.zh.ts';
import type { UserAction } from './budgets.ts';
import { Followers, type Follower } from './follower.ts';
import { Letters } from './letters.ts';
import { OfficialSending } from './sending.ts';
import type { OfficialSettings } from './settings.ts';
import { eventFields, messageFields, type SubscriptionChoice, type UserEvent, type UserMessage } from './user-messages.ts';

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly label: string;
}

export interface VoiceOptions {
  readonly bytes?: Buffer;
  /** '' (default) as the platform sends since 2023; null leaves the element out. */
  readonly recognition?: string | null;
}

/** Zoom of the map that a place was picked on. */
const SCALE = 16;

/** A 公众号 (服务号) and what people do with it. Every gesture returns its delivery at once; `delivery.done` is the end of it. */
export class OfficialAccount {
  readonly settings: OfficialSettings;
  readonly media: MediaStore;
  readonly letters: Letters;
  readonly sending: OfficialSending;
  /** Tokens of /cgi-bin/token and of /cgi-bin/stable_token: apart from each other. */
  readonly tokens: { readonly plain: TokenBook; readonly stable: TokenBook };
  readonly #followers: Followers;
  readonly #parts: ChannelParts;

  constructor(parts: ChannelParts, settings: OfficialSettings) {
    this.settings = settings;
    this.#parts = parts;
    this.media = new MediaStore(parts.clock, parts.ids);
    this.#followers = new Followers(settings);
    this.letters = new Letters(parts, settings);
    this.sending = new OfficialSending(parts, settings, { followers: this.#followers, letters: this.letters, media: this.media });
    const book = (): TokenBook => new TokenBook(parts.clock, parts.ids, settings.tokens);
    this.tokens = { plain: book(), stable: book() };
  }

  verify(): Promise<Verification> {
    return this.letters.verify();
  }

  follower(person: Person): Follower {
    return this.#followers.of(person);
  }

  /** @param scene of the code that led here: arrives as `qrscene_…` */
  follow(person: Person, scene?: string): Delivery {
    this.follower(person).following = true;
    this.#mark(person, { kind: 'notice', text: FOLLOWED });
    const ticket = scene === undefined ? {} : { ticket: this.#parts.ids.word(64) };
    return this.#event(person, { event: 'subscribe', eventKey: scene === undefined ? '' : `qrscene_${scene}`, ...ticket }, { action: 'follow', awaited: true });
  }

  unfollow(person: Person): Delivery {
    const follower = this.#following(person);
    follower.following = false;
    follower.budget.close();
    this.#mark(person, { kind: 'notice', text: UNFOLLOWED });
    return this.#event(person, { event: 'unsubscribe' }, {});
  }

  /** Somebody who follows scans a code; somebody who does not, follows. */
  scan(person: Person, scene: string): Delivery {
    if (!this.follower(person).following) return this.follow(person, scene);
    this.#mark(person, { kind: 'text', text: scannedCode(scene) });
    return this.#event(person, { event: 'SCAN', eventKey: scene, ticket: this.#parts.ids.word(64) }, { action: 'scan', awaited: true });
  }

  /** A button of the account's own menu. */
  click(person: Person, key: string): Delivery {
    this.#following(person);
    this.#mark(person, { kind: 'text', text: tappedMenu(key) });
    return this.#event(person, { event: 'CLICK', eventKey: key }, { action: 'click', awaited: true });
  }

  view(person: Person, url: string): Delivery {
    this.#following(person);
    this.#mark(person, { kind: 'text', text: openedPage(url) });
    return this.#event(person, { event: 'VIEW', url, menuId: this.#parts.ids.digits(9) }, {});
  }

  /** A menu button that asks for a place. */
  selectLocation(person: Person, key: string, place: Place, poiName = ''): Delivery {
    this.#following(person);
    this.#mark(person, { kind: 'location', ...place });
    return this.#event(person, { event: 'location_select', eventKey: key, ...place, scale: SCALE, poiName }, { awaited: true });
  }

  /** What a phone reports by itself, where the person allowed it; shown nowhere. */
  reportLocation(person: Person, place: Place): Delivery {
    return this.#event(person, { event: 'LOCATION', latitude: place.latitude, longitude: place.longitude, precision: 65 }, {});
  }

  /** The person answers the question which notices they want. */
  answerSubscriptions(person: Person, choices: readonly SubscriptionChoice[]): Delivery {
    const { consents } = this.#following(person);
    for (const { templateId, status } of choices) {
      const term = this.settings.subscriptions[templateId]?.term;
      if (term === undefined) throw new Error(`no subscription template ${templateId}`);
      if (status === 'accept') consents.set(templateId, term === 'long' ? Infinity : (consents.get(templateId) ?? 0) + 1);
    }
    const named = (status: string): string[] => choices.filter((choice) => choice.status === status).map(({ templateId }) => templateId);
    this.#mark(person, { kind: 'text', text: choseSubscriptions(named('accept'), named('reject')) });
    return this.#event(person, { event: 'subscribe_msg_popup_event', choices }, {});
  }

  text(person: Person, text: string): Delivery {
    return this.#message(person, { kind: 'text', text }, { kind: 'text', text });
  }

  /** Taps an item of the newest menu on the screen that has it. */
  tapMenu(person: Person, itemId: string): Delivery {
    const { label } = person.menuItem('official', itemId);
    return this.#message(person, { kind: 'text', text: label, menuItemId: itemId }, { kind: 'text', text: label });
  }

  image(person: Person, bytes = SAMPLE_JPEG, contentType = 'image/jpeg'): Delivery {
    const mediaId = this.media.put({ kind: 'image', bytes, contentType });
    return this.#message(person, { kind: 'image', mediaId, picUrl: `${this.#parts.baseUrl}/mmbiz/${mediaId}` }, { kind: 'image', mediaId });
  }

  voice(person: Person, { bytes = SAMPLE_AMR, recognition = '' }: VoiceOptions = {}): Delivery {
    const mediaId = this.media.put({ kind: 'voice', bytes });
    return this.#message(person, { kind: 'voice', mediaId, format: 'amr', recognition }, { kind: 'voice', mediaId });
  }

  video(person: Person, bytes = SAMPLE_MP4, kind: 'video' | 'shortvideo' = 'video'): Delivery {
    const mediaId = this.media.put({ kind: 'video', bytes });
    const thumbMediaId = this.media.put({ kind: 'thumb', bytes: SAMPLE_JPEG });
    return this.#message(person, { kind, mediaId, thumbMediaId }, { kind: 'video', mediaId });
  }

  location(person: Person, place: Place): Delivery {
    return this.#message(person, { kind: 'location', ...place, scale: SCALE }, { kind: 'location', ...place });
  }

  link(person: Person, link: { readonly title: string; readonly description: string; readonly url: string }): Delivery {
    return this.#message(person, { kind: 'link', ...link }, { kind: 'link', ...link });
  }

  #message(person: Person, message: UserMessage, content: ScreenContent): Delivery {
    const from = this.#following(person);
    from.budget.act('message', this.#parts.clock.now());
    const msgId = this.#parts.ids.msgId();
    this.#mark(person, content, msgId);
    return this.letters.send({ from, fields: messageFields(message), msgId, label: message.kind, awaited: true });
  }

  #event(person: Person, event: UserEvent, effect: { readonly action?: UserAction; readonly awaited?: boolean }): Delivery {
    const from = event.event === 'unsubscribe' ? this.follower(person) : this.#following(person);
    if (effect.action !== undefined) from.budget.act(effect.action, this.#parts.clock.now());
    return this.letters.send({ from, fields: eventFields(event), label: event.event, awaited: effect.awaited ?? false });
  }

  #following(person: Person): Follower {
    const follower = this.follower(person);
    if (!follower.following) throw new Error(`${person.id} does not follow the account: nothing they do reaches it`);
    return follower;
  }

  #mark(person: Person, content: ScreenContent, id = ''): void {
    person.show({ at: this.#parts.clock.now(), channel: 'official', via: 'self', id, content });
  }
}
