import type { MediaAnswer } from '../../connectors/web/protocol.ts';
import { strings } from './strings.zh.ts';

/** `message` is Chinese, for the resident. */
export class UploadError extends Error {
  /** false: the same file will be refused again. */
  readonly retryable: boolean;
  constructor(message: string, retryable: boolean) {
    super(message);
    this.retryable = retryable;
  }
}

const MAX_BYTES = 10 * 1024 * 1024;
const SHRINK_ABOVE_BYTES = 1.5 * 1024 * 1024;
const SHRINK_TO_SIDE = 2560;

/** Sends one picture, telling how far it is (0–1). XMLHttpRequest, because fetch reports no upload progress. */
export async function uploadPicture(file: Blob, onProgress: (part: number) => void): Promise<string> {
  const body = await shrink(file);
  if (body.size > MAX_BYTES) throw new UploadError(strings.pictureTooLarge, false);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/chat/media');
    request.timeout = 120_000;
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); };
    request.onerror = request.ontimeout = () => reject(new UploadError(strings.uploadFailed, true));
    request.onload = () => {
      if (request.status === 201) return resolve((JSON.parse(request.responseText) as MediaAnswer).mediaId);
      reject(new UploadError(textOf(request.responseText), request.status >= 500 || request.status === 429 || request.status === 401));
    };
    request.send(body);
  });
}

function textOf(answer: string): string {
  try {
    return (JSON.parse(answer) as { text?: string }).text ?? strings.uploadFailed;
  } catch {
    return strings.uploadFailed; // a proxy's page, not ours
  }
}

/** A phone's 12 megapixels are more than a clerk needs and slow on a weak line; what can't be shrunk goes as it is. */
async function shrink(file: Blob): Promise<Blob> {
  if (file.size <= SHRINK_ABOVE_BYTES || !/^image\/(?:jpeg|png|webp)$/.test(file.type) || typeof createImageBitmap !== 'function') return file;
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const scale = Math.min(1, SHRINK_TO_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = Object.assign(document.createElement('canvas'), { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const smaller = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.85));
    return smaller && smaller.size < file.size ? smaller : file;
  } catch {
    return file; // the server says whether it is a picture
  }
}
