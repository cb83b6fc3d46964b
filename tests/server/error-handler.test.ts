import { expect, test } from 'vitest';
import { AppError, ERROR_CODES } from '../../src/domain/errors.ts';
import { toAnswer } from '../../src/server/error-handler.ts';
import { HTTP_CODES, publicText } from '../../src/server/error-texts.zh.ts';

test.each([...ERROR_CODES])('%s has an error status', (code) => {
  expect(toAnswer(new AppError(code, 'x')).status).toBeGreaterThanOrEqual(400);
});

test.each([...ERROR_CODES, ...HTTP_CODES, 'never.heard.of'])('%s is told to people in a whole Chinese sentence', (code) => {
  expect(publicText(code)).toMatch(/^[\p{Script=Han}A-Za-z0-9，；、：（） ]+[。，].*。$|^[\p{Script=Han}，]+。$/u);
});

test('the message goes out only where it says nothing about our insides', () => {
  expect(toAnswer(new AppError('ticket.not_found', 'no such ticket')).message).toBe('no such ticket');
  expect(toAnswer(new AppError('store.corrupt', '/var/lib/jiban/jiban.db is broken')).message).toBeUndefined();
});
