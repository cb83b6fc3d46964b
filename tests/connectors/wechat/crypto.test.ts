import { createCipheriv, randomBytes } from 'node:crypto';
import { decrypt, encrypt, getSignature } from '@wecom/crypto';
import { describe, expect, test } from 'vitest';
import { checkSigned, isSignature, keyOf, openFrame, sealFrame, signatureOf } from '../../../src/connectors/wechat/crypto.ts';

/** The official WXBizMsgCrypt samples and public test suites' values, each also recomputed with node:crypto. */
const MP = {
  token: 'spamtest', key: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG', receiver: 'wx2c2769f8efd9abc2', timestamp: '1409735669', nonce: '1320562132', signature: '5d197aaffba7e9b25a30732f161a50dee96bd5fa',
  encrypt: 'hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=',
};
const VERIFY = [
  ['wecom sample', 'QDG6eK', 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', 'wx5823bf96d3bd56c7', '1409659589', '263014780', '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3', 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==', '1616140317555161061'],
  ['wechatpy', '123456', 'kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR', 'wx49f0ab532d5d035a', '1411443780', '437374425', 'dd6b9c95b495b3f7e2901bfbc76c664930ffdb96', '4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==', '5927782489442352469'],
] as const;
const key = keyOf(MP.key);
const sealRaw = (plain: Buffer): string => {
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64');
};
const frame = (length: number, rest: Buffer, pad?: Buffer): Buffer => {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(length, 16);
  const bare = Buffer.concat([head, rest]);
  const fill = 32 - (bare.length % 32);
  return Buffer.concat([bare, pad ?? Buffer.alloc(fill, fill)]);
};

describe('what the platform really sends', () => {
  test('the official account sample verifies and opens', () => {
    expect(isSignature(MP.signature, MP.token, MP.timestamp, MP.nonce, MP.encrypt)).toBe(true);
    const opened = openFrame(MP.encrypt, key, MP.receiver);
    expect(opened.ok && opened.message).toContain('<MsgId>6054768590064713728</MsgId>');
  });
  test.each(VERIFY)('%s verifies and opens', (_name, token, aes, receiver, timestamp, nonce, signature, encrypted, plain) => {
    expect(isSignature(signature, token, timestamp, nonce, encrypted)).toBe(true);
    expect(openFrame(encrypted, keyOf(aes), receiver)).toEqual({ ok: true, message: plain });
    expect(isSignature(signature, token, timestamp, `${nonce.slice(0, -1)}9`, encrypted)).toBe(false);
  });
  test.each([['spamtest', '1409735669', '1320562132', '16120ec1b8dbb870f510d87ce6bc2463eae6ca1a'], ['789', '456', '123', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441']])('the plain signature of %s', (token, timestamp, nonce, signature) => {
    expect(signatureOf(token, timestamp, nonce)).toBe(signature);
  });
});

describe('what is refused, and why', () => {
  test('a changed character, another token, another shape of signature', () => {
    expect(isSignature(MP.signature, MP.token, MP.timestamp, MP.nonce, `X${MP.encrypt.slice(1)}`)).toBe(false);
    expect(isSignature(MP.signature, 'other', MP.timestamp, MP.nonce, MP.encrypt)).toBe(false);
    for (const bad of ['', MP.signature.toUpperCase(), MP.signature.slice(1), `${MP.signature}0`, 'é'.repeat(40)]) expect(isSignature(bad, MP.token, MP.timestamp, MP.nonce, MP.encrypt)).toBe(false);
  });
  test('a stale or an unreadable moment, but only with the right signature', () => {
    const at = Number(MP.timestamp) * 1_000;
    const secret = { token: MP.token, windowMs: 600_000 };
    expect(checkSigned(MP, secret, at + 600_000, MP.encrypt)).toEqual({ ok: true });
    expect(checkSigned(MP, secret, at + 600_001, MP.encrypt)).toEqual({ ok: false, reason: 'stale' });
    expect(checkSigned(MP, secret, at - 600_001, MP.encrypt)).toEqual({ ok: false, reason: 'stale' });
    expect(checkSigned({ ...MP, nonce: 'x' }, secret, at, MP.encrypt)).toEqual({ ok: false, reason: 'bad_signature' });
    expect(checkSigned({ timestamp: 'now', nonce: '1', signature: signatureOf(MP.token, 'now', '1') }, secret, at)).toEqual({ ok: false, reason: 'stale' });
  });
  test.each([
    ['wrong_receiver', MP.encrypt, 'wx0000000000000000'],
    ['bad_length', Buffer.from(MP.encrypt, 'base64').subarray(0, -16).toString('base64'), MP.receiver],
    ['bad_base64', MP.encrypt.slice(0, -3), MP.receiver],
    ['bad_base64', '', MP.receiver],
    ['length_overrun', sealRaw(frame(0xffff_ffff, Buffer.from(MP.receiver))), MP.receiver],
    ['length_overrun', sealRaw(frame(40, Buffer.from(MP.receiver))), MP.receiver],
    ['bad_padding', sealRaw(Buffer.alloc(64, 0)), MP.receiver],
    ['bad_padding', sealRaw(Buffer.alloc(64, 33)), MP.receiver],
    ['bad_padding', sealRaw(Buffer.concat([Buffer.alloc(62, 1), Buffer.from([3, 2])])), MP.receiver],
    ['bad_length', sealRaw(Buffer.alloc(32, 32)), MP.receiver],
    ['bad_utf8', sealRaw(frame(2, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(MP.receiver)]))), MP.receiver],
  ])('%s', (reason, encrypted, receiver) => {
    expect(openFrame(encrypted, key, receiver)).toEqual({ ok: false, reason });
  });
  test('a key that is not the console’s 43 characters', () => {
    for (const bad of ['', MP.key.slice(1), `${MP.key}=`, '!'.repeat(43)]) expect(() => keyOf(bad)).toThrow(RangeError);
  });
});

test('@wecom/crypto opens what we seal and we open what it seals: 10,000 frames both ways', () => {
  for (let n = 0; n < 10_000; n += 1) {
    const message = `停水🚰${randomBytes(n % 97).toString('hex')}`;
    const ours = sealFrame(message, key, MP.receiver);
    expect(decrypt(MP.key, ours)).toMatchObject({ message, id: MP.receiver });
    const theirs = encrypt(MP.key, message, MP.receiver);
    expect(openFrame(theirs, key, MP.receiver)).toEqual({ ok: true, message });
    expect(signatureOf(MP.token, String(n), 'x', theirs)).toBe(getSignature(MP.token, String(n), 'x', theirs));
  }
});
