import { describe, expect, test } from 'vitest';
import { isAppError } from '../../src/domain/errors.ts';
import { contentWords, createSegmenter, SEGMENTERS, type SegmenterName } from '../../src/nlp/segment.ts';

const CITY = ['西罗园第二社区', '方庄芳群园一区'];

/** Words that search and near-duplicates hang on; both segmenters must find each of them whole. */
const GOLDEN: readonly (readonly [string, readonly string[]])[] = [
  ['西罗园第二社区12号楼停水了', ['西罗园第二社区', '停水']],
  ['楼道里堆满了电动车', ['楼道', '电动车']],
  ['物业费涨了三成谁同意的', ['物业费', '同意']],
  ['消防通道又让僵尸车堵死', ['消防通道', '僵尸车']],
  ['暖气片冰凉屋里才十二度', ['暖气片', '冰凉']],
  ['井盖没了孩子差点掉下去', ['井盖', '孩子']],
  ['共享单车把盲道全占了', ['共享单车', '盲道']],
  ['半夜广场舞吵得睡不着', ['广场舞', '睡不着']],
  ['预付卡还剩八百健身房跑路', ['预付卡', '健身房']],
  ['方庄芳群园一区电梯困人', ['方庄芳群园一区', '电梯']],
  ['小广告贴满门口', ['小广告', '门口']],
  ['拖欠工资三个月', ['拖欠工资']],
  ['居住证怎么办理', ['居住证', '办理']],
  ['路灯坏了一排', ['路灯']],
  ['下水道返水臭气熏天', ['下水道', '臭气熏天']],
];

/** nodejieba is compiled only where it is asked for (`npm run setup -- --nodejieba`); NEED_NODEJIEBA makes its absence a failure. */
function isBuilt(name: SegmenterName): boolean {
  if (name === 'jieba-rs' || process.env['NEED_NODEJIEBA'] === '1') return true;
  try {
    createSegmenter({ name, words: [] });
    return true;
  } catch (error) {
    if (!isAppError(error, 'segmenter.missing')) throw error;
    console.warn('nodejieba is not built here; its golden set is skipped');
    return false;
  }
}

describe.each(SEGMENTERS.filter(isBuilt))('%s', (name) => {
  const segmenter = createSegmenter({ name, words: CITY });
  test.each(GOLDEN)('「%s」 gives %j', (text, words) => {
    expect(contentWords(segmenter.words(text))).toEqual(expect.arrayContaining([...words]));
  });
  test('loses no character of the text', () => {
    for (const [text] of GOLDEN) expect(segmenter.words(text).join('')).toBe(text);
  });
});
