import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigSchema, readConfig } from '../src/config.ts';
import { isAppError } from '../src/domain/errors.ts';

const root = resolve(import.meta.dirname, '..');
const example = parseEnv(readFileSync(join(root, '.env.example'), 'utf8'));

const refusal = (env: Record<string, string>): string => {
  try {
    readConfig(env, root);
    return 'accepted';
  } catch (error) {
    if (!isAppError(error, 'config.invalid')) throw error;
    return error.message;
  }
};

describe('the settings', () => {
  test('.env.example lists every key of the schema, and no other', () => {
    expect(Object.keys(example).sort()).toEqual(Object.keys(ConfigSchema.shape).sort());
  });

  test('.env.example shows the defaults: with it and without it Jiban is the same', () => {
    expect(readConfig(example, root)).toEqual(readConfig({}, root));
  });

  test('an empty value is the default', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '', HOST: '' }, root)).toEqual(readConfig({}, root));
  });

  test('listens on loopback unless told otherwise', () => {
    expect(readConfig({}, root).HOST).toBe('127.0.0.1');
  });

  test.each([
    ['PORT', '70000'], ['PORT', 'three thousand'], ['PUBLIC_URL', 'not an address'], ['DATABASE_URL', 'mysql://localhost/jiban'], ['DATABASE_SCHEMA', 'Jiban; drop'],
    ['REDIS_URL', 'http://localhost'], ['REDIS_PREFIX', 'x'.repeat(65)], ['SEGMENTER', 'scissors'], ['UNDERSTAND_WORKERS', '0'], ['UTC_OFFSET_MINUTES', '9999'],
    ['DEADLINE_MODE_H24', 'sometimes'], ['DEADLINE_MODE_D7', 'workday'], ['DEADLINE_MODE_D15', 'x'], ['FOLLOW_UP_DAYS', '-1'], ['LOG_LEVEL', 'loud'],
  ])('%s=%s is refused by name', (key, value) => {
    expect(refusal({ [key]: value })).toContain(`${key}: `);
  });

  test('names every wrong key at once', () => {
    const told = refusal({ PORT: 'x', LOG_LEVEL: 'loud', REDIS_URL: 'x' });
    for (const key of ['PORT', 'LOG_LEVEL', 'REDIS_URL']) expect(told).toContain(`${key}: `);
  });

  test('lists are split at commas', () => {
    expect(readConfig({ ALLOWED_ORIGINS: 'https://a.example, https://b.example,' }, root).ALLOWED_ORIGINS).toEqual(['https://a.example', 'https://b.example']);
  });
});
