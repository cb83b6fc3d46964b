"""Chat messages as a person writes them, one a line, to the labelled rows of data/*.jsonl.

python from_markup.py draft.txt --prefix jd > data/chat-NAME.jsonl

A line is `intent type alt nature disposition urgency missing<TAB>text`, codes as in the catalogue, `-` for null. Inside the text
a place is written in square brackets, part by part: `[community:西罗园二社区][building:12#]没水了`; pieces that touch are one place,
`[place:这边]` is a piece that is none of the parts. Lines that begin with # are remarks. Stops with a list of the lines that are wrong.
"""
import argparse
import json
import pathlib
import re
import sys

import common

PIECE = re.compile(r"\[([a-z]+):([^\[\]]+)\]")
MISSING = {"address", "building", "what", "time", "party", "ticket", "none"}


def row_of(line, labels):
    if "\t" not in line:
        raise ValueError("no tab between codes and text")
    codes, marked = line.split("\t", 1)
    fields = codes.split()
    if len(fields) != 7:
        raise ValueError(f"{len(fields)} codes instead of 7")
    intent, kind, alt, nature, disposition, urgency, missing = (None if f == "-" else f for f in fields)
    for value, allowed, name in ((intent, common.INTENTS, "intent"), (kind, labels, "type"), (alt, labels, "alt"),
                                 (nature, common.NATURES, "nature"), (disposition, common.DISPOSITIONS, "disposition"),
                                 (urgency, common.URGENCIES, "urgency")):
        if value is not None and (value not in allowed or value == "none"):
            raise ValueError(f"{name} {value} is not in the catalogue")
    if intent is None:
        raise ValueError("intent is missing")
    wanted = (missing or "none").split(",")
    if not set(wanted) <= MISSING:
        raise ValueError(f"missing: {missing}")
    if (kind is None) != (urgency is None) or (kind is None) != (nature is None):
        raise ValueError("type, nature and urgency are all null or none is")
    text, places, parts, end = "", [], {}, -1
    position = 0
    for piece in PIECE.finditer(marked):
        if piece[1] not in common.PARTS:
            raise ValueError(f"part {piece[1]}")
        text += marked[position:piece.start()]
        if places and len(text) == end:
            places[-1] += piece[2]
        else:
            places.append(piece[2])
        text += piece[2]
        end = len(text)
        position = piece.end()
        if piece[1] != "place":
            parts.setdefault(piece[1], []).append(piece[2])
    text += marked[position:]
    text = text.rstrip("\n").replace("\\n", "\n")
    if not text.strip() or re.search(r"\[[a-z]+:", text):
        raise ValueError("a bracket is not closed, or the text is empty")
    return {"text": text, "intent": intent, "type": kind, "alt": alt, "nature": nature, "disposition": disposition,
            "urgency": urgency, "places": places, "parts": parts, "gaz": {}, "missing": wanted}


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("draft")
    ask.add_argument("--prefix", required=True)
    ask.add_argument("--data", default=common.DEFAULT_DATA)
    args = ask.parse_args()
    labels, wrong, seen, rows = set(common.type_labels(args.data)), [], {}, []
    for number, line in enumerate(pathlib.Path(args.draft).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = row_of(line, labels)
            if row["text"] in seen:
                raise ValueError(f"the same text as line {seen[row['text']]}")
            seen[row["text"]] = number
            rows.append({"id": f"{args.prefix}-{len(rows) + 1:04d}", **row})
        except ValueError as error:
            wrong.append(f"line {number}: {error}: {line[:60]}")
    if wrong:
        sys.exit("\n".join(wrong))
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
