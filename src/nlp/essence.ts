import type { Normalized } from './normalize.ts';

/** Faces, hands, hearts, marks: they say how somebody feels, not what the matter is. */
const FEELING = /[\u{1f600}-\u{1f64f}\u{1f910}-\u{1f92f}\u{1f970}-\u{1f97a}\u{1f90c}-\u{1f90f}\u{1f493}-\u{1f49f}\u{1f440}-\u{1f450}\u{1f38a}\u{1f389}\u{1f339}\u{1f4a2}\u{1f4a9}\u{1f4aa}\u{1f3fb}-\u{1f3ff}❗❓❕❔❤☹☺✌✨⭐]/u;

const OPENING = /^(?:(?:您好|你好|大家好|hello|hi|喂|亲|在吗|在不|同志|师傅|领导|老师|客服|工作人员|各位|小编|市长)(?:您好|你好|们|呀|啊|哈)?|不好意思|打扰(?:您|你|大家)?(?:一下|了)?|麻烦(?:您|你)?(?:了|问(?:一)?下|帮(?:我|忙)?(?:问)?(?:一)?下|一下)?|劳驾|(?:我)?(?:想|要)?(?:跟您|向您)?(?:反映|反应)(?:一)?(?:下|个|件)?(?:情况|事情?|问题)(?:一下)?|想?请(?:您|你)?帮个?忙|求助|[\s,，.。!！?？~～、:：…]+)/u;
const CLOSING = /(?:(?:非常|十分|万分|多多|提前|先)?(?:谢谢|感谢|多谢|谢了|谢啦|谢)(?:您|你|你们|您们|大家|政府|领导|啦|了|啊|哈|呀|先)*|麻烦(?:您|你|你们)?(?:了|啦)?|辛苦(?:您|你|你们|大家)?(?:了|啦)?|拜托(?:您|你|你们)?(?:了|啦)?|祝?(?:您|你)?(?:工作|身体|一切)(?:顺利|愉快|健康)|祝好|此致敬礼|[\s,，.。!！~～、…]+)$/u;
/** So many letters must be left: of 「您好」 alone the greeting is the message. */
const LEAST = 4;

/**
 * What is left to read when courtesy and mood are taken away: the same matter, however it is wrapped. Only characters are taken
 * out, so every one that stays knows where in the given text it stood.
 */
export function essence(normalized: Normalized): Normalized {
  const kept = normalized.points.flatMap((point, at) => (FEELING.test(point) ? [] : [at]));
  const text = kept.map((at) => normalized.points[at] as string).join('');
  const [from, to] = core(text);
  const chosen = offsetsWithin(kept, normalized.points, from, to);
  if (chosen.length === normalized.points.length || chosen.filter((at) => /\p{L}|\p{N}/u.test(normalized.points[at] as string)).length < LEAST) return normalized;
  const points = chosen.map((at) => normalized.points[at] as string);
  return { points, text: points.join(''), starts: Uint32Array.from(chosen, (at) => normalized.starts[at] as number), ends: Uint32Array.from(chosen, (at) => normalized.ends[at] as number) };
}

/** Code units between the opening and the closing courtesy. */
function core(text: string): readonly [from: number, to: number] {
  let from = 0;
  for (let match = OPENING.exec(text); match && match[0] !== ''; match = OPENING.exec(text.slice(from))) from += match[0].length;
  let end = text.length;
  const tail = () => CLOSING.exec(text.slice(Math.max(from, end - 24), end));
  for (let match = tail(); match && match[0] !== '' && end > from; match = tail()) end -= match[0].length;
  return [from, end];
}

function offsetsWithin(kept: readonly number[], points: readonly string[], from: number, to: number): number[] {
  let unit = 0;
  return kept.filter((at) => {
    const here = unit;
    unit += (points[at] as string).length;
    return here >= from && here < to;
  });
}
