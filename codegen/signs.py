"""How a SignConv is cut up: its taps go in blocks, whose sums four by four lie in tables (bnn_sign_conv.c)."""

from dataclasses import dataclass

from bnn.graph.integer_ops import SignConv
from codegen.layout import words_of

SUM_WORDS = 768
"""Words of tables that a SignConv may take, unless one block of a word of signs takes more."""

GROUP, SUMS, POSITIONS = 4, 16, 4
"""Taps of a table, its entries, and positions that one look at the weights serves: as in bnn_sign_conv.c."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """block  taps at a time
    shared    whether the windows of neighbouring steps use the same tables
    sums      words of all tables
    """

    block: int
    shared: bool
    sums: int


def blocks_of(node: SignConv) -> Blocks:
    """As few blocks as the words for tables allow."""
    _, n_in, kernel = node.w.shape
    taps, step = n_in * kernel, n_in * node.stride
    if taps % GROUP == 0 and step % GROUP == 0:
        room = SUM_WORDS // SUMS * GROUP - (POSITIONS - 1) * step
        block = taps if taps <= room else room // 32 * 32
        if block > step:
            return Blocks(block, True, (block + (POSITIONS - 1) * step) // GROUP * SUMS)
    block = min(taps, 32)
    return Blocks(block, False, POSITIONS * -(-block // GROUP) * SUMS)


def sign_words(node: SignConv) -> int:
    """Words of its weights: each block of a channel begins one."""
    taps, block = node.w[0].size, blocks_of(node).block
    whole, rest = divmod(taps, block)
    return len(node.w) * (whole * words_of(block) + words_of(rest))
