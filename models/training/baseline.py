"""Character n-gram TF-IDF + LinearSVC on the same training examples, for comparison.

python baseline.py --data ../../../shared/data --out ../../var/bench/svm.json

Trains on chat train + annotated train + every data/*.jsonl (what is a near-duplicate of a dev message is left out) + off-topic texts.
Writes its scores and its guesses for each dev message; `npm run bench:quality` prints them beside Jiban's. Not to be committed: the
off-topic rows are known by their text only.
"""
import argparse
import json
import pathlib

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

import common
import scores

TASKS = ("intent", "type", "nature", "disposition", "urgency")
TASK_WEIGHT = {"chat": 2.0, "written": 2.0}


def vectorizer():
    return TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=2, dtype=np.float32)


def written_rows():
    rows = []
    for path in sorted((common.HERE / "data").glob("*.jsonl")):
        for row in common.read_jsonl(path):
            rows.append({"id": row["id"], "source": "written", "text": common.normalise(row["text"]), "intent": row.get("intent"),
                         "type": row.get("type") or "none", "alt": row.get("alt"), "nature": row.get("nature") or "none",
                         "disposition": row.get("disposition") or "none", "urgency": row.get("urgency") or "none"})
    return rows


def apart(rows, written):
    """The written rows that are no near-duplicates of a dev message."""
    both = rows + written
    groups = common.near_duplicate_groups(both)
    taken = {group for group, row in zip(groups, both) if row.get("dev")}
    return [row for row, group in zip(written, groups[len(rows):]) if group not in taken]


def softmax(values):
    raised = np.exp(values - values.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def temperature(X, y, weight):
    """Margins to probabilities: fitted on a fifth of the training examples that a model of its own has not seen."""
    held = np.arange(len(y)) % 5 == 0
    model = LinearSVC(C=0.5).fit(X[~held], y[~held], sample_weight=weight[~held])
    known = np.isin(y[held], model.classes_)
    values, gold = model.decision_function(X[held])[known], np.searchsorted(model.classes_, y[held][known])
    grid = np.exp(np.linspace(np.log(0.02), np.log(3), 60))
    loss = [-np.log(softmax(values / t)[np.arange(len(gold)), gold] + 1e-9).mean() for t in grid]
    return float(grid[int(np.argmin(loss))])


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--data", default=common.DEFAULT_DATA)
    ask.add_argument("--out", type=pathlib.Path, default=common.REPO / "var" / "bench" / "svm.json")
    ask.add_argument("--without-written", action="store_true", help="chat.jsonl and annotated.jsonl only")
    args = ask.parse_args()
    rows = common.labelled(args.data)
    foreign = common.off_topic_rows(args.data)
    written = [] if args.without_written else written_rows()
    kept = apart(rows, written)
    train = [r for r in rows if not r["dev"]] + kept + [r for r in foreign if not r["dev"]][:1200]
    vectors = vectorizer().fit([r["text"] for r in train])
    groups = {"chat": [r for r in rows if r["dev"] and r["source"] == "chat"],
              "letters": [r for r in rows if r["dev"] and r["source"] == "annotated"],
              "off_topic": [r for r in foreign if r["dev"]]}
    ready = {name: vectors.transform([r["text"] for r in group]) for name, group in groups.items()}
    guesses, ranked = {name: {} for name in groups}, {}
    guessed = {name: [{} for _ in group] for name, group in groups.items()}
    everything = vectors.transform([r["text"] for r in train])
    for task in TASKS:
        usable = [i for i, r in enumerate(train) if r.get(task)]
        weight = np.array([TASK_WEIGHT.get(train[i]["source"], 1.0) for i in usable])
        X, y = everything[usable], np.array([train[i][task] for i in usable])
        model = LinearSVC(C=0.5, class_weight="balanced" if task == "urgency" else None)
        model.fit(X, y, sample_weight=weight)
        t = temperature(X, y, weight) if task in ("intent", "type") else 1.0
        for name in groups:
            values = model.decision_function(ready[name])
            guesses[name][task] = list(model.classes_[values.argmax(1)])
            sure = softmax(values / t)
            order = np.argsort(-values, 1)
            if task == "type":
                ranked[name] = model.classes_[order[:, :3]]
            for i, row in enumerate(guessed[name]):
                row[task] = [[str(model.classes_[k]), round(float(sure[i, k]), 5)] for k in order[i, :4]]
                if task == "intent":
                    row["chat"] = round(float(sure[i, list(model.classes_).index("chat")]), 6)
        print(task, "done", flush=True)
    out = {name: scores.report(groups[name], guesses[name], ranked[name]) for name in ("chat", "letters")}
    out["off_topic"] = {"count": len(groups["off_topic"]),
                        "recall": round(float(np.mean([g == "chat" for g in guesses["off_topic"]["intent"]])), 4)}
    out["train"] = {"chat": sum(not r["dev"] and r["source"] == "chat" for r in rows), "letters": sum(not r["dev"] and r["source"] == "annotated" for r in rows),
                    "written": len(kept), "written_left_out": len(written) - len(kept), "off_topic": len(train) - len(kept) - sum(not r["dev"] for r in rows)}
    print(json.dumps(out, indent=2))
    rows_out = {name: [{"id": row.get("id", row["text"]), **found} for row, found in zip(groups[name], guessed[name])] for name in groups}
    args.out.parent.mkdir(exist_ok=True, parents=True)
    args.out.write_text(json.dumps({**out, "guesses": rows_out}, ensure_ascii=False))


if __name__ == "__main__":
    main()
