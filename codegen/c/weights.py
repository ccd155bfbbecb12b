"""Weights as the kernels of a stream read them: firmware/runtime/bnn_stream.h."""

import numpy as np

from codegen.c.text import pack
from codegen.layout import words_of

GROUP = 4
"""Taps of the first layer whose signs share a byte: GROUP in firmware/runtime/bnn_stream_signal.c."""


def signs(w: np.ndarray) -> np.ndarray:
    """(n_out, kernel) of -1 and +1 -> for each GROUP of taps a byte a channel, the first tap lowest; uint8."""
    bits = (w > 0).astype(np.uint8)
    groups = [bits[:, k : k + GROUP] for k in range(0, bits.shape[1], GROUP)]
    return np.concatenate([(g << np.arange(g.shape[1], dtype=np.uint8)).sum(axis=1) for g in groups]).astype(np.uint8)


def aligned(w: np.ndarray) -> np.ndarray:
    """(n_out, n_in, kernel) of -1 and +1 -> rows of words, time-major as in memory, each beginning at a word."""
    return np.concatenate([pack(row) for row in (w > 0).transpose(0, 2, 1)])


def planes(taps: int) -> int:
    """Bit planes of a counter that begins at up to 2^p and takes `taps` < 2^p more: p + 1, at least 5."""
    return max(taps.bit_length(), 4) + 1


def columns(w: np.ndarray, t: np.ndarray) -> np.ndarray:
    """(n_out, n_in, kernel) of -1 and +1 with bounds (n_out,) -> what bnn_row_conv reads.

    acc = taps - 2 m >= t says m <= (taps - t) / 2 for the mismatches m, so a counter that begins at
    2^p - 1 - floor((taps - t) / 2) stays below 2^p exactly then; it begins between 0, always, and 2^p, never.
    """
    n_out, taps = len(w), w[0].size
    top = 1 << (planes(taps) - 1)
    begin = np.clip(top - 1 - (taps - t.astype(np.int64)) // 2, 0, top)
    counters = (begin[:, None] >> np.arange(planes(taps))) & 1  # (n_out, planes)
    bits = np.concatenate([counters, (w > 0).transpose(0, 2, 1).reshape(n_out, taps)], axis=1)
    padded = np.zeros((32 * words_of(n_out), bits.shape[1] + -taps % 16), np.uint8)
    padded[:n_out, : bits.shape[1]] = bits
    return np.concatenate([pack(group.T) for group in padded.reshape(-1, 32, padded.shape[1])])
