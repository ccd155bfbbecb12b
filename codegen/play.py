"""A window played through the layers of a stream: how many rows each must keep.

When a layer makes a row depends on numbers of rows alone. So the rules of firmware/runtime/bnn_stream.c are carried out
here without the rows, and how far back each reader looks is noted.
"""

from dataclasses import dataclass

import numpy as np

from bnn.graph.types import TensorType
from codegen.layout import words_of
from codegen.steps import Step


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a layer's row t reads: rows first + t * stride .. + kernel - 1 of the layer `source`, margins counted."""

    source: int
    first: int
    stride: int
    kernel: int


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A layer of the stream. The first is the signal, its rows the centred samples; the last keeps its logits alone.

    step    None for the signal
    type    of the tensor, but for the signal: int32 (1, length)
    length  rows that it makes, or reads in the end
    margin  rows before the map and behind it, each `pad`; None: all 1, or std for the signal
    bits    of a row; 0 where it is not kept
    rows    that are kept
    at      word of the state where they begin
    work    word of the state where `work_words` words of its own begin: bounds and sums, or logits
    skip    layers behind this one that wait as long as it does
    """

    name: str
    step: Step | None
    type: TensorType
    length: int
    reads: tuple[Read, ...]
    margin: int = 0
    pad: np.ndarray | None = None
    bits: int = 0
    rows: int = 0
    at: int = 0
    work: int = 0
    work_words: int = 0
    skip: int = 0

    @property
    def row_words(self) -> int:
        return words_of(self.bits)


def play(lines: list[Line]) -> tuple[list[int], tuple[int, int]]:
    """Rows that each layer must keep; words of the longest strings, of first and second inputs, that must be copied."""
    counts = [line.margin for line in lines]
    looks: set[tuple[int, int, Read]] = set()  # rows looked back, which of the inputs, what is read
    for _ in range(lines[0].length):
        counts[0] += 1
        i = 1
        while i < len(lines):
            i += 1 if _advance(lines, counts, i, looks) else 1 + lines[i].skip
    moved = True
    while moved:
        moved = counts[0] < lines[0].length + 2 * lines[0].margin
        counts[0] += moved
        for i in range(1, len(lines)):
            moved |= _advance(lines, counts, i, looks)
    depths = [line.margin for line in lines]
    for back, _, read in looks:
        depths[read.source] = max(depths[read.source], back)
    views = [0, 0]
    for back, which, read in looks:
        bits = read.kernel * lines[read.source].bits
        if (depths[read.source] - back) * lines[read.source].bits % 32 or (bits % 32 and back > read.kernel):
            views[which] = max(views[which], words_of(bits))
    return depths, tuple(views)


def _advance(lines: list[Line], counts: list[int], i: int, looks: set[tuple[int, int, Read]]) -> bool:
    """As advance() of the runtime."""
    line = lines[i]
    t = counts[i] - line.margin
    if t >= line.length + line.margin:
        return False
    if t < line.length:
        starts = [read.first + t * read.stride for read in line.reads]
        if any(counts[r.source] < start + r.kernel for r, start in zip(line.reads, starts, strict=True)):
            return False
        looks |= {(counts[r.source] - starts[which], which, r) for which, r in enumerate(line.reads)}
    counts[i] += 1
    return True
