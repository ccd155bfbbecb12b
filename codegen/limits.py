"""Thresholds of a binary convolution as kernels store them: limits on mismatches, a byte where they fit."""

import numpy as np

from bnn.graph.ops import BinaryConv, Threshold

ONE_BYTE_TAPS = 254
"""With more taps a limit takes two bytes: BNN_ONE_BYTE_TAPS in firmware/runtime/bnn_runtime.h."""


def limits(conv: BinaryConv, threshold: Threshold) -> np.ndarray:
    """Of every channel, in order: uint8, one byte or, above ONE_BYTE_TAPS, two, the low one first.

    acc = taps - 2 m >= t says m < floor((taps - t) / 2) + 1 for the mismatches m; the limit is held between 0, never,
    and taps + 1, always.
    """
    taps = conv.w[0].size
    limit = np.clip((taps - threshold.t.astype(np.int64)) // 2 + 1, 0, taps + 1)
    return limit.astype("u1" if taps <= ONE_BYTE_TAPS else "<u2").view(np.uint8)
