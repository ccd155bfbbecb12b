"""The formulas of docs/SPEC.md as plain loops over Python integers: slow, and with nothing to get wrong.

Simulator and backends are tested against this. It shares no arithmetic with bnn.graph.arith or bnn.sim.
Maps are lists of rows, vectors are lists; one window at a time.
"""

from fractions import Fraction
from math import floor, isqrt

import numpy as np

from bnn.graph import Graph, ops

KINDS = {"bit": np.uint8, "int16": np.int16, "int32": np.int32}
ALWAYS, NEVER = -32768, 32767


def run(graph: Graph, signals: dict[str, np.ndarray]) -> dict[str, list]:
    """Every tensor for one window; signals are (channels, length) arrays."""
    tensors = {name: [[int(v) for v in row] for row in x] for name, x in signals.items()}
    for node in graph.nodes():
        tensors[node.name] = RULES[type(node)](node, *(tensors[source] for source in node.inputs))
    return tensors


def first_largest(logits: list[int]) -> int:
    return logits.index(max(logits))


def round_half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def sign(bit: int) -> int:
    return 1 if bit == 1 else -1


def part(node, x):
    return table(len(x), node.length, lambda c, t: x[c][node.first + t])


def window_stats(node, x):
    (row,) = x
    n = len(row)
    mean = Fraction(sum(row), n)
    variance = sum((v - mean) ** 2 for v in row) / n
    return [round_half_up(mean * 2**node.frac), max(1, root(variance * 4**node.frac))]


def root(value: Fraction) -> int:
    """The largest integer whose square is not above `value`."""
    s = isqrt(value.numerator // value.denominator)
    assert s * s <= value < (s + 1) * (s + 1)
    return s


def signal_conv(node, x, stats):
    (row,), (mean, std) = x, stats
    n_out, kernel = node.w.shape

    def d(i):
        return 2**node.frac * row[i] - mean if 0 <= i < len(row) else std

    def acc(o, t):
        return sum(int(node.w[o, k]) * d(t * node.stride + k - node.pad) for k in range(kernel))

    return table(n_out, steps(len(row), kernel, node.stride, node.pad), acc)


def binary_conv(node, x):
    n_out, n_in, kernel = node.w.shape
    n = len(x[0])

    def factor(c, i):
        return sign(x[c][i]) if 0 <= i < n else int(node.pad_value[c])

    def acc(o, t):
        start = t * node.stride - node.pad
        return sum(int(node.w[o, c, k]) * factor(c, start + k) for c in range(n_in) for k in range(kernel))

    return table(n_out, steps(n, kernel, node.stride, node.pad), acc)


def reaches(value: int, t: int, frac: int, stats: list) -> bool:
    """value >= bound, by the exact quotient instead of a bound."""
    if not stats:
        return value >= t
    if t in (ALWAYS, NEVER):
        return t == ALWAYS
    return Fraction(value, stats[0][1]) >= Fraction(t, 2**frac)


def threshold(node, x, *stats):
    return table(len(x), len(x[0]), lambda c, t: int(reaches(x[c][t], int(node.t[c]), node.frac, stats)))


def interval(node, x, *stats):
    def y(c, t):
        above = reaches(x[c][t], int(node.lower[c]), node.frac, stats)
        beyond = reaches(x[c][t], int(node.upper[c]), node.frac, stats)
        return int((above and not beyond) != (node.flip[c] == 1))

    return table(len(x), len(x[0]), y)


def pool(node, x):
    def y(c, t):
        return max(x[c][t * node.stride + j] for j in range(node.kernel))

    return table(len(x), steps(len(x[0]), node.kernel, node.stride, 0), y)


def and_not(node, a, b):
    return table(len(a), len(a[0]), lambda c, t: int(a[c][t] == 1 and b[c][t] == 0))


def flip(node, x):
    return table(len(x), len(x[0]), lambda c, t: 1 - x[c][t] if node.flip[c] == 1 else x[c][t])


def prelu_sum(node, x):
    rise, fall, bias = (array.tolist() for array in (node.rise, node.fall, node.bias))
    return [
        rise[c] * sum(v for v in row if v > 0) + fall[c] * sum(v for v in row if v < 0) + bias[c]
        for c, row in enumerate(x)
    ]


def steps(n: int, kernel: int, stride: int, pad: int) -> int:
    """Windows of `kernel` that fit into n + 2 pad, counted."""
    return sum(1 for start in range(0, n + 2 * pad, stride) if start + kernel <= n + 2 * pad)


def table(channels: int, length: int, f) -> list[list[int]]:
    return [[f(c, t) for t in range(length)] for c in range(channels)]


RULES = {
    ops.Slice: part,
    ops.WindowStats: window_stats,
    ops.SignalConv: signal_conv,
    ops.BinaryConv: binary_conv,
    ops.Threshold: threshold,
    ops.Interval: interval,
    ops.MaxPool: pool,
    ops.OrPool: pool,
    ops.AndNot: and_not,
    ops.Flip: flip,
    ops.PReluSum: prelu_sum,
}
