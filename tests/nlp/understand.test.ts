import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUnderstander, loadCatalogue } from '../../src/nlp/index.ts';
import type { Understander } from '../../src/nlp/index.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const catalogue = loadCatalogue(readFileSync(path('../../config/beijing/catalogue.yaml'), 'utf8'));

describe('on the tiny model, which knows nothing', () => {
  let tiny: Understander;
  beforeAll(async () => { tiny = await createUnderstander({ modelDir: path('../fixtures/tiny-model'), catalogue, gazetteer: 'linjiang.json' }); });
  afterAll(() => tiny.close());

  test('whatever the text: spans fit, probabilities are probabilities, nothing throws', async () => {
    const piece = fc.oneof(fc.string({ unit: 'binary', maxLength: 10 }), fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom('\ud800', '\udfff', '12号楼3单元501', '柳堤第二社区', '着火了', '\u200b', '<script>', "'; drop table", '😀', '\n\n', 'Ａ座'));
    await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      const text = pieces.join('');
      const understood = await tiny.understand(text);
      const spans = [...understood.address.spans, ...understood.anger, ...understood.urgencyEvidence.map(({ span }) => span), ...understood.lifeSafety.evidence.map(({ span }) => span)];
      for (const span of spans) expect(text.slice(span.start, span.end)).toBe(span.text);
      for (const texts of Object.values(understood.address.parts)) for (const part of texts) expect(text).toContain(part);
      expect(understood.intents.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 4);
      expect(understood.candidates.length).toBeGreaterThanOrEqual(5);
      expect(understood.candidates.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThanOrEqual(1.0001);
    }), { numRuns: 150 });
  });

  test.each([
    ['100,000 characters', '楼下停水了，路灯不亮。'.repeat(9_100)], ['10,000 emoji', '😀'.repeat(10_000)], ['a million letters', 'a'.repeat(1_000_000)],
    ['a million combining marks', `e${'\u0301'.repeat(1_000_000)}`], ['only zero-width characters', '\u200b'.repeat(50_000)], ['no sentence end at all', '停水'.repeat(50_000)],
  ])('%s are judged within a second', async (_name, text) => {
    const began = performance.now();
    await tiny.understand(text);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('spans of a long message count from its beginning', async () => {
    const text = `${'你好谢谢。'.repeat(30)}我家在柳堤第二社区12号楼`;
    const { address } = await tiny.understand(text);
    for (const span of address.spans) expect(text.slice(span.start, span.end)).toBe(span.text);
    expect(address.spans.some(({ start }) => start > 126)).toBe(true);
    expect(address.place).toMatchObject({ community: '990101001002' });
  });

  test('the same message gives the same understanding', async () => {
    const [{ ms: _a, ...first }, { ms: _b, ...second }] = [await tiny.understand('12号楼停水'), await tiny.understand('12号楼停水')];
    expect(first).toEqual(second);
  });

  test('the version names everything that judged', () => {
    expect(tiny.modelVersion).toMatch(/^enc-[0-9a-f]{8}\/heads-[0-9a-f]{8}\/jieba-rs\/gaz-linjiang-1\/rules-\w+$/);
  });
});

describe('on the shipped model', () => {
  let shipped: Understander;
  beforeAll(async () => { shipped = await createUnderstander({ modelDir: path('../../models'), catalogue }); });
  afterAll(() => shipped.close());

  /** Written for this test; the obvious word of the type (second column) stands in none of them. */
  const GOLDEN: readonly (readonly [type: string, absent: RegExp, text: string])[] = [
    ['utilities.water', /停水|供水/, '龙头拧到底一滴都没有，从早上到现在，孩子奶粉都没法冲'],
    ['utilities.water', /停水|供水/, '洗澡洗到一半就没了，整栋楼都这样，自来水公司电话打不通'],
    ['utilities.power', /停电|供电/, '全楼黑了两个小时了，冰箱里的肉都要化了'],
    ['utilities.power', /停电|供电/, '一开空调就跳闸，电工说是外面线路带不动'],
    ['utilities.heating', /供暖|停暖/, '暖气片摸着冰凉，屋里才十三度，老人孩子裹着棉被'],
    ['utilities.drainage', /排水|积水/, '地漏往外返黑水，厨房都淹了，臭得没法做饭'],
    ['utilities.telecom', /信号|通信/, '光猫一直闪红灯，装维师傅约了三次都没来，上不了网'],
    ['housing.elevator', /电梯/, '梯子又趴窝了，八十岁的老太太天天爬十二层'],
    ['housing.parking', /停车/, '物业把我们的车位租给外面的人，自己业主回来没地方搁车'],
    ['housing.property_service', /物业服务/, '物业费年年涨，楼道半个月没人扫，保安天天睡觉'],
    ['housing.repair', /维修/, '天花板渗了一大片，楼上说不是他家的事，墙皮都鼓起来了'],
    ['noise.social', /噪声|噪音|扰民/, '楼下大妈每天晚上放着大喇叭跳舞到十点，孩子没法写作业'],
    ['noise.construction', /噪声|噪音|扰民/, '工地半夜两点还在打桩，窗户都跟着震，根本睡不着'],
    ['noise.industrial', /噪声|噪音|扰民/, '饭馆的冷却塔和排风机就装在我卧室窗外，嗡嗡嗡一宿'],
    ['roads.lighting', /路灯/, '这条小道一到晚上伸手不见五指，灯杆立着就是不亮'],
    ['roads.surface', /破损/, '马路上一个大坑，昨天骑车差点摔了，下雨全是泥'],
    ['roads.greenery', /绿化/, '窗户前那棵大杨树把光全挡了，能不能来给剪剪枝'],
    ['city_appearance.waste', /垃圾/, '桶满得盖不上盖儿，苍蝇乱飞，三天没车来拉了'],
    ['city_appearance.vendors', /摊贩|占道/, '校门口一溜儿三轮车卖烤肠煎饼的，把人行道全堵死了'],
    ['illegal_building.structure', /违建|违章/, '顶楼那家在房顶上又加盖了两间屋子，钢架都焊好了'],
    ['traffic.illegal_parking', /违停|违章/, '路口两边每天停满了车，公交车都拐不过去'],
    ['traffic.public_transit', /公交线路/, '等了四十分钟一辆都没来，这趟车是不是减班了'],
    ['traffic.congestion_and_signals', /拥堵|信号/, '这个十字路口左转的绿灯只有九秒，根本过不去几辆车'],
    ['safety.dogs_and_animals', /养犬|不文明/, '楼里有人遛狗从来不牵绳，昨天扑到我家闺女身上'],
    ['safety.fire', /消防/, '有人从六楼拉一根线下来给电瓶车充，楼门口停了一排'],
    ['labour.unpaid_wages', /欠薪|拖欠/, '干了三个月的活一分钱没见着，老板电话也不接了'],
    ['labour.social_insurance', /社会保险/, '公司两年没给我交养老保险，现在要退休了怎么补'],
    ['market.consumer_dispute', /消费|预付/, '健身房关门跑了，我卡里还有四千多没用'],
    ['market.food_and_drugs', /食品安全/, '在超市买的酸奶都过期半个月了还摆着卖'],
    ['education.admission', /入学/, '我家户口不在这边，娃九月能不能在附近上一年级'],
    ['education.fees_and_tutoring', /培训机构/, '学校让交五百块钱的资料费，不交就不发练习册'],
    ['health.medical_insurance', /医疗保险/, '在老家住院花了两万多，回来医保能报多少'],
    ['health.medical_service', /医疗服务/, '挂了专家号等了四个小时，进去两分钟就打发出来了，态度还特别差'],
    ['welfare.elderly_and_disabled', /助残/, '我妈九十了，高龄津贴从三月份开始就没到账'],
    ['government.household_and_id', /户籍/, '孩子刚出生，想给他上户口，都带什么材料去派出所'],
    ['real_estate.rental', /租赁/, '房东说好退押金，搬走一个月了就是不给'],
    ['real_estate.purchase', /商品房/, '开发商说去年底交房，到现在楼还没封顶'],
    ['environment.air', /大气|异味/, '烧烤店的油烟直接往我家窗户里灌，衣服都不敢晾'],
    ['environment.water_body', /水体/, '小区后面那条河又黑又臭，水面上漂着死鱼'],
    ['traffic.taxi_and_shared', /出租|网约/, '打车软件叫的师傅故意绕了一大圈，多收我三十多'],
  ];

  test('messages of the golden set do not carry the obvious word of their type', () => {
    for (const [, absent, text] of GOLDEN) expect(text).not.toMatch(absent);
  });

  test('their type is found: first guess in 70 %, among three in 85 %', async () => {
    const missed: string[] = [];
    let three = 0;
    for (const [type, , text] of GOLDEN) {
      const { candidates } = await shipped.understand(text);
      if (candidates[0]?.value !== type) missed.push(`${type} → ${candidates[0]?.value ?? ''}: ${text}`);
      if (candidates.slice(0, 3).some(({ value }) => value === type)) three += 1;
    }
    expect(missed.length, missed.join('\n')).toBeLessThanOrEqual(GOLDEN.length * 0.3);
    expect(three).toBeGreaterThanOrEqual(GOLDEN.length * 0.85);
  });

  test.each([
    ['你好', 'chat'], ['转人工', 'human'], ['我上次报的那个修水管的到哪一步了', 'status'], ['不用修了，已经好了，撤了吧', 'cancel'],
    ['我们这边整栋楼都没水了，快来人修', 'report'], ['请问办居住证需要什么材料', 'question'],
  ])('%s is meant as %s', async (text, intent) => {
    expect((await shipped.understand(text)).intent.value).toBe(intent);
  });

  test('a bare call for a human carries no matter and goes to one', async () => {
    expect(await shipped.understand('转人工')).toMatchObject({ type: null, nature: null, urgency: null, decision: { kind: 'operator' } });
  });

  test('a greeting opens nothing', async () => {
    expect(await shipped.understand('你好呀，在吗')).toMatchObject({ type: null, disposition: { value: 'chat' }, address: { place: null, missing: [] } });
  });

  test('the burst pipe of the story is found, place and all', async () => {
    const text = '西罗园二社区12号楼水管爆了，水哗哗往外流，整栋楼都没水';
    expect(await shipped.understand(text)).toMatchObject({
      intent: { value: 'report' }, type: 'utilities.water',
      address: { place: { district: '110106', street: '110106003', community: '110106003002' }, parts: { building: ['12号楼'] }, rivals: [], outside: false },
    });
  });

  test('12号楼 right after the question where is the answer to it', async () => {
    const alone = await shipped.understand('12号楼', { expecting: 'building' });
    expect(alone).toMatchObject({ intent: { value: 'supplement' }, type: null, address: { parts: { building: ['12号楼'] } }, decision: { kind: 'accept' } });
    const place = await shipped.understand('芳群园一区', { expecting: 'address' });
    expect(place).toMatchObject({ intent: { value: 'supplement' }, address: { place: { community: '110106013007' } } });
  });

  test('a call for a human stays one, whatever was asked', async () => {
    expect((await shipped.understand('转人工', { expecting: 'address' })).decision.kind).toBe('operator');
  });

  test('danger is h2 with its words, its number and no question before it', async () => {
    const text = '厨房一股煤气味儿，我妈有点头晕，西罗园二社区3号楼';
    const { urgency, urgencyEvidence, lifeSafety, disposition, decision } = await shipped.understand(text);
    expect({ urgency: urgency?.value, disposition: disposition.value, decision: decision.kind, first: lifeSafety.numbers[0] }).toEqual({ urgency: 'h2', disposition: 'emergency_line', decision: 'accept', first: '119' });
    expect(urgencyEvidence.map(({ span }) => span.text).join()).toContain('煤气');
  });

  test('a place in another province is said to be outside', async () => {
    expect(await shipped.understand('河北省石家庄市长安区的小区停水了')).toMatchObject({ address: { outside: true, place: null } });
  });

  test('a village that many districts have is asked about, not guessed', async () => {
    const { address } = await shipped.understand('马庄村的路坑坑洼洼的，没法走');
    expect(address.place).toBeNull();
    expect(address.missing).toContain('address');
  });
});
