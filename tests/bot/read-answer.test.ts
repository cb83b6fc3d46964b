import { expect, test } from 'vitest';
import { readYesNo } from '../../src/bot/read-answer.ts';

test.each(['有', '是的', '联系过', '解决了', '满意', '挺满意的', '来水了', '修好了', '好的', 'yes', '① 联系过'])('「%s」 is yes', (text) => expect(readYesNo(text)).toBe(true));
test.each(['没有', '没联系', '没解决', '不满意', '还没有', '没人来', '还是没水', '不是', '无', '没有解决'])('「%s」 is no', (text) => expect(readYesNo(text)).toBe(false));
test.each(['', '楼下又冒水了', '我想问问下水道的事什么时候弄', '12号楼', '你们办事太慢了但是修了一部分还行吧'])('「%s」 is neither', (text) => expect(readYesNo(text)).toBeNull());
