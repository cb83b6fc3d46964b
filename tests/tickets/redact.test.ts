import { expect, test } from 'vitest';
import { DESCRIPTION_LIMIT, redact } from '../../src/tickets/redact.ts';
import { contactIn } from '../../src/tickets/open-ticket.ts';

test.each([
  ['我电话13800000123，快来', '13800000123'], ['138 0000 0123打给我', '138 0000 0123'], ['+86-13800000123', '13800000123'], ['座机010-66001234', '66001234'],
  ['身份证11010519900307721X', '11010519900307721X'], ['邮箱a.b@example.com', 'a.b@example.com'], ['我叫王小明，住这儿', '王小明'], ['我是李建国，昨天报过', '李建国'], ['联系人：李四 电话', '李四'],
  ['12号楼3单元502漏水', '502'], ['3单元1201室', '1201'], ['住1508室', '1508'], ['卡号6222020200112233445', '6222020200112233445'],
])('「%s」 loses %s', (text, secret) => {
  expect(redact(text)).not.toContain(secret);
});

test.each(['12号楼停水三天了', '水费412块，上期87', '凌晨2点还在施工', '京A12345违停', '2026年11月缴的费', '3号院门口', '302路公交不来', '宽带500兆', '12345打不通', '我是租户，房东不管'])(
  '「%s」 stays as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

test('control, zero-width and direction characters are gone, broken surrogates replaced, length bounded', () => {
  expect(redact('停\u200B水\u0007了\u202E吗\uD83D')).toBe('停水了吗\uFFFD');
  expect(redact('水'.repeat(9_999)).length).toBeLessThan(DESCRIPTION_LIMIT + 20);
});

test('a phone number the resident wrote is kept for the unit, sealed', () => {
  expect(contactIn(['停水', '打138-0000-0123'])).toBe('13800000123');
  expect(contactIn(['水费13800'])).toBeNull();
});
