import { AppError } from '../../domain/errors.ts';
import { checkSigned, openFrame, sealFrame, signatureOf, type RefusedFrame } from './crypto.ts';
import { cdata, parseXml, textAt, type RefusedXml, type XmlNode } from './xml.ts';

/** `safe`: only encrypted bodies. `compatible`: encrypted beside plain, the encrypted part counts. `plain`: neither secret nor signed as a whole. */
export type CallbackMode = 'plain' | 'compatible' | 'safe';

export interface CallbackSecret {
  readonly token: string;
  /** null only in plain mode. */
  readonly key: Buffer | null;
  /** AppID, or CorpID: who the frame must be meant for. */
  readonly receiverId: string;
  readonly mode: CallbackMode;
  readonly windowMs: number;
}

/** The query string, each key once; whatever else it was is ''. */
export interface CallbackQuery {
  readonly signature: string;
  readonly msg_signature: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly echostr: string;
}

export type RefusedCallback = 'bad_signature' | 'stale' | 'not_encrypted' | 'bad_utf8' | RefusedFrame | RefusedXml;
export type OpenedCallback =
  | { readonly ok: true; readonly root: XmlNode; readonly encrypted: boolean }
  | { readonly ok: false; readonly reason: RefusedCallback };

const refused = (reason: RefusedCallback): OpenedCallback => ({ ok: false, reason });
const LONGEST_PARAMETER = 4_096;

export function callbackQuery(raw: unknown): CallbackQuery {
  const fields = typeof raw === 'object' && raw !== null ? new Map<string, unknown>(Object.entries(raw)) : new Map<string, unknown>();
  const one = (name: string): string => {
    const value = fields.get(name);
    return typeof value === 'string' && value.length <= LONGEST_PARAMETER ? value : '';
  };
  return { signature: one('signature'), msg_signature: one('msg_signature'), timestamp: one('timestamp'), nonce: one('nonce'), echostr: one('echostr') };
}

/**
 * One pushed body, verified and opened. The outer XML is read before any signature is known, hence its limits; nothing of it is believed
 * but the text of `Encrypt`, which the signature covers. In plain mode the platform signs the moment only, not the body.
 */
export function openCallback(body: Buffer, query: CallbackQuery, secret: CallbackSecret, now: number): OpenedCallback {
  if (secret.mode === 'plain') {
    const checked = checkSigned(query, secret, now);
    return checked.ok ? readBody(body, false) : refused(checked.reason);
  }
  const outer = readBody(body, true);
  if (!outer.ok) return outer;
  const encrypted = textAt(outer.root, 'Encrypt');
  if (encrypted === '' || secret.key === null) return refused('not_encrypted');
  const checked = checkSigned({ ...query, signature: query.msg_signature }, secret, now, encrypted);
  if (!checked.ok) return refused(checked.reason);
  const frame = openFrame(encrypted, secret.key, secret.receiverId);
  if (!frame.ok) return refused(frame.reason);
  const inner = parseXml(frame.message);
  return inner.ok ? { ok: true, root: inner.root, encrypted: true } : refused(inner.reason);
}

function readBody(body: Buffer, encrypted: boolean): OpenedCallback {
  try {
    const parsed = parseXml(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return parsed.ok ? { ok: true, root: parsed.root, encrypted } : refused(parsed.reason);
  } catch {
    return refused('bad_utf8');
  }
}

/** The console's test of the address where it sends `echostr` sealed. @returns its plain text, to be answered as it is */
export function openEcho(query: CallbackQuery, secret: CallbackSecret, now: number): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: RefusedCallback } {
  const checked = checkSigned({ ...query, signature: query.msg_signature }, secret, now, query.echostr);
  if (!checked.ok) return { ok: false, reason: checked.reason };
  if (secret.key === null) return { ok: false, reason: 'not_encrypted' };
  const frame = openFrame(query.echostr, secret.key, secret.receiverId);
  return frame.ok ? { ok: true, text: frame.message } : { ok: false, reason: frame.reason };
}

/** An answer sealed as the platform wants it back. */
export function sealAnswer(xml: string, secret: CallbackSecret, now: number, nonce: string): string {
  if (secret.key === null) return xml;
  const timestamp = String(Math.floor(now / 1_000));
  const encrypted = sealFrame(xml, secret.key, secret.receiverId);
  return `<xml><Encrypt>${cdata(encrypted)}</Encrypt><MsgSignature>${cdata(signatureOf(secret.token, timestamp, nonce, encrypted))}</MsgSignature><TimeStamp>${timestamp}</TimeStamp><Nonce>${cdata(nonce)}</Nonce></xml>`;
}

/** One answer for every refusal: a stranger learns nothing of which check failed. The reason goes to the log. */
export const refusal = (): AppError => new AppError('platform.callback_refused', 'this callback is not verified');
