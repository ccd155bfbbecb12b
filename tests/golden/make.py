"""Write the golden vectors: `python -m tests.golden.make` (into tests/golden, or a folder given).

Graphs and windows come from Python's own generator, whose stream is the same in every version; the tensors
come from tests/plain.py.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from safetensors.numpy import save as to_bytes

from bnn.files import write_atomic
from bnn.graph import Graph, Signal, check, ops, save
from bnn.graph.arith import ALWAYS, NEVER
from tests import plain
from tests.graphs import Builder, int16
from tests.staged import staged_graph

HERE = Path(__file__).parent


class Stream:
    """The few methods of a NumPy generator that Builder uses, on the one stream that never changes."""

    def __init__(self, seed: int):
        self.next = Random(seed).random

    def random(self, size):
        return np.array([self.next() for _ in range(int(np.prod(size)))]).reshape(size)

    def integers(self, low, high, size):
        return (low + np.floor(self.random(size) * (high - low))).astype(np.int64)

    def uniform(self, low, high, size):
        return low + self.random(size) * (high - low)

    def normal(self, scale, size):
        """Near enough: twelve uniform numbers, less their mean."""
        return scale * (self.random((size, 12)).sum(axis=1) - 6)

    def choice(self, values, size):
        return np.asarray(values)[self.integers(0, len(values), size)]


def odd_words(rng: Stream) -> Graph:
    """Maps of 31 and 33 channels: no row of bits, and no step of time, ends on a word."""
    b = Builder(rng, 40).signal_conv("block1.acc", 31, 5, stride=2, pad=4).threshold("block1.bits").or_pool("block1")
    b.conv("block2.acc", 33, 3, pad=2).threshold("block2.bits").or_pool("block2", 2, 1)
    return b.conv("block3.acc", 5, 2, pad=1).max_pool("block3", 2, 2).prelu_sum().graph("odd_words")


def two_sided(rng: Stream) -> Graph:
    """Intervals as AND-NOT of two pooled maps, read with pads that flips have negated, at stride 2."""
    b = Builder(rng, 50).signal_conv("acc1", 5, 3, pad=2)
    _inside(b, "block1", pooled=True)
    b.conv("acc2", 8, 4, stride=2, pad=3, pad_value=[1, -1, -1, 1, -1])
    _inside(b, "block2", pooled=False)
    return b.conv("acc3", 3, 3, pad=1, pad_value=[-1, 1, -1, -1, 1, 1, 1, -1]).prelu_sum().graph("two_sided")


def _inside(b: Builder, name: str, pooled: bool) -> None:
    """Top map -> two Thresholds (-> two OrPools) -> AndNot."""
    source, sides = b.top, []
    for side, shift in (("lower", -1), ("upper", 2)):
        b.top = source
        step = 2**8 if b.types[source].kind == "int32" else 1
        b.threshold(f"{name}.{side}", b.bounds(special=False) + int16(shift * step))
        if pooled:
            b.or_pool(f"{name}.{side}.pool")
        sides.append(b.top)
    b.add(ops.AndNot(name, tuple(sides)))


def extremes(rng: Stream) -> Graph:
    """ALWAYS, NEVER, bounds that pass 32 bits, bounds beyond the accumulators, a stride larger than the kernel."""
    b = Builder(rng, 45).signal_conv("acc1", 6, 7, pad=6, frac=7)
    b.threshold("block1", int16([ALWAYS, NEVER, 32766, -32767, 0, 1]), frac=0)
    b.conv("acc2", 6, 2, stride=3, pad=1).threshold("block2", int16([-12, 13, 32767, -32768, 0, 2]))
    return b.conv("acc3", 4, 1).prelu_sum(frac=0).graph("extremes")


def ties(rng: Stream) -> Graph:
    """Negative logits of which the largest two are equal, and a Threshold that reads pooled accumulators."""
    b = Builder(rng, 33).signal_conv("acc1", 4, 2, pad=1).max_pool("max1", 4, 3).threshold("block1")
    b.conv("acc2", 3, 5, pad=4).max_pool("max2", 2, 1).threshold("block2", int16([2, 6, 4])).conv("acc3", 4, 3)
    zero, one = int16([0] * 4), int16([0, 0, 0, 1])
    bias = np.array([-9000, -500, -500, -(2**31) + 100], np.int32)
    return b.add(ops.PReluSum("logits", ("acc3",), one, zero, bias, 12)).graph("ties")


def word_edges(rng: Stream) -> Graph:
    """Maps of 32, 64 and 65 channels, one tap wide: whole words, and one bit more."""
    b = Builder(rng, 24).signal_conv("acc1", 32, 4).threshold("block1").conv("acc2", 64, 1).threshold("block2")
    b.or_pool("pool2", 3, 3).conv("acc3", 65, 1).threshold("block3")
    return b.conv("acc4", 2, 2).prelu_sum().graph("word_edges")


def raw_sum(rng: Stream) -> Graph:
    """Logits from the 32-bit accumulators of raw samples, without a single bit between."""
    b = Builder(rng, 30).signal_conv("acc", 3, 5, stride=2, pad=3, frac=2).max_pool("max", 3, 1)
    values = int16([3, -2, 1]), int16([-1, 0, 2]), np.array([5, -(10**6), 7], np.int32)
    return b.add(ops.PReluSum("logits", ("max",), *values, 4)).graph("raw_sum")


CASES: dict[Callable[[Stream], Graph], int] = {
    odd_words: 2,
    two_sided: 1,
    extremes: 0,
    ties: 0,
    word_edges: 0,
    raw_sum: 1,
}
"""Each case with the seed of its stream, chosen so that the windows fall into more than one class where they can."""

STAGED_SEED = 4
"""Of the graph of two stages, which not every backend runs."""


def windows(rng: Stream, length: int) -> np.ndarray:
    """(5, 1, length): two that wander, one that jumps over all of int16, a constant one, and one small step."""
    wander = [1024 + np.cumsum(rng.integers(-60, 61, length)) for _ in range(2)]
    jumps = rng.choice([-32768, 32767, -1, 0, 1024], length)
    flat = np.full(length, -300)
    step = np.where(np.arange(length) < length // 3, 1023, 1025)
    return np.stack([*wander, jumps, flat, step]).astype(np.int16)[:, None]


def expected(graph: Graph, x: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every tensor of every window, by plain loops."""
    runs = [plain.run(graph, {name: batch[i] for name, batch in x.items()}) for i in range(len(next(iter(x.values()))))]
    tensors = {
        name: np.array([run[name] for run in runs]).astype(plain.KINDS[kind.kind])
        for name, kind in check(graph, "target").items()
    }
    last = graph.stages[-1].logits
    tensors["class"] = np.array([plain.first_largest(run[last]) for run in runs], np.int32)
    return tensors


def make(folder: Path) -> None:
    for case, seed in CASES.items():
        rng = Stream(seed)
        graph = case(rng)
        write(graph, {"ecg": windows(rng, graph.signals[0].length)}, folder)
    rng = Stream(STAGED_SEED)
    graph = staged_graph(rng)
    write(graph, {signal.name: epochs(rng, signal) for signal in graph.signals}, folder)


def epochs(rng: Stream, signal: Signal) -> np.ndarray:
    """(3, channels, length): noise of three sizes."""
    noise = [scale * rng.normal(1, signal.channels * signal.length) for scale in (40, 900, 7000)]
    return np.rint(noise).clip(-32768, 32767).astype(np.int16).reshape(3, signal.channels, signal.length)


def write(graph: Graph, x: dict[str, np.ndarray], folder: Path) -> None:
    save(graph, folder / f"{graph.name}.graph")
    write_atomic(folder / f"{graph.name}.vectors.safetensors", to_bytes(expected(graph, x)))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
