import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanPicture } from '../../../src/connectors/web/clean-picture.ts';
import type { MediaAnswer } from '../../../src/connectors/web/protocol.ts';
import type { MediaId } from '../../../src/domain/ids.ts';
import { bearer, newResident, openPage, startEchoServer, type EchoServer } from './echo-server.ts';

let server: EchoServer | undefined;
afterEach(async () => { await server?.drop(); server = undefined; });

const blank = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#3366aa' } });
const jpeg = (): Promise<Buffer> => blank(80, 60).jpeg().toBuffer();

async function upload(token: string, body: Uint8Array | FormData, type = 'image/jpeg'): Promise<Response> {
  if (!server) throw new Error('no server');
  return fetch(`${server.url}/chat/media`, { method: 'POST', headers: { ...bearer(token), ...(body instanceof FormData ? {} : { 'content-type': type }) }, body: body as NonNullable<RequestInit["body"]> });
}

async function withResident(): Promise<{ server: EchoServer; token: string }> {
  server = await startEchoServer();
  return { server, token: (await newResident(server)).token };
}

describe('what counts as a picture', () => {
  test.each([
    ['a JPEG', () => jpeg(), 'image/jpeg'],
    ['a PNG', () => blank(80, 60).png().toBuffer(), 'image/png'],
    ['a WebP', () => blank(80, 60).webp().toBuffer(), 'image/webp'],
    ['a GIF', () => blank(80, 60).gif().toBuffer(), 'image/gif'],
  ])('%s is taken as what it is', async (_name, make, mime) => {
    expect(await cleanPicture(await make())).toMatchObject({ mime, width: 80, height: 60 });
  });

  test.each([
    ['HTML', async () => Buffer.from('<html><script>alert(1)</script></html>'), 'media.invalid'],
    ['SVG', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), 'media.invalid'],
    ['nothing', async () => Buffer.alloc(0), 'media.invalid'],
    ['a PDF', async () => Buffer.from('%PDF-1.7\n%âãÏÓ'), 'media.invalid'],
    ['a TIFF, which a browser would not show', () => blank(80, 60).tiff().toBuffer(), 'media.invalid'],
    ['only the first bytes of a GIF before a script', async () => Buffer.from('GIF89a/*\0\0\0*/=1;alert(document.domain)//'), 'media.invalid'],
    ['a JPEG cut in the middle', async () => { const whole = await blank(800, 600).jpeg().toBuffer(); return whole.subarray(0, whole.length / 2); }, 'media.invalid'],
    ['a PNG with HTML behind its end', async () => Buffer.concat([await blank(80, 60).png().toBuffer(), Buffer.from('<!DOCTYPE html><body onload=alert(1)>')]), 'media.invalid'],
    ['a JPEG with a script in its comment', async () => { const whole = await jpeg(); return Buffer.concat([whole.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, 17]), Buffer.from('<ScRiPt>a</x>..'), whole.subarray(2)]); }, 'media.invalid'],
    ['13,000 pixels in a row', () => blank(13_000, 10).png().toBuffer(), 'media.too_large'],
    ['60 million pixels', () => blank(10_000, 6_000).png().toBuffer(), 'media.too_large'],
    ['11 megabytes', async () => Buffer.concat([await jpeg(), Buffer.alloc(11 * 1024 * 1024)]), 'media.too_large'],
  ])('%s is refused', async (_name, make, code) => {
    await expect(make().then(cleanPicture)).rejects.toMatchObject({ code });
  });

  test('what a camera wrote beside the picture is gone, and the picture stands upright', async () => {
    const withNotes = await blank(80, 60).withExif({ IFD0: { Model: 'SecretPhone' }, IFD3: { GPSLatitude: '39/1 52/1 0/1' } }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const cleaned = await cleanPicture(withNotes);
    const notes = await sharp(cleaned.bytes).metadata();
    expect([cleaned.width, cleaned.height]).toEqual([60, 80]);
    expect(notes.exif).toBeUndefined();
    expect(Buffer.from(cleaned.bytes).includes('SecretPhone')).toBe(false);
  });

  test('a zip behind a picture is not carried on', async () => {
    const cleaned = await cleanPicture(Buffer.concat([await jpeg(), Buffer.from('PK\x03\x04payload', 'latin1')]));
    expect(Buffer.from(cleaned.bytes).includes('payload')).toBe(false);
  });

  test('a large photograph is kept at 3,000 pixels', async () => {
    expect(await cleanPicture(await blank(6_000, 4_500).jpeg().toBuffer())).toMatchObject({ width: 3_000, height: 2_250 });
  });
});

describe('over HTTP', () => {
  test('a picture goes up, lies sealed on the disk, and comes back to its owner with headers that let nothing run', async () => {
    const { server, token } = await withResident();
    const answer = await upload(token, await jpeg());
    expect(answer.status).toBe(201);
    const { mediaId } = await answer.json() as MediaAnswer;
    const folder = join(server.test.dataDir, 'media');
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.map((file) => file.name)).toEqual([mediaId]);
    const onDisk = await readFile(join(files[0]?.parentPath ?? '', mediaId));
    expect(onDisk.includes(Buffer.from([0xff, 0xd8, 0xff]))).toBe(false);

    const back = await fetch(`${server.url}/chat/media/${mediaId}`, { headers: bearer(token) });
    expect(Object.fromEntries(back.headers)).toMatchObject({
      'content-type': 'image/jpeg', 'x-content-type-options': 'nosniff', 'content-disposition': 'inline', 'content-security-policy': "default-src 'none'; sandbox",
    });
    expect((await sharp(Buffer.from(await back.arrayBuffer())).metadata()).width).toBe(80);
    expect((await server.connector.media.read(mediaId as MediaId)).mime).toBe('image/jpeg');

    const page = openPage(server, bearer(token));
    page.send({ t: 'hello', v: 1, seq: 0 });
    page.send({ t: 'image', id: 'p', mediaId });
    await page.until('stored');
    await page.until('message', (frame) => frame.from === 'bot');
  });

  test('nobody else sees it: not another resident, not one without identity, not by guessing paths', async () => {
    const { server, token } = await withResident();
    const { mediaId } = await (await upload(token, await jpeg())).json() as MediaAnswer;
    const other = (await newResident(server)).token;
    expect((await fetch(`${server.url}/chat/media/${mediaId}`, { headers: bearer(other) })).status).toBe(404);
    expect((await fetch(`${server.url}/chat/media/${mediaId}`)).status).toBe(401);
    expect((await fetch(`${server.url}/chat/media/..%2f..%2fkeys%2fmaster.json`, { headers: bearer(token) })).status).toBe(404);
    const page = openPage(server, bearer(other));
    page.send({ t: 'hello', v: 1, seq: 0 });
    page.send({ t: 'image', id: 'x', mediaId });
    expect(await page.until('error')).toMatchObject({ code: 'media.not_found', id: 'x' });
  });

  test('a form works too; its declared type counts for nothing', async () => {
    const { token } = await withResident();
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(await jpeg())], { type: 'text/html' }), 'x.html');
    const answer = await upload(token, form);
    expect(await answer.json()).toMatchObject({ mime: 'image/jpeg' });
    const empty = new FormData();
    empty.append('note', 'no file');
    expect((await upload(token, empty)).status).toBe(415);
  });

  test.each([
    ['too many bytes', () => Buffer.alloc(11 * 1024 * 1024), 413],
    ['not a picture', () => Buffer.from('hello'), 415],
  ])('%s is refused in Chinese', async (_name, make, status) => {
    const { token } = await withResident();
    const answer = await upload(token, make());
    expect(answer.status).toBe(status);
    expect((await answer.json() as { text: string }).text).toMatch(/图片|内容/);
  });

  test('too many pictures an hour are refused for a while', async () => {
    server = await startEchoServer({ web: { limits: { picturesPerHour: 1 } } });
    const { token } = await newResident(server);
    expect((await upload(token, await jpeg())).status).toBe(201);
    expect((await upload(token, await jpeg())).status).toBe(429);
  });
});
