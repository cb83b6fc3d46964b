import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';

/** Bytes a padded frame is a multiple of: PKCS#7 with blocks of 32, not AES's 16. */
const BLOCK = 32;
const HEAD = 20;

/** What both sides of one callback address know. */
export interface SealKeys {
  readonly token: string;
  /** 43 base64 characters: 32 bytes. */
  readonly aesKey: string;
  /** appid of an Official Account, corpid of a WeCom corporation. */
  readonly receiveId: string;
}

export type Opened = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: 'signature' | 'size' | 'padding' | 'length' | 'receive_id' };

/** sha1 in hex over the sorted, joined parts: `signature` with [token, timestamp, nonce], `msg_signature` with the ciphertext added. */
export function sign(...parts: readonly string[]): string {
  return createHash('sha1').update([...parts].sort().join('')).digest('hex');
}

export function signaturesMatch(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function keyBytes(aesKey: string): Buffer {
  const key = Buffer.from(`${aesKey}=`, 'base64');
  if (aesKey.length !== 43 || key.length !== 32) throw new Error('an EncodingAESKey is 43 base64 characters');
  return key;
}

/** Frame = 16 random bytes | length of the text, 4 bytes big-endian | text | receiveId; padded to 32, AES-256-CBC, base64. */
export function encrypt(keys: SealKeys, text: string, random16: Buffer): string {
  const message = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return encryptFrame(keys.aesKey, Buffer.concat([random16, length, message, Buffer.from(keys.receiveId)]));
}

/** Pads and encrypts any frame, a wrong one too: tests use it to forge. */
export function encryptFrame(aesKey: string, frame: Buffer): string {
  const pad = BLOCK - (frame.length % BLOCK);
  const key = keyBytes(aesKey);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([frame, Buffer.alloc(pad, pad)])), cipher.final()]).toString('base64');
}

/** Checks the signature first, then every byte of the frame that can be wrong; reads nothing beyond the buffer. */
export function open(keys: SealKeys, sealed: { readonly encrypt: string; readonly signature: string; readonly timestamp: string; readonly nonce: string }): Opened {
  if (!signaturesMatch(sealed.signature, sign(keys.token, sealed.timestamp, sealed.nonce, sealed.encrypt))) return { ok: false, reason: 'signature' };
  return decrypt(keys, sealed.encrypt);
}

/** As `open`, for a ciphertext whose signature was checked. */
export function decrypt(keys: SealKeys, ciphertext: string): Opened {
  const sealed = Buffer.from(ciphertext, 'base64');
  if (sealed.length === 0 || sealed.length % 16 !== 0) return { ok: false, reason: 'size' };
  const key = keyBytes(keys.aesKey);
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(sealed), decipher.final()]);
  const pad = padded[padded.length - 1] ?? 0;
  if (pad < 1 || pad > BLOCK || pad > padded.length || !padded.subarray(-pad).every((byte) => byte === pad)) return { ok: false, reason: 'padding' };
  const frame = padded.subarray(0, padded.length - pad);
  if (frame.length < HEAD) return { ok: false, reason: 'length' };
  const end = HEAD + frame.readUInt32BE(16);
  if (end > frame.length) return { ok: false, reason: 'length' };
  if (frame.toString('utf8', end) !== keys.receiveId) return { ok: false, reason: 'receive_id' };
  return { ok: true, text: frame.toString('utf8', HEAD, end) };
}
