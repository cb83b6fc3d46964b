import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAppError } from '../../src/domain/errors.ts';
import { createUnderstander, createUnderstandingPool, loadCatalogue } from '../../src/nlp/index.ts';
import { createSegmenter } from '../../src/nlp/segment.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const catalogue = loadCatalogue(readFileSync(path('../../config/beijing/catalogue.yaml'), 'utf8'));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jiban-model-'));
  cpSync(path('../fixtures/tiny-model'), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = () => createUnderstander({ modelDir: folder, catalogue, gazetteer: 'linjiang.json' });
const failure = async (promise: Promise<{ close(): Promise<void> }>) => {
  try {
    await (await promise).close();
  } catch (error) {
    if (isAppError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  return null;
};
/** Makes SHA256SUMS agree with what was written, so that what lies behind the sums is tested. */
const resum = (part: string, name: string) => {
  const sums = join(folder, part, 'SHA256SUMS');
  const sum = createHash('sha256').update(readFileSync(join(folder, part, name))).digest('hex');
  writeFileSync(sums, readFileSync(sums, 'utf8').replace(new RegExp(`^[0-9a-f]{64}(  ${name})$`, 'm'), `${sum}$1`));
};
const editJson = (part: string, name: string, edit: (value: any) => void) => { // eslint-disable-line @typescript-eslint/no-explicit-any
  const value = JSON.parse(readFileSync(join(folder, part, name), 'utf8'));
  edit(value);
  writeFileSync(join(folder, part, name), JSON.stringify(value));
  resum(part, name);
};

test('a whole folder starts', async () => {
  expect(await failure(start())).toBeNull();
});

test.each([
  ['encoder', 'onnx/model_quantized.onnx'], ['encoder', 'tokenizer.json'], ['encoder', 'SHA256SUMS'], ['heads', 'heads.json'], ['heads', 'decision.json'], ['gazetteer', 'linjiang.json'],
])('without %s/%s the start is refused, and the file is named', async (part, name) => {
  unlinkSync(join(folder, part, name));
  const error = await failure(start());
  expect(error?.code).toBe('model.missing');
  expect(error?.message).toContain(name.split('/').at(-1));
});

test('a truncated model is refused before it is loaded', async () => {
  truncateSync(join(folder, 'encoder/onnx/model_quantized.onnx'), 500);
  expect(await failure(start())).toMatchObject({ code: 'model.hash_mismatch', message: expect.stringContaining('model_quantized.onnx') });
});

test('a truncated model whose sum was made to fit is refused all the same', async () => {
  truncateSync(join(folder, 'encoder/onnx/model_quantized.onnx'), 500);
  resum('encoder', 'onnx/model_quantized.onnx');
  expect(await failure(start())).toMatchObject({ code: 'model.missing' });
});

test('heads of another encoder are refused', async () => {
  editJson('heads', 'heads.json', (heads) => { heads.encoder = '0'.repeat(64); });
  expect(await failure(start())).toMatchObject({ code: 'model.hash_mismatch', message: expect.stringContaining('Retrain') });
});

test('heads with a weight too few are refused', async () => {
  editJson('heads', 'heads.json', (heads) => { heads.heads.intent.weight = heads.heads.intent.weight.slice(8); });
  expect(await failure(start())).toMatchObject({ code: 'model.bad_output' });
});

test('an encoder of another width than it says is refused at the first breath', async () => {
  editJson('encoder', 'config.json', (config) => { config.jiban.dim = 16; });
  expect(await failure(start())).toMatchObject({ code: 'model.bad_output', message: expect.stringContaining('sentence_embedding') });
});

test('a gazetteer of the wrong shape is refused', async () => {
  editJson('gazetteer', 'linjiang.json', (gazetteer) => { delete gazetteer.streets; });
  expect(await failure(start())).toMatchObject({ code: 'gazetteer.invalid', message: expect.stringContaining('streets') });
});

test('the pool tells the same reason from inside its threads', async () => {
  unlinkSync(join(folder, 'heads/heads.json'));
  expect(await failure(createUnderstandingPool({ modelDir: folder, catalogue, gazetteer: 'linjiang.json', workers: 1 }))).toMatchObject({ code: 'model.missing', message: expect.stringContaining('heads.json') });
});

test('a missing dictionary is an error, never the end of the process', () => {
  for (const name of ['jieba-rs', 'nodejieba'] as const) {
    expect(() => createSegmenter({ name, words: [], dictionary: join(folder, 'absent.txt') })).toThrow(expect.objectContaining({ code: 'segmenter.missing' }));
  }
});

test('an empty dictionary is an error too', () => {
  writeFileSync(join(folder, 'empty.txt'), '');
  expect(() => createSegmenter({ name: 'jieba-rs', words: [], dictionary: join(folder, 'empty.txt') })).toThrow(expect.objectContaining({ code: 'segmenter.missing' }));
});

test('the city\'s names are words of the segmenter', () => {
  expect(createSegmenter({ name: 'jieba-rs', words: ['西罗园第二社区'] }).words('我住西罗园第二社区')).toContain('西罗园第二社区');
});
