"""What every stage shares: text normalisation, labels, data, the split."""
import collections
import hashlib
import json
import pathlib
import re
import unicodedata

from opencc import OpenCC

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
DEFAULT_DATA = REPO.parent / "shared" / "data"
MAX_TOKENS = 128

INTENTS = ["report", "supplement", "status", "question", "human", "cancel", "rate", "chat"]
NATURES = ["inquiry", "assistance", "complaint", "misconduct_report", "suggestion", "praise", "none"]
DISPOSITIONS = ["accept", "answer", "emergency_line", "legal_channel", "repeat", "confidential",
                "market_channel", "unlawful", "chat", "none"]
URGENCIES = ["h2", "h24", "d7", "d15", "none"]
# "place": inside the words that say where, but none of the parts ("这边", the dash of "5-1-102").
PARTS = ["province", "city", "district", "town", "community", "road", "roadno", "poi",
         "building", "unit", "room", "near", "place"]
TAGS = ["O"] + [f"{mark}-{part}" for part in PARTS for mark in "BI"]
TAG_ID = {tag: index for index, tag in enumerate(TAGS)}
# The labels of NAACL 2019, for reading a bare address into its finest parts.
ADDRESS_LABELS = ["assist", "cellno", "city", "community", "country", "devzone", "distance", "district", "floorno", "houseno",
                  "otherinfo", "person", "poi", "prov", "redundant", "road", "roadno", "roomno", "subpoi", "subroad",
                  "subroadno", "town"]
ADDRESS_TAGS = ["O"] + [f"{mark}-{label}" for label in ADDRESS_LABELS for mark in "BI"]
ADDRESS_ID = {tag: index for index, tag in enumerate(ADDRESS_TAGS)}
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
IGNORE = -100

_BREAKS = re.compile("[\t\n\v\f\r\u0085\u2028\u2029]")
_VARIATION = re.compile("[\ufe00-\ufe0f]")
_OPENCC = OpenCC("t2s")
_SIMPLE = {}


def _simplified(c):
    """One character for one: what the messages are read in."""
    if c not in _SIMPLE:
        out = _OPENCC.convert(c) if "\u3400" <= c <= "\u9fff" else c
        _SIMPLE[c] = out if len(out) == 1 else c
    return _SIMPLE[c]


def normalise(text):
    """The normalisation the encoder expects; understanding/ in TypeScript does the same."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = _BREAKS.sub(" ", text)
    text = "".join(_simplified(c) for c in text if unicodedata.category(c) not in ("Cc", "Cf"))
    text = _VARIATION.sub("", text)
    return re.sub(" +", " ", text).strip(" ")


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def type_labels(data):
    """All level-2 codes of the catalogue in its order, then "none"."""
    text = (pathlib.Path(data).parent / "domain" / "taxonomy.yaml").read_text(encoding="utf-8")
    codes = re.findall(r"^  ([a-z_]+\.[a-z_]+):", text.split("\ntypes:", 1)[1].split("\ndispositions:", 1)[0], re.M)
    assert len(codes) == 74 or len(codes) == 75, len(codes)
    return codes + ["none"]


def tag_text(text, places, parts):
    """BIO tag ids, one per character of the normalised text."""
    inside = [0] * len(text)
    for place in places or []:
        place = normalise(place)
        start = text.find(place) if place else -1
        while start >= 0:
            for i in range(start, start + len(place)):
                inside[i] = 2 if i == start else max(inside[i], 1)
            start = text.find(place, start + len(place))
    tags = [0] * len(text)
    pieces = [(normalise(value), part) for part, values in (parts or {}).items() if part in PARTS
              for value in (values if isinstance(values, list) else [values])]
    for value, part in sorted(pieces, key=lambda piece: -len(piece[0])):
        if not value:
            continue
        start = text.find(value)
        while start >= 0:
            span = range(start, start + len(value))
            if all(inside[i] for i in span) and not any(tags[i] for i in span):
                for i in span:
                    tags[i] = TAG_ID[("B-" if i == start else "I-") + part]
            start = text.find(value, start + 1)
    for i, tag in enumerate(tags):
        if inside[i] and not tag:
            after = i > 0 and inside[i] == 1 and tags[i - 1] in (TAG_ID["B-place"], TAG_ID["I-place"])
            tags[i] = TAG_ID["I-place" if after else "B-place"]
    return tags


def _grams(text):
    bare = re.sub(r"\W", "", text)
    return {bare[i:i + 3] for i in range(max(1, len(bare) - 2))}


def near_duplicate_groups(rows):
    """Ids of rows that share most of their 3-grams with an earlier row get that row's group."""
    import numpy as np
    parent = list(range(len(rows)))

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    salts = np.random.RandomState(7).randint(1, 2 ** 31 - 1, size=(24, 2), dtype=np.int64)
    buckets = collections.defaultdict(list)
    grams = [_grams(row["text"]) for row in rows]
    for index, gram in enumerate(grams):
        hashes = np.array([int.from_bytes(hashlib.blake2b(g.encode(), digest_size=4).digest(), "little")
                           for g in gram], dtype=np.int64)
        signature = [int(((hashes * a + b) % 2147483647).min()) for a, b in salts]
        for band in range(12):
            buckets[(band, signature[2 * band], signature[2 * band + 1])].append(index)
    for members in buckets.values():
        for other in members[1:51]:
            first = members[0]
            union = len(grams[first] | grams[other])
            if union and len(grams[first] & grams[other]) / union >= 0.5:
                parent[find(other)] = find(first)
    return [find(i) for i in range(len(rows))]


def in_dev(key):
    """A fixed tenth, by the SHA-256 of the id: first four bytes, modulo 10, equal to 3."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 10 == 3


def written_rows(apart_from=()):
    """The messages of data/*.jsonl; none that nearly repeats one of the dev rows in `apart_from`."""
    rows = []
    for path in sorted((HERE / "data").glob("*.jsonl")):
        for row in read_jsonl(path):
            text = normalise(row["text"])
            if text:
                rows.append({
                    "id": row["id"], "source": "written", "text": text, "intent": row.get("intent"), "type": row["type"] or "none",
                    "alt": row.get("alt"), "nature": row["nature"] or "none", "disposition": row.get("disposition") or "none",
                    "urgency": row["urgency"] or "none", "tags": tag_text(text, row["places"], row.get("parts") or {}), "dev": False,
                })
    dev = [row for row in apart_from if row["dev"]]
    groups = near_duplicate_groups(dev + rows)
    taken = set(groups[:len(dev)])
    return [row for row, group in zip(rows, groups[len(dev):]) if group not in taken]


def seven_class_rows(data):
    """Letters with the contest's own seven classes; `dev` is the fifth that the benches score on."""
    rows = [{"id": r["id"], "seven": r["label"], "text": normalise((r["title"] or "") + "。" + (r["body"] or "")), "source": "letters"}
            for r in read_jsonl(pathlib.Path(data) / "messages" / "seven_class.jsonl")]
    groups = near_duplicate_groups(rows)
    for row, group in zip(rows, groups):
        row["dev"] = int.from_bytes(hashlib.sha256(rows[group]["id"].encode()).digest()[:4], "big") % 5 == 3
    return rows


def labelled(data):
    """chat.jsonl and annotated.jsonl as one list of examples with a `dev` flag."""
    data = pathlib.Path(data)
    rows = []
    for source in ("chat", "annotated"):
        for row in read_jsonl(data / "messages" / f"{source}.jsonl"):
            text = normalise(row["text"])
            parts = row.get("parts") or {}
            disposition = row.get("disposition")
            rows.append({
                "id": row["id"], "source": source, "text": text,
                "intent": row.get("intent") if source == "chat" else None,
                "type": row["type"] or "none", "alt": row.get("alt"),
                "nature": row["nature"] or "none", "disposition": disposition or "none",
                "urgency": row["urgency"] or "none", "tags": tag_text(text, row["places"], parts),
            })
    groups = near_duplicate_groups(rows)
    for row, group in zip(rows, groups):
        row["dev"] = in_dev(rows[group]["id"])
    return rows


ADDRESS_PARTS = {
    "prov": "province", "city": "city", "district": "district", "devzone": "district", "town": "town",
    "community": "community", "village_group": "community", "road": "road", "subroad": "road",
    "roadno": "roadno", "subroadno": "roadno",
    "poi": "poi", "subpoi": "poi", "houseno": "building", "house_no": "building", "cellno": "unit",
    "roomno": "room", "floorno": "room", "intersection": "near", "assist": "near", "distance": "near",
    "detail": "place",
}


def address_rows(data):
    """Bare addresses of NAACL 2019 and CCKS 2021 with our parts; for the tagger only."""
    rows = []
    for name in ("naacl2019_train", "ccks2021_train8855"):
        for row in read_jsonl(pathlib.Path(data) / "addresses" / f"{name}.jsonl"):
            raw = row["text"]
            if len(unicodedata.normalize("NFKC", raw)) != len(raw) or normalise(raw) != raw.lower():
                continue
            tags, fine = [0] * len(raw), [0] * len(raw)
            for start, end, label, _ in row["ents"]:
                part = ADDRESS_PARTS.get(label)
                for i in range(start, end):
                    mark = "B-" if i == start else "I-"
                    if part:
                        tags[i] = TAG_ID[mark + part]
                    fine[i] = ADDRESS_ID.get(mark + label.lower(), 0)
            rows.append({"text": raw.lower(), "tags": tags, "fine": fine if name.startswith("naacl") else None})
    return rows


def off_topic_rows(data):
    """Things people tell other bots, and headlines: nothing that a hotline answers."""
    corpora = pathlib.Path(data) / "corpora"
    texts = [("smp", row["text"]) for row in json.loads((corpora / "cls" / "SMP-2019-NLU_train.json").read_text())]
    for row in read_jsonl(corpora / "crosswoz" / "val.jsonl"):
        texts += [("crosswoz", turn["text"]) for turn in row["turns"][:1] if turn["role"] == "usr"]
    tnews = read_jsonl(corpora / "cls" / "tnews_unlabeled.json")
    texts += [("headline", row["sentence"]) for row in tnews[:1500]]
    seen, rows = set(), []
    for source, text in texts:
        text = normalise(text)
        if 2 <= len(text) <= 80 and text not in seen:
            seen.add(text)
            rows.append({"source": source, "text": text, "dev": in_dev(text), "intent": "chat", "type": "none",
                         "nature": "none", "disposition": "chat", "urgency": "none"})
    return rows


def unlabelled_texts(data):
    """Every Chinese sentence at hand, for distilling the encoder."""
    data = pathlib.Path(data)
    texts = []
    for name in ("seven_class", "hotspot", "replies", "hotline_tickets"):
        for row in read_jsonl(data / "messages" / f"{name}.jsonl"):
            texts.append(row["title"])
            texts.append(row["body"])
    texts += [row["text"] for row in read_jsonl(data / "messages" / "rescue_posts.jsonl")]
    for row in labelled_train_texts(data):
        texts.append(row)
    for path in sorted((data / "corpora" / "pairs").iterdir()):
        for line in path.read_text(encoding="utf-8", errors="ignore").splitlines():
            texts += [cell for cell in re.split(r"\t|,(?=[\u4e00-\u9fff])", line) if len(cell) > 4]
    for line in (data / "corpora" / "chat" / "beike_train.query.tsv").read_text().splitlines():
        texts.append(line.split("\t")[-1])
    texts += [row["sentence"] for row in read_jsonl(data / "corpora" / "cls" / "tnews_unlabeled.json")]
    texts += [row["sentence"] for row in read_jsonl(data / "corpora" / "cls" / "eprstmt_unlabeled.json")]
    for row in read_jsonl(data / "corpora" / "crosswoz" / "val.jsonl"):
        texts += [turn["text"] for turn in row["turns"]]
    out, seen = [], set()
    for text in texts:
        text = normalise(text or "")
        if len(text) >= 3 and text not in seen and re.search("[\u4e00-\u9fff]", text):
            seen.add(text)
            out.append(text)
    return out


def labelled_train_texts(data):
    return [row["text"] for row in labelled(data) if not row["dev"]]


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def write_sums(folder):
    folder = pathlib.Path(folder)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(p)}  {p.relative_to(folder).as_posix()}\n" for p in files))
