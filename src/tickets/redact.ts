/**
 * Takes out of free text what tells who someone is or the very door they live at: phone, ID and card numbers, e-mail, names that
 * introduce themselves, room numbers. What is taken out stays sealed with the ticket.
 * Errs towards taking out; a description must still tell the unit what is wrong and at which building.
 */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '〔邮箱〕'],
  [/(?<![0-9０-９])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![0-9])/g, '〔证件号〕'],
  [/(?<!\d)(?:\+?86[-\s]?)?1[3-9](?:[-\s]?\d){9}(?!\d)/g, '〔电话〕'],
  [/(?<!\d)0\d{2,3}[-\s]\d{7,8}(?!\d)/g, '〔电话〕'],
  [/(?<!\d)\d{15,19}(?!\d)/g, '〔号码〕'],
  [/(我叫|本人叫|姓名[:：]?|联系人[:：]?)\s*([\u4e00-\u9fff]{2,3})(?=[，。,.;；！!\s、]|电话|手机|住|$)/g, '$1〔姓名〕'],
  // 「我是」 introduces much besides names: only where a common surname follows.
  [/((?:我|本人)是)\s*([王李张刘陈杨黄赵周吴徐孙朱马胡郭林何梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋杜丁沈姜范傅钟卢汪戴崔任陆廖姚邱谭韦贾邹熊孟秦阎薛侯雷段郝邵史顾赖贺尹钱施龚][\u4e00-\u9fff]{1,2})(?=[，。,.;；！!\s、]|电话|手机|住|$)/g, '$1〔姓名〕'],
  [/([\d一二三四五六七八九十]+\s*单元\s*)[A-Za-z]?\d{3,4}\s*(?:室|号|房)?(?!\s*(?:路|号楼|栋|元|块|度|年|米))/g, '$1〔门牌〕'],
  [/(?<![\dA-Za-z])[A-Za-z]?\d{3,4}\s*(?:室|房间)/g, '〔门牌〕'],
];

/** Longest description a ticket carries in clear, in UTF-16 units; the whole words stay sealed. */
export const DESCRIPTION_LIMIT = 2_000;

export function redact(text: string): string {
  const clean = RULES.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text.toWellFormed());
   
  const plain = clean.replace(/[\u0000-\u0008\u000B-\u001F\u007F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g, '').trim();
  return plain.length > DESCRIPTION_LIMIT ? `${plain.slice(0, DESCRIPTION_LIMIT).toWellFormed()}…（全文已另存）` : plain;
}
