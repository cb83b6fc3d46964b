import { z } from 'zod';
import type { InboundContent } from '../../domain/message.ts';

const Id = z.string().regex(/^[\w-]{1,128}$/);
const text = z.string().catch('');

/** One item of `sync_msg`. Fields this connector has no use for are left out; an item of no known shape is told apart, not fatal. */
export const KfMessage = z.object({
  msgid: Id, msgtype: z.string(), send_time: z.number().catch(0), origin: z.number().catch(0),
  open_kfid: Id.optional().catch(undefined), external_userid: Id.optional().catch(undefined),
  text: z.object({ content: text, menu_id: z.string().optional() }).optional().catch(undefined),
  image: z.object({ media_id: Id }).optional().catch(undefined),
  voice: z.object({ media_id: Id }).optional().catch(undefined),
  video: z.object({ media_id: Id }).optional().catch(undefined),
  location: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180), name: text, address: text }).optional().catch(undefined),
  link: z.object({ title: text, desc: text, url: text }).optional().catch(undefined),
  event: z.object({
    event_type: z.string(), open_kfid: Id.optional().catch(undefined), external_userid: Id.optional().catch(undefined), welcome_code: z.string().optional(), msg_code: z.string().optional(),
    fail_msgid: z.string().optional(), fail_type: z.number().optional(), change_type: z.number().optional(),
  }).optional().catch(undefined),
});
export type KfMessage = z.infer<typeof KfMessage>;

/** A page of `sync_msg`; items are parsed one by one, so that one that is odd doesn't hide the others. */
export const KfPage = z.object({ next_cursor: z.string().max(256).catch(''), has_more: z.number().catch(0), msg_list: z.array(z.unknown()).catch([]) });

export const ORIGIN = { resident: 3, system: 4, servicer: 5 } as const;

type Words = Exclude<InboundContent, { kind: 'image' | 'unheard' | 'edit' | 'system' }>;
export type Carried =
  | { readonly kind: 'says'; readonly content: Words }
  | { readonly kind: 'sends'; readonly medium: 'image' | 'voice' | 'video'; readonly remoteId: string }
  | { readonly kind: 'unknown' };

const MOST_CHARS = 8_000;
const says = (words: string): Carried => ({ kind: 'says', content: { kind: 'text', text: words.slice(0, MOST_CHARS) } });

/** What a resident sent, for the turn. */
export function carriedBy(message: KfMessage): Carried {
  const { text: words, location, link } = message;
  if (words?.menu_id !== undefined && words.menu_id !== '' && words.menu_id.length <= 64) return { kind: 'says', content: { kind: 'tap', chip: words.menu_id, label: words.content.slice(0, 200) } };
  if (words) return says(words.content);
  if (location) return { kind: 'says', content: { kind: 'location', latitude: location.latitude, longitude: location.longitude, label: [location.address, location.name].filter((part) => part !== '').join(' ').slice(0, 200) } };
  if (link) return says([link.title, link.desc, link.url].filter((part) => part !== '').join('\n'));
  for (const medium of ['image', 'voice', 'video'] as const) {
    const file = message[medium];
    if (file) return { kind: 'sends', medium, remoteId: file.media_id };
  }
  return { kind: 'unknown' };
}

/** One resident at one account: a conversation of its own, for an answer goes out through the account it came in by. */
export const externalIdOf = (openKfid: string, externalUserId: string): string => `${openKfid}/${externalUserId}`;
export function partsOf(externalId: string): { readonly openKfid: string; readonly externalUserId: string } | null {
  const [openKfid, externalUserId] = externalId.split('/');
  return openKfid === undefined || externalUserId === undefined ? null : { openKfid, externalUserId };
}
