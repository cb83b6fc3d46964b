import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFirst } from './durable-file.ts';

const FILE = 'admin.token';

/**
 * The token with which tools on this machine act as administrator: whoever may read the data folder is one already.
 * Made once (mode 0600); several processes on one folder share it.
 */
export function localToken(dataDir: string): string {
  const path = join(dataDir, FILE);
  const known = read(path);
  if (known !== null) return known;
  writeFirst(path, `${randomBytes(32).toString('base64url')}\n`);
  return readFileSync(path, 'utf8').trim();
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
