import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AppError } from '../domain/errors.ts';

export const SEGMENTERS = ['jieba-rs', 'nodejieba'] as const;
export type SegmenterName = (typeof SEGMENTERS)[number];

export interface Segmenter {
  readonly name: SegmenterName;
  words(text: string): string[];
}

export interface SegmenterOptions {
  readonly name: SegmenterName;
  /** The city's names and the trade's words, added to the general dictionary. */
  readonly words: readonly string[];
  /** Another general dictionary than the package's own; jieba format, `word frequency tag` a line. */
  readonly dictionary?: string;
}

const require = createRequire(import.meta.url);
/** Words of the trade that the general dictionary cuts apart. */
const TRADE = ['接诉即办', '不文明养犬', '电动车', '充电桩', '飞线充电', '消防通道', '业委会', '物业费', '维修资金', '加装电梯', '暖气片', '水压', '井盖', '雨水篦子', '盲道',
  '群租房', '隔断间', '公租房', '共有产权房', '公积金', '僵尸车', '共享单车', '网约车', '广场舞', '小广告', '占道经营', '预付卡', '健身卡', '居住证', '工作居住证', '派出所'];

/**
 * A segmenter of this thread; its dictionary is its own.
 *
 * @throws AppError `segmenter.missing` when the package is not built or a dictionary is not there
 */
export function createSegmenter(options: SegmenterOptions): Segmenter {
  const words = [...new Set([...TRADE, ...options.words])].filter((word) => /^[\p{L}\p{N}]{2,20}$/u.test(word));
  return options.name === 'jieba-rs' ? jiebaRs(words, options.dictionary) : nodejieba(words, options.dictionary);
}

function jiebaRs(words: readonly string[], dictionary?: string): Segmenter {
  const { Jieba } = packageOf<typeof import('@node-rs/jieba')>('@node-rs/jieba');
  const file = dictionary ?? join(dirname(require.resolve('@node-rs/jieba')), 'dict.txt');
  const jieba = Jieba.withDict(readFileSync(present(file)));
  jieba.loadDict(Buffer.from(words.map((word) => `${word} 20000 nz`).join('\n')));
  return { name: 'jieba-rs', words: (text) => jieba.cut(text, true) };
}

interface NodeJieba {
  load(paths: { dict?: string }): void;
  insertWord(word: string): boolean;
  cut(text: string): string[];
}

/** nodejieba aborts the whole process when a dictionary is missing, so each is looked at before it is named. */
function nodejieba(words: readonly string[], dictionary?: string): Segmenter {
  const jieba = packageOf<NodeJieba & { DEFAULT_DICT?: string }>('nodejieba');
  const dict = present(dictionary ?? jieba.DEFAULT_DICT ?? '');
  try {
    jieba.load({ dict }); // the package looks for its binary only now
  } catch (cause) {
    throw new AppError('segmenter.missing', 'nodejieba is installed but not built for this machine. Run npm run setup -- --nodejieba, or set SEGMENTER=jieba-rs.', { cause });
  }
  for (const word of words) jieba.insertWord(word);
  return { name: 'nodejieba', words: (text) => jieba.cut(text) };
}

function packageOf<T>(name: string): T {
  try {
    return require(name) as T;
  } catch (cause) {
    throw new AppError('segmenter.missing', `The package ${name} is not installed for this machine. Run npm run setup, or choose the other segmenter (${SEGMENTERS.join(', ')}).`, { cause });
  }
}

function present(file: string): string {
  if (existsSync(file) && statSync(file).size > 0) return file;
  throw new AppError('segmenter.missing', `The dictionary ${file || '(none named)'} is missing or empty. Reinstall with npm run setup, or name one that exists.`);
}

const STOP = new Set(('的 了 是 在 我 你 他 她 它 们 这 那 有 没 没有 不 也 都 就 和 跟 与 及 吗 呢 吧 啊 呀 嘛 哦 哈 把 被 给 到 从 上 下 里 着 过 很 太 还 又 再 要 会 能 可以 '
  + '什么 怎么 怎么办 为什么 哪 哪里 哪儿 谁 几 个 一个 这个 那个 这边 那边 我们 你们 他们 咱 咱们 您 您好 你好 请 请问 谢谢 麻烦 一下 现在 今天 知道 已经 一直 因为 所以 但是 如果').split(' '));

/** Words that carry content, in order, lower case, without the particles. */
export function contentWords(words: readonly string[]): string[] {
  return words.map((word) => word.trim()).filter((word) => !STOP.has(word) && /[\p{L}\p{N}]/u.test(word) && ([...word].length > 1 || /\p{sc=Han}/u.test(word)));
}
