import type { Chip } from '../../domain/message.ts';
import type { ClaimedAnswer } from '../../domain/ports.ts';
import { byteLength, menuLink, wordsOf } from '../wechat/words.ts';
import { cdata } from '../wechat/xml.ts';

type Replies = ClaimedAnswer['replies'];
export interface Composed {
  /** '' where nothing fits an answer. */
  readonly text: string;
  readonly used: Replies;
  /** To be sent the other way. */
  readonly rest: Replies;
}

/** Of a passive text reply. */
export const MOST_BYTES = 2_048;

/**
 * One text out of several replies, in order, as far as they fit; choices stand once, at the end. A message whose answer was sent before gets
 * that one again and nothing new.
 */
export function composeAnswer(replies: Replies): Composed {
  const sent = replies.filter((reply) => reply.sent);
  const candidates = sent.length > 0 ? sent : replies;
  let text = '';
  let used = 0;
  for (const count of candidates.keys()) {
    if (candidates[count]?.message.body.kind === 'image') break;
    const longer = join(candidates.slice(0, count + 1));
    if (byteLength(longer) > MOST_BYTES) break;
    text = longer;
    used = count + 1;
  }
  const taken = new Set(candidates.slice(0, used));
  return { text, used: [...taken], rest: replies.filter((reply) => !taken.has(reply) && !reply.sent) };
}

function join(replies: Replies): string {
  const chips = new Map<string, Chip>();
  const texts: string[] = [];
  for (const { message: { body } } of replies) {
    if (!isSaid(body)) continue;
    const words = wordsOf(body);
    texts.push(words.text);
    for (const chip of words.chips) chips.set(chip.id, chip);
  }
  return [...texts, [...chips.values()].map(menuLink).join('\n')].filter((part) => part !== '').join('\n\n').toWellFormed();
}

type Body = Replies[number]['message']['body'];
const isSaid = (body: Body): body is Extract<Body, { text: string }> & Parameters<typeof wordsOf>[0] => 'text' in body && body.kind !== 'image';

export const answerXml = (push: { readonly openid: string; readonly account: string }, text: string, now: number): string =>
  `<xml><ToUserName>${cdata(push.openid)}</ToUserName><FromUserName>${cdata(push.account)}</FromUserName><CreateTime>${Math.floor(now / 1_000)}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>${cdata(text)}</Content></xml>`;
