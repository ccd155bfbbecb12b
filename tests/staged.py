"""A small graph of two stages with exits, which has every op on integers."""

import numpy as np

from bnn.graph import Graph, Signal, Stage, TensorType, gate, ops
from bnn.graph.integer_ops import (
    EXP_ONE,
    Add,
    Attention,
    Concat,
    GlobalMax,
    GlobalSum,
    IntConv,
    LayerNorm,
    Multiply,
    Reshape,
    Scale,
    SignConv,
    Table,
)
from bnn.graph.node import Node
from tests.graphs import int16, signs


def scale(rng: np.random.Generator, name: str, source: str, x: TensorType, lo: int = -128) -> Scale:
    """A Scale after which values take all of int8, few of them held at its ends."""
    factor = rng.uniform(0.5, 1, x.shape[0]) * 6 * 127 / max(abs(x.lo), abs(x.hi))
    shift = min(int(np.log2(32767 / factor.max())), 24)
    b = rng.integers(-9, 9, x.shape[0]) << shift
    m = int16(np.rint(factor * 2.0**shift))
    return Scale(name, (source,), m, b.astype(np.int32), shift, lo, 127)


def staged_graph(rng=None) -> Graph:
    """Two stages with gates over signals of 2 and 1 channels, and every op on integers; the second reads the first.

    rng  a NumPy generator, or what has its methods `integers` and `uniform`
    """
    b = StagedBuilder(np.random.default_rng(5) if rng is None else rng)
    eeg = Stage("eeg", ("eeg",), *b.stage("eeg", b.attended("eeg", b.extractor("eeg", 2))))
    maps = b.joined("eog", "eeg.map", b.extractor("eog", 1))
    eog = Stage("eog", ("eog",), *b.stage("eog", maps))
    signals = Signal("eeg", 2, 70, 100.0, 1.0, "uV"), Signal("eog", 1, 70, 100.0, 1.0, "uV")
    return Graph("staged", ("w", "n", "r"), signals, (eeg, eog))


def bits_graph(seed: int = 5) -> Graph:
    """One stage over a signal of 2 channels, bits after its first layer: two branches, joined in time, and a gate."""
    b = StagedBuilder(np.random.default_rng(seed))
    b.types["eeg"] = TensorType("int16", (2, 70), -32768, 32767)
    branches = []
    for name, kernel, stride, pad in (("small", 6, 4, 1), ("large", 14, 8, 2)):
        x = b.scaled(f"{name}.first", b.add(SignConv, f"{name}.acc", ("eeg",), signs(b.rng, 6, 2, kernel), stride, pad))
        x = b.add(ops.Threshold, f"{name}.bits", (x,), int16(b.rng.integers(-3, 4, 6)))
        x = b.add(ops.OrPool, f"{name}.pool", (x,), 2, 2)
        x = b.add(ops.BinaryConv, f"{name}.conv", (x,), signs(b.rng, 6, 6, 3), np.ones(6, np.int8), 1, 1)
        branches.append(b.add(ops.Threshold, f"{name}.map", (x,), int16(b.rng.integers(-3, 4, 6))))
    x = b.add(Concat, "map", tuple(branches), axis=1)
    x = b.add(ops.BinaryConv, "hidden.acc", (x,), signs(b.rng, 8, 6, 3), np.ones(6, np.int8), 1, 1)
    x = b.add(ops.Threshold, "hidden", (x,), int16(b.rng.integers(-3, 4, 8)))
    x = b.add(ops.BinaryConv, "answer", (x,), signs(b.rng, 3, 8, 1), np.ones(8, np.int8), 1, 0)
    rise, bias = int16(b.rng.integers(50, 90, 3)), b.rng.integers(-9, 9, 3).astype(np.int32)
    logits = b.add(ops.PReluSum, "logits", (x,), rise, rise, bias, 10)
    b.add(ops.ExitGate, "doubt", (logits,), **gate.tables(), frac=10)
    stage = Stage("eeg", ("eeg",), tuple(b.nodes), logits)
    return Graph("bits", ("w", "n", "r"), (Signal("eeg", 2, 70, 100.0, 1.0, "uV"),), (stage,))


class StagedBuilder:
    """Puts the stages of `staged_graph` together."""

    def __init__(self, rng):
        self.rng, self.nodes, self.types = rng, [], {}

    def add(self, op: type, name: str, sources: tuple[str, ...], *values, **named) -> str:
        return self.take(op(name, sources, *values, **named))

    def take(self, node: Node) -> str:
        self.types[node.name] = node.infer(*(self.types[source] for source in node.inputs))
        self.nodes.append(node)
        return node.name

    def scaled(self, name: str, source: str, lo: int = -128) -> str:
        return self.take(scale(self.rng, name, source, self.types[source], lo))

    def weights(self, *shape: int) -> np.ndarray:
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def extractor(self, signal: str, channels: int) -> str:
        """Signal -> a map of 6 x 8: two branches of bits and integers, gated, joined in time."""
        self.types[signal] = TensorType("int16", (channels, 70), -32768, 32767)
        branches = []
        for name, kernel, stride, pad in (("small", 6, 4, 1), ("large", 14, 8, 0)):
            stem = f"{signal}.{name}"
            first = self.add(SignConv, f"{stem}.acc", (signal,), signs(self.rng, 6, channels, kernel), stride, pad)
            gated = self.gated(f"{stem}.gated", self.scaled(f"{stem}.first", first))
            pooled = self.add(ops.MaxPool, f"{stem}.pool", (gated,), 2, 2)
            bits = self.add(ops.Threshold, f"{stem}.bits", (pooled,), int16(self.rng.integers(-3, 4, 6)))
            conv = self.add(ops.BinaryConv, f"{stem}.conv", (bits,), signs(self.rng, 6, 6, 3), signs(self.rng, 6), 1, 1)
            branches.append(self.scaled(f"{stem}.map", conv))
        return self.add(Concat, f"{signal}.map", tuple(branches), axis=1)

    def gated(self, name: str, x: str) -> str:
        """Channels weighed by their maxima and sums, then time steps."""
        channels = self.types[x].shape[0]
        sums = self.scaled(f"{name}.mean", self.add(GlobalSum, f"{name}.sum", (x,), axis=1))
        both = self.add(Concat, f"{name}.both", (self.add(GlobalMax, f"{name}.max", (x,), axis=1), sums), axis=1)
        hidden = self.scaled(
            f"{name}.hidden", self.add(IntConv, f"{name}.mlp1", (both,), self.weights(2, channels, 1), 1, 0), lo=0
        )
        mlp = self.scaled(
            f"{name}.mlp", self.add(IntConv, f"{name}.mlp2", (hidden,), self.weights(channels, 2, 1), 1, 0)
        )
        score = self.scaled(f"{name}.score", self.add(GlobalSum, f"{name}.scores", (mlp,), axis=1))
        gate_of = self.add(Table, f"{name}.gate", (score,), sigmoid())
        x = self.add(Multiply, f"{name}.channels", (x, gate_of), 7)
        sums = self.scaled(f"{name}.mean0", self.add(GlobalSum, f"{name}.sum0", (x,), axis=0))
        largest = self.add(GlobalMax, f"{name}.max0", (x,), axis=0)
        both = self.add(Concat, f"{name}.both0", (largest, sums), axis=0)
        score = self.scaled(f"{name}.score0", self.add(IntConv, f"{name}.conv0", (both,), self.weights(1, 2, 7), 1, 3))
        return self.add(Multiply, name, (x, self.add(Table, f"{name}.gate0", (score,), sigmoid())), 7)

    def attended(self, stage: str, x: str) -> str:
        """A transformer layer of two heads over tokens of 12."""
        tokens = self.add(Reshape, f"{stage}.tokens", (x,), 12)
        q, k, v = (
            self.scaled(
                f"{stage}.{name}",
                self.add(SignConv, f"{stage}.{name}.acc", (tokens,), signs(self.rng, 12, 12, 1), 1, 0),
            )
            for name in "qkv"
        )
        mixed = self.add(Attention, f"{stage}.mixed", (q, k, v), exponentials(), 2, 40, 10)
        total = self.add(Add, f"{stage}.around", (tokens, mixed), 0, 1)
        m, b = self.rng.integers(-60, 60, 12), self.rng.integers(-(1 << 14), 1 << 14, 12)
        return self.add(LayerNorm, f"{stage}.norm", (total,), int16(m), b.astype(np.int32), 10)

    def joined(self, stage: str, a: str, b: str) -> str:
        """Two maps as two channels, mixed, and added to themselves."""
        rows = tuple(self.add(Reshape, f"{stage}.row{i}", (x,), 1) for i, x in enumerate((a, b)))
        both = self.add(Concat, f"{stage}.rows", rows, axis=0)
        mixed = self.scaled(f"{stage}.mix", self.add(IntConv, f"{stage}.mix.acc", (both,), self.weights(2, 2, 1), 1, 0))
        total = self.add(Add, f"{stage}.total", (both, mixed), 1, 0)
        return self.scaled(f"{stage}.relu", total, lo=0)

    def stage(self, name: str, x: str) -> tuple[tuple[Node, ...], str]:
        """A classifier of all of x, its logits and its gate; and the nodes since the last stage."""
        size = self.types[x].size
        flat = self.add(Reshape, f"{name}.flat", (x,), size)
        hidden = self.scaled(
            f"{name}.hidden", self.add(SignConv, f"{name}.dense", (flat,), signs(self.rng, 8, size, 1), 1, 0), lo=0
        )
        answer = self.add(IntConv, f"{name}.answer", (hidden,), self.weights(3, 8, 1), 1, 0)
        one = int16([9, 9, 9])
        logits = self.add(
            ops.PReluSum, f"{name}.logits", (answer,), one, one, self.rng.integers(-9, 9, 3).astype(np.int32), 16
        )
        self.add(ops.ExitGate, f"{name}.doubt", (logits,), **gate.tables(), frac=13)
        nodes, self.nodes = tuple(self.nodes), []
        return nodes, logits


def sigmoid() -> np.ndarray:
    """A Multiply's gate of an int8 in units of 1/32, in units of 1/128."""
    return np.minimum(np.floor(128 / (1 + np.exp(-np.arange(-128, 128) / 32)) + 0.5), 127).astype(np.int8)


def exponentials(entries: int = 256) -> np.ndarray:
    """An Attention's table, a step of it 1/32."""
    return np.floor(EXP_ONE * np.exp(-np.arange(entries) / 32) + 0.5).astype(np.int16)
