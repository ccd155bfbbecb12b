"""Where each buffer lies in the one static arena, so that buffers that live together never meet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

SHUFFLES = 500
"""Orders tried beyond the usual ones, until the lower bound is met."""


@dataclass(frozen=True, slots=True)
class Block:
    """A buffer of `words` words, needed from step `first` to step `last`, both included."""

    name: str
    words: int
    first: int
    last: int

    def lives_with(self, other: "Block") -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Memory:
    """offsets  first word of every block
    words        size of the arena
    lower_bound  words that no arrangement can do without: the fullest step, overlaps taken off
    """

    offsets: dict[str, int]
    words: int
    lower_bound: int


Leads = Mapping[tuple[str, str], int]


def place(blocks: list[Block], leads: Leads) -> Memory:
    """Give every block the lowest free offset, the largest first; then try other orders, and keep the best.

    leads  (output, input) -> words: the two may overlap where the output begins at least so many words
           before the input. Other blocks that live at one step are kept apart.

    The result depends on the arguments alone: the shuffled orders come from a fixed seed.
    """
    bound = _lower_bound(blocks, leads)
    best, words = {}, None
    for order in _orders(blocks):
        offsets = _place_in_order(order, leads)
        size = max((offsets[b.name] + b.words for b in blocks), default=0)
        if words is None or size < words:
            best, words = offsets, size
        if words == bound:
            break
    return Memory({block.name: best[block.name] for block in blocks}, words, bound)


def _orders(blocks: list[Block]) -> Iterator[list[Block]]:
    by_size = sorted(blocks, key=lambda b: (-b.words, b.first, b.name))
    yield by_size
    yield sorted(blocks, key=lambda b: (b.first, -b.words, b.name))
    yield sorted(blocks, key=lambda b: (-b.last, -b.words, b.name))
    shuffle = Random(0).shuffle
    for _ in range(SHUFFLES):
        order = by_size.copy()
        shuffle(order)
        yield order


def _place_in_order(order: list[Block], leads: Leads) -> dict[str, int]:
    offsets: dict[str, int] = {}
    placed: list[Block] = []
    for block in order:
        neighbours = [other for other in placed if block.lives_with(other)]
        offset = 0
        for low, high in sorted(_forbidden(block, other, offsets[other.name], leads) for other in neighbours):
            if low < offset < high:
                offset = high
        offsets[block.name] = offset
        placed.append(block)
    return offsets


def _forbidden(block: Block, other: Block, at: int, leads: Leads) -> tuple[int, int]:
    """(low, high): the offsets low < offset < high that `block` must not have while `other` lies at `at`."""
    low, high = at - block.words, at + other.words
    if (lead := leads.get((block.name, other.name))) is not None:
        return max(low, at - lead), high
    if (lead := leads.get((other.name, block.name))) is not None:
        return low, min(high, at + lead)
    return low, high


def _lower_bound(blocks: list[Block], leads: Leads) -> int:
    """The fullest step: words alive, less what each pair that may overlap can save at best."""
    size = {block.name: block.words for block in blocks}
    saved = {pair: sum(size.get(name, 0) for name in pair) - _union(pair, size, lead) for pair, lead in leads.items()}
    fullest = max((b.words for b in blocks), default=0)
    for step in range(max((b.last for b in blocks), default=-1) + 1):
        alive = {b.name: b for b in blocks if b.first <= step <= b.last}
        gain = sum(gain for pair, gain in saved.items() if alive.keys() >= set(pair))
        fullest = max(fullest, sum(b.words for b in alive.values()) - gain)
    return fullest


def _union(pair: tuple[str, str], size: dict[str, int], lead: int) -> int:
    """Words that an output and the input it overlaps take together."""
    out, source = (size.get(name, 0) for name in pair)
    return min(out + source, max(out, min(lead, out) + source))
