"""Small graphs for the tests, and Hypothesis strategies that draw well-formed ones."""

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from bnn.graph import Graph, Signal, Stage, TensorType, gate, ops
from bnn.graph.arith import ALWAYS, NEVER
from bnn.graph.node import Node

EDGES = (31, 32, 33, 63, 64, 65)
"""Sizes at which packing into 32-bit words goes wrong first."""


def signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """-1 and +1, int8."""
    return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)


def int16(values) -> np.ndarray:
    return np.array(values, dtype=np.int16)


def windows(rng: np.random.Generator, n: int, length: int) -> np.ndarray:
    """(n, length) int16 that wanders about as a recording with gain 200 and zero at 1024 does."""
    drift = np.cumsum(rng.normal(size=(n, length)), axis=1) * 20
    return np.clip(1024 + drift + rng.normal(scale=15, size=(n, length)), -32768, 32767).astype(np.int16)


@dataclass
class Builder:
    """Puts a chain of nodes together; `top` is the tensor that the next one reads, `rng` draws the constants."""

    rng: np.random.Generator
    length: int = 60
    nodes: list[Node] = field(default_factory=list)
    types: dict[str, TensorType] = field(default_factory=dict)
    top: str = "ecg"

    def __post_init__(self):
        self.types["ecg"] = TensorType("int16", (1, self.length), -32768, 32767)

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, length) of the top map."""
        return self.types[self.top].shape

    def add(self, node: Node) -> "Builder":
        self.types[node.name] = node.infer(*(self.types[source] for source in node.inputs))
        self.nodes.append(node)
        self.top = node.name
        return self

    def stats(self, frac: int = 4) -> "Builder":
        self.add(ops.WindowStats("stats", ("ecg",), frac))
        self.top = "ecg"
        return self

    def signal_conv(self, name: str, n_out: int, kernel: int = 5, stride: int = 1, pad: int = 0, frac: int = 4):
        self.stats(frac)
        return self.add(ops.SignalConv(name, ("ecg", "stats"), signs(self.rng, n_out, kernel), stride, pad, frac))

    def conv(self, name: str, n_out: int, kernel: int = 3, stride: int = 1, pad: int = 0, pad_value=None):
        n_in = self.shape[0]
        pad_value = np.ones(n_in, np.int8) if pad_value is None else np.asarray(pad_value, np.int8)
        w = signs(self.rng, n_out, n_in, kernel)
        return self.add(ops.BinaryConv(name, (self.top,), w, pad_value, stride, pad))

    def bounds(self, special: bool = True, frac: int = 8) -> np.ndarray:
        """One bound a channel for the top map, where about half of the values reach it; some beyond all values."""
        n, kind = self.shape[0], self.types[self.top]
        if kind.kind == "int32":
            t = np.clip(self.rng.normal(scale=2 * 2.0**frac, size=n), -32767, 32766)
            extremes = [ALWAYS, NEVER]
        else:
            t = self.rng.normal(scale=kind.hi**0.5, size=n)
            extremes = [kind.lo, kind.hi + 1]
        odd = self.rng.random(n) < (0.15 if special else 0)
        return int16(np.where(odd, self.rng.choice(extremes, n), np.rint(t)))

    def sources(self) -> tuple[str, ...]:
        """What a comparison of the top map reads: statistics too, where it is of raw samples."""
        return (self.top, "stats") if self.types[self.top].kind == "int32" else (self.top,)

    def frac(self, frac: int = 8) -> int:
        return frac if self.types[self.top].kind == "int32" else 0

    def threshold(self, name: str, t: np.ndarray | None = None, frac: int = 8) -> "Builder":
        t = self.bounds(frac=frac) if t is None else t
        return self.add(ops.Threshold(name, self.sources(), t, self.frac(frac)))

    def interval(self, name: str, two_sided: bool, flips: bool, frac: int = 8) -> "Builder":
        lower, upper = self.bounds(frac=frac), self.bounds(frac=frac)
        beyond = NEVER if self.types[self.top].kind == "int32" else self.types[self.top].hi + 1
        upper = upper if two_sided else np.full_like(upper, beyond)
        flip = signs(self.rng, self.shape[0]) if flips else np.full(self.shape[0], -1, np.int8)
        return self.add(ops.Interval(name, self.sources(), lower, upper, flip, self.frac(frac)))

    def max_pool(self, name: str, kernel: int = 3, stride: int = 2) -> "Builder":
        return self.add(ops.MaxPool(name, (self.top,), kernel, stride))

    def or_pool(self, name: str, kernel: int = 3, stride: int = 2) -> "Builder":
        return self.add(ops.OrPool(name, (self.top,), kernel, stride))

    def prelu_sum(self, frac: int = 8) -> "Builder":
        n, length = self.shape
        rise, fall = (self.rng.integers(-300, 300, n).astype(np.int16) for _ in range(2))
        bias = (self.rng.integers(-200, 200, n) * length).astype(np.int32)
        return self.add(ops.PReluSum("logits", (self.top,), rise, fall, bias, frac))

    def gate(self) -> "Builder":
        """An ExitGate on the logits, which stay the top."""
        logits = self.nodes[-1]
        self.add(ops.ExitGate("gate", (logits.name,), **gate.tables(), frac=logits.frac))
        self.top = logits.name
        return self

    def graph(self, name: str = "small") -> Graph:
        classes = tuple(f"c{i}" for i in range(self.shape[0]))
        signal = Signal("ecg", 1, self.length, 360.0, 200.0)
        return Graph(name, classes, (signal,), (Stage("main", ("ecg",), tuple(self.nodes), self.top),))


def small_graph(dialect: str = "target", seed: int = 7) -> Graph:
    """Two blocks and logits of three classes; in the logical dialect with a two-sided interval and flips."""
    b = Builder(np.random.default_rng(seed)).signal_conv("block1.acc", 5, stride=2, pad=4)
    if dialect == "target":
        b.threshold("block1.bits").or_pool("block1")
        b.conv("block2.acc", 4, pad=2).threshold("block2")
    else:
        b.max_pool("block1.max").interval("block1", two_sided=True, flips=True)
        b.conv("block2.acc", 4, pad=2).interval("block2", two_sided=False, flips=True)
    return b.conv("block3.acc", 3, pad=1).max_pool("block3").prelu_sum().graph()


def gated_graph(seed: int = 7, classes: int = 3) -> Graph:
    """A block, logits of so many classes, and the gate of an exit."""
    b = Builder(np.random.default_rng(seed)).signal_conv("block1.acc", 5, stride=2, pad=4)
    b.threshold("block1.bits").or_pool("block1")
    return b.conv("block2.acc", classes, pad=1).max_pool("block2").prelu_sum().gate().graph("gated")


def by_the_past(graph: Graph) -> Graph:
    """The same network on a signal of twice the length, whose first half gives the statistics of the second."""
    (signal,) = graph.signals
    n = signal.length
    parts = ops.Slice("past", (signal.name,), 0, n), ops.Slice("window", (signal.name,), n, n)

    def rewrite(nodes):
        source = {ops.WindowStats: "past", ops.SignalConv: "window"}
        return [
            *parts,
            *(replace(node, inputs=(source.get(type(node), node.inputs[0]), *node.inputs[1:])) for node in nodes),
        ]

    return replace(graph.with_nodes(rewrite), signals=(replace(signal, length=2 * n),))


widths = st.one_of(st.integers(1, 6), st.sampled_from(EDGES[:3]))


@st.composite
def graphs(draw, dialect: str = "target") -> Graph:
    """Well-formed graphs of one to three blocks, each with or without pads, strides, pools, two-sided bounds, flips."""
    b = Builder(np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(30, 70)))
    kernel = draw(st.integers(1, 7))
    b.signal_conv("acc1", draw(widths), kernel, draw(st.integers(1, 2)), draw(st.integers(0, kernel - 1)))
    _activate(draw, b, "block1", dialect)
    for index in range(2, 2 + draw(st.integers(0, 2))):
        _draw_conv(draw, b, f"acc{index}", draw(widths))
        _activate(draw, b, f"block{index}", dialect)
    _draw_conv(draw, b, "last", draw(st.integers(2, 5)))
    if draw(st.booleans()):
        _draw_pool(draw, b.max_pool, b, "pooled")
    return b.prelu_sum().graph()


def _draw_conv(draw, b: Builder, name: str, n_out: int) -> None:
    kernel = draw(st.integers(1, min(5, b.shape[1])))
    pad_value = signs(b.rng, b.shape[0]) if draw(st.booleans()) else None
    b.conv(name, n_out, kernel, draw(st.integers(1, 2)), draw(st.integers(0, kernel - 1)), pad_value)


def _draw_pool(draw, add, b: Builder, name: str) -> None:
    add(name, draw(st.integers(1, min(4, b.shape[1]))), draw(st.integers(1, 3)))


def _activate(draw, b: Builder, name: str, dialect: str) -> None:
    frac, pooled, two_sided = draw(st.integers(0, 13)), draw(st.booleans()), draw(st.booleans())
    if dialect == "logical":
        if pooled:
            _draw_pool(draw, b.max_pool, b, f"{name}.max")
        b.interval(name, two_sided, draw(st.booleans()), frac)
        return
    source, kernel, stride = b.top, draw(st.integers(1, min(4, b.shape[1]))), draw(st.integers(1, 3))
    sides = []
    for side in ("lower", "upper") if two_sided else ("lower",):
        b.top = source
        b.threshold(f"{name}.{side}", frac=frac)
        if pooled:
            b.or_pool(f"{name}.{side}.pool", kernel, stride)
        sides.append(b.top)
    if two_sided:
        b.add(ops.AndNot(name, tuple(sides)))
