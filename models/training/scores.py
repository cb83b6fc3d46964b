"""Scores shared by the heads and the baseline."""
import collections

import numpy as np


def macro_f1(gold, guess, labels=None):
    labels = sorted(set(gold)) if labels is None else labels
    out = []
    for label in labels:
        tp = sum(g == label and p == label for g, p in zip(gold, guess))
        wrong = sum((g == label) != (p == label) for g, p in zip(gold, guess))
        out.append(2 * tp / (2 * tp + wrong) if tp else 0.0)
    return float(np.mean(out))


def per_class(gold, guess):
    count = collections.Counter(gold)
    out = {}
    for label in sorted(count):
        tp = sum(g == label and p == label for g, p in zip(gold, guess))
        said = sum(p == label for p in guess)
        out[label] = {"count": count[label], "recall": round(tp / count[label], 3),
                      "precision": round(tp / said, 3) if said else None}
    return out


def accuracy(gold, guess):
    return float(np.mean([g == p for g, p in zip(gold, guess)]))


def recall_precision(gold, guess, label):
    tp = sum(g == label and p == label for g, p in zip(gold, guess))
    return (tp / max(1, sum(g == label for g in gold)), tp / max(1, sum(p == label for p in guess)))


def calibration_error(confidence, correct, bins=10):
    confidence, correct = np.asarray(confidence), np.asarray(correct, float)
    total, table = 0.0, []
    for k in range(bins):
        inside = (confidence > k / bins) & (confidence <= (k + 1) / bins)
        if inside.any():
            gap = abs(confidence[inside].mean() - correct[inside].mean())
            total += inside.mean() * gap
            table.append({"from": k / bins, "to": (k + 1) / bins, "count": int(inside.sum()),
                          "confidence": round(float(confidence[inside].mean()), 3),
                          "accuracy": round(float(correct[inside].mean()), 3)})
    return float(total), table


def report(rows, guesses, ranked_types=None):
    """Scores of one group of rows; guesses: {task: [label]}."""
    out = {"count": len(rows)}
    matter = [i for i, r in enumerate(rows) if r["type"] != "none"]
    pick = lambda name, idx: ([rows[i][name] for i in idx], [guesses[name][i] for i in idx])
    gold, guess = pick("type", matter)
    out["type_top1"] = accuracy(gold, guess)
    out["type_top1_or_alt"] = float(np.mean([p in (rows[i]["type"], rows[i].get("alt")) for i, p in zip(matter, guess)]))
    out["type_macro_f1"] = macro_f1(gold, guess)
    if ranked_types is not None:
        out["type_top3"] = float(np.mean([rows[i]["type"] in ranked_types[i][:3] for i in matter]))
    everything = list(range(len(rows)))
    if rows and rows[0].get("intent"):
        gold, guess = pick("intent", everything)
        out["intent_accuracy"], out["intent_macro_f1"] = accuracy(gold, guess), macro_f1(gold, guess)
        chats = [i for i in everything if rows[i]["intent"] == "chat"]
        out["out_of_scope_recall"] = float(np.mean([guesses["intent"][i] == "chat" for i in chats]))
        out["report_taken_for_chat"] = float(np.mean([guesses["intent"][i] == "chat" for i in everything
                                                      if rows[i]["intent"] != "chat"]))
    gold, guess = pick("urgency", everything)
    out["urgency_accuracy"], out["urgency_macro_f1"] = accuracy(gold, guess), macro_f1(gold, guess)
    out["h2_recall"], out["h2_precision"] = recall_precision(gold, guess, "h2")
    out["h2_count"] = sum(g == "h2" for g in gold)
    for name in ("nature", "disposition"):
        gold, guess = pick(name, everything)
        out[f"{name}_accuracy"], out[f"{name}_macro_f1"] = accuracy(gold, guess), macro_f1(gold, guess)
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in out.items()}
