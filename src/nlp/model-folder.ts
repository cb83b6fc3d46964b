import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../domain/errors.ts';

const WHAT_TO_DO = 'Restore the folder from the release (git checkout -- models) or rebuild it as models/training describes.';

/**
 * Makes sure that a model folder is whole: every file of SHA256SUMS is there and is what was released.
 *
 * @param required files that SHA256SUMS must name
 * @returns file name → SHA-256, hex
 * @throws AppError `model.missing`, `model.hash_mismatch`
 */
export function verifyModelFolder(folder: string, required: readonly string[]): ReadonlyMap<string, string> {
  const sums = readSums(join(folder, 'SHA256SUMS'));
  for (const name of required) {
    if (!sums.has(name)) throw new AppError('model.missing', `${join(folder, 'SHA256SUMS')} does not name ${name}. ${WHAT_TO_DO}`);
  }
  for (const [name, sum] of sums) {
    const file = join(folder, name);
    if (!existsSync(file)) throw new AppError('model.missing', `${file} is missing. ${WHAT_TO_DO}`);
    const actual = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (actual !== sum) throw new AppError('model.hash_mismatch', `${file} does not match SHA256SUMS. ${WHAT_TO_DO}`);
  }
  return sums;
}

function readSums(file: string): ReadonlyMap<string, string> {
  if (!existsSync(file)) throw new AppError('model.missing', `${file} is missing. ${WHAT_TO_DO}`);
  const sums = new Map<string, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const match = /^([0-9a-f]{64})[ *]+(?:\.\/)?(.+)$/.exec(line.trim());
    if (match) sums.set(match[2] as string, match[1] as string);
  }
  if (sums.size === 0) throw new AppError('model.missing', `${file} names no file. ${WHAT_TO_DO}`);
  return sums;
}

/** @throws AppError `model.missing` when the file is no JSON */
export function readModelJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AppError('model.missing', `${file} cannot be read as JSON. ${WHAT_TO_DO}`, { cause });
  }
}
