import { createCipheriv, randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { buildOfficialConnector, type OfficialConnectorDeps } from '../../../src/connectors/wechat-official/index.ts';
import { keyOf, sealFrame, signatureOf } from '../../../src/connectors/wechat/crypto.ts';
import { localCoordination } from '../../../src/coordination/local.ts';
import type { InboundMessage } from '../../../src/domain/message.ts';
import { handleError } from '../../../src/server/error-handler.ts';
import { buildLogger } from '../../../src/server/logger.ts';
import { seeded } from '../../fakes/seeded.ts';

const ACCOUNT = { appId: 'wx2c2769f8efd9abc2', token: 'spamtest', aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG' } as const;
const key = keyOf(ACCOUNT.aesKey);
export const FUZZ_NOW = 1_790_000_000_000;

export interface FuzzCase {
  readonly kind: string;
  readonly url: string;
  readonly payload: Buffer;
  /** What the answer must be; nothing else will do. */
  readonly status: 200 | 403 | 413;
  /** Whether a message of this id must be stored afterwards. */
  readonly messageId?: string;
}

type Random = () => number;
const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
const digits = (random: Random, n: number): string => Array.from({ length: n }, () => Math.floor(random() * 10)).join('').replace(/^0/, '1');

function words(random: Random): string {
  const alphabet = ['停水了', '🚰', '12号楼', 'a', ' ', '\n', '<b>', ']]', '&amp;', '𠮷', '\u200b', '<!DOCTYPE x>', '</xml>', '%00', '../'];
  return Array.from({ length: 1 + Math.floor(random() * 30) }, () => pick(random, alphabet)).join('').replaceAll(']]>', ']]');
}

const textXml = (random: Random, id: string, content: string, extra = ''): string =>
  `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o${Math.floor(random() * 500)}]]></FromUserName><CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${content}]]></Content><MsgId>${id}</MsgId>${extra}</xml>`;

const outer = (encrypted: string, before = ''): Buffer => Buffer.from(`${before}<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`);

function url(encrypted: string, over: { token?: string; at?: number; raw?: string } = {}): string {
  const timestamp = String(Math.floor((over.at ?? FUZZ_NOW) / 1_000));
  const nonce = '77';
  return `/wechat/official?${over.raw ?? new URLSearchParams({ timestamp, nonce, encrypt_type: 'aes', msg_signature: signatureOf(over.token ?? ACCOUNT.token, timestamp, nonce, encrypted) }).toString()}`;
}

function sealRaw(plain: Buffer): string {
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64');
}

/** A frame whose stated length, rest and padding are as told, whole blocks of 16. */
function rawFrame(length: number, rest: Buffer, fill: number): Buffer {
  const head = Buffer.alloc(20, 7);
  head.writeUInt32BE(length >>> 0, 16);
  const bare = Buffer.concat([head, rest]);
  const missing = 32 - (bare.length % 32);
  return Buffer.concat([bare, Buffer.alloc(missing, fill)]);
}

const bomb = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;"><!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>';
const signed = (kind: string, inner: string, status: FuzzCase['status'], messageId?: string): FuzzCase => {
  const encrypted = sealFrame(inner, key, ACCOUNT.appId);
  return { kind, url: url(encrypted), payload: outer(encrypted), status, ...(messageId === undefined ? {} : { messageId }) };
};

/** Endless callbacks, the same for the same seed. */
export function* fuzzCases(seed: number): Generator<FuzzCase> {
  const random = seeded(seed);
  const valid: FuzzCase[] = [];
  for (let serial = 0; ; serial += 1) {
    const id = `${digits(random, 4)}${String(serial).padStart(15, '0')}`;
    const inner = textXml(random, id, words(random));
    const sealed = sealFrame(inner, key, ACCOUNT.appId);
    const makers: readonly (() => FuzzCase)[] = [
      () => { const made = signed('valid', inner, 200, id); if (valid.length < 200) valid.push(made); return made; },
      () => ({ ...(valid.length > 0 ? pick(random, valid) : signed('valid', inner, 200, id)), kind: 'repeated' }),
      () => signed('xml bomb', bomb + inner.replace('<CreateTime>1', '<CreateTime>&lol3;'), 403),
      () => signed('external entity', `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${inner}`, 403),
      () => ({ kind: 'doctype outside', url: url(sealed), payload: outer(sealed, bomb), status: 403 }),
      () => signed('unknown entity', inner.replace('<CreateTime>1', '<CreateTime>&lol;'), 403),
      () => signed('__proto__', textXml(random, id, 'x', '<__proto__><polluted>1</polluted></__proto__><constructor><prototype><polluted>1</polluted></prototype></constructor>'), 200, id),
      () => { const encrypted = sealRaw(rawFrame(3, Buffer.concat([Buffer.from('abc'), Buffer.from(ACCOUNT.appId)]), 33 + Math.floor(random() * 200))); return { kind: 'bad padding', url: url(encrypted), payload: outer(encrypted), status: 403 }; },
      () => { const encrypted = sealRaw(rawFrame(pick(random, [0xffff_ffff, 0x7fff_ffff, 64, 1_000_000]), Buffer.from(ACCOUNT.appId), 0)); return { kind: 'length overrun', url: url(encrypted), payload: outer(encrypted), status: 403 }; },
      () => { const cut = sealed.slice(0, Math.floor(random() * sealed.length)); return { kind: 'truncated base64', url: url(cut), payload: outer(cut), status: 403 }; },
      () => { const encrypted = sealFrame(inner, key, pick(random, ['', 'wx0', `${ACCOUNT.appId}0`, ACCOUNT.appId.slice(1)])); return { kind: 'wrong receiver', url: url(encrypted), payload: outer(encrypted), status: 403 }; },
      () => ({ kind: 'stale', url: url(sealed, { at: FUZZ_NOW + pick(random, [-1, 1]) * (700_000 + random() * 1e9) }), payload: outer(sealed), status: 403 }),
      () => ({ kind: 'bad signature', url: url(sealed, { token: 'other' }), payload: outer(sealed), status: 403 }),
      () => { const at = Math.floor(random() * sealed.length); const flipped = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1); return { kind: 'flipped', url: url(sealed), payload: outer(flipped), status: 403 }; },
      () => ({ kind: 'odd query', url: url(sealed, { raw: pick(random, ['', 'msg_signature=a&msg_signature=b', '__proto__=1&timestamp=x', `nonce=${'9'.repeat(3_000)}`, 'timestamp=1e99&nonce=%00', '%']) }), payload: outer(sealed), status: 403 }),
      () => ({ kind: 'huge', url: url(sealed), payload: Buffer.alloc(65 * 1024 + Math.floor(random() * 9_000), 60), status: 413 }),
      () => signed('deep', `<xml>${'<a>'.repeat(400)}${'</a>'.repeat(400)}</xml>`, 403),
      () => signed('wide', `<xml>${'<a/>'.repeat(2_000)}</xml>`, 403),
      () => ({ kind: 'noise', url: url(sealed), payload: Buffer.from(Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256))), status: 403 }),
      () => ({ kind: 'plain where sealed is asked', url: url(sealed), payload: Buffer.from(inner), status: 403 }),
      () => signed('two roots', `${inner}${inner}`, 403),
      () => signed('cut inside', inner.slice(0, Math.floor(random() * (inner.length - 1))), 403),
      () => signed('instruction', `<?php echo 1 ?>${inner}`, 403),
    ];
    yield pick(random, makers)();
  }
}

export interface FuzzTarget {
  readonly app: FastifyInstance;
  readonly stored: Map<string, number>;
  shoot(one: FuzzCase): Promise<{ readonly status: number; readonly body: string }>;
}

/** The real callback over a store that only counts: what is measured is the wire. */
export async function fuzzTarget(): Promise<FuzzTarget> {
  const stored = new Map<string, number>();
  const receive = async (message: InboundMessage) => {
    const times = (stored.get(message.messageId) ?? 0) + 1;
    stored.set(message.messageId, times);
    return { outcome: times === 1 ? ('stored' as const) : ('duplicate' as const), seq: 1, id: 'x' as never };
  };
  const ids = { residentId: 'r' as never, conversationId: 'c' as never };
  const store = { ensureResident: async () => ids, transcript: async () => [], claimAnswer: async () => ({ settled: true, replies: [] }) } as unknown as OfficialConnectorDeps['store'];
  const connector = buildOfficialConnector({
    store, receive, coordination: localCoordination(), greeting: { text: 'g', chips: [] }, readPicture: async () => { throw new Error('none'); }, api: {} as never, waitMs: 0, mostWaiting: 0,
    secret: { token: ACCOUNT.token, key, receiverId: ACCOUNT.appId, mode: 'safe', windowMs: 600_000 }, now: () => FUZZ_NOW, newId: randomUUID, log: buildLogger({ level: 'silent' }),
  });
  const app = Fastify();
  app.setErrorHandler(handleError);
  await app.register(connector.plugin);
  return {
    app, stored,
    async shoot(one) {
      const response = await app.inject({ method: 'POST', url: one.url, payload: one.payload, headers: { 'content-type': 'text/xml' } });
      return { status: response.statusCode, body: response.body };
    },
  };
}
