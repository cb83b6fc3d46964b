import type { Span } from '../domain/understanding.ts';

/**
 * Insult, exasperation, or the announcement of a complaint elsewhere. Not fear (急死了), not a word about the one complained of (忽悠),
 * not punctuation: those people want help, not another person first.
 */
const ANGRY = new RegExp([
  '他妈的?', '妈的', '操你', '滚蛋', '去死', '狗屁', '放屁', '废物', '混蛋', '王八蛋', '垃圾(?:机器人|客服|热线|政府)', '吃干饭', '不干人事', '什么玩意儿?', '骗子(?:公司|政府)?',
  '气(?:死|炸|疯)(?:了|我)', '忍无可忍', '受够了', '太不像话', '岂有此理', '欺人太甚', '踢皮球', '互相推诿', '推来推去',
  '(?:还|就)?没(?:有)?人管吗', '到底管不管', '有没有人管', '你们管不管', '(?:第|打了?|报了?)[三四五六七八九十\\d]+(?:次|遍|回)(?:电话|了)',
  '(?:我|咱|就|要|去|等着)[^，。！？,.!?]{0,6}(?:曝光|上访|发抖音|发微博|找记者|找媒体|上热搜|去市里告|告你们|投诉你们)', '人民日报', '国务院督查', '信访办见', '法院见',
].join('|'), 'giu');

/** Words that show anger or a threat to complain elsewhere. */
export function findAnger(given: string): Span[] {
  const spans: Span[] = [];
  for (const match of given.slice(0, 20_000).matchAll(ANGRY)) {
    spans.push({ start: match.index, end: match.index + match[0].length, text: match[0] });
    if (spans.length === 20) break;
  }
  return spans;
}
