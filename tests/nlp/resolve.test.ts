import { describe, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { buildGazetteer, loadGazetteer } from '../../src/nlp/gazetteer.ts';
import { resolvePlace } from '../../src/nlp/resolve.ts';
import type { PlaceWords } from '../../src/nlp/resolve.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const beijing = loadGazetteer(path('../../models/gazetteer/beijing.json'));
const linjiang = loadGazetteer(path('../fixtures/tiny-model/gazetteer/linjiang.json'));

const words = (text: string): PlaceWords => ({ text, parts: [{ part: 'poi', text }] });
/** Names are looked up, so that the table shows what is meant and not digits. */
const codeByName = (name: string, within = ''): string => [...beijing.names].find(([code, registered]) => registered === name && code.startsWith(within))?.[0] ?? 'not in the gazetteer';
const codeOf = (gazetteer: typeof beijing, ...texts: string[]) => {
  const { place } = resolvePlace(gazetteer, texts.map(words));
  return place?.community ?? place?.street ?? place?.district ?? null;
};

describe('in Beijing', () => {
  test.each([
    ['西罗园第二社区', '110106003002', 'as registered'],
    ['西罗园二社区12号楼', '110106003002', 'as spoken, with a building'],
    ['西羅園第二社區', '110106003002', 'traditional characters'],
    ['丰台区西罗园街道西罗园第二社区', '110106003002', 'in full'],
    ['芳群园一区12#2单元501', '110106013007', '区 for 社区'],
    ['方庄芳群园一区', '110106013007', 'with the street before it'],
    ['美丽园4号楼', '110108005035', 'a community of the compound\'s name'],
    ['双埠头', '110112104246', 'a village without 村'],
    ['通州双埠头西口', '110112104246', 'district without 区'],
    ['双井街道光明桥底下', '110105016', 'a street only'],
    ['海淀', '110108', 'a district only'],
    ['新城市经典楼下', '110106', 'a compound known by its district'],
    ['东迴城村', '110115103204', 'a rare character'],
    ['西罗园第二社取', '110106003002', 'one character mistyped'],
    ['惠忠北里第一社区', '110105025036', 'typed by its sound'],
    ['新区龙门三区', codeByName('龙门新区三区社区居委会'), 'its words in another order'],
    ['兴业园', codeByName('世纪星城兴业园社区居民委员会'), 'only the end of the name'],
    ['鸿博五社区', codeByName('鸿博家园第五社区居民委员会'), 'without 家园 before the number'],
    ['慧忠北里', '110105025', 'one of several numbered communities: the street is certain'],
    ['玉泉西里', '110107001', 'one of four: no shorter name is taken instead'],
    ['洋桥东里路口', codeByName('洋桥东里社区'), 'a crossing at it is no road named after it'],
    ['前门东大街胡同里', codeByName('前门东大街社区居委会'), 'a lane in it'],
    ['房山拱辰四街', codeByName('四街村委会', '110111'), 'a word like any other, said after its street'],
    ['豆各庄青荷里', codeByName('青荷里社区居民委员会'), 'a street whose name others bear, settled by what lies in it'],
    ['沙河百善之间', '110114', 'two towns of one district'],
    ['望京SOHO旁边', '110105', 'a building named after an area'],
  ])('%s is %s (%s)', (text, code) => {
    expect(codeOf(beijing, text)).toBe(code);
  });

  test.each(['天坛北门公交站', '丽泽桥', '楼下', '公交站', '我家门口', '口袋公园', '12号楼', ''])('%j is no place that can be found', (text) => {
    expect(codeOf(beijing, text)).toBeNull();
  });

  test('a building number is not mistaken for the number of a community', () => {
    expect(codeOf(beijing, '西罗园2号楼')).not.toBe('110106003002');
  });

  test('a name that several districts have gives rivals, not a guess', () => {
    const { place, rivals } = resolvePlace(beijing, [words('马庄村')]);
    expect(place).toBeNull();
    expect(new Set(rivals.map((rival) => rival.place.district)).size).toBeGreaterThan(1);
  });

  test('a number said apart belongs to the name before it', () => {
    expect(codeOf(beijing, '芳星园', '三区')).toBe(codeByName('芳星园三区社区'));
  });

  test('a district in the name of a shop does not count beside one that is marked', () => {
    const said = [{ text: '东风朝阳旗舰店', parts: [{ part: 'poi', text: '东风朝阳旗舰店' }] }, { text: '大兴西红门', parts: [{ part: 'district', text: '大兴' }, { part: 'town', text: '西红门' }] }];
    expect(resolvePlace(beijing, said).place).toEqual({ district: '110115', street: codeByName('西红门地区'), community: null });
  });

  test('a road seen in one district only chooses between rivals, and never settles a place alone', () => {
    const source = { version: 'x', city: { code: '99', names: [] }, districts: [['990101', '甲区'], ['990102', '乙区']] as [string, string][], streets: [], communities: [],
      compounds: [['锦绣家苑', '990101'], ['锦绣家苑', '990102']] as [string, string][], pois: [], aliases: [], stops: [], outside: [], roads: [['槐荫路', '990102'], ['长安路', '990101 990102']] as [string, string][] };
    const city = buildGazetteer(source);
    expect(codeOf(city, '锦绣家苑')).toBeNull();
    expect(codeOf(city, '锦绣家苑', '槐荫路')).toBe('990102');
    expect(codeOf(city, '锦绣家苑', '长安路')).toBeNull();
    expect(codeOf(city, '槐荫路')).toBeNull();
  });

  test('the district named beside it settles an ambiguous name', () => {
    const [rival] = resolvePlace(beijing, [words('马庄村')]).rivals;
    const district = beijing.names.get(rival?.place.district ?? '') ?? '';
    const { place } = resolvePlace(beijing, [words(`${district}马庄村`)]);
    expect(place?.district).toBe(rival?.place.district);
  });
});

describe('in a second city, by data alone', () => {
  test.each([
    ['柳堤二社区', '990101001002'], ['江北上石桥', '990102100201'], ['老码头', '990102'], ['渡口人家3号楼', '990102'], ['书院', '990101002'],
  ])('%s is %s', (text, code) => {
    expect(codeOf(linjiang, text)).toBe(code);
  });
  test('桂花巷 is in two districts until one is named', () => {
    expect(resolvePlace(linjiang, [words('桂花巷')])).toMatchObject({ place: null, rivals: [{}, {}] });
    expect(codeOf(linjiang, '江南桂花巷')).toBe('990101002001');
    expect(codeOf(linjiang, '桂花巷社区', '江北区')).toBe('990102001001');
  });
  test('望江苑 has a rival with a name to choose by', () => {
    expect(resolvePlace(linjiang, [words('望江苑')]).rivals.map(({ label }) => label).sort()).toEqual(['江北区望江苑', '江南区望江苑']);
  });
});

test('looking up a name among all of the city takes well under 5 ms', () => {
  const texts = ['西罗园第二社取', '没有这样的地方名', '芳群园一区12#2单元501', '北京市朝阳区百子湾路32号院'];
  for (const text of texts) resolvePlace(beijing, [words(text)]);
  const began = performance.now();
  for (let round = 0; round < 50; round++) for (const text of texts) resolvePlace(beijing, [words(text)]);
  expect((performance.now() - began) / 200).toBeLessThan(5);
});
