"""Stage 4: checkpoint -> models/encoder (int8 ONNX, tokenizer, config), and fine-tuning's own heads, for `npm run train -- --prior`."""
import argparse
import base64
import json
import math
import pathlib
import tempfile

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

import common
from model import Encoder


class Plain(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids, attention_mask)


def tokenizer_json(vocab):
    special = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i, t in enumerate(common.SPECIALS)]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for i, t in ((2, "[CLS]"), (3, "[SEP]"))},
        },
        "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 4, "vocab": {t: i for i, t in enumerate(vocab)}},
    }


def write_onnx(encoder, path, opset=17):
    encoder.eval()
    ids = torch.randint(5, 100, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    torch.onnx.export(Plain(encoder), (ids, mask), str(path), opset_version=opset, dynamo=False,
                      input_names=["input_ids", "attention_mask"], output_names=["sentence_embedding", "tag_logits", "address_logits"],
                      dynamic_axes={"input_ids": {0: "b", 1: "n"}, "attention_mask": {0: "b", 1: "n"},
                                    "sentence_embedding": {0: "b"}, "tag_logits": {0: "b", 1: "n"}, "address_logits": {0: "b", 1: "n"}})


def quantise(source, target, exclude=()):
    with tempfile.TemporaryDirectory() as folder:
        ready = pathlib.Path(folder) / "ready.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        quantize_dynamic(str(ready), str(target), per_channel=True, reduce_range=False, weight_type=QuantType.QInt8,
                         nodes_to_exclude=list(exclude),
                         extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT})


def write_heads(saved, encoder_file, folder):
    """The heads of fine-tuning in the form of models/heads; they take the vector as it leaves the encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    scale, heads = math.exp(saved["scale"]), {}
    for name in ("intent", "type", "nature", "disposition", "urgency"):
        weight = (saved["heads"][name]["weight"] * scale).float().contiguous().numpy()
        heads[name] = {"labels": saved["labels"][name], "weight": base64.b64encode(weight.astype("<f4").tobytes()).decode(),
                       "bias": saved["heads"][name]["bias"].tolist(), "temperature": 1}
    (folder / "heads.json").write_text(json.dumps({"version": "0.0.0", "encoder": common.sha256(encoder_file), "dim": 384, "heads": heads}))
    (folder / "decision.json").write_text("{}")
    common.write_sums(folder)


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--checkpoint", default="build/tuned.pt")
    ask.add_argument("--out", type=pathlib.Path, default=common.REPO / "models" / "encoder")
    ask.add_argument("--version", default="1")
    ask.add_argument("--prior", type=pathlib.Path, default=pathlib.Path("build/prior"), help="folder for fine-tuning's own heads")
    ask.add_argument("--float", default="build/model.onnx", help="where the unquantised file goes")
    args = ask.parse_args()
    saved = torch.load(args.checkpoint)
    vocab = saved["vocab"]
    encoder = Encoder(len(vocab), saved["layers"])
    state = {k: v for k, v in saved["state"].items() if k in encoder.state_dict()}
    state["position.weight"] = state["position.weight"][: common.MAX_TOKENS]
    encoder.position = torch.nn.Embedding(common.MAX_TOKENS, 384)
    encoder.load_state_dict(state)
    (args.out / "onnx").mkdir(parents=True, exist_ok=True)
    write_onnx(encoder, args.float)
    quantise(args.float, args.out / "onnx" / "model_quantized.onnx")
    dump = lambda name, value: (args.out / name).write_text(
        json.dumps(value, ensure_ascii=False, indent=None if name == "tokenizer.json" else 2) + "\n", encoding="utf-8")
    dump("tokenizer.json", tokenizer_json(vocab))
    dump("tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizer", "model_max_length": common.MAX_TOKENS, "do_lower_case": False,
        "clean_up_tokenization_spaces": False, "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "mask_token": "[MASK]"})
    dump("config.json", {
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": len(vocab), "hidden_size": 384,
        "num_hidden_layers": saved["layers"], "num_attention_heads": 12, "intermediate_size": 1536,
        "max_position_embeddings": common.MAX_TOKENS, "hidden_act": "gelu", "pad_token_id": 0,
        "jiban": {"version": args.version, "dim": 384, "maxTokens": common.MAX_TOKENS, "tags": common.TAGS, "addressTags": common.ADDRESS_TAGS}})
    write_heads(saved, args.out / "onnx" / "model_quantized.onnx", args.prior)
    print((args.out / "onnx" / "model_quantized.onnx").stat().st_size / 1e6, "MB")


if __name__ == "__main__":
    main()
