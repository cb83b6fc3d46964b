import { DAY, type Instant, type PlatformClock } from './clock.ts';
import type { Ids } from './ids.ts';

export type MediaKind = 'image' | 'voice' | 'video' | 'file' | 'thumb';

export interface StoredMedia {
  readonly kind: MediaKind;
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly fileName: string;
  readonly expiresAt: Instant;
}

export interface MediaFile {
  readonly kind: MediaKind;
  readonly bytes: Buffer;
  readonly contentType?: string;
  readonly fileName?: string;
}

/** Days a temporary media file lives. */
const LIFETIME_MS = 3 * DAY;
const MB = 1024 * 1024;

/** Largest upload by kind, bytes. */
export const UPLOAD_LIMITS = {
  official: { image: 10 * MB, voice: 2 * MB, video: 10 * MB, thumb: 64 * 1024 },
  wecom: { image: 10 * MB, voice: 2 * MB, video: 10 * MB, file: 20 * MB },
} satisfies Record<string, Partial<Record<MediaKind, number>>>;

const TYPES: Readonly<Record<MediaKind, readonly [contentType: string, extension: string]>> = {
  image: ['image/jpeg', 'jpg'], voice: ['audio/amr', 'amr'], video: ['video/mp4', 'mp4'], file: ['application/octet-stream', 'bin'], thumb: ['image/jpeg', 'jpg'],
};

/** The temporary media of one account, both what residents sent and what was uploaded. */
export class MediaStore {
  readonly #clock: PlatformClock;
  readonly #ids: Ids;
  readonly #files = new Map<string, StoredMedia>();

  constructor(clock: PlatformClock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  put(file: MediaFile): string {
    const [contentType, extension] = TYPES[file.kind];
    const mediaId = this.#ids.word(64);
    this.#files.set(mediaId, {
      kind: file.kind, bytes: file.bytes, contentType: file.contentType ?? contentType, fileName: file.fileName ?? `${mediaId}.${extension}`,
      expiresAt: this.#clock.now() + LIFETIME_MS,
    });
    return mediaId;
  }

  /** Undefined for an unknown id and for one that ran out. */
  get(mediaId: string): StoredMedia | undefined {
    const found = this.#files.get(mediaId);
    return found !== undefined && found.expiresAt > this.#clock.now() ? found : undefined;
  }

  has(mediaId: unknown, kind: MediaKind): boolean {
    return typeof mediaId === 'string' && this.get(mediaId)?.kind === kind;
  }
}
