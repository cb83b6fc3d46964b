import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitMatters } from '../../src/bot/split-matters.ts';

test.each([
  ['12号楼停水了。另外楼下路灯也不亮', ['12号楼停水了', '另外楼下路灯也不亮']],
  ['1、楼道灯坏了 2、电梯异响', ['1、楼道灯坏了', '2、电梯异响']],
  ['①井盖翘起来了②垃圾没人收', ['①井盖翘起来了', '②垃圾没人收']],
  ['暖气不热，还有就是物业电话打不通', ['暖气不热', '还有就是物业电话打不通']],
])('「%s」 may be several', (text, parts) => expect(splitMatters(text)).toEqual(parts));

test.each(['12号楼停水了', '水还有一点点，很小', '我还有两个孩子要喝奶', '另外', '停水。对了'])('「%s」 stays whole', (text) => expect(splitMatters(text)).toEqual([text]));

test('whatever the text: one to four parts, each of it, none of them empty', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'停水，。另外还有1、2①②\n；了'), maxLength: 60 }), (text) => {
    const parts = splitMatters(text);
    expect(parts.length).toBeGreaterThanOrEqual(1);
    expect(parts.length).toBeLessThanOrEqual(4);
    if (parts.length > 1) for (const part of parts) {
      expect(text).toContain(part);
      expect(part.length).toBeGreaterThanOrEqual(4);
    }
  }));
});
