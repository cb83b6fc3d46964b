"""The shipped int8 encoder back to a float checkpoint, so that training can go on where no float checkpoint was kept.

python thaw.py --out build/thawed.pt

Weights are the int8 values times their scales: what inference computes with, less the rounding of the activations.
"""
import argparse
import json
import pathlib

import onnx
import torch
from onnx import numpy_helper

import common

PRODUCTS = ("qkv", "out", "up", "down")


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--encoder", type=pathlib.Path, default=common.REPO / "models" / "encoder")
    ask.add_argument("--out", default="build/thawed.pt")
    args = ask.parse_args()
    graph = onnx.load(args.encoder / "onnx" / "model_quantized.onnx").graph
    held = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    state = {name.removeprefix("encoder."): value for name, value in held.items()
             if name.startswith("encoder.") and not name.endswith(("_scale", "_zero_point", "_quantized"))}
    table = held["encoder.word.weight_quantized"].float() - held["encoder.word.weight_zero_point"].float()
    state["word.weight"] = table * held["encoder.word.weight_scale"]
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            path = next(o for o in node.output).removeprefix("/encoder/").split("/MatMul")[0].replace("/", ".")
            base = node.input[1].removesuffix("_quantized")
            weight = (held[node.input[1]].float() - held[base + "_zero_point"].float()) * held[base + "_scale"]
            state[path + ".weight"] = weight.T.contiguous()
    layers = len({name.split(".")[1] for name in state if name.startswith("layers.")})
    words = json.loads((args.encoder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    vocab = sorted(words, key=words.get)
    torch.save({"vocab": vocab, "layers": layers, "state": state}, args.out)
    print(len(vocab), "characters,", layers, "layers,", sorted(name for name in state if "tagger" in name))


if __name__ == "__main__":
    main()
