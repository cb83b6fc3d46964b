import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import type { Instant, MediaId, NewId, ResidentId } from '../../domain/ids.ts';
import type { Media, Store } from '../../domain/ports.ts';

export interface MediaFilesDeps {
  readonly store: Pick<Store, 'sealBytes' | 'openBytes' | 'insertMedia' | 'media'>;
  /** Outside the web root; every process of a cluster sees the same folder. */
  readonly dataDir: string;
  readonly newId: NewId;
  readonly now: () => Instant;
}

export type StoredPicture = Media & { readonly content: Uint8Array };

export interface MediaFiles {
  /** @param id where one was given out before the file came; saved twice it is the same file. @throws AppError `store.full` `key.destroyed` */
  save(residentId: ResidentId, file: Pick<Media, 'mime'> & { readonly bytes: Uint8Array }, id?: MediaId): Promise<Media>;
  /**
   * @param owner somebody else's picture is as good as none
   * @throws AppError `media.not_found` `key.destroyed` `key.unreadable`
   */
  read(id: MediaId, owner?: ResidentId): Promise<StoredPicture>;
}

/** Pictures sealed under their resident's key at `<dataDir>/media/<aa>/<id>`. A row exists only for a file that is whole and on disk. */
export function buildMediaFiles(deps: MediaFilesDeps): MediaFiles {
  const fileOf = (id: string): string => join(deps.dataDir, 'media', id.slice(-2), id);
  return {
    async save(residentId, file, id) {
      const known = id === undefined ? null : await deps.store.media(id);
      if (known) return known;
      const media: Media = { id: id ?? (deps.newId() as MediaId), residentId, mime: file.mime, bytes: file.bytes.length, at: deps.now() };
      await writeWhole(fileOf(media.id), await deps.store.sealBytes(residentId, file.bytes), deps.newId());
      await deps.store.insertMedia(media);
      return media;
    },
    async read(id, owner) {
      const media = await deps.store.media(id);
      if (!media || (owner !== undefined && media.residentId !== owner)) throw new AppError('media.not_found', 'there is no such picture');
      return { ...media, content: await deps.store.openBytes(media.residentId, await readSealed(fileOf(media.id))) };
    },
  };
}

async function readSealed(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new AppError('media.not_found', 'the picture is registered but its file is gone; restore DATA_DIR/media', { cause });
  }
}

/** Temporary file, fsync, rename, fsync of the folder: after a crash the file is there whole or not at all. */
async function writeWhole(file: string, bytes: Uint8Array, attempt: string): Promise<void> {
  const temporary = `${file}.${attempt}.part`; // what a killed process left behind must not stop the next one
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (cause) {
    await unlink(temporary).catch((error: unknown) => { if (!hasCode(error, 'ENOENT')) throw error; });
    if (hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')) throw new AppError('store.full', 'no space left for pictures; free space under DATA_DIR', { cause });
    throw cause;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const hasCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
