"""The ids of the dev part, so that benches and tests can find it without Python; ids only, never a text.

python dev_ids.py --data ../../../shared/data
"""
import argparse
import json
import pathlib

import common


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--data", default=common.DEFAULT_DATA)
    ask.add_argument("--out", type=pathlib.Path, default=common.REPO / "bench" / "quality" / "dev-ids.json")
    args = ask.parse_args()
    rows = common.labelled(args.data)
    ids = {source: sorted(r["id"] for r in rows if r["dev"] and r["source"] == source) for source in ("chat", "annotated")}
    args.out.write_text(json.dumps({"rule": "models/training/common.py: labelled(), in_dev()", "rows": len(rows), **ids}, indent=0) + "\n")
    print({source: len(found) for source, found in ids.items()}, "of", len(rows))


if __name__ == "__main__":
    main()
