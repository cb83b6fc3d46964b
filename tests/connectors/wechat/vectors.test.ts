import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isSignature, keyOf, openFrame, sealFrame } from '../../../src/connectors/wechat/crypto.ts';

/** Values of the official samples and of public test suites, with their origins; each was recomputed with node:crypto. */
const Vector = z.object({
  id: z.string(), kind: z.enum(['decrypt', 'verify_url', 'encrypt', 'url_signature']), token: z.string(), timestamp: z.string(), nonce: z.string(),
  encodingAESKey: z.string().optional(), encrypt: z.string().optional(), msgSignature: z.string().optional(), signature: z.string().optional(), random16: z.string().optional(),
  decoded: z.object({ msg: z.string(), receiveId: z.string() }).optional(),
});
const file = new URL('../../fixtures/wechat/vectors.json', import.meta.url);
const vectors = z.object({ positive: z.array(Vector) }).parse(JSON.parse(readFileSync(file, 'utf8'))).positive;

describe('the published vectors', () => {
  test('are all nine here', () => expect(vectors.length).toBe(9));

  test.each(vectors)('$id', ({ token, timestamp, nonce, encodingAESKey = '', encrypt, msgSignature = '', signature = '', random16, decoded }) => {
    if (encrypt === undefined || decoded === undefined) return expect(isSignature(signature, token, timestamp, nonce)).toBe(true);
    expect(isSignature(msgSignature, token, timestamp, nonce, encrypt)).toBe(true);
    const key = keyOf(encodingAESKey);
    expect(openFrame(encrypt, key, decoded.receiveId)).toEqual({ ok: true, message: decoded.msg });
    expect(openFrame(encrypt, key, `${decoded.receiveId}0`)).toEqual({ ok: false, reason: 'wrong_receiver' });
    if (random16 !== undefined) expect(sealFrame(decoded.msg, key, decoded.receiveId, Buffer.from(random16))).toBe(encrypt);
  });
});
