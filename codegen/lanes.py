"""Memory of the kernels that work in lanes: what their contracts in firmware/runtime ask for."""

from bnn.graph.ops import BinaryConv
from codegen.layout import words_of

PASS = 16
"""BNN_LANES_PASS of firmware/runtime/bnn_lanes.h."""

MAX_SIGNAL_KERNEL = 8
"""Taps that the first layer's two groups hold."""


def conv_scratch(node: BinaryConv) -> int:
    """Words of scratch of a binary convolution."""
    _, n_in, kernel = node.w.shape
    taps = n_in * kernel
    n, n_sum = max(4, taps.bit_length()) + 1, max(4, n_in.bit_length())
    return (PASS + 3) * n + kernel * n_sum + 2 * words_of(taps) + words_of(16 * (taps + 24))


def signal_scratch(channels: int) -> int:
    """Words of scratch of the first layer."""
    return 512 + channels
