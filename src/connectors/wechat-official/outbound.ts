import { z } from 'zod';
import { isAppError } from '../../domain/errors.ts';
import type { MediaId } from '../../domain/ids.ts';
import type { OutboundMessage, Reply, Sent } from '../../domain/message.ts';
import type { Store } from '../../domain/ports.ts';
import { failureCode, type ApiAnswer, type PlatformApi } from '../wechat/platform-api.ts';
import { splitBytes, wordsOf } from '../wechat/words.ts';

export interface OutboundDeps {
  readonly store: Pick<Store, 'externalId'>;
  readonly api: PlatformApi;
  /** @throws AppError `media.not_found` `key.destroyed` */
  readonly readPicture: (id: MediaId) => Promise<{ readonly mime: string; readonly content: Uint8Array }>;
}

const MOST_BYTES = 2_048;
const MOST_CHOICES = 10;
const Done = z.object({ errcode: z.literal(0) });
const Uploaded = z.object({ media_id: z.string().min(1) });

/**
 * What waiting may mend: the platform is busy (-1), rates (45009, 45011), the number of messages to one who has been silent (45047: their next word
 * opens it again). Not: the 48 hours are over or they left (45015, 43004), no such follower (40003), no permission (48001), content refused (87014).
 */
const MAY_PASS: ReadonlySet<number> = new Set([-1, 45009, 45011, 45047]);
const DONE: Sent = { ok: true };

/** Sends by customer-service message, in as many parts as the reply needs; choices become a tappable menu. */
export async function sendOfficial(deps: OutboundDeps, message: OutboundMessage): Promise<Sent> {
  const openid = await deps.store.externalId(message.residentId);
  if (openid === null) return { ok: false, retryable: false, code: 'resident.erased' };
  try {
    for (const part of await partsOf(deps, message.message.body as Reply)) {
      if ('failed' in part) return part.failed;
      const answer = await deps.api.post('/cgi-bin/message/custom/send', { touser: openid, ...part }, Done);
      if (!answer.ok) return toSent(answer);
    }
    return DONE;
  } catch (error) {
    if (!isAppError(error)) throw error; // no token, or a picture that is gone
    return { ok: false, retryable: error.code.startsWith('platform.'), code: error.code };
  }
}

export function toSent(answer: Extract<ApiAnswer<never>, { ok: false }>): Sent {
  return { ok: false, retryable: answer.reason === 'refused' ? MAY_PASS.has(answer.errcode) : answer.reason !== 'too_large', code: failureCode('wechat', answer) };
}

type Part =
  | { readonly msgtype: 'text'; readonly text: { readonly content: string } }
  | { readonly msgtype: 'image'; readonly image: { readonly media_id: string } }
  | { readonly msgtype: 'msgmenu'; readonly msgmenu: { readonly head_content: string; readonly list: readonly { readonly id: string; readonly content: string }[]; readonly tail_content: string } }
  | { readonly failed: Sent };

async function partsOf(deps: OutboundDeps, reply: Reply): Promise<readonly Part[]> {
  if (reply.kind === 'image') return [...textParts(reply.text), await imagePart(deps, reply.mediaId)];
  const { text, chips } = wordsOf(reply);
  if (chips.length === 0) return textParts(text);
  const parts = splitBytes(text, MOST_BYTES);
  const list = chips.slice(0, MOST_CHOICES).map(({ id, label }) => ({ id, content: label }));
  return [...parts.slice(0, -1).flatMap(textParts), { msgtype: 'msgmenu', msgmenu: { head_content: parts.at(-1) ?? '', list, tail_content: '' } }];
}

const textParts = (text: string): readonly Part[] => splitBytes(text, MOST_BYTES).map((content) => ({ msgtype: 'text', text: { content } }));

async function imagePart(deps: OutboundDeps, mediaId: MediaId): Promise<Part> {
  const { mime, content } = await deps.readPicture(mediaId);
  const uploaded = await deps.api.upload('/cgi-bin/media/upload', { type: 'image' }, { bytes: content, mime, name: `picture.${mime.split('/')[1] ?? 'jpg'}` }, Uploaded);
  return uploaded.ok ? { msgtype: 'image', image: { media_id: uploaded.body.media_id } } : { failed: toSent(uploaded) };
}
