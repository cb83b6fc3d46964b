import { isAppError } from '../../domain/errors.ts';
import type { Instant, MediaId, ResidentId } from '../../domain/ids.ts';
import type { Channel } from '../../domain/message.ts';
import type { AwaitedMedia, Logger, Media, Store } from '../../domain/ports.ts';
import { LOST_MEDIA } from './lost-media.zh.ts';
import type { ApiAnswer } from './platform-api.ts';

export type Downloaded = ApiAnswer<{ readonly bytes: Uint8Array; readonly type: string }>;
/** @throws AppError `platform.unreachable` `platform.refused` */
export type Download = (remoteId: string, mostBytes: number) => Promise<Downloaded>;

export interface FetchMediaDeps {
  readonly store: Store;
  readonly downloads: ReadonlyMap<Channel, Download>;
  /** Checks and rewrites a picture. @throws AppError `media.invalid` `media.too_large` */
  readonly savePicture: (residentId: ResidentId, bytes: Uint8Array, id: MediaId) => Promise<unknown>;
  readonly keepRecording: (residentId: ResidentId, file: Pick<Media, 'mime'> & { readonly bytes: Uint8Array }, id: MediaId) => Promise<unknown>;
  readonly owner: string;
  readonly now: () => Instant;
  readonly log: Logger;
  readonly onTold: () => void;
}

const LEASE_MS = 60_000;
const MOST_TRIES = 8;
const FIRST_RETRY_MS = 2_000;
const MOST_BYTES = { image: 10 * 1024 * 1024, voice: 4 * 1024 * 1024, video: 20 * 1024 * 1024 } as const;

type Outcome = 'kept' | 'again' | 'lost';

/** Fetches one file that a resident sent and that still lies at the platform. @returns whether there was one */
export async function fetchOneMedia(deps: FetchMediaDeps): Promise<boolean> {
  const media = await deps.store.claimMedia(deps.owner, deps.now(), LEASE_MS);
  if (!media) return false;
  const { outcome, code } = await fetchIt(deps, media);
  deps.log[outcome === 'kept' ? 'debug' : 'warn']({ mediaId: media.id, channel: media.channel, medium: media.medium, attempts: media.attempts, code }, `media.${outcome}`);
  if (outcome === 'again' && media.attempts < MOST_TRIES) await deps.store.endMedia(media.id, deps.now() + FIRST_RETRY_MS * 2 ** media.attempts);
  else if (outcome === 'kept') await deps.store.endMedia(media.id, null);
  else await tellLost(deps, media);
  return true;
}

async function fetchIt(deps: FetchMediaDeps, media: AwaitedMedia): Promise<{ outcome: Outcome; code: string }> {
  try {
    const answer = await deps.downloads.get(media.channel)?.(media.remoteId, MOST_BYTES[media.medium]);
    if (answer === undefined) return { outcome: 'again', code: 'channel.off' };
    if (!answer.ok) return { outcome: answer.reason === 'refused' || answer.reason === 'too_large' ? 'lost' : 'again', code: answer.reason === 'refused' ? String(answer.errcode) : answer.reason };
    if (media.medium === 'image') await deps.savePicture(media.residentId, answer.body.bytes, media.id);
    else {
      const mime = recordingMime(answer.body.bytes);
      if (mime === null) return { outcome: 'lost', code: 'media.invalid' };
      await deps.keepRecording(media.residentId, { bytes: answer.body.bytes, mime }, media.id);
    }
    return { outcome: 'kept', code: '' };
  } catch (error) {
    const code = isAppError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
    if (code === 'key.destroyed') return { outcome: 'kept', code }; // nobody is left it could belong to
    return { outcome: code === 'media.invalid' || code === 'media.too_large' ? 'lost' : 'again', code };
  }
}

/** By the first bytes: AMR as WeChat records it, MP4 as it films. */
function recordingMime(bytes: Uint8Array): 'audio/amr' | 'video/mp4' | null {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('#!AMR')) return 'audio/amr';
  return head.slice(4, 8) === 'ftyp' ? 'video/mp4' : null;
}

async function tellLost(deps: FetchMediaDeps, media: AwaitedMedia): Promise<void> {
  const now = deps.now();
  await deps.store.transaction(async (tx) => {
    await tx.endMedia(media.id, null);
    await tx.say({ id: media.conversationId, residentId: media.residentId, channel: media.channel }, [{ author: 'system', body: { kind: 'text', text: LOST_MEDIA[media.medium] }, idempotencyKey: `lost:${media.id}` }], now, `lost:${media.id}`);
  });
  deps.onTold();
}
