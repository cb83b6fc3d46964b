import { expect, test } from 'vitest';
import { numeralValue, placeKey, simplify, withDigits } from '../../src/nlp/place-key.ts';

test.each([
  ['西罗园第二社区居委会', '西罗园二社区'],
  ['西罗园第二社区居委会', '西羅園第2社區'],
  ['西罗园第二社区居委会', '西罗园 第二 社区'],
  ['芳群园第一社区居委会', '芳群园1社区'],
  ['和平里七区', '和平里7区'],
  ['东各庄村村委会', '东各庄村'],
  ['十二号楼', '12号楼'],
  ['望京SOHO', '望京soho'],
])('%s and %s are one name', (a, b) => {
  expect(placeKey(a)).toBe(placeKey(b));
});

test.each([
  ['西罗园第二社区', '西罗园第三社区'],
  ['芳群园一区', '芳群园二区'],
  ['东里', '西里'],
  ['永泰东里', '永泰西里'],
])('%s and %s stay two', (a, b) => {
  expect(placeKey(a)).not.toBe(placeKey(b));
});

test.each([['十', 10], ['十二', 12], ['二十', 20], ['二十三', 23], ['一百零三', 103], ['百', 100], ['二百五十', 250], ['二〇八', 208], ['两', 2]])('%s is %i', (numeral, value) => {
  expect(numeralValue(numeral)).toBe(value);
});

test('numerals turn to digits inside names on both sides alike', () => {
  expect(withDigits('三里屯十二号楼')).toBe('3里屯12号楼');
});

test('traditional characters become simplified ones, one for one', () => {
  expect(simplify('門頭溝區電梯壞了')).toBe('门头沟区电梯坏了');
});
