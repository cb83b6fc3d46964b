"""Stage 3: fine-tune the encoder on all tasks at once.

python finetune.py --start build/start.pt --epochs 5 --out build/tuned.pt
"""
import argparse
import math
import random
import time

import torch
import torch.nn.functional as F
from torch import nn

import augment
import common
from model import Characters, Encoder, batches, pad

TASKS = ("intent", "type", "nature", "disposition", "urgency")
SHORT = ("chat", "written")
RARE = {"human": 3, "cancel": 3, "rate": 3, "chat": 2, "status": 1, "supplement": 1}    # further variants an epoch
WEIGHT = {"intent": 0.6, "type": 1.0, "nature": 0.4, "disposition": 0.4, "urgency": 0.6, "seven": 0.4, "tags": 0.8, "fine": 0.4}


class Tuned(nn.Module):
    def __init__(self, encoder, sizes):
        super().__init__()
        self.encoder = encoder
        self.scale = nn.Parameter(torch.tensor(math.log(20.0)))
        self.heads = nn.ModuleDict({"to_" + name: nn.Linear(384, size) for name, size in sizes.items()})

    def forward(self, ids, mask):
        vector, tags, fine = self.encoder(ids, mask)
        with torch.autocast("cpu", enabled=False):
            scaled = vector.float() * self.scale.exp()
            return {name[3:]: head(scaled) for name, head in self.heads.items()}, tags.float(), fine.float()


def label_lists(data):
    return {"intent": common.INTENTS, "type": common.type_labels(data), "nature": common.NATURES,
            "disposition": common.DISPOSITIONS, "urgency": common.URGENCIES,
            "seven": sorted({row["seven"] for row in common.seven_class_rows(data)})}


def epoch_examples(rows, addresses, off_topic, seven, rng, args):
    """(text, tags or None, row) for one pass: each message once, plain or in another chat dress, rare intents oftener; some addresses and foreign talk."""
    out = []
    for row in rows:
        text, tags = row["text"], row["tags"]
        if row["source"] in SHORT:
            for copy in range(1 + args.chat_copies + RARE.get(row["intent"], 0)):
                dressed = rng.random() < args.dressed
                out.append((*(augment.chat_style(text, tags, rng) if dressed else (text, tags)), row))
        else:
            if rng.random() < args.openings:
                text, tags = augment.opening(text, tags)
                if rng.random() < 0.5:
                    text, tags = augment.chat_style(text, tags, rng)
            out.append((text, tags, row))
    for row in rng.sample(addresses, min(args.addresses, len(addresses))):
        out.append((row["text"], row["tags"], row))
    for row in rng.sample(off_topic, min(args.off_topic, len(off_topic))):
        out.append((row["text"], None, row))
    for row in rng.sample(seven, min(args.seven, len(seven))):
        out.append((row["text"], None, row))
    return [(t, g, r) for t, g, r in out if t]


def loss_of(model, chunk, characters, labels, limit, smoothing=0.05):
    ids, mask = pad([characters(text, limit) for text, _, _ in chunk])
    logits, tags, fine = model(ids, mask)
    total = 0.0
    for name in (*TASKS, "seven"):
        index = {label: i for i, label in enumerate(labels[name])}
        target = torch.tensor([index[row[name]] if row.get(name) else -100 for _, _, row in chunk])
        if not (target >= 0).any():
            continue
        weight = torch.tensor([1.5 if row.get("source") in SHORT else 1.0 for _, _, row in chunk])
        each = F.cross_entropy(logits[name], target, ignore_index=-100, label_smoothing=smoothing, reduction="none")
        if name == "type":
            alt = torch.tensor([index[row["alt"]] if row.get("alt") in index else -100 for _, _, row in chunk])
            other = F.cross_entropy(logits[name], alt, ignore_index=-100, reduction="none")
            each = torch.where(alt >= 0, 0.85 * each + 0.15 * other, each)
        if name == "urgency":
            weight = weight * torch.tensor([1.8 if row.get("urgency") in ("h2", "h24") else 1.0 for _, _, row in chunk])
        weight = weight * (target >= 0)
        total = total + WEIGHT[name] * (each * weight).sum() / len(chunk)
    gold = torch.full(ids.shape, -100)
    for i, (text, spans, row) in enumerate(chunk):
        if spans is not None:
            kept = spans[: limit - 2]
            gold[i, 1:1 + len(kept)] = torch.tensor(kept)
    if (gold >= 0).any():
        total = total + WEIGHT["tags"] * F.cross_entropy(tags.flatten(0, 1), gold.flatten(), ignore_index=-100)
    gold = torch.full(ids.shape, -100)
    for i, (text, spans, row) in enumerate(chunk):
        if row.get("fine"):
            kept = row["fine"][: limit - 2]
            gold[i, 1:1 + len(kept)] = torch.tensor(kept)
    if (gold >= 0).any():
        total = total + WEIGHT["fine"] * F.cross_entropy(fine.flatten(0, 1), gold.flatten(), ignore_index=-100)
    return total


@torch.no_grad()
def check(model, rows, characters, labels):
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["text"]))
    hits = {}
    for start in range(0, len(order), 48):
        chunk = [rows[i] for i in order[start:start + 48]]
        ids, mask = pad([characters(r["text"], common.MAX_TOKENS) for r in chunk])
        with torch.autocast("cpu", torch.bfloat16):
            logits, tags, _ = model(ids, mask)
        found = (tags.argmax(-1) > 0)
        for i, row in enumerate(chunk):
            for name in TASKS:
                if row[name]:
                    hits.setdefault((row["source"], name), []).append(
                        labels[name][int(logits[name][i].argmax())] == row[name])
            gold = torch.tensor([t > 0 for t in row["tags"][: common.MAX_TOKENS - 2]])
            guess = found[i, 1:1 + len(gold)]
            hits.setdefault((row["source"], "tp"), []).append(int((gold & guess).sum()))
            hits.setdefault((row["source"], "sum"), []).append(int(gold.sum() + guess.sum()))
    model.train()
    out = {f"{s}.{n}": round(sum(v) / len(v), 4) for (s, n), v in hits.items() if n in TASKS}
    for s in ("chat", "annotated"):
        out[f"{s}.place"] = round(2 * sum(hits[s, "tp"]) / max(1, sum(hits[s, "sum"])), 4)
    return out


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--data", default=common.DEFAULT_DATA)
    ask.add_argument("--start", default="build/start.pt")
    ask.add_argument("--out", default="build/tuned.pt")
    ask.add_argument("--epochs", type=int, default=5)
    ask.add_argument("--rate", type=float, default=1e-4)
    ask.add_argument("--head-rate", type=float, default=2e-3)
    ask.add_argument("--budget", type=int, default=2048, help="padded tokens a step")
    ask.add_argument("--limit", type=int, default=96)
    ask.add_argument("--chat-copies", type=int, default=0, help="further copies of each short message")
    ask.add_argument("--dressed", type=float, default=0.5, help="share of short messages that are changed in dress")
    ask.add_argument("--seven", type=int, default=1500)
    ask.add_argument("--openings", type=float, default=0.5)
    ask.add_argument("--addresses", type=int, default=2500)
    ask.add_argument("--off-topic", type=int, default=500)
    ask.add_argument("--drop", type=float, default=0.1)
    ask.add_argument("--minutes", type=float, default=0, help="stop (with the schedule scaled) after so many minutes")
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--everything", action="store_true", help="train on the dev part too")
    args = ask.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    labels = label_lists(args.data)
    rows = common.labelled(args.data)
    train = [r for r in rows if args.everything or not r["dev"]] + common.written_rows(() if args.everything else rows)
    seven = [r for r in common.seven_class_rows(args.data) if not r["dev"]]
    print(len(train), "messages and letters", flush=True)
    dev = [r for r in rows if r["dev"]]
    addresses = common.address_rows(args.data)
    off_topic = [r for r in common.off_topic_rows(args.data) if not r["dev"]]
    saved = torch.load(args.start)
    characters = Characters(saved["vocab"])
    encoder = Encoder(len(saved["vocab"]), saved["layers"], positions=len(saved["state"]["position.weight"]), drop=args.drop)
    missing = encoder.load_state_dict(saved["state"], strict=False).missing_keys
    assert all(name.startswith(("addresses.", "tagger.")) for name in missing), missing
    model = Tuned(encoder, {name: len(values) for name, values in labels.items()})
    if "heads" in saved:                                        # go on from a tuned checkpoint
        model.scale.data.fill_(saved["scale"])
        for name in saved["heads"]:
            model.heads["to_" + name].load_state_dict(saved["heads"][name])
    heads = [p for n, p in model.named_parameters() if n.startswith(("heads", "scale", "encoder.tagger", "encoder.addresses"))]
    body = [p for n, p in model.named_parameters() if not n.startswith(("heads", "scale", "encoder.tagger", "encoder.addresses"))]
    optimiser = torch.optim.AdamW([{"params": body, "lr": args.rate, "weight_decay": 0.01},
                                   {"params": heads, "lr": args.head_rate, "weight_decay": 0.01}],
                                  betas=(0.9, 0.98), fused=True)
    bases = [g["lr"] for g in optimiser.param_groups]
    began, done, tokens = time.time(), 0.0, 0
    for epoch in range(args.epochs):
        examples = epoch_examples(train, addresses, off_topic, seven, rng, args)
        groups = batches([min(len(t) + 2, args.limit) for t, _, _ in examples], args.budget, rng)
        total = 0.0
        for step, group in enumerate(groups):
            done = (epoch + step / len(groups)) / args.epochs
            if args.minutes:
                done = max(done, (time.time() - began) / 60 / args.minutes)
            if done >= 1:
                break
            factor = min(1.0, done / 0.06 + 0.02) * (1 - done)
            for param_group, base in zip(optimiser.param_groups, bases):
                param_group["lr"] = base * factor
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(model, [examples[i] for i in group], characters, labels, args.limit)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            total += float(loss.detach())
            tokens += len(group) * max(min(len(examples[i][0]) + 2, args.limit) for i in group)
            if step % 60 == 0:
                print(f"epoch {epoch} step {step}/{len(groups)} loss {total / (step + 1):.3f} "
                      f"{tokens / (time.time() - began):.0f} tokens/s", flush=True)
        print("epoch", epoch, round(time.time() - began), "s", check(model, dev, characters, labels), flush=True)
        torch.save({"vocab": saved["vocab"], "layers": saved["layers"], "state": encoder.state_dict(),
                    "heads": {n[3:]: h.state_dict() for n, h in model.heads.items()}, "scale": float(model.scale.detach()),
                    "labels": labels}, args.out)
        if done >= 1:
            break


if __name__ == "__main__":
    main()
