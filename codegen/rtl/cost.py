"""What a folded layer takes as Verilog, in logic and memory, as estimated; and the folding that takes least."""

from dataclasses import dataclass

from bnn.errors import GraphError
from codegen.folding import Folding, Work, foldings_of, turns, window_cycles

LOGIC_DEPTH = 16
"""Up to so many words, constants go into logic: one 4-input LUT a bit. Deeper ones go into block RAM."""


def cycles(work: Work, folding: Folding) -> int:
    """Cycles between two windows: hw/rtl takes a step in while it works on the window before."""
    return window_cycles(work, folding, overlapped=True)


def in_memory(channels: int, folding: Folding) -> bool:
    """Whether a binary layer reads its windows out of a memory: where a part is a step or a piece of one."""
    return channels % folding.simd == 0


@dataclass(frozen=True, slots=True)
class Logic:
    """Estimate of one folded layer: 4-input LUTs, flip-flops, and bits that go into block RAM."""

    luts: int
    flops: int
    memory_bits: int


def logic(work: Work, folding: Folding) -> Logic:
    """What a fold takes: weights, counting agreeing taps in all lanes, choosing taps from the window, the window."""
    counted = folding.pe * folding.simd
    depth = turns(work, folding)
    in_logic = depth <= LOGIC_DEPTH or (work.width > 1 and not work.moves)
    sums = folding.pe * (work.taps * work.width).bit_length()
    replayed = bool(work.moves) or work.width == 1 and in_memory(work.taps // work.kernel, folding)
    choosing = 0 if replayed or folding.simd == work.taps else 2 * work.taps // 3
    adders = 3 * counted if work.width == 1 else 2 * counted * (work.width + 2)
    luts = adders + 2 * sums + choosing + (counted if in_logic and depth > 1 else 0)
    flops = (60 if replayed else work.taps * work.width) + folding.simd + 2 * counted // 4 * work.width + 2 * sums
    ring = work.taps * work.width if work.moves else 0
    return Logic(luts, flops, ring + (0 if in_logic else counted * depth))


def choose_folding(work: Work, limit: int) -> Folding:
    """The folding with the least logic that takes at most `limit` cycles a window.

    A SignalConv takes all taps at once. Raises GraphError where no folding is fast enough.
    """
    free = work.width == 1 or work.moves
    foldings = [folding for folding in foldings_of(work) if free or folding.simd == work.taps]
    fast = [folding for folding in foldings if cycles(work, folding) <= limit]
    if not fast:
        least = min(cycles(work, folding) for folding in foldings)
        raise GraphError(
            f"{work.name}: takes at least {least} cycles a window, but {limit} were asked for; ask for more"
        )
    return min(fast, key=lambda folding: _price(work, folding))


def _price(work: Work, folding: Folding) -> tuple:
    """Logic first, and a flip-flop that stands alone as half a LUT; then the wider word, which is the simpler one."""
    cost = logic(work, folding)
    return (cost.luts + cost.flops / 2 + cost.memory_bits / 64, -folding.simd)
