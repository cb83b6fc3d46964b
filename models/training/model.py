"""The encoder: a BERT over single characters, a sentence vector and an address tagger."""
import torch
import torch.nn.functional as F
from torch import nn

from common import ADDRESS_TAGS, TAGS


class Layer(nn.Module):
    def __init__(self, dim, heads, inner):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-12)
        self.up = nn.Linear(dim, inner)
        self.down = nn.Linear(inner, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-12)

    def forward(self, x, mask, drop):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q * (d // self.heads) ** -0.5) @ k.transpose(-1, -2) + mask
        mixed = weights.softmax(-1).to(v.dtype) @ v
        mixed = self.out(mixed.transpose(1, 2).reshape(b, n, d))
        x = self.norm1(x + F.dropout(mixed, drop, self.training))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), drop, self.training))


class Encoder(nn.Module):
    def __init__(self, vocab, layers=6, dim=384, heads=12, inner=1536, positions=512, drop=0.1):
        super().__init__()
        self.drop = drop
        self.word = nn.Embedding(vocab, dim)
        self.position = nn.Embedding(positions, dim)
        self.norm = nn.LayerNorm(dim, eps=1e-12)
        self.layers = nn.ModuleList(Layer(dim, heads, inner) for _ in range(layers))
        self.tagger = nn.Linear(dim, len(TAGS))
        self.addresses = nn.Linear(dim, len(ADDRESS_TAGS))

    def hidden(self, ids, mask):
        x = self.word(ids) + self.position.weight[: ids.shape[1]]
        x = F.dropout(self.norm(x), self.drop, self.training)
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, bias, self.drop)
        return x

    def forward(self, input_ids, attention_mask):
        x = self.hidden(input_ids, attention_mask).float()
        weight = attention_mask[:, :, None].to(x.dtype)
        mean = (x * weight).sum(1) / weight.sum(1)
        return F.normalize(mean, dim=-1), self.tagger(x), self.addresses(x)


def pad(batch, length=None):
    """Lists of ids to (input_ids, attention_mask)."""
    length = length or max(map(len, batch))
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    for row, values in enumerate(batch):
        ids[row, : len(values)] = torch.tensor(values)
    return ids, (torch.arange(length)[None] < torch.tensor([len(v) for v in batch])[:, None]).long()


class Characters:
    """One token per code point: [CLS] characters [SEP]."""

    def __init__(self, vocab):
        self.ids = {token: index for index, token in enumerate(vocab)}
        self.unk = self.ids["[UNK]"]

    def __call__(self, text, limit):
        return [2] + [self.ids.get(c, self.unk) for c in text[: limit - 2]] + [3]


def batches(lengths, budget, order):
    """Groups of similar length, at most `budget` padded tokens each, in random order."""
    import random
    chunk, out = [], []
    shuffled = list(range(len(lengths)))
    order.shuffle(shuffled)
    for start in range(0, len(shuffled), 2048):
        for index in sorted(shuffled[start:start + 2048], key=lambda i: lengths[i]):
            if chunk and (len(chunk) + 1) * lengths[index] > budget:
                out.append(chunk)
                chunk = []
            chunk.append(index)
    if chunk:
        out.append(chunk)
    order.shuffle(out)
    return out
