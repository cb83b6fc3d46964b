import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalize } from '../../src/nlp/normalize.ts';
import { MAX_WINDOWS, windowsOf } from '../../src/nlp/windows.ts';

test.each([
  ['１２＃楼 ABC', '12#楼 abc', 'full width and capitals'],
  ['停\u200b水\u0000了', '停水了', 'zero-width and control characters'],
  ['  a \n\t b\u3000\u00a0c ', 'a b c', 'line breaks and all spaces'],
  ['❤\ufe0f好', '❤好', 'variation selectors'],
  ['ﬁ\u0065\u0301', 'fié', 'ligatures and combining marks'],
  ['㈱⑫', '(株)12', 'one character that becomes several'],
  ['a\ud800b', 'a\ufffdb', 'a lone surrogate'],
  ['\u200b \u200b', '', 'nothing visible'],
])('%j becomes %j (%s)', (given, expected) => {
  expect(normalize(given).text).toBe(expected);
});

const anyText = fc.array(fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('\ud83d', '\udc00', '👨‍👩‍👧', '一号楼', ' ', '\r\n', 'Ａ', '\u0301', 'ﷺ'),
), { maxLength: 15 }).map((pieces) => pieces.join(''));

test('every character stems from a stretch of the given text, in order', () => {
  fc.assert(fc.property(anyText, (given) => {
    const { points, starts, ends } = normalize(given);
    expect(starts.length).toBe(points.length);
    for (let at = 0; at < points.length; at++) {
      expect(starts[at]).toBeLessThan(ends[at] as number);
      expect(ends[at]).toBeLessThanOrEqual(given.length);
      if (at > 0) expect(starts[at]).toBeGreaterThanOrEqual(starts[at - 1] as number);
    }
  }), { numRuns: 500 });
});

test('normalising twice changes nothing', () => {
  fc.assert(fc.property(anyText, (given) => {
    const once = normalize(given).text;
    expect(normalize(once).text).toBe(once);
  }), { numRuns: 300 });
});

test('a short text is one window', () => {
  expect(windowsOf('停水了', 126)).toHaveLength(1);
});

test('a long text is cut on sentence ends, and no window is longer than allowed', () => {
  const text = '路灯不亮。晚上看不见路，老人差点摔了。'.repeat(12);
  const windows = windowsOf(text, 50);
  expect(windows.length).toBeGreaterThan(1);
  for (const { given, at, normalized } of windows) {
    expect(text.slice(at, at + given.length)).toBe(given);
    expect(normalized.points.length).toBeLessThanOrEqual(50);
  }
  expect(windows[0]?.given.endsWith('。')).toBe(true);
});

test('of a very long text beginning, end and the salient parts are kept', () => {
  const filler = Array.from({ length: 3_000 }, (_, nth) => `第${nth}句话说的是别的事情。`).join('');
  const at = filler.indexOf('第1500句');
  const windows = windowsOf(filler, 126, [at]);
  expect(windows.length).toBeLessThanOrEqual(MAX_WINDOWS);
  expect(windows[0]?.at).toBe(0);
  expect(windows.some((window) => window.at <= at && at < window.at + window.given.length)).toBe(true);
  expect((windows.at(-1)?.at ?? 0) + (windows.at(-1)?.given.length ?? 0)).toBe(filler.length);
});

test('a surrogate pair is never cut apart', () => {
  for (const { given } of windowsOf('😀'.repeat(500), 51)) expect(given.isWellFormed()).toBe(true);
});
