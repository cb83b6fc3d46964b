import sharp from 'sharp';
import { AppError } from '../../domain/errors.ts';
import type { Media } from '../../domain/ports.ts';
import { MAX_PICTURE_BYTES } from './protocol.ts';

export interface Picture {
  readonly bytes: Uint8Array;
  readonly mime: Media['mime'];
  readonly width: number;
  readonly height: number;
}

const MAX_SIDE = 12_000;
const MAX_PIXELS = 50_000_000;
/** What is kept: enough to read a meter or a number plate, small enough for a city's disk. */
const KEPT_SIDE = 3_000;

type Format = 'jpeg' | 'png' | 'webp' | 'gif';

/** A file that is a picture and something else besides carries the else at its head or behind its end. */
const FOREIGN = /<script|<!doctype|<html[\s>]|<svg[\s>]|<\?php/i;
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 256 * 1024;

/**
 * Decodes the picture whole and writes it anew, upright: what was hidden in it or hung behind it is gone, and so are the
 * camera's notes (GPS position, device), which the resident did not mean to send.
 *
 * @throws AppError `media.invalid` not a whole JPEG, PNG, WebP or GIF, whatever it is called · `media.too_large`
 */
export async function cleanPicture(bytes: Uint8Array): Promise<Picture> {
  if (bytes.length > MAX_PICTURE_BYTES) throw new AppError('media.too_large', `at most ${MAX_PICTURE_BYTES} bytes`);
  const format = sniffFormat(bytes);
  if (!format) throw new AppError('media.invalid', 'the content is not JPEG, PNG, WebP or GIF');
  if (FOREIGN.test(ends(bytes))) throw new AppError('media.invalid', 'the file carries markup besides the picture');
  await checkSize(bytes);
  return rewrite(bytes, format);
}

/** By the first bytes; the sender's word and the file's name count for nothing. */
function sniffFormat(bytes: Uint8Array): Format | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif';
  return null;
}

function ends(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = buffer.toString('latin1', 0, HEAD_BYTES);
  return buffer.length <= HEAD_BYTES ? head : head + buffer.toString('latin1', Math.max(HEAD_BYTES, buffer.length - TAIL_BYTES));
}

async function checkSize(bytes: Uint8Array): Promise<void> {
  const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata().catch(refuse);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) throw new AppError('media.too_large', `${width} × ${height} px; at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all`);
}

async function rewrite(bytes: Uint8Array, format: Format): Promise<Picture> {
  const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true })
    .rotate()
    .resize({ width: KEPT_SIDE, height: KEPT_SIDE, fit: 'inside', withoutEnlargement: true });
  const encoded = await (format === 'jpeg' ? image.jpeg({ quality: 85 }) : image.toFormat(format)).toBuffer({ resolveWithObject: true }).catch(refuse);
  return { bytes: encoded.data, mime: `image/${format}`, width: encoded.info.width, height: encoded.info.height };
}

function refuse(cause: unknown): never {
  throw new AppError('media.invalid', 'the picture is damaged or incomplete', { cause });
}
