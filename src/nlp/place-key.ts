import { SIMPLIFIED } from './traditional.ts';

const DIGITS = '零一二三四五六七八九';
const NUMERAL = /[零〇一二两三四五六七八九十百]+/g;
const NOISE = /[\s·•・.,，。、;；:：!！?？'"“”‘’「」『』()（）[\]【】<>《》~～—_-]+/g;

/** Traditional characters to simplified ones, character by character; length is kept. */
export function simplify(text: string): string {
  let out = '';
  for (const char of text) out += SIMPLIFIED.get(char) ?? char;
  return out;
}

/** 「十二」→ 12, 「一百零三」→ 103, 「二〇八」→ 208; null when the characters are no number. */
export function numeralValue(numeral: string): number | null {
  const plain = numeral.replaceAll('〇', '零').replaceAll('两', '二');
  if (!/[十百]/.test(plain)) {
    const digits = [...plain].map((char) => DIGITS.indexOf(char)).join('');
    return /^\d{1,6}$/.test(digits) ? Number(digits) : null;
  }
  const match = /^(?:([一二三四五六七八九])?百)?零?(?:([一二三四五六七八九])?十)?([一二三四五六七八九])?$/.exec(plain);
  if (!match) return null;
  const value = (char: string | undefined, missing: number) => (char ? DIGITS.indexOf(char) : missing);
  const hundreds = plain.includes('百') ? value(match[1], 1) * 100 : 0;
  const tens = plain.includes('十') ? value(match[2], 1) * 10 : 0;
  return hundreds + tens + value(match[3], 0);
}

/** Chinese numerals to digits wherever they stand; both sides of a comparison go through it. */
export function withDigits(text: string): string {
  return text.replace(NUMERAL, (numeral) => {
    const value = numeralValue(numeral);
    return value === null ? numeral : String(value);
  });
}

/**
 * The form under which names are compared: 「西罗园第二社区居委会」, 「西罗园二社区」 and 「西羅園第2社區」 all give `西罗园2`.
 * Only what carries no distinction is dropped: the committee, 社区, 第, spaces, punctuation.
 */
export function placeKey(name: string): string {
  const bare = withDigits(simplify(name.normalize('NFKC').toLowerCase()).replace(NOISE, '')).replace(/第(?=\d)/g, '');
  return bare
    .replace(/(居民委员会|居民委会|居委会|家属委员会|家委会)$/, '')
    .replace(/村?(村民委员会|村委会)$/, '村')
    .replace(/(?<=.{2})(社区|嘎查)$/, '');
}
