import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const tiny = ['--models', path('../fixtures/tiny-model'), '--gazetteer', 'linjiang.json', '--workers', '2'];

interface Run { readonly status: number | null; readonly out: string; readonly err: string }
const understand = (args: readonly string[], input = '', cwd = tmpdir()): Promise<Run> => new Promise((resolve, reject) => {
  const child = spawn(process.execPath, ['--import', loader, path('../../src/cli/understand.ts'), ...args], { cwd });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { err += chunk; });
  child.on('error', reject);
  child.on('close', (status) => resolve({ status, out, err }));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
});
interface Result { id: unknown; candidates: unknown[]; address: { spans: { start: number; end: number; text: string }[] }; decision: unknown }
const lines = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Result);

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'jiban-cli-')); });
afterAll(() => rmSync(folder, { recursive: true }));

describe('the batch command', () => {
  test('judges a file, in order, with the documented fields and nothing else', async () => {
    const [from, to] = [join(folder, 'in.jsonl'), join(folder, 'out.jsonl')];
    const messages = Array.from({ length: 60 }, (_, nth) => ({ id: `m${nth}`, text: nth % 7 ? `${nth}号楼停水了`.repeat(nth) : '' }));
    writeFileSync(from, messages.map((message) => JSON.stringify(message)).join('\n'));
    const { status, out, err } = await understand([...tiny, '--in', from, '--out', to]);
    expect({ status, out, err }).toEqual({ status: 0, out: '', err: '' });
    const results = lines(readFileSync(to, 'utf8'));
    expect(results.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    expect(Object.keys(results[1] ?? {})).toEqual(['id', 'intent', 'type', 'candidates', 'nature', 'disposition', 'urgency', 'address', 'decision', 'modelVersion', 'ms']);
    for (const result of results) {
      expect(result.candidates.length).toBeGreaterThanOrEqual(5);
      expect(Object.keys(result.address)).toEqual(['spans', 'parts', 'place', 'missing']);
      expect(result.decision).toEqual({ kind: expect.stringMatching(/^(accept|ask|operator)$/), reason: expect.any(String) });
    }
  });

  test('names bad lines by number, judges the others, and ends with status 1', async () => {
    const input = ['{"id":1,"text":"停水"}', 'not json', '', '[1]', '{"id":"c"}', '{"text":"x"}', '{"id":"d","text":"灯\u2028不亮"}', '{"id":"e","text":5}'].join('\n');
    const { status, out, err } = await understand(tiny, input);
    expect(status).toBe(1);
    expect(lines(out).map(({ id }) => id)).toEqual([1, 'd']);
    expect([...err.matchAll(/^line (\d+): /gm)].map(([, line]) => Number(line))).toEqual([2, 4, 5, 6, 8]);
    expect(err).toContain('5 bad lines');
  });

  test('reads and writes CSV with quotes and line breaks in cells', async () => {
    const [from, to] = [join(folder, 'in.csv'), join(folder, 'out.csv')];
    writeFileSync(from, '\ufeffid,who,text\r\n1,x,"停水了，\n""真的"""\r\n,x,没有编号\r\n3,x,路灯不亮\r\n');
    const { status, err } = await understand([...tiny, '--in', from, '--out', to]);
    expect(status).toBe(1);
    expect(err).toContain('line 4: no id');
    const [header, first, second, ...rest] = readFileSync(to, 'utf8').trim().split('\n');
    expect(header).toMatch(/^id,intent,type,candidates,/);
    expect(first).toMatch(/^1,[a-z]+,/);
    expect(second).toMatch(/^3,[a-z]+,/);
    expect(rest).toEqual([]);
  });

  test('a CSV without the columns id and text is refused', async () => {
    expect(await understand([...tiny, '--format', 'csv'], 'a,b\n1,2\n')).toMatchObject({ status: 2, out: expect.not.stringContaining('1,'), err: expect.stringContaining('columns id and text') });
  });

  test.each([[['--format', 'xml']], [['--workers', '0']], [['--bogus']], [['stray']]])('%j is wrong use: status 2, usage on stderr, stdout empty', async (args) => {
    expect(await understand(args)).toMatchObject({ status: 2, out: '', err: expect.stringContaining('Usage') });
  });

  test('a file that is not there is named', async () => {
    expect(await understand([...tiny, '--in', join(folder, 'absent.jsonl')])).toMatchObject({ status: 2, out: '', err: expect.stringContaining('absent.jsonl') });
  });

  test('a model folder that is not there says what to do', async () => {
    expect(await understand(['--models', folder])).toMatchObject({ status: 2, out: '', err: expect.stringContaining('Restore the folder') });
  });

  test('nothing in, nothing out', async () => {
    expect(await understand(tiny, '')).toEqual({ status: 0, out: '', err: '' });
  });

  test('a message of 100,000 characters and one of lone surrogates pass like any other', async () => {
    const input = [{ id: 'long', text: '路灯不亮。'.repeat(20_000) }, { id: 'lone', text: '\ud83d停水\udc00' }].map((message) => JSON.stringify(message)).join('\n');
    const { status, out } = await understand(tiny, input);
    expect(status).toBe(0);
    const [long, lone] = lines(out);
    expect(long?.id).toBe('long');
    for (const { start, end, text } of lone?.address.spans ?? []) expect('\ud83d停水\udc00'.slice(start, end)).toBe(text);
  });
});
