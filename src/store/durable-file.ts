import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A new file of mode 0600, on disk when this returns. @throws EEXIST where there is one already */
export function writeNew(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Two processes may start at once on a fresh folder: the first file stands, whole; the other is thrown away. */
export function writeFirst(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = draftOf(path);
  writeNew(draft, text);
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(draft);
  }
  syncFolder(path);
}

/** Puts the text where the old file was: a crash leaves the one or the other, whole. */
export function replaceFile(path: string, text: string): void {
  const draft = draftOf(path);
  writeNew(draft, text);
  renameSync(draft, path);
  syncFolder(path);
}

const draftOf = (path: string): string => `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;

/** A name is on disk only when its folder is; without this a power cut could bring the old file back. Windows opens no folders. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
