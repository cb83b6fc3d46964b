import { createHash } from 'node:crypto';
import type { TicketEvent } from '../domain/ticket.ts';

/** Head of a chain with no entry yet. */
export const GENESIS = '0'.repeat(64);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Keys sorted at every depth, so that the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
}

/** Binds the chain to what is sealed without telling it: the salt lies sealed beside the content and dies with it. */
export const commitmentOf = (salt: string, sealed: unknown): string => sha256(`jiban-commitment\n${salt}\n${canonicalJson(sealed)}`);

/** What one link hashes: everything in clear, and the commitment instead of what is sealed. */
export function linkHash(previous: string, seq: number, event: Omit<TicketEvent, 'sealed'>, commitment: string): string {
  const { kind, ticketId, at, actor, open } = event;
  return sha256(`jiban-history-1\n${previous}\n${canonicalJson({ seq, kind, ticketId, at, actor, open, commitment })}`);
}

export interface ChainLink extends Omit<TicketEvent, 'sealed'> {
  readonly seq: number;
  readonly hash: string;
  readonly commitment: string;
  /** null once the resident's key is destroyed: the link can be verified, its content can no longer be shown. */
  readonly opened: { readonly salt: string; readonly sealed: unknown } | null;
}

export type ChainVerdict =
  | { readonly ok: true; readonly entries: number; readonly unreadable: number }
  | { readonly ok: false; readonly seq: number; readonly why: 'missing' | 'altered' | 'sealed_altered' | 'cut_off' };

/** Walks one ticket's links in order. `head` and `length` are what the ticket itself says. */
export function verifyChain(links: readonly ChainLink[], expected: { readonly head: string; readonly length: number }): ChainVerdict {
  let previous = GENESIS;
  let unreadable = 0;
  for (const [index, link] of links.entries()) {
    if (link.seq !== index + 1) return { ok: false, seq: index + 1, why: 'missing' };
    if (linkHash(previous, link.seq, link, link.commitment) !== link.hash) return { ok: false, seq: link.seq, why: 'altered' };
    if (link.opened === null) unreadable += 1;
    else if (commitmentOf(link.opened.salt, link.opened.sealed) !== link.commitment) return { ok: false, seq: link.seq, why: 'sealed_altered' };
    previous = link.hash;
  }
  if (previous !== expected.head || links.length !== expected.length) return { ok: false, seq: links.length + 1, why: 'cut_off' };
  return { ok: true, entries: links.length, unreadable };
}
