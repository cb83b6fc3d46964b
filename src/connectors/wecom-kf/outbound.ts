import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isAppError } from '../../domain/errors.ts';
import type { MediaId } from '../../domain/ids.ts';
import type { Chip, OutboundMessage, Reply, Sent } from '../../domain/message.ts';
import type { Store } from '../../domain/ports.ts';
import { failureCode, type ApiAnswer, type PlatformApi } from '../wechat/platform-api.ts';
import { byteLength, splitBytes, wordsOf } from '../wechat/words.ts';
import { partsOf } from './kf-message.ts';

export interface KfOutboundDeps {
  readonly store: Pick<Store, 'externalId'>;
  readonly api: PlatformApi;
  readonly readPicture: (id: MediaId) => Promise<{ readonly mime: string; readonly content: Uint8Array }>;
}

const MOST_TEXT_BYTES = 2_048;
const MOST_HEAD_BYTES = 1_024;
const MOST_ITEMS = 10;
const MOST_ID_BYTES = 64;
const SentBody = z.object({ errcode: z.literal(0), msgid: z.string().optional() });
const Uploaded = z.object({ media_id: z.string().min(1) });
const StateBody = z.object({ service_state: z.number().int() });

/** The platform is busy, a rate is reached, five messages are said (the resident's next word opens it again), the session's state just changed. */
const MAY_PASS: ReadonlySet<number> = new Set([-1, 45009, 95001, 95013]);
/** Not in a state in which an assistant may speak. */
const WRONG_STATE = 95018;

/** ≤ 32 of [0-9a-zA-Z_-]: the same part of the same reply always carries the same one, so that a repetition has no effect. */
export const messageId = (idempotencyKey: string, part: number): string => createHash('sha256').update(`${idempotencyKey}\0${part}`).digest('base64url').slice(0, 32);

export type KfPart =
  | { readonly msgtype: 'text'; readonly text: { readonly content: string } }
  | { readonly msgtype: 'image'; readonly image: { readonly media_id: string } }
  | { readonly msgtype: 'msgmenu'; readonly msgmenu: { readonly head_content: string; readonly list: readonly { readonly type: 'click'; readonly click: { readonly id: string; readonly content: string } }[] } };

/** Text parts of at most 2,048 bytes; choices as a menu whose head has at most 1,024. */
export function kfParts({ text, chips }: { readonly text: string; readonly chips: readonly Chip[] }): readonly KfPart[] {
  const fitting = chips.filter(({ id }) => byteLength(id) <= MOST_ID_BYTES).slice(0, MOST_ITEMS);
  if (fitting.length === 0) return textParts(text);
  const list = fitting.map(({ id, label }) => ({ type: 'click' as const, click: { id, content: splitBytes(label, 128)[0] ?? '' } }));
  const whole = byteLength(text) <= MOST_HEAD_BYTES;
  const pieces = whole ? [text] : splitBytes(text, MOST_HEAD_BYTES);
  const head = pieces.at(-1) ?? '';
  return [...textParts(text.toWellFormed().slice(0, whole ? 0 : text.length - head.length)), { msgtype: 'msgmenu', msgmenu: { head_content: head.toWellFormed(), list } }];
}

const textParts = (text: string): readonly KfPart[] => splitBytes(text, MOST_TEXT_BYTES).map((content) => ({ msgtype: 'text', text: { content } }));

/** The proof is the last part's msgid, by which the platform later says that it never arrived. */
export async function sendKf(deps: KfOutboundDeps, message: OutboundMessage): Promise<Sent> {
  const externalId = await deps.store.externalId(message.residentId);
  const to = externalId === null ? null : partsOf(externalId);
  if (to === null) return { ok: false, retryable: false, code: 'resident.erased' };
  try {
    const parts = await partsOfReply(deps, message.message.body as Reply);
    if (!Array.isArray(parts)) return parts;
    let proof = '';
    for (const [index, part] of parts.entries()) {
      proof = messageId(message.idempotencyKey, index);
      const answer = await deps.api.post('/cgi-bin/kf/send_msg', { touser: to.externalUserId, open_kfid: to.openKfid, msgid: proof, ...part }, SentBody);
      if (!answer.ok && !isRepetition(answer)) return await toSent(deps, answer, to);
    }
    return { ok: true, proof };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { ok: false, retryable: error.code.startsWith('platform.'), code: error.code };
  }
}

/** The first try had arrived and only its answer was lost. */
const isRepetition = (answer: Extract<ApiAnswer<never>, { ok: false }>): boolean => answer.reason === 'refused' && /msgid/i.test(answer.message) && /repeat|duplicat|exist/i.test(answer.message);

async function toSent(deps: KfOutboundDeps, answer: Extract<ApiAnswer<never>, { ok: false }>, to: { readonly openKfid: string; readonly externalUserId: string }): Promise<Sent> {
  if (answer.reason === 'refused' && answer.errcode === WRONG_STATE) {
    const state = await deps.api.post('/cgi-bin/kf/service_state/get', { open_kfid: to.openKfid, external_userid: to.externalUserId }, StateBody);
    const isInside = state.ok && (state.body.service_state === 2 || state.body.service_state === 3);
    return { ok: false, retryable: isInside, code: isInside ? 'kf.held_in_wecom' : 'kf.session_over' };
  }
  return { ok: false, retryable: answer.reason === 'refused' ? MAY_PASS.has(answer.errcode) : answer.reason !== 'too_large', code: failureCode('kf', answer) };
}

async function partsOfReply(deps: KfOutboundDeps, reply: Reply): Promise<KfPart[] | Extract<Sent, { ok: false }>> {
  if (reply.kind !== 'image') return [...kfParts(wordsOf(reply))];
  const { mime, content } = await deps.readPicture(reply.mediaId);
  const uploaded = await deps.api.upload('/cgi-bin/media/upload', { type: 'image' }, { bytes: content, mime, name: `picture.${mime.split('/')[1] ?? 'jpg'}` }, Uploaded);
  if (!uploaded.ok) return { ok: false, retryable: uploaded.reason !== 'refused', code: failureCode('kf', uploaded) };
  return [...textParts(reply.text), { msgtype: 'image', image: { media_id: uploaded.body.media_id } }];
}

/** The one message an event's code allows, in any state: a welcome (20 s) or the word after a session's end (20 s). */
export async function sendOnEvent(api: PlatformApi, code: string, key: string, words: { readonly text: string; readonly chips: readonly Chip[] }): Promise<ApiAnswer<unknown>> {
  const part = kfParts(words).at(-1);
  return api.post('/cgi-bin/kf/send_msg_on_event', { code, msgid: messageId(key, 0), ...part }, SentBody);
}
