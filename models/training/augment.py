"""Chat-style variants of a message; every function keeps one tag per character."""
import re

from pypinyin import lazy_pinyin

OPENERS = ["你好,", "您好", "你好 ", "喂", "麻烦问下", "师傅", "急急急!", "在吗 ", "请问", "哎", "那个,", "老师好,", "投诉一下,",
           "反映个事,", "我想说一下", "求助!", "真服了,", "同志您好,", "亲,", "不好意思打扰了,", "帮帮忙,"]
CLOSERS = ["谢谢", ",谢谢了", " 麻烦了", "!!!", "...", "快点吧", ",求解决", "🙏", "😡", "😭", "拜托了", "，等回复", "唉", "?", "。",
           "真的很急", ",管不管啊", "😤😤", ",有人管吗", "辛苦了"]
SLIPS = ["的地得", "在再", "他她它", "做作坐", "那哪", "已以", "吗嘛", "象像向", "是事", "住注", "停挺", "漏露", "道到", "没每", "楼搂",
         "急及", "报抱", "园圆", "路璐", "工公", "坏怀", "水睡", "热惹", "快块", "车扯", "店点", "门们", "里理", "号好", "物务"]
_SLIP = {c: [o for o in group if o != c] for group in SLIPS for c in group}
_DIGITS = "零一二三四五六七八九"
_BUILDING = re.compile(r"(\d{1,2})(号楼|栋|#|幢)")
_SOUNDS = {}


def _same_sound(c):
    """Characters of the common 3,755 that sound like `c`, tones aside: what an input method offers beside it."""
    if not _SOUNDS:
        for row in range(16, 56):
            for column in range(1, 95):
                try:
                    other = bytes((row + 160, column + 160)).decode("gb2312")
                except UnicodeDecodeError:
                    continue
                _SOUNDS.setdefault(lazy_pinyin(other)[0], []).append(other)
    return [other for other in _SOUNDS.get(lazy_pinyin(c)[0], ()) if other != c] if "\u4e00" <= c <= "\u9fff" else []


def _chinese(number):
    n = int(number)
    if n < 10:
        return _DIGITS[n]
    tens, ones = divmod(n, 10)
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def _renumber(pairs, rng):
    text = "".join(c for c, _ in pairs)
    match = _BUILDING.search(text)
    if not match:
        return pairs
    number = match.group(1)
    new = rng.choice([number + "#", number + "号楼", _chinese(number) + "号楼", number + "栋", number + "号"])
    tags = [tag for _, tag in pairs[match.start():match.end()]]
    inside = tags[0] + 1 if tags[0] % 2 == 1 else tags[0]
    swapped = [(c, tags[0] if i == 0 else inside) for i, c in enumerate(new)]
    return pairs[:match.start()] + swapped + pairs[match.end():]


def chat_style(text, tags, rng):
    pairs = list(zip(text, tags))
    if rng.random() < 0.3:
        pairs = _renumber(pairs, rng)
    if rng.random() < 0.35:
        keep = rng.choice(["", " "])
        pairs = [(keep if c in ",。、;!?~…" else c, t) for c, t in pairs]
        pairs = [(c, t) for c, t in pairs if c] or list(zip(text, tags))
    if rng.random() < 0.45:
        for _ in range(1 + len(pairs) // 20):
            i = rng.randrange(len(pairs))
            c, t = pairs[i]
            kind = rng.random()
            if kind < 0.35:
                spots = [j for j, (c, _) in enumerate(pairs) if c in _SLIP]
                if spots:
                    j = rng.choice(spots)
                    pairs[j] = (rng.choice(_SLIP[pairs[j][0]]), pairs[j][1])
            elif kind < 0.75:
                others = _same_sound(c)
                if others:
                    pairs[i] = (rng.choice(others), t)
            elif kind < 0.87 and not t and len(pairs) > 6:
                del pairs[i]
            elif not t:
                pairs.insert(i, (c, 0))
    if rng.random() < 0.25:
        pairs = [(c, 0) for c in rng.choice(OPENERS)] + pairs
    if rng.random() < 0.25:
        pairs = pairs + [(c, 0) for c in rng.choice(CLOSERS)]
    return "".join(c for c, _ in pairs), [t for _, t in pairs]


def opening(text, tags, longest=56):
    """A letter's first sentences: what its writer would have typed into a chat."""
    end = 0
    for match in re.finditer(r"[。!?;]", text):
        if match.end() > longest:
            break
        end = match.end()
        if end >= 14:
            break
    end = end if end >= 8 else min(len(text), longest)
    return text[:end], tags[:end]
