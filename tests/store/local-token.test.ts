import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile, writeFirst } from '../../src/store/durable-file.ts';
import { localToken } from '../../src/store/local-token.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'jiban-token-')); });
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the token is made once, for its owner alone, and nothing is left beside it', async () => {
  const dataDir = join(folder, 'fresh');
  const token = localToken(dataDir);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(localToken(dataDir)).toBe(token);
  expect(await readdir(dataDir)).toEqual(['admin.token']);
  expect((await stat(join(dataDir, 'admin.token'))).mode & 0o777).toBe(0o600);
});

test('of two who write first the first one’s file stands; a replacement is whole and leaves no draft', async () => {
  const path = join(folder, 'keys', 'master.json');
  writeFirst(path, 'first');
  writeFirst(path, 'second');
  expect(await readFile(path, 'utf8')).toBe('first');
  replaceFile(path, 'third');
  expect(await readFile(path, 'utf8')).toBe('third');
  expect(await readdir(join(folder, 'keys'))).toEqual(['master.json']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
