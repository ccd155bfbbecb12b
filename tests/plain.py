"""The formulas of docs/SPEC.md as plain loops over Python integers: slow, and with nothing to get wrong.

Simulator and backends are tested against this. It shares no arithmetic with bnn.graph.arith or bnn.sim.
Maps are lists of rows, vectors are lists; one window at a time.
"""

from fractions import Fraction
from math import floor, isqrt

import numpy as np

from bnn.graph import Graph, integer_ops, ops

KINDS = {"bit": np.uint8, "int8": np.int8, "int16": np.int16, "int32": np.int32}
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


def int_conv(node, x):
    n_out, n_in, kernel = node.w.shape

    def factor(c, i):
        return x[c][i] if 0 <= i < len(x[0]) else 0

    def acc(o, t):
        start = t * node.stride - node.pad
        return sum(int(node.w[o, c, k]) * factor(c, start + k) for c in range(n_in) for k in range(kernel))

    return table(n_out, steps(len(x[0]), kernel, node.stride, node.pad), acc)


def held(value: int, lo: int = -128, hi: int = 127) -> int:
    return min(max(value, lo), hi)


def scale(node, x):
    def y(c, t):
        wanted = Fraction(int(node.m[c]) * x[c][t] + int(node.b[c]), 2**node.shift)
        return held(round_half_up(wanted), node.lo, node.hi)

    return table(len(x), len(x[0]), y)


def looked_up(node, x):
    return table(len(x), len(x[0]), lambda c, t: int(node.values[x[c][t] + 128]))


def multiply(node, x, g):
    def y(c, t):
        factor = g[c if len(g) > 1 else 0][t if len(g[0]) > 1 else 0]
        return held(round_half_up(Fraction(x[c][t] * factor, 2**node.shift)))

    return table(len(x), len(x[0]), y)


def add(node, a, b):
    return table(len(a), len(a[0]), lambda c, t: a[c][t] * 2**node.left_a + b[c][t] * 2**node.left_b)


def over(node, x, f):
    if node.axis == 0:
        return [[f(row[t] for row in x) for t in range(len(x[0]))]]
    return [[f(row)] for row in x]


def concat(node, *xs):
    return sum(xs, []) if node.axis == 0 else [sum((x[c] for x in xs), []) for c in range(len(xs[0]))]


def reshape(node, x):
    flat = [row[t] for t in range(len(x[0])) for row in x]
    return table(node.channels, len(flat) // node.channels, lambda c, t: flat[t * node.channels + c])


def attention(node, q, k, v):
    d, n = len(q), len(q[0])
    width = d // node.heads

    def weights(h, i):
        score = [sum(q[c][i] * k[c][j] for c in range(h * width, (h + 1) * width)) for j in range(n)]
        place = [round_half_up(Fraction((max(score) - s) * node.m, 2**node.shift)) for s in score]
        return [int(node.exp[min(p, len(node.exp) - 1)]) for p in place]

    def y(c, i):
        e = weights(c // width, i)
        mixed = sum(a * b for a, b in zip(e, v[c], strict=True))
        return round_half_up(Fraction(mixed * (2**30 // sum(e)), 2**30))

    return table(d, n, y)


def layer_norm(node, x):
    n = len(x)

    def y(c, t):
        column = [row[t] for row in x]
        std = max(1, isqrt(n * sum(v * v for v in column) - sum(column) ** 2))
        q = floor(Fraction((n * column[c] - sum(column)) * (2**27 // std), 2**17))
        return held(round_half_up(Fraction(int(node.m[c]) * q + int(node.b[c]), 2**node.shift)))

    return table(n, len(x[0]), y)


def exit_gate(node, x):
    exp, log = ([int(v) for v in values] for values in (node.exp, node.log))

    def distance(v):
        behind = max(x) - v
        d = behind >> node.frac - 10 if node.frac >= 10 else min(behind, 65535) * 2 ** (10 - node.frac)
        return min(d, 64 * (len(exp) - 1))

    def weight(d):
        i, r = divmod(d, 64)
        return exp[i] - ((exp[i] - exp[i + 1]) * r >> 6) if i + 1 < len(exp) else 0

    def logarithm(s):
        k = max(k for k in range(7) if 2 ** (14 + k) <= s)
        j, q = divmod((s >> k) - 2**14, 512)
        return (k * log[32] + log[j] + ((log[min(j + 1, 32)] - log[j]) * q >> 9) + 8) >> 4

    d = [distance(v) for v in x]
    e = [weight(v) for v in d]
    total = sum(e)
    return [total * logarithm(total) + sum(a * b for a, b in zip(e, d, strict=True)), total * logarithm(len(x) * 2**14)]


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
    ops.ExitGate: exit_gate,
    integer_ops.SignConv: int_conv,
    integer_ops.IntConv: int_conv,
    integer_ops.Scale: scale,
    integer_ops.Table: looked_up,
    integer_ops.Multiply: multiply,
    integer_ops.Add: add,
    integer_ops.GlobalMax: lambda node, x: over(node, x, max),
    integer_ops.GlobalSum: lambda node, x: over(node, x, sum),
    integer_ops.Concat: concat,
    integer_ops.Reshape: reshape,
    integer_ops.Attention: attention,
    integer_ops.LayerNorm: layer_norm,
}
