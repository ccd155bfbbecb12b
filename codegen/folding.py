"""How far a convolution is folded, whatever the language: what divides it, and the cycles that it takes for a window.

As in FINN's matrix-vector unit, a convolution computes `pe` of its output channels at once, each from `simd` of its
taps at a time, so that one position takes (rows / pe) (taps / simd) cycles. Layers run side by side as a pipeline; the
slowest says how often a window can come. What a folding costs in cells is up to the language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd

from bnn.errors import GraphError
from bnn.graph.integer_ops import SignConv
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv, SignalConv
from bnn.graph.types import TensorType


@dataclass(frozen=True, slots=True)
class Folding:
    """Of a convolution: output channels at once, and taps of each at once. They divide channels and taps."""

    pe: int = 1
    simd: int = 1

    def __str__(self) -> str:
        return f"{self.pe},{self.simd}"


@dataclass(frozen=True, slots=True)
class Work:
    """One convolution, as its folding sees it.

    rows       output channels
    taps       factors of one output: input channels times kernel
    kernel     time steps of one window
    positions  outputs in time
    steps      input steps, pads included; one enters a cycle
    width      bits of one input value
    moves      values that a position moves on by, where SIMD has to divide them, too; else 0
    """

    name: str
    rows: int
    taps: int
    kernel: int
    positions: int
    steps: int
    width: int = 1
    moves: int = 0


def works_of(nodes: Iterable[Node], types: dict[str, TensorType]) -> dict[str, Work]:
    """The convolutions among `nodes`, by name, in their order."""
    return {node.name: _work(node, types) for node in nodes if isinstance(node, SignalConv | SignConv | BinaryConv)}


def _work(node: SignalConv | SignConv | BinaryConv, types: dict[str, TensorType]) -> Work:
    kernel, (_, length) = node.w.shape[-1], types[node.inputs[0]].shape
    width = 17 + node.frac if isinstance(node, SignalConv) else 1
    positions, moves = types[node.name].shape[1], 0
    if isinstance(node, SignConv):
        width, moves = types[node.inputs[0]].signed_bits, node.w.shape[1] * node.stride
    return Work(node.name, len(node.w), node.w[0].size, kernel, positions, length + 2 * node.pad, width, moves)


def turns(work: Work, folding: Folding) -> int:
    """Cycles for one position; also how many words the memory of weights has."""
    return (work.rows // folding.pe) * (work.taps // folding.simd)


def window_cycles(work: Work, folding: Folding, *, overlapped: bool) -> int:
    """Cycles between two windows where nothing else holds the layer up.

    overlapped  steps enter while the window before them is worked on, as in the Verilog: only the steps that fill the
                first window take cycles of their own. Otherwise, as in the HLS loops, each step that completes no
                window takes one. With a stride of 1 both are the same.
    """
    busy = work.positions * turns(work, folding)
    return max(busy + work.kernel - 1, work.steps) if overlapped else busy + work.steps - work.positions


def foldings_of(work: Work) -> list[Folding]:
    """All that divide, from one lane and one tap up."""
    return [Folding(pe, simd) for pe in divisors(work.rows) for simd in _simds(work)]


LEAST_WORDS = 3
"""Of a ring: the newest step is written in a word that is not read before two turns have passed."""


def _simds(work: Work) -> list[int]:
    """What SIMD may be. A window in a ring of memory moves by whole words, takes a step into one, and has several."""
    if not work.moves:
        return divisors(work.taps)
    step = work.taps // work.kernel
    return [n for n in divisors(gcd(work.taps, work.moves)) if n % step == 0 and work.taps >= LEAST_WORDS * n]


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def check_foldings(works: dict[str, Work], foldings: dict[str, Folding]) -> None:
    """GraphError for a name that is no convolution's, and for a folding that does not divide."""
    for name, folding in foldings.items():
        if name not in works:
            raise GraphError(f"folding of {name}: no such convolution; there are {', '.join(works)}")
        work = works[name]
        for what, value, whole, able, of in (
            ("PE", folding.pe, work.rows, divisors(work.rows), "output channels"),
            ("SIMD", folding.simd, work.taps, _simds(work), "taps"),
        ):
            if value not in able:
                raise GraphError(
                    f"folding of {name}: {what} is {value}, which does not divide the {whole} {of}; "
                    f"choose one of {', '.join(map(str, able))}"
                )
