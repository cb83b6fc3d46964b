import type { Chip, Reply } from '../../domain/message.ts';

/** A reply in a chat that knows no cards: what a card shows stands in lines below the text. */
export interface Words {
  readonly text: string;
  readonly chips: readonly Chip[];
}

export function wordsOf(reply: Exclude<Reply, { kind: 'image' }>): Words {
  const fields = 'card' in reply ? reply.card.fields.filter((field) => field.value !== '').map((field) => `${field.label}：${field.value}`) : [];
  return { text: [reply.text, ...fields].join('\n'), chips: reply.chips ?? [] };
}

export const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8');

/** Cuts into parts of at most `most` bytes of UTF-8, after a line or a sentence where there is one, never within a character. */
export function splitBytes(text: string, most: number): readonly string[] {
  const parts: string[] = [];
  for (let rest = text.toWellFormed(); rest !== '';) {
    const part = byteLength(rest) <= most ? rest : cut(rest, most);
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}

function cut(text: string, most: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += byteLength(character);
    if (bytes > most) break;
    end += character.length;
  }
  const head = text.slice(0, end);
  const stop = Math.max(head.lastIndexOf('\n'), head.lastIndexOf('。'), head.lastIndexOf('；'));
  return stop >= end / 2 ? head.slice(0, stop + 1) : head;
}

/** `<` and `>` would end a menu link; a label is at most a few words. */
const inLink = (text: string): string => text.replace(/[<>"&]/g, ' ');

/** A link that says the label back with the chip's id, as WeChat's own menu messages do. */
export const menuLink = ({ id, label }: Chip): string => `<a href="weixin://bizmsgmenu?msgmenucontent=${inLink(label)}&msgmenuid=${inLink(id)}">${inLink(label)}</a>`;
