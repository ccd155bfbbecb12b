"""One function per op: the definition of right. Every backend equals these, bit for bit.

Arrays have a leading batch axis: bits are uint8 0 or 1 in (n, channels, length), integers are
int64 or narrower. Sums run through float matrix products where a float holds them exactly.
"""

from functools import singledispatch

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bnn.graph import gate, ops
from bnn.graph.arith import scaled_bound, window_stats


@singledispatch
def evaluate(node: ops.Node, *inputs: np.ndarray) -> np.ndarray:
    """The node's output for a batch of inputs."""
    raise NotImplementedError(f"{type(node).__name__} has no simulator function")


@evaluate.register
def _(node: ops.Slice, x):
    return x[:, :, node.first : node.first + node.length]


@evaluate.register
def _(node: ops.WindowStats, x):
    return window_stats(x[:, 0], node.frac)


@evaluate.register
def _(node: ops.SignalConv, x, stats):
    mean, std = (stats[:, i, None, None].astype(np.int64) for i in (0, 1))
    d = (x.astype(np.int64) << node.frac) - mean
    edge = np.broadcast_to(std, (len(x), 1, node.pad))
    return correlate(np.concatenate([edge, d, edge], axis=2), node.w[:, None, :], node.stride, np.float64)


@evaluate.register
def _(node: ops.BinaryConv, x):
    edge = np.broadcast_to(node.pad_value[None, :, None] > 0, (len(x), x.shape[1], node.pad))
    signs = 2 * np.concatenate([edge, x, edge], axis=2).astype(np.int8) - 1
    # A float32 holds every integer up to 2**24, and the checker keeps sums below 2**15.
    return correlate(signs, node.w, node.stride, np.float32)


def correlate(x: np.ndarray, w: np.ndarray, stride: int, exact: type) -> np.ndarray:
    """acc[n, o, t] = sum_ck w[o, c, k] * x[n, c, t * stride + k] as int32.

    x (n, c, length), w (o, c, k) integers; `exact` is a float type that holds every partial sum.
    """
    n_out, _, kernel = w.shape
    windows = sliding_window_view(x.astype(exact), kernel, axis=2)[:, :, ::stride]  # (n, c, t, k)
    columns = windows.transpose(0, 1, 3, 2).reshape(len(x), -1, windows.shape[2])  # (n, c * k, t)
    return np.matmul(w.reshape(n_out, -1).astype(exact), columns).astype(np.int32)


def bounds(t: np.ndarray, frac: int, stats: tuple[np.ndarray, ...]) -> np.ndarray:
    """The integers that Threshold and Interval compare with, (1 or n, channels, 1)."""
    bound = scaled_bound(t, stats[0][:, 1], frac) if stats else t.astype(np.int64)[None]
    return bound[:, :, None]


@evaluate.register
def _(node: ops.Threshold, x, *stats):
    return (x >= bounds(node.t, node.frac, stats)).astype(np.uint8)


@evaluate.register
def _(node: ops.Interval, x, *stats):
    inside = (x >= bounds(node.lower, node.frac, stats)) & ~(x >= bounds(node.upper, node.frac, stats))
    return (inside ^ (node.flip > 0)[None, :, None]).astype(np.uint8)


@evaluate.register
def _(node: ops.MaxPool, x):
    return pool(x, node.kernel, node.stride)


@evaluate.register
def _(node: ops.OrPool, x):
    return pool(x, node.kernel, node.stride)


def pool(x: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """The largest of `kernel` neighbours, every `stride`. x (n, channels, length)."""
    last = x.shape[2] - kernel + 1
    best = x[:, :, :last:stride]
    for j in range(1, kernel):
        best = np.maximum(best, x[:, :, j : j + last : stride])
    return best


@evaluate.register
def _(node: ops.AndNot, a, b):
    return a & (1 - b)


@evaluate.register
def _(node: ops.Flip, x):
    return x ^ (node.flip > 0).astype(np.uint8)[None, :, None]


@evaluate.register
def _(node: ops.PReluSum, x):
    x = x.astype(np.int64)
    up, down = np.maximum(x, 0).sum(axis=2), np.minimum(x, 0).sum(axis=2)
    return (node.rise * up + node.fall * down + node.bias).astype(np.int32)


@evaluate.register
def _(node: ops.ExitGate, x):
    return gate.entropy(x, node.frac, node.exp, node.log)
