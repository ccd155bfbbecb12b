"""The ops of bnn.graph.integer_ops on batches: int8 and wider in (n, channels, length)."""

from math import isqrt

import numpy as np

from bnn.graph import integer_ops as ops
from bnn.graph.arith import round_div
from bnn.sim.ops import correlate, evaluate


def to_int8(values: np.ndarray, lo: int, hi: int) -> np.ndarray:
    return np.clip(values, lo, hi).astype(np.int8)


def shifted(values: np.ndarray, shift: int) -> np.ndarray:
    """values / 2**shift, rounded."""
    return round_div(values, 1 << shift)


@evaluate.register(ops.SignConv)
@evaluate.register(ops.IntConv)
def _(node, x):
    padded = np.pad(x, ((0, 0), (0, 0), (node.pad, node.pad)))
    return correlate(padded, node.w, node.stride, np.float64)


@evaluate.register
def _(node: ops.Scale, x):
    m, b = (a.astype(np.int64)[:, None] for a in (node.m, node.b))
    return to_int8(shifted(m * x + b, node.shift), node.lo, node.hi)


@evaluate.register
def _(node: ops.Table, x):
    return node.values[x.astype(np.int64) + 128]


@evaluate.register
def _(node: ops.Multiply, x, g):
    return to_int8(shifted(x.astype(np.int64) * g, node.shift), *ops.INT8)


@evaluate.register
def _(node: ops.Add, a, b):
    return (a.astype(np.int32) << node.left_a) + (b.astype(np.int32) << node.left_b)


@evaluate.register
def _(node: ops.GlobalMax, x):
    return x.max(axis=1 + node.axis, keepdims=True)


@evaluate.register
def _(node: ops.GlobalSum, x):
    return x.sum(axis=1 + node.axis, keepdims=True, dtype=np.int32)


@evaluate.register
def _(node: ops.Concat, *xs):
    return np.concatenate(xs, axis=1 + node.axis)


@evaluate.register
def _(node: ops.Reshape, x):
    return x.transpose(0, 2, 1).reshape(len(x), -1, node.channels).transpose(0, 2, 1)


@evaluate.register
def _(node: ops.Attention, q, k, v):
    q, k, v = (x.astype(np.int64).reshape(len(x), node.heads, -1, x.shape[2]) for x in (q, k, v))
    score = np.einsum("nhci,nhcj->nhij", q, k)
    place = shifted((score.max(axis=3, keepdims=True) - score) * node.m, node.shift)
    e = node.exp.astype(np.int64)[np.minimum(place, len(node.exp) - 1)]
    mixed = np.einsum("nhij,nhcj->nhci", e, v)
    inverse = (1 << 30) // e.sum(axis=3)
    y = shifted(mixed * inverse[:, :, None, :], 30)
    return y.reshape(len(y), -1, y.shape[3]).astype(np.int8)


@evaluate.register
def _(node: ops.LayerNorm, x):
    x = x.astype(np.int64)
    n = x.shape[1]
    total = x.sum(axis=1, keepdims=True)
    spread = n * (x * x).sum(axis=1, keepdims=True) - total * total
    std = np.vectorize(lambda v: max(1, isqrt(int(v))), otypes=[np.int64])(spread)
    q = (n * x - total) * ((1 << ops.ROOT_BITS) // std) >> (ops.ROOT_BITS - ops.Q_BITS)
    m, b = (a.astype(np.int64)[:, None] for a in (node.m, node.b))
    return to_int8(shifted(m * q + b, node.shift), *ops.INT8)
