"""How far each convolution is folded, and what that costs: cycles, logic and memory, before any tool has run.

A convolution computes `lanes` of its output channels at once, from `bits` of their taps at a time, so that one position
takes (rows / lanes) (taps / bits) cycles. Layers run side by side as a pipeline; the slowest says how often a
window can come. This module knows neither Verilog nor C++: whoever folds a layer like this takes as many cycles.
"""

from dataclasses import dataclass

from bnn.errors import GraphError

LOGIC_DEPTH = 16
"""Up to so many words, constants go into logic: one 4-input LUT a bit. Deeper ones go into block RAM."""


@dataclass(frozen=True, slots=True)
class Work:
    """One convolution, as its folding sees it.

    rows       output channels
    taps       factors of one output: input channels times kernel
    kernel     time steps of one window
    positions  outputs in time
    steps      input steps, pads included; one enters a cycle
    width      bits of one input value
    """

    name: str
    rows: int
    taps: int
    kernel: int
    positions: int
    steps: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Fold:
    """`lanes` output channels at once, `bits` taps at a time; divisors of the layer's rows and taps."""

    lanes: int
    bits: int


def window_cycles(work: Work, fold: Fold) -> int:
    """Cycles between two windows where nothing else holds the layer up: its positions, and filling its first window."""
    check_fold(work, fold)
    each = (work.rows // fold.lanes) * (work.taps // fold.bits)
    return max(work.positions * each + work.kernel - 1, work.steps)


def check_fold(work: Work, fold: Fold) -> None:
    """GraphError unless the fold divides the layer."""
    for what, whole, part in (("lanes", work.rows, fold.lanes), ("bits", work.taps, fold.bits)):
        if part < 1 or whole % part:
            choices = ", ".join(map(str, divisors(whole)))
            raise GraphError(f"{work.name}: {part} {what} do not divide its {whole}; choose one of {choices}")


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def in_memory(channels: int, fold: Fold) -> bool:
    """Whether a binary layer reads its windows out of a memory: where a part is a step or a piece of one."""
    return channels % fold.bits == 0


@dataclass(frozen=True, slots=True)
class Logic:
    """Estimate of one folded layer: 4-input LUTs, flip-flops, and bits of memory with their width.

    memory_bits are those that go into block RAM, in words of memory_width.
    """

    luts: int
    flops: int
    memory_bits: int
    memory_width: int


def logic(work: Work, fold: Fold) -> Logic:
    """What a fold takes: weights, counting agreeing taps in all lanes, choosing taps from the window, the window."""
    counted = fold.lanes * fold.bits
    depth = (work.rows // fold.lanes) * (work.taps // fold.bits)
    in_logic = depth <= LOGIC_DEPTH or work.width > 1
    sums = fold.lanes * (work.taps * work.width).bit_length()
    replayed = work.width == 1 and in_memory(work.taps // work.kernel, fold)
    choosing = 0 if replayed or fold.bits == work.taps else 2 * work.taps // 3
    adders = 3 * counted if work.width == 1 else 2 * counted * (work.width + 2)
    luts = adders + 2 * sums + choosing + (counted if in_logic and depth > 1 else 0)
    flops = (60 if replayed else work.taps * work.width) + fold.bits + 2 * counted // 4 * work.width + 2 * sums
    return Logic(luts, flops, 0 if in_logic else counted * depth, counted)


def choose_fold(work: Work, cycles: int, splits: bool = True) -> Fold:
    """The fold with the least logic that takes at most `cycles` a window.

    splits   whether taps may be taken in parts
    Raises GraphError where no fold is fast enough.
    """
    parts = divisors(work.taps) if splits else [work.taps]
    folds = [Fold(lanes, bits) for lanes in divisors(work.rows) for bits in parts]
    fast = [fold for fold in folds if window_cycles(work, fold) <= cycles]
    if not fast:
        least = min(window_cycles(work, fold) for fold in folds)
        raise GraphError(
            f"{work.name}: takes at least {least} cycles a window, but {cycles} were asked for; ask for more"
        )
    return min(fast, key=lambda fold: _price(work, fold))


def _price(work: Work, fold: Fold) -> tuple:
    """Logic first, and a flip-flop that stands alone as half a LUT; then the wider word, which is the simpler one."""
    cost = logic(work, fold)
    return (cost.luts + cost.flops / 2 + cost.memory_bits / 64, -fold.bits)
