import type { LifeSafety, UrgencyEvidence } from '../domain/understanding.ts';
import { SAFETY_RULES } from './life-safety-rules.ts';
import type { EmergencyNumber, Guard, SafetyRule } from './life-safety-rules.ts';
import { normalize } from './normalize.ts';
import { simplify } from './place-key.ts';

/** Part of `modelVersion`: change it with every change of the rules. */
export const RULES_VERSION = '2';

/** A long text is read in stretches, cut after a sentence; rules never look across the end of one by more than a few words. */
const STRETCH = 4_000;
/** Some single characters become eighteen when normalised. */
const LONGEST_FOLDED = 3 * STRETCH;
/** As far as anything is read at all (`MAX_LENGTH` of normalize.ts is for one window; this is about 40 pages). */
const HEAD = 100_000;
const TAIL = 20_000;
const MAX_EVIDENCE = 12;

interface Hit { readonly rule: SafetyRule; readonly from: number; readonly to: number }

/**
 * Danger to life or limb that the words themselves show: happening now or about to. Pure, synchronous, tens of
 * microseconds for a chat message, so that it can run before any queue. It stands beside the model: see `judgeUrgency`.
 */
export function checkLifeSafety(text: string): LifeSafety {
  const hits: Hit[] = [];
  const evidence: UrgencyEvidence[] = [];
  const seen = new Set<string>();
  for (const [from, to] of stretches(text)) {
    const stretch = text.slice(from, to);
    if (seen.has(stretch)) continue;
    seen.add(stretch);
    const found = hitsIn(stretch, from);
    hits.push(...found.hits);
    evidence.push(...found.evidence);
  }
  const order = new Map(SAFETY_RULES.map((rule, index) => [rule, index]));
  return report({ hits: hits.sort((a, b) => (order.get(a.rule) ?? 0) - (order.get(b.rule) ?? 0)), evidence: evidence.slice(0, MAX_EVIDENCE) });
}

function stretches(text: string): (readonly [from: number, to: number])[] {
  if (text.length <= STRETCH) return [[0, text.length]];
  const out: [number, number][] = [];
  const parts = text.length <= HEAD + TAIL ? [[0, text.length]] as const : [[0, HEAD], [text.length - TAIL, text.length]] as const;
  for (const [begin, end] of parts) {
    for (let from: number = begin; from < end;) {
      const to = from + STRETCH >= end ? end : cutAt(text, from);
      out.push([from, to]);
      from = to;
    }
  }
  return out;
}

/** After the last sentence, else the last pause, in the second half of the stretch. */
function cutAt(text: string, from: number): number {
  const half = text.slice(from + STRETCH / 2, from + STRETCH);
  for (const pattern of [/[。！？!?\n](?=[^。！？!?\n]*$)/u, /[，,；;\s](?=[^，,；;\s]*$)/u]) {
    const at = half.search(pattern);
    if (at >= 0) return from + STRETCH / 2 + at + 1;
  }
  return from + STRETCH;
}

interface Found { readonly hits: readonly Hit[]; readonly evidence: readonly UrgencyEvidence[] }

function hitsIn(given: string, at: number): Found {
  const folded = fold(given.normalize('NFKC').toLowerCase().slice(0, LONGEST_FOLDED));
  // Hidden characters and line breaks make the quick look differ from the normalised text: then every rule looks again.
  const worth = /[\p{Cf}\p{Cc}\ufe00-\ufe0f]/u.test(given) ? SAFETY_RULES : SAFETY_RULES.filter((rule) => firstHit(rule, folded));
  if (worth.length === 0) return { hits: [], evidence: [] };
  const normalized = normalize(given);
  const points = normalized.points.slice(0, LONGEST_FOLDED);
  const text = points.map((point) => fold(point)).join('');
  const offsets = codeUnitOffsets(points);
  const hits = worth.flatMap((rule) => firstHit(rule, text) ?? []);
  const evidence = hits.map(({ rule, from, to }) => {
    const start = normalized.starts[offsets[from] as number] as number;
    const end = normalized.ends[offsets[to - 1] as number] as number;
    return { span: { start: start + at, end: end + at, text: given.slice(start, end) }, rule: rule.id };
  });
  return { hits, evidence };
}

/** 著 stays itself in ordinary text (著名); in words of danger it is 着. */
const fold = (text: string) => simplify(text).replaceAll('著', '着');

/** Code unit of the joined points → index of its point. */
function codeUnitOffsets(points: readonly string[]): number[] {
  return points.flatMap((point, index) => Array<number>(point.length).fill(index));
}

function firstHit(rule: SafetyRule, text: string): Hit | null {
  for (const pattern of rule.patterns) {
    for (const match of text.matchAll(pattern)) {
      const [from, to] = [match.index, match.index + match[0].length];
      if (to > from && !rule.guards.some((guard) => GUARDS[guard](text, from, to))) return { rule, from, to };
    }
  }
  return null;
}

const SENTENCE_END = /[。！？!?\n]/;

/** The sentence around the words, and the part of its clause before them. */
function surroundings(text: string, from: number, to: number): { sentence: string; before: string; clause: string; after: string } {
  let start = from;
  while (start > 0 && !SENTENCE_END.test(text[start - 1] as string)) start--;
  let end = to;
  while (end < text.length && !SENTENCE_END.test(text[end] as string)) end++;
  const before = text.slice(start, from);
  return { sentence: text.slice(start, end), before, clause: before.slice(Math.max(before.lastIndexOf('，'), before.lastIndexOf(','), before.lastIndexOf(' ')) + 1), after: text.slice(to, end) };
}

const ONGOING = /现在|正在|正(?=[往朝拿追打砸烧冒])|还在|还(?=冒|漏|响|没[^。]{0,4}(?:上来|出来))|刚刚?(?!才买|入住|装|搬|交)|又(?!说|要收|涨)|这会儿|眼下|此刻|马上|仍|至今|今早|今天|今晚|一直|快来|救命|快点|赶紧|呢[!！。]?$|怎么办/;

/** 「去年冲垮的护坡到现在还没修」: what goes on is the waiting, not the danger. */
const STILL_UNDONE = /(?:到|至|直到)?(?:现在|今|今天|如今)(?:还|也|都|仍)?(?:没|未|不)(?:有)?[^。！？!?，,]{0,4}(?:修|管|处理|解决|赔|答复|说法|人管|结果|回复|认定)|又(?:凹|快|要|到)/g;

const GUARDS: Readonly<Record<Guard, (text: string, from: number, to: number) => boolean>> = {
  /** 没着火, 不是煤气味; but 是不是煤气味 and 有没有人困在里面 are questions of somebody who stands there. */
  negated: (text, from, to) => {
    const { before } = surroundings(text, from, to);
    if (/(?:没|不|未)(?:有)?(?:漏(?!电)|冒烟|冒火|着火|起火|炸|塌|倒(?!下)|毒)|(?:没|未)(?:有)?(?:伤|砸|碰|撞|夹|卡)(?:着|到)?人?$/.test(text.slice(from, to))) return true;
    if (/^[^。！？!?\n，,]{0,3}[，,]?(?:都|也|倒)?没(?:有)?(?:伤|砸|碰|撞)(?:着|到)?(?:人|$|[，。,])/.test(text.slice(to))) return true;
    return /(?:(?<!有|还|都)没(?:有|闻到|闻见|闻着|发生|发现|看见|见|再|出现|人说)?|(?<!是)不是(?:说|因为|要|想)?|并非|并未|从未|从没|未曾?|无|绝不|不会|不至于|不算|谈不上|排除了?|不再|(?<![到分特级区个告性])别)(?:过|真的?|什么|任何|真)?$/.test(before)
      || /^(?:过去了没|是不可能的|才怪)/.test(text.slice(to));
  },
  /** What might come: fear, condition, warning, a hazard described. */
  imagined: (text, from, to) => {
    const { before, clause, sentence, after } = surroundings(text, from, to);
    const within = text.slice(from, to);
    if (/(?:万一|要是|如果|差点|差半[米步]|差一[点步拃]|险些|一旦|会不会|早晚)/.test(within)) return true;
    if (/以为/.test(clause + within) && /(?:结果|其实|原来|闹了半天)/.test(text)) return true;
    if (/(?<!就|都|快)会$/.test(clause)) return true;
    if (/(?:下个?月|明年|预产期)[^。！？!?]{0,6}$/.test(before)) return true;
    if (/^(?:来|了)?(?:谁|咋进|咋跑|怎么进|往哪|跑都)/.test(after)) return true;
    if (/(?:万一|要是|如果|假如|假使|倘若|一旦|生怕|就怕|怕(?!不怕)|担心|担忧|害怕会|会不会|早晚|迟早|容易|可能会|有可能|以防|防止|避免|预防|为了防|难免|哪天|真要|别等|非得等?|等到|等着|差点|差一点|险些|幸亏|说不定|小心|别再?让|难道|能不能防|应该怎么防|怎么预防|必须.{0,6}才|才管|才来管)[^。！？!?]{0,12}$/.test(clause)) return true;
    if (/(?:万一|要是|如果|假如|一旦|真要|非得|别等|等到|哪天)[^。！？!?]{0,20}$/.test(before)) return true;
    return /^[^。！？!?，,]{0,8}(?:的)?(?:隐患|风险|可能性|危险性|怎么办法|才有人管|才管|再管|就晚了|咋跑|往哪跑|往哪儿跑|怎么跑|怎么逃|都跑不)/.test(after) && !/(?:现在|正在|刚|已经)/.test(sentence);
  },
  /** Told of another time, and nothing says that it goes on. */
  past: (text, from, to) => {
    const { sentence, before } = surroundings(text, from, to);
    if (/^过(?!来|去|敏)/.test(text.slice(to)) && !/[没漫超淹路穿]$/.test(text.slice(from, to))) return !/现在|刚|又/.test(sentence);
    return /(?:上个?月|上周|上星期|上礼拜|去年|前年|大前年|前几天|前两天|前些天|前阵子?|前段时间|大前天|以前|从前|曾经?|曾|那次|那年|那回|上次|上回|当年|早先|小时候|年轻时|[一二两三四五六七八九十几\d]+(?:多)?(?:年|个月|个多月|周|星期)(?:以|之)?前|(?:\d{1,2}|[一二三四五六七八九十]+)月(?:\d{1,2}|份|初|底|中)|\d{4}年|历史上|昨天(?!到现在|晚上到)|昨儿个?(?!晚|夜|到)|前天)/.test(before + text.slice(from, to)) && !ONGOING.test(text.replaceAll(STILL_UNDONE, ''));
  },
  /** The danger is over: put out, freed, well again. */
  over: (text, _from, to) => /(?:已经?|都|早就?|后来|被|给|总算|幸好|还好)[^。！？!?]{0,6}(?:扑灭|灭了|救出来|放出来|救上来了|脱险|脱困|没事了|出院|解除|找到了|找着了|回来了|缓过来|修好|处理好|恢复)|(?:好在|得亏|所幸|幸好|还好|幸亏)[^。！？!?]{0,8}(?:没人|开了|没事|没伤|没砸|没碰)|没事了[，。,!！]|报个?平安|虚惊一场|有惊无险|人没事(?:了|儿)?(?:$|[，。,！!])|谢谢[^。]{0,10}(?:救|帮)/.test(text.slice(Math.max(0, to - 4)))
    && !/(?:又(?:开始|着|冒|响|漏|困|闻|来)|还有人|现在(?!没事|好|正常|恢复)|复燃|还敞着|还在[冒漏响]|刚(?:拉走|送))/.test(text),
  /** A figure of speech. */
  likened: (text, from, to) => {
    const { sentence, clause, after } = surroundings(text, from, to);
    if (/^[^。！？!?，,]{0,3}(?:似的|一样|一般|般|那么)/.test(text.slice(to)) && !/(?:味|声|响|开水|尿骚|拉风箱|胡萝卜|零下|硬)/.test(text.slice(from, to) + after.slice(0, 4))) return true;
    if (/(?:熏|臭|呛|吵|烦|饿|笑|累|气得|气的|吓|酸|辣|味)[^。，,！？]{0,10}$/.test(clause) && /(?:晕|窒息|抽|死|过去|心梗|中毒)/.test(text.slice(from, to)) && !/(?:煤|瓦斯|烟|燃气|一氧化碳|农药|喷|了(?:俩|两|三|好几)|阿婆|老人)/.test(sentence)) return true;
    if (/夸张|形容(?!词)|开(?:个)?玩笑|气话|打个比方/.test(text) && !/(?:不是|没)(?:在)?(?:开玩笑|夸张)/.test(text)) return true;
    if (text.slice(from, to) === '抢劫' && /^(?:啊|呢|吧|！|!|$)/.test(text.slice(to)) && /费|价|钱|扣|涨|块/.test(sentence)) return true;
    if (/嗓子|心里|眼里|肺里|胃里/.test(clause + text.slice(from, to)) && /火|冒烟/.test(text.slice(from, to))) return true;
    return /(?:跟|像|如同|好比|好似|仿佛|堪比|简直|热得?|气得?|急得?|忙得?|吵得?|烦得?|愁得?|累得?|笑得?|冻得?|嗓子(?:眼儿?)?|眼睛?|心里?|脾气|胃里?|肺都?|头都?|心态|后院|眉毛|朋友圈|群里|热搜|价格|物价|房价|电费|工作|生意|好想|恨不得|真想|想)(?:都|要|快|就|也|快要|得|得要|得我|得想|跟|像)*$/.test(clause)
      && !/(?:现在|刚才?|好像|像是|闻着像|油锅|气管|热水器|热力|眉毛(?:头发)?全)/.test(clause);
  },
  /** A story, a drill, a lesson, a policy. */
  told: (text, from, to) => /群里(?:都在)?传|考试题|标准答案|作业题/.test(text) || /(?:演练|演习|培训|讲座|宣传|小说|电视剧|拍戏|预案|课本|作文|新闻里|新闻上|看(?:到|了)?新闻|电影里|游戏里|梦见|做梦|保险(?:怎么|能|赔|理赔)|讲解|知识竞赛|考试题?|标准答案|纪录片|短视频|道具|安全教育|怎么预防|注意事项)/.test(surroundings(text, from, to).sentence)
    && !/(?:不是(?:演练|演习|开玩笑)|真的)/.test(text),
  /** What happens again and again, told as a grievance. */
  habit: (text, from, to) => {
    const { sentence } = surroundings(text, from, to);
    return /(?:经常|常常|老是|总是|总|三天两头|隔三差五|动不动|时不时|每次|每天|天天|每周|每个月|好几次|好几回|多次|频繁|(?:半年|一年|一个月|上个月|今年|一周|这周)[^。]{0,8}(?:\d+|[一二两三四五六七八九十几])(?:次|回))/.test(sentence) && !/(?:现在|正在|刚|这会儿|还在|里面有人|里头有人|快来)/.test(text);
  },
};

const NUMBER_ORDER: readonly EmergencyNumber[] = ['119', '120', '110', '122'];

function report({ hits, evidence }: Found): LifeSafety {
  const rules = [...new Set(hits.map(({ rule }) => rule.id))];
  const [strongest] = hits;
  const others = NUMBER_ORDER.filter((number) => hits.some(({ rule }) => rule.numbers[0] === number));
  return { rules, numbers: [...new Set([...(strongest?.rule.numbers.slice(0, 1) ?? []), ...others, ...(strongest?.rule.numbers ?? [])])], evidence };
}
