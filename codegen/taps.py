"""Which taps of a convolution in lanes are counted: two output channels together, as bnn_lanes_conv.c derives it.

The weights of two channels part the taps into four classes, by the two signs. The largest is not counted at all, since
either channel may count its taps of weight +1 or those of weight -1; one of the other three is counted once for both.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from bnn.graph.ops import BinaryConv
from codegen.layout import words_of

SOURCES = ("neighbours", "matched", "listed", "unrolled")
"""Output channels go together as they come, or as an order in flash says; or the taps of such pairs are listed in
flash, and not decoded from the weights; or they are code, which only a convolution to bits can have. Each takes more
flash than the one before, and fewer instructions."""

NOT_DECODED = ("listed", "unrolled")

PAIR_BYTES = 16
"""Of the runtime's struct bnn_taps."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two output channels, the same one twice where there is no second.

    parts    taps that both, the first and the second count, in the order of a row of weights: k * channels + c
    flip     bit i: channel i counts its taps of weight -1
    balance  weights +1 less weights -1, of either
    """

    channels: tuple[int, int]
    parts: tuple[np.ndarray, np.ndarray, np.ndarray]
    flip: int
    balance: tuple[int, int]

    @property
    def quads(self) -> tuple[int, int, int]:
        """Of words that are counted for each part: lists are filled up to whole ones."""
        return tuple(-(-len(part) // 4) for part in self.parts)


def rows_of(node: BinaryConv) -> np.ndarray:
    """(n_out, taps) bool, whether a weight is +1; tap (c, k) is number k * channels + c."""
    return (node.w > 0).transpose(0, 2, 1).reshape(len(node.w), -1)


def pairs_of(node: BinaryConv, source: str) -> list["Pair"]:
    """Output channels that go together; of SOURCES."""
    return neighbours(node) if source == "neighbours" else matched(node)


@lru_cache(maxsize=64)
def neighbours(node: BinaryConv) -> list[Pair]:
    """Channel 0 with 1, 2 with 3 and so on, as the runtime pairs them when it decodes weights."""
    rows = rows_of(node)
    return [_pair(rows, a, min(a + 1, len(rows) - 1)) for a in range(0, len(rows), 2)]


@lru_cache(maxsize=64)
def matched(node: BinaryConv) -> list[Pair]:
    """Pairs chosen so that few words are counted: the closest channels first, then exchanges as long as they help."""
    rows = rows_of(node)
    cost = _costs(rows)
    pairs = _closest_first(cost)
    improved = True
    while improved:
        improved = any([_exchange(pairs, i, j, cost) for i, j in combinations(range(len(pairs)), 2)])
    return [_pair(rows, a, b) for a, b in sorted(pairs)]


def _pair(rows: np.ndarray, a: int, b: int) -> Pair:
    kind = rows[a] + 2 * rows[b]
    out = int(np.argmax(np.bincount(kind, minlength=4)))  # the first of the largest, as in bnn_decode_taps()
    parts = tuple(np.flatnonzero(kind == out ^ other) for other in (3, 1, 2))
    balance = tuple(2 * int(rows[o].sum()) - rows.shape[1] for o in (a, b))
    return Pair((a, b), parts, out, balance)


def _costs(rows: np.ndarray) -> np.ndarray:
    """(n_out, n_out) quads that two channels take together."""
    r = rows.astype(np.int64)
    ones = r.sum(axis=1)
    both = r @ r.T
    first, second = ones[:, None] - both, ones[None, :] - both
    size = np.stack([rows.shape[1] - both - first - second, first, second, both])
    quads = -(-size // 4)
    return quads.sum(axis=0) - np.take_along_axis(quads, size.argmax(axis=0)[None], 0)[0]


def _closest_first(cost: np.ndarray) -> list[tuple[int, int]]:
    left = list(range(len(cost)))
    pairs = []
    while len(left) > 1:
        among = cost[np.ix_(left, left)] + np.where(np.eye(len(left), dtype=bool), cost.max() + 1, 0)
        i, j = sorted(np.unravel_index(among.argmin(), among.shape))
        pairs.append((left[i], left[j]))
        left = [o for k, o in enumerate(left) if k not in (i, j)]
    return pairs + [(o, o) for o in left]


def _exchange(pairs: list[tuple[int, int]], i: int, j: int, cost: np.ndarray) -> bool:
    """Let two pairs exchange partners where that saves something."""
    (a, b), (c, d) = pairs[i], pairs[j]
    for first, second in (((a, c), (b, d)), ((a, d), (b, c))):
        if (c == d or a == b) or cost[first] + cost[second] >= cost[a, b] + cost[c, d]:
            continue
        pairs[i], pairs[j] = tuple(sorted(first)), tuple(sorted(second))
        return True
    return False


def offsets(pair: Pair, channels: int, row: int) -> np.ndarray:
    """The pair's lists, one after the other, as offsets of words in a map whose rows have so many; uint16."""
    found = []
    for part, quads in zip(pair.parts, pair.quads, strict=True):
        filled = np.full(4 * quads, channels * row)
        filled[: len(part)] = part % channels * row + part // channels
        found.append(filled)
    return np.concatenate(found).astype(np.uint16)


def unrolled_size(node: BinaryConv) -> tuple[int, int]:
    """Pairs, and taps that they count, of which unrolled code is made."""
    pairs = matched(node)
    return len(pairs), sum(len(part) for pair in pairs for part in pair.parts)


def order(node: BinaryConv) -> np.ndarray:
    """(n_out,) uint16, the channels of all matched pairs, one without a partner last."""
    pairs = sorted((pair.channels for pair in matched(node)), key=lambda ends: ends[0] == ends[1])
    return np.array([o for ends in pairs for o in dict.fromkeys(ends)], np.uint16)


def constant_bytes(node: BinaryConv, source: str) -> int:
    """What tells the taps: weights, with an order or without, or lists; without the code of unrolled ones."""
    if source in NOT_DECODED:
        pairs = matched(node)
        lists = 8 * sum(sum(pair.quads) for pair in pairs) if source == "listed" else 4 * len(pairs)
        return PAIR_BYTES * len(pairs) + lists
    return 4 * words_of(node.w.size) + (2 * len(node.w) if source == "matched" else 0)
