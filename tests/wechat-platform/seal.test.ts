import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decrypt, encrypt, encryptFrame, open, sign, type SealKeys } from '../fakes/wechat-platform/seal.ts';

interface Vector {
  readonly id: string;
  readonly kind: 'decrypt' | 'verify_url' | 'encrypt' | 'url_signature';
  readonly token: string;
  readonly encodingAESKey: string;
  readonly receiveId?: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly msgSignature: string;
  readonly signature: string;
  readonly encrypt: string;
  readonly plain: string;
  readonly random16: string;
  readonly decoded: { readonly msg: string; readonly receiveId: string };
}

const file = join(import.meta.dirname, '../fixtures/wechat/vectors.json');
const { positive, negativeExpectations } = JSON.parse(readFileSync(file, 'utf8')) as { positive: Vector[]; negativeExpectations: { id: string }[] };
const encrypted = positive.filter(({ kind }) => kind !== 'url_signature');
const vector = (id: string): Vector => {
  const found = positive.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
};
const keysOf = ({ token, encodingAESKey, receiveId, decoded }: Vector): SealKeys => ({ token, aesKey: encodingAESKey, receiveId: receiveId ?? decoded.receiveId });
const sealedOf = (given: Vector): Parameters<typeof open>[1] => ({ encrypt: given.encrypt, signature: given.msgSignature, timestamp: given.timestamp, nonce: given.nonce });
const MP = 'mp-official-sample-decrypt';

describe('the vectors of the protocol page', () => {
  test('are all here', () => {
    expect([encrypted.length, positive.length, negativeExpectations.length]).toEqual([7, 9, 5]);
  });

  test.each(encrypted.map((each) => [each.id, each] as const))('%s opens', (_id, each) => {
    expect(open(keysOf(each), sealedOf(each))).toEqual({ ok: true, text: each.decoded.msg });
  });

  test.each(positive.filter(({ kind }) => kind === 'url_signature').map((each) => [each.id, each] as const))('%s: the signature of the address', (_id, each) => {
    expect(sign(each.token, each.timestamp, each.nonce)).toBe(each.signature);
  });

  test.each(positive.filter(({ kind }) => kind === 'encrypt').map((each) => [each.id, each] as const))('%s encrypts to the same bytes', (_id, each) => {
    const sealed = encrypt(keysOf(each), each.plain, Buffer.from(each.random16));
    expect([sealed, sign(each.token, each.timestamp, each.nonce, sealed)]).toEqual([each.encrypt, each.msgSignature]);
  });
});

describe('what must not open', () => {
  test('neg-wrong-nonce: the signature fails first', () => {
    const given = vector('wechatpy-verifyurl');
    expect(open(keysOf(given), { ...sealedOf(given), nonce: '437374424' })).toEqual({ ok: false, reason: 'signature' });
  });

  test('neg-wrong-appid: another account\'s id inside', () => {
    const given = vector(MP);
    expect(open({ ...keysOf(given), receiveId: 'wx0000000000000000' }, sealedOf(given))).toEqual({ ok: false, reason: 'receive_id' });
  });

  test('neg-flip-ciphertext: one character changed', () => {
    const given = vector(MP);
    expect(open(keysOf(given), { ...sealedOf(given), encrypt: given.encrypt.replace('h', 'i') })).toEqual({ ok: false, reason: 'signature' });
  });

  test('neg-resigned-bad-pad: cut short and signed again', () => {
    const given = vector(MP);
    const cut = Buffer.from(given.encrypt, 'base64').subarray(0, -16).toString('base64');
    const signature = sign(given.token, given.timestamp, given.nonce, cut);
    const opened = open(keysOf(given), { ...sealedOf(given), encrypt: cut, signature });
    expect(opened.ok ? 'opened' : opened.reason).toMatch(/^(?:padding|length|receive_id)$/);
  });

  test('neg-msglen-overrun: a length beyond the frame', () => {
    const keys = keysOf(vector(MP));
    const frame = Buffer.concat([Buffer.alloc(16, 1), Buffer.of(0x7f, 0xff, 0xff, 0xff), Buffer.from('short'), Buffer.from(keys.receiveId)]);
    expect(decrypt(keys, encryptFrame(keys.aesKey, frame))).toEqual({ ok: false, reason: 'length' });
  });

  test.each([['nothing', ''], ['half a block', 'AAAAAAAAAAA=']])('%s', (_name, text) => {
    expect(decrypt(keysOf(vector(MP)), text)).toEqual({ ok: false, reason: 'size' });
  });
});
