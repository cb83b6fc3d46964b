import { SIMPLIFIED } from '../../src/nlp/traditional.ts';

/** Numbers in 0 ≤ n < 1, the same for the same seed. Source: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Characters that an input method or a tired eye takes for one another, by sound or by shape. */
const ALIKE = ('的得地 在再 做作坐座 那哪 已以 他她它 吗嘛码 象像向 是事市式 住注助驻 停挺庭 道到倒 没每美 楼搂 急级及 报抱保 公工供 坏怀 水税 快块 店点电典 里理礼 号好浩 物务 '
  + '路露 区去 人入仁 天夫 未末 己已 土士 晚碗 修休 灯登 亮量谅 车扯 门们 小晓 大太 气汽 热惹 冷另 暖软 脏赃 臭丑 垃拉 圾极 房防 屋握 墙强 漏楼 雨语 水冰 电由 停亭 费废 交较 收受 钱前 '
  + '元园员 院远 学雪 校效 老劳 师狮 孩该 生声升 上商 下夏 不步 还环 有友 又右 要药 能熊 可克 以已 来莱 走奏 去趣 看刊 听厅 说税 话化 打大 噪躁 音因 吵炒 施师 装庄 修秀 扰拢 民明 '
  + '领令 办半 证正 件间 户护 口扣 身深 份分 社设 会汇 保堡 险俭 医衣 药要 病并 食十 品频 超抄 市事 卖买 价假 格革 退腿 款宽 押压 金今 租组 中终 介界 合和 同铜 公共 交胶 站占 地底 铁帖 '
  + '司思 机几 出初 网往 约月 单丹 堵赌 红虹 绿录 信心 违围 章张 狗够 咬交 树数 草操 花化 河何 边连 井并 盖该 坑抗 积极 排徘 管官 道导 下吓 梯剃 困因 物勿 业叶 停听').split(' ');
const SWAPS = new Map<string, string[]>();
for (const group of ALIKE) for (const from of group) SWAPS.set(from, [...(SWAPS.get(from) ?? []), ...[...group].filter((to) => to !== from)]);

/** Simplified → one traditional form. */
const TRADITIONAL = new Map([...SIMPLIFIED].reverse().map(([from, to]) => [to, from]));

const EMOJI = ['😭', '😡', '🙏', '😤', '😅', '🤔', '❗', '👍', '💢', '😂', '🥺', '❓', '😱', '🤮', '🌹', '🙄'];
const OPENINGS = ['您好，麻烦问一下，', '你好，打扰一下，', '您好！不好意思打扰了，', '工作人员您好，', '您好，想请您帮个忙，', '同志你好，我想反映个情况，', '您好您好，麻烦您了，'];
const CLOSINGS = ['谢谢', '，谢谢！', '，麻烦了，谢谢', '，非常感谢！', '，辛苦您了，谢谢啦', '。谢谢您，祝工作顺利', '，拜托了🙏'];

type Random = () => number;
const pick = <T>(of: readonly T[], random: Random): T => of[Math.floor(random() * of.length)] as T;

/** One wrong character in about twenty, at least one where any can go wrong. */
function typos(text: string, random: Random): string {
  const points = [...text];
  for (let nth = 0; nth < Math.max(1, Math.round(points.length / 20)); nth++) {
    const spots = points.flatMap((point, at) => (SWAPS.has(point) ? [at] : []));
    if (spots.length === 0) break;
    const at = pick(spots, random);
    points[at] = pick(SWAPS.get(points[at] as string) as string[], random);
  }
  return points.join('');
}

function emoji(text: string, random: Random): string {
  const points = [...text];
  for (let nth = 0; nth < 1 + Math.floor(random() * 3); nth++) points.splice(random() < 0.5 ? points.length : Math.floor(random() * points.length), 0, pick(EMOJI, random));
  return points.join('');
}

/** The same message, written another way. */
export const PERTURBATIONS: Readonly<Record<string, (text: string, random: Random) => string>> = {
  'typos': typos,
  'no punctuation': (text) => text.replace(/[，。！？；：、…,.!?;:~～“”‘’"'「」（）()\s]+/gu, ''),
  'traditional characters': (text) => [...text].map((point) => TRADITIONAL.get(point) ?? point).join(''),
  'emoji': emoji,
  'polite padding': (text, random) => pick(OPENINGS, random) + text + pick(CLOSINGS, random),
};
