import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, cp, mkdir, open, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';

const Manifest = z.object({
  version: z.literal(1),
  jiban: z.string(),
  engine: z.enum(['sqlite', 'postgres']),
  takenAt: z.number(),
  keys: z.boolean(),
  /** What of the database is in the folder; clustered, PostgreSQL is dumped by its own tool. */
  database: z.object({ sha256: z.string(), counts: z.record(z.string(), z.number()) }).nullable(),
  media: z.number(),
});
export type Manifest = z.infer<typeof Manifest>;

export const MANIFEST = 'manifest.json';

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @throws AppError `store.corrupt` if the folder is no backup */
export async function readManifest(folder: string): Promise<Manifest> {
  try {
    return Manifest.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')));
  } catch (cause) {
    throw new AppError('store.corrupt', `${folder} is not a whole backup: its ${MANIFEST} cannot be read`, { cause });
  }
}

/** Pictures never change once they have their name, so a copy beside a running Jiban is whole. Returns how many. */
export async function copyMedia(from: string, to: string): Promise<number> {
  let copied = 0;
  for (const shelf of await listing(from)) {
    for (const name of await listing(join(from, shelf))) {
      if (name.endsWith('.part')) continue; // being written; its row is not in the database yet
      const target = join(to, shelf, name);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await copyFile(join(from, shelf, name), target, constants.COPYFILE_FICLONE);
      copied += 1;
    }
  }
  return copied;
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
const listing = (folder: string): Promise<string[]> => readdir(folder).catch((error: unknown) => { if (isMissing(error)) return []; throw error; });

export async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await stat(from);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await cp(from, to, { recursive: true, force: true });
  return true;
}

/** Written last and synced: a folder without it is not a backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const file = await open(join(folder, MANIFEST), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
