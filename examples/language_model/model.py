#!/usr/bin/env python3
"""A small language model over bytes, with a cache of keys and values as its state: trains it on the text below, exports it and
records what PyTorch computes.

Usage: model.py [FOLDER]   writes language_model.pt2 and language_model.npz there; needs PyTorch and Triton
"""
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

import kernels

TEXT = """A model is exported once, and compiled once. What comes out is one file, the engine: weights, kernels and the order in which \
they run. A server loads it, a robot loads it, and neither has Python. The kernels that you wrote are in it, beside those of the \
standard operators, and no call leaves the engine on its way."""
PROMPT = b"A model is"
NEW_BYTES = len(TEXT) - len(PROMPT)
WIDTH, HEADS, KEY_HEADS, LAYERS, HIDDEN, LENGTH, VOCABULARY = 64, 4, 2, 2, 160, 512, 256
SIZE = WIDTH // HEADS


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        norm = kernels.rms_norm_reference if self.training else torch.ops.lm.rms_norm
        return norm(x, self.weight, 1e-6)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(WIDTH, HEADS * SIZE, bias=False)
        self.key = nn.Linear(WIDTH, KEY_HEADS * SIZE, bias=False)
        self.value = nn.Linear(WIDTH, KEY_HEADS * SIZE, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.register_buffer("keys", torch.zeros(1, LENGTH, KEY_HEADS, SIZE), persistent=False)
        self.register_buffer("values", torch.zeros(1, LENGTH, KEY_HEADS, SIZE), persistent=False)

    def forward(self, x, positions):
        rotary = kernels.rotary_reference if self.training else torch.ops.lm.rotary
        heads = lambda y: y.unflatten(-1, (-1, SIZE))
        query, key = (rotary(heads(layer(x)), positions, 10000.0) for layer in (self.query, self.key))
        value = heads(self.value(x))
        if self.training:
            mask = positions[:, None] >= positions
        else:
            self.keys[:, positions] = key
            self.values[:, positions] = value
            key, value = self.keys, self.values
            mask = torch.arange(LENGTH)[None, :] <= positions[:, None]
        y = functional.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), mask, enable_gqa=True)
        return self.out(y.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.attention, self.norm = Norm(), Attention(), Norm()
        self.gate, self.up = (nn.Linear(WIDTH, HIDDEN, bias=False) for _ in range(2))
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x, positions):
        x = x + self.attention(self.attention_norm(x), positions)
        y = self.norm(x)
        return x + self.down(functional.silu(self.gate(y)) * self.up(y))


class LanguageModel(nn.Module):
    """Bytes and the place of the first of them to the logits of the byte that follows each."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = Norm()

    def forward(self, tokens, start):
        positions = start + torch.arange(tokens.shape[1])
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, positions)
        return functional.linear(self.norm(x), self.embedding.weight)


def train(model):
    tokens = torch.tensor([list(TEXT.encode())])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    loss, start = torch.tensor(9.0), torch.zeros(1, dtype=torch.int64)
    steps = 0
    while loss > 0.01 and steps < 1000:
        loss = functional.cross_entropy(model(tokens[:, :-1], start)[0], tokens[0, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    print(f"loss {loss:.4f} after {steps} steps")


def clear_cache(model):
    for name, buffer in model.named_buffers():
        buffer.zero_()


def generate(model):
    """The logits of the prompt, and the bytes that follow it, one at a time."""
    first = model(torch.tensor([list(PROMPT)]), torch.zeros(1, dtype=torch.int64))
    tokens, logits = list(PROMPT), first
    for _ in range(NEW_BYTES):
        tokens.append(int(logits[0, -1].argmax()))
        logits = model(torch.tensor([[tokens[-1]]]), torch.tensor([len(tokens) - 1]))
    return first, tokens


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    torch.manual_seed(1)
    model = LanguageModel()
    train(model)
    model.eval().requires_grad_(False)
    prompt, start = torch.tensor([list(PROMPT)]), torch.zeros(1, dtype=torch.int64)
    steps = torch.export.Dim("steps", min=1, max=LENGTH)
    exported = torch.export.export(model, (prompt, start), dynamic_shapes={"tokens": {1: steps}, "start": None})
    clear_cache(model)
    torch.export.save(exported, folder / "language_model.pt2")
    first, tokens = generate(model)
    print(bytes(tokens).decode())
    numpy.savez(folder / "language_model.npz", tokens=prompt.numpy(), start=start.numpy(), out_0=first.numpy())
    (folder / "generated.txt").write_bytes(bytes(tokens) + b"\n")


if __name__ == "__main__":
    main()
