import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ConversationId, Instant, ResidentId } from '../../domain/ids.ts';

/** Who is at the other end, as this server once wrote and signed it. */
export interface Identity {
  readonly residentId: ResidentId;
  readonly conversationId: ConversationId;
  readonly expiresAt: Instant;
}

export const IDENTITY_LIFETIME_MS = 400 * 24 * 3_600_000; // browsers cut cookies at 400 days
export const COOKIE_NAME = 'jiban_resident';
const PREFIX = 'v1';
const MAX_TOKEN_LENGTH = 512;

const Payload = z.tuple([z.string().min(1).max(64), z.string().min(1).max(64), z.number().int()]);

/** `v1.<payload>.<HMAC-SHA256>`, both base64url. It holds ids only; the rest is in the store. */
export function signIdentity(identity: Identity, key: Buffer): string {
  const payload = Buffer.from(JSON.stringify([identity.residentId, identity.conversationId, identity.expiresAt])).toString('base64url');
  return `${PREFIX}.${payload}.${mac(payload, key).toString('base64url')}`;
}

/**
 * The identity a token proves, or null for anything forged, cut, expired or made for another purpose.
 *
 * @param keys the present key and those before it; any may have signed
 */
export function verifyIdentity(token: string, keys: readonly Buffer[], now: Instant): Identity | null {
  if (token.length > MAX_TOKEN_LENGTH) return null;
  const [prefix, payload, signature, rest] = token.split('.');
  if (prefix !== PREFIX || !payload || !signature || rest !== undefined) return null;
  const given = Buffer.from(signature, 'base64url');
  const genuine = keys.map((key) => mac(payload, key)).filter((expected) => given.length === expected.length && timingSafeEqual(given, expected));
  if (genuine.length === 0) return null;
  const [residentId, conversationId, expiresAt] = Payload.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  return expiresAt > now ? { residentId: residentId as ResidentId, conversationId: conversationId as ConversationId, expiresAt } : null;
}

/** The purpose is part of what is signed, so that no other token of this key can pass for an identity. */
const mac = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(`jiban web resident ${PREFIX} ${payload}`).digest();
