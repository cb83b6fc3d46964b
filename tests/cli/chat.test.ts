import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEchoServer, type EchoServer } from '../connectors/web/echo-server.ts';
import { story } from '../web/story.ts';

let server: EchoServer;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jiban-cli-'));
  server = await startEchoServer({ answer: story });
});
afterEach(async () => {
  await server.drop();
  await rm(folder, { recursive: true, force: true });
});

interface OutLine { readonly t: string; readonly from?: string; readonly code?: string; readonly seq?: number; readonly body?: { kind: string; text?: string; label?: string; chip?: string; card?: object; chips?: object[]; value?: string; target?: string; numbers?: string[] } }

function start(...more: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', 'src/cli/chat.ts', '--url', server.url, '--identity', join(folder, 'me.json'), ...more], { stdio: 'pipe' });
}

function finish(child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += String(data); });
    child.stderr.on('data', (data) => { err += String(data); });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

async function play(lines: readonly (object | string)[], ...more: string[]): Promise<{ code: number | null; frames: OutLine[] }> {
  const child = start('--json', ...more);
  const done = finish(child);
  child.stdin.end(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  const { code, out } = await done;
  return { code, frames: out.trim().split('\n').map((line) => JSON.parse(line) as OutLine) };
}

const messages = (frames: readonly OutLine[]): OutLine[] => frames.filter((frame) => frame.t === 'message');

describe('npm run chat -- --json', () => {
  test('plays a whole piped conversation: say, tap by label, edit, picture, location; waits for the answers and leaves with 0', async () => {
    const picture = join(folder, 'pipe.png');
    await writeFile(picture, await sharp({ create: { width: 40, height: 30, channels: 3, background: 'blue' } }).png().toBuffer());
    const { code, frames } = await play([
      { say: '路灯坏了' }, { tap: '西罗园第二社区' }, { say: '水管爆了' }, { edit: { field: 'type', value: '房屋漏水' } },
      { image: picture }, { location: { lat: 39.86, lng: 116.36, label: '12号楼' } }, { tap: 'human' },
    ]);
    expect(code).toBe(0);
    expect(messages(frames).filter((frame) => frame.from === 'resident').map((frame) => frame.body)).toMatchObject([
      { kind: 'text', text: '路灯坏了' }, { kind: 'tap', chip: 'a1', label: '西罗园第二社区' }, { kind: 'text', text: '水管爆了' },
      { kind: 'edit', target: 'draft-1', field: 'type', value: 'housing.leak' }, { kind: 'image' }, { kind: 'location', latitude: 39.86, longitude: 116.36, label: '12号楼' },
      { kind: 'tap', chip: 'human', label: '转人工' },
    ]);
    expect(messages(frames).map((frame) => frame.seq)).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
    expect(frames.filter((frame) => frame.t === 'stored')).toHaveLength(7);
    expect(messages(frames).find((frame) => frame.body?.kind === 'understood')?.body?.card).toBeDefined();
  });

  test('a bad line, a file that is no picture and a text that is too long are each one error line, and the rest goes on', async () => {
    const noPicture = join(folder, 'note.png');
    await writeFile(noPicture, '<html>not a picture</html>');
    const { code, frames } = await play(['{"say":', '[1]', { shout: 'x' }, { image: noPicture }, { image: join(folder, 'absent.jpg') }, { say: '水'.repeat(8_001) }, { say: '还在' }]);
    expect(code).toBe(0);
    expect(frames.filter((frame) => frame.t === 'error').map((frame) => frame.code)).toEqual(['message.invalid', 'message.invalid', 'message.invalid', 'media.invalid', 'ENOENT', 'message.too_large']);
    expect(messages(frames)).toHaveLength(2);
  });

  test('the identity is kept: a second run sees only what is new, --new is somebody else', async () => {
    await play([{ say: '第一次' }]);
    const second = await play([{ say: '第二次' }]);
    expect(messages(second.frames).map((frame) => frame.seq)).toEqual([3, 4]);
    const other = await play([{ say: '别人' }], '--new');
    expect(messages(other.frames).map((frame) => frame.seq)).toEqual([1, 2]);
  });

  test('a server that restarts between two lines costs a pause, not a message', async () => {
    const child = start('--json');
    const done = finish(child);
    child.stdin.write('{"say":"重启前"}\n');
    await expect.poll(() => server.turns.length, { timeout: 15_000 }).toBe(1);
    const second = await server.restart();
    server = second;
    child.stdin.end('{"say":"重启后"}\n');
    const { code, out } = await done;
    const frames = out.trim().split('\n').map((line) => JSON.parse(line) as OutLine);
    expect(code).toBe(0);
    expect(messages(frames).map((frame) => [frame.seq, frame.from])).toEqual([[1, 'resident'], [2, 'bot'], [3, 'resident'], [4, 'bot']]);
    expect(second.turns.map((turn) => turn.clientId)).toHaveLength(1);
  });

  test('no server at all: what was not delivered is said, and the status is 1', async () => {
    const { url } = server;
    await server.stop();
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/chat.ts', '--url', url, '--identity', join(folder, 'x.json'), '--json', '--wait', '1']);
    const done = finish(child);
    child.stdin.end('{"say":"有人吗"}\n');
    const { code, out } = await done;
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ t: 'error', code: 'message.unsent' });
    server = { ...server, drop: () => server.test.drop() };
  });
});

describe('npm run chat', () => {
  test('draws chips with numbers, and a number taps', async () => {
    const child = start();
    const done = finish(child);
    child.stdin.write('路灯坏了\n');
    await expect.poll(() => server.turns.length, { timeout: 15_000 }).toBe(1);
    await new Promise((resolve) => { child.stdout.on('data', (data) => { if (String(data).includes('[1]')) resolve(undefined); }); setTimeout(resolve, 2_000); });
    child.stdin.write('1\n');
    await expect.poll(() => server.turns.length, { timeout: 15_000 }).toBe(2);
    child.stdin.end('/退出\n');
    const { out, code } = await done;
    expect(code).toBe(0);
    expect(out).toContain('[1] 西罗园第二社区');
    expect(server.turns[1]?.content).toEqual({ kind: 'tap', chip: 'a1', label: '西罗园第二社区' });
  });
});
