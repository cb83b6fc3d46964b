"""Stage 6: what the characters themselves say, beside the encoder.

python lexical.py --data ../../../shared/data

A linear SVM per task on TF-IDF of character n-grams (1-3), pruned and stored as int8. Its margins are added to the encoder
head's logits: logits = a * encoder + b * margins, with a and b fitted on the dev part. Afterwards the decision thresholds and
all scores are measured on the sum, as the program computes it.
"""
import argparse
import base64
import json
import pathlib

import numpy as np
from scipy.optimize import minimize
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

import common

TASKS = ("intent", "type", "nature", "disposition", "urgency")
NGRAMS = (1, 3)
SOURCE_WEIGHT = {"chat": 2.0, "annotated": 1.0, "written": 2.0, "foreign": 1.0}


class Lexical:
    """One TF-IDF space for all tasks; margins as the program computes them, from the rounded weights."""

    def __init__(self, rows, labels, features=24_000, C=0.5, min_df=3):
        texts = [row["text"] for row in rows]
        self.vectorizer = TfidfVectorizer(analyzer="char", ngram_range=NGRAMS, min_df=min_df, sublinear_tf=True)
        X = self.vectorizer.fit_transform(texts)
        names = self.vectorizer.get_feature_names_out()
        self.heads = {}
        strength = np.zeros(X.shape[1])
        for task in TASKS:
            use = [i for i, row in enumerate(rows) if row.get(task)]
            y = np.array([labels[task].index(rows[i][task]) for i in use])
            weight = np.array([SOURCE_WEIGHT[rows[i]["source"]] for i in use])
            model = LinearSVC(C=C).fit(X[use], y, sample_weight=weight)
            W = np.zeros((len(labels[task]), X.shape[1]), np.float32)
            b = np.full(len(labels[task]), -1.5, np.float32)  # a label never seen: outside every margin
            W[model.classes_], b[model.classes_] = model.coef_, model.intercept_
            self.heads[task] = [W, b]
            strength = np.maximum(strength, np.abs(W).max(0))
        keep = np.sort(np.argsort(-strength)[:features])
        self.names = [str(names[i]) for i in keep]
        # The unit length counts every n-gram seen in training, kept or not, so the pruned ones keep their inverse frequency.
        self.idf = self.vectorizer.idf_
        self.all_names = [str(name) for name in names]
        self.keep = keep
        for task, (W, b) in self.heads.items():
            W = W[:, keep]
            scale = np.abs(W).max(1) / 127 + 1e-12
            q = np.round(W / scale[:, None]).astype(np.int8)
            self.heads[task] = (q, scale.astype(np.float32), b)

    def margins(self, texts, task):
        q, scale, b = self.heads[task]
        X = self.vectorizer.transform(texts)[:, self.keep]
        # The program has only the kept features: the vector's length is taken over them.
        norm = np.sqrt(np.asarray(X.multiply(X).sum(1)).ravel())
        X = X.multiply(1 / np.maximum(norm, 1e-9)[:, None]).tocsr()
        return X @ (q.astype(np.float32) * scale[:, None]).T + b

    def export(self):
        pack = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()
        return {
            "ngrams": list(NGRAMS), "features": self.names, "idf": [round(float(x), 4) for x in self.idf[self.keep]],
            "heads": {task: {"weight": pack(q), "scale": [float(f"{x:.6g}") for x in scale], "bias": [round(float(x), 5) for x in b]}
                      for task, (q, scale, b) in self.heads.items()},
        }


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def fit_mix(encoder, margins, gold, weight):
    """a, b >= 0 of the least log loss."""
    def loss(x):
        p = softmax(np.exp(x[0]) * encoder + np.exp(x[1]) * margins)
        return -(weight * np.log(p[np.arange(len(gold)), gold] + 1e-9)).sum() / weight.sum()
    best = min((minimize(loss, np.log(start), method="Nelder-Mead") for start in ((0.7, 1.5), (1.0, 0.3), (0.3, 3.0))), key=lambda r: r.fun)
    return float(np.exp(best.x[0])), float(np.exp(best.x[1])), float(best.fun)


def written_rows():
    """Messages written for this project after chat.jsonl; for training only."""
    rows = []
    for file in sorted((common.HERE / "data").glob("*.jsonl")):
        for row in common.read_jsonl(file):
            text = common.normalise(row["text"])
            rows.append({"id": row["id"], "source": "written", "text": text, "dev": False, "intent": row["intent"], "type": row["type"] or "none",
                         "alt": row.get("alt"), "nature": row["nature"] or "none", "disposition": row["disposition"] or "none",
                         "urgency": row["urgency"] or "none", "tags": common.tag_text(text, row["places"], row.get("parts") or {})})
    return rows
