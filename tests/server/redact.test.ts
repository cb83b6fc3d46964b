import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { REDACTED_KEYS } from '../../src/server/redact.ts';

function capture(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const destination = new Writable({ write(chunk, _encoding, done) { lines.push(String(chunk)); done(); } });
  return { log: buildLogger({ level, destination }), lines };
}

describe('what never reaches the log above debug', () => {
  test.each([...REDACTED_KEYS])('the value of %s, at any depth', (key) => {
    const { log, lines } = capture();
    log.warn({ turnId: 't1', [key]: '西罗园十二号楼张三' }, 'a.b');
    log.error({ outer: { list: [{ [key.toUpperCase()]: ['西罗园十二号楼张三'] }] } }, 'a.b');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('西罗园');
    expect(lines[0]).toContain('"turnId":"t1"');
  });

  test.each([
    ['a mobile number', 'call 13812345678 now', '13812345678'],
    ['a landline', '电话 010-87654321', '010-87654321'],
    ['an identity card', 'id 11010519491231002X', '11010519491231002X'],
  ])('%s inside an error message, its stack or its cause', (_name, text, number) => {
    const { log, lines } = capture();
    log.error({ err: new AppError('store.bad_value', text, { cause: new Error(text) }) }, text);
    expect(lines.join('')).not.toContain(number);
    expect(lines.join('')).toContain('store.bad_value');
  });

  test('row values that a database driver hangs on its errors', () => {
    const { log, lines } = capture();
    log.error({ err: Object.assign(new Error('duplicate key'), { detail: 'Key (body)=(家里着火了)', parameters: ['家里着火了'], code: '23505' }) }, 'store.failed');
    expect(lines.join('')).not.toContain('家里着火了');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { type: 'Error', code: '23505', message: 'duplicate key' }, msg: 'store.failed', level: 'error' });
  });

  test('bytes, and what hides very deep', () => {
    const { log, lines } = capture();
    log.info({ picture: Buffer.from('secret picture'), a: { b: { c: { d: { e: { f: { g: '深处的话' } } } } } } }, 'x');
    expect(lines.join('')).not.toMatch(/secret picture|c2VjcmV0|深处的话/);
  });
});

test('ids, counts and times stay readable', () => {
  const { log, lines } = capture();
  log.info({ ticketId: 'a1', unitId: 'u1', rule: 'r1', ms: 12, commands: ['open'], handoff: null }, 'turn.done');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ticketId: 'a1', unitId: 'u1', rule: 'r1', ms: 12, commands: ['open'], handoff: null });
});

test('at debug the words are there, for whoever turned it on to see them', () => {
  const { log, lines } = capture('debug');
  log.debug({ text: '路灯不亮' }, 'x');
  expect(lines.join('')).toContain('路灯不亮');
});
