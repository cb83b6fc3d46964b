import { expect, test } from 'vitest';
import { childText, parseXml, writeXml } from '../fakes/wechat-platform/xml.ts';

test('text survives writing and reading, the end of a CDATA section included', () => {
  const text = '楼道 <灯> & "坏"了 ]]> 三天';
  expect(childText(parseXml(writeXml({ Content: text, CreateTime: 5 })), 'Content')).toBe(text);
});

test('a list is a repeated element', () => {
  expect(writeXml({ Out: { List: [{ A: 'x' }, { A: 'y' }] } })).toBe('<xml><Out><List><A><![CDATA[x]]></A></List><List><A><![CDATA[y]]></A></List></Out></xml>');
});

test('entities and empty elements are read', () => {
  const xml = parseXml('<xml>\n <A>1 &lt; 2 &#20013;&#x56fd;</A><B/></xml>');
  expect([childText(xml, 'A'), childText(xml, 'B'), childText(xml, 'C')]).toEqual(['1 < 2 中国', '', undefined]);
});

test.each(['{"reply":"hi"}', '<xml>', '<xml></a></xml>', '<!DOCTYPE x><xml></xml>', '<xml a="1"></xml>', '<xml></xml><xml></xml>', 'text <xml></xml>', ''])('%s is not a reply', (source) => {
  expect(parseXml(source)).toBeUndefined();
});
