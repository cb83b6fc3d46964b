import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type RefusedFrame = 'bad_base64' | 'bad_length' | 'bad_padding' | 'length_overrun' | 'bad_utf8' | 'wrong_receiver';
export type Opened = { readonly ok: true; readonly message: string } | { readonly ok: false; readonly reason: RefusedFrame };
export type Checked = { readonly ok: true } | { readonly ok: false; readonly reason: 'bad_signature' | 'stale' };

/** The platform pads to blocks of 32, not to AES's 16. */
const PAD_BLOCK = 32;
const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;
const HEAD_BYTES = RANDOM_BYTES + LENGTH_BYTES;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** WeChat sorts the strings before hashing: token, timestamp, nonce and, of an encrypted body, its `Encrypt`. */
export const signatureOf = (...parts: readonly string[]): string => createHash('sha1').update([...parts].sort().join('')).digest('hex');

/** Constant time over the digest; a signature of another shape is simply wrong. */
export function isSignature(given: string, ...parts: readonly string[]): boolean {
  if (!/^[0-9a-f]{40}$/.test(given)) return false;
  return timingSafeEqual(Buffer.from(given, 'hex'), Buffer.from(signatureOf(...parts), 'hex'));
}

export interface SignedQuery { readonly signature: string; readonly timestamp: string; readonly nonce: string }

/**
 * Signature first, then freshness: a stranger learns nothing of our clock.
 *
 * @param encrypted the body's `Encrypt` where `msg_signature` is checked; absent for the plain `signature`
 */
export function checkSigned(query: SignedQuery, secret: { readonly token: string; readonly windowMs: number }, now: number, encrypted?: string): Checked {
  const parts = [secret.token, query.timestamp, query.nonce, ...(encrypted === undefined ? [] : [encrypted])];
  if (!isSignature(query.signature, ...parts)) return { ok: false, reason: 'bad_signature' };
  const at = /^\d{1,12}$/.test(query.timestamp) ? Number(query.timestamp) * 1_000 : Number.NaN;
  return Math.abs(now - at) <= secret.windowMs ? { ok: true } : { ok: false, reason: 'stale' };
}

/** @throws RangeError unless it is the 43 characters the platform's console gives */
export function keyOf(encodingAesKey: string): Buffer {
  if (!/^[A-Za-z0-9+/]{43}$/.test(encodingAesKey)) throw new RangeError('EncodingAESKey must be 43 characters of base64');
  return Buffer.from(`${encodingAesKey}=`, 'base64');
}

/** Opens one frame: 16 random bytes, length (big endian), message, receiver id, padding. Call only after its signature was checked. */
export function openFrame(encrypted: string, key: Buffer, receiverId: string): Opened {
  if (encrypted === '' || !BASE64.test(encrypted)) return { ok: false, reason: 'bad_base64' };
  const sealed = Buffer.from(encrypted, 'base64');
  if (sealed.length % PAD_BLOCK !== 0) return { ok: false, reason: 'bad_length' };
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(sealed), decipher.final()]);
  const pad = padded.at(-1) ?? 0;
  if (pad < 1 || pad > PAD_BLOCK || padded.subarray(-pad).some((byte) => byte !== pad)) return { ok: false, reason: 'bad_padding' };
  const frame = padded.subarray(0, padded.length - pad);
  if (frame.length < HEAD_BYTES) return { ok: false, reason: 'bad_length' };
  const end = HEAD_BYTES + frame.readUInt32BE(RANDOM_BYTES);
  if (end > frame.length) return { ok: false, reason: 'length_overrun' };
  const receiver = frame.subarray(end);
  const expected = Buffer.from(receiverId);
  if (receiver.length !== expected.length || !timingSafeEqual(receiver, expected)) return { ok: false, reason: 'wrong_receiver' };
  try {
    return { ok: true, message: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame.subarray(HEAD_BYTES, end)) };
  } catch {
    return { ok: false, reason: 'bad_utf8' };
  }
}

/** @param random 16 bytes; given only where a vector must come out the same */
export function sealFrame(message: string, key: Buffer, receiverId: string, random: Buffer = randomBytes(RANDOM_BYTES)): string {
  const body = Buffer.from(message);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(body.length);
  const frame = Buffer.concat([random, length, body, Buffer.from(receiverId)]);
  const pad = PAD_BLOCK - (frame.length % PAD_BLOCK);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([frame, Buffer.alloc(pad, pad)])), cipher.final()]).toString('base64');
}
