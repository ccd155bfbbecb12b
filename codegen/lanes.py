"""Kernels that work in lanes: which steps have one, the segments that make their maps fit each other, their memory.

A word of a map in lanes holds the steps j * segment + i of one channel, j = 0 .. 31. A convolution keeps the segment, a
pool with stride s divides it by s, so the segments of maps that are joined by such steps have fixed ratios.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import ceil, lcm

from bnn.graph.ops import BinaryConv, OrPool, SignalConv
from bnn.graph.types import TensorType
from codegen.layout import words_of
from codegen.steps import LIMIT, Step
from codegen.taps import NOT_DECODED, SOURCES

PASSES = (64, 32, 16, 8, 4, 2, 1)
"""Positions that a convolution may take in one pass over its weights: speed for memory."""

MAX_SIGNAL_KERNEL = 7
"""Taps that the first layer's two groups hold."""

VARIANTS = {
    "signal_conv_threshold": "lanes_signal_threshold",
    "conv_threshold": "lanes_conv_threshold",
    "conv_sum": "lanes_conv_sum",
    "or_pool": "lanes_or_pool",
    "and_not": "lanes_and_not",
}


def has_variant(step: Step) -> bool:
    """Whether a kernel in lanes does what the step does."""
    if step.kernel not in VARIANTS:
        return False
    node = step.nodes[0]
    if isinstance(node, SignalConv):
        return node.w.shape[1] <= MAX_SIGNAL_KERNEL
    return not isinstance(node, BinaryConv) or node.stride == 1


def variant(step: Step) -> Step:
    """The same step by the kernel in lanes."""
    node = step.nodes[0]
    scratch = signal_scratch(len(node.w)) if isinstance(node, SignalConv) else 0
    source = "neighbours" if isinstance(node, BinaryConv) else ""
    return replace(step, kernel=VARIANTS[step.kernel], scratch=scratch, taps=source)


def fused(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps where a convolution does the pool that alone reads its bits, which are then never stored."""
    readers = {name: [step for step in steps if name in step.inputs] for name in (step.output for step in steps)}
    done: list[Step] = []
    for step in steps:
        after = readers[step.output]
        if step.kernel == "lanes_conv_threshold" and [s.kernel for s in after] == ["lanes_or_pool"]:
            step = replace(step, kernel="lanes_conv_pool", nodes=step.nodes + after[0].nodes)
        if step.output not in (earlier.output for earlier in done):
            done.append(step)
    return tuple(done)


def with_positions(step: Step, segment: int, words: int) -> Step:
    """A convolution with the longest passes over its weights, up to the segment, whose scratch takes so many words."""
    fitting = [n for n in PASSES if n <= segment and conv_scratch(step, n) <= words]
    positions = max(fitting, default=1)
    return replace(step, positions=positions, scratch=conv_scratch(step, positions))


def conv_scratch(step: Step, positions: int) -> int:
    """Words of scratch of a binary convolution that takes so many positions in a pass."""
    _, n_in, kernel = step.nodes[0].w.shape
    taps = n_in * kernel
    n = planes(taps) + 1
    held = (positions + 3) * n - 2 + kernel * planes(n_in)
    if pool := pool_of(step):
        held += 2 * positions + 4 * (pool.kernel - 1)
    decoded = 0 if step.taps in NOT_DECODED else 2 * words_of(taps) + words_of(16 * (3 * taps // 4 + 9))
    return held + max(decoded, words_of(16 * 4 * -(-n_in // 4)))


def faster_sources(step: Step) -> tuple[str, ...]:
    """Of taps.SOURCES, those that take more flash than the step's and fewer instructions; code only yields bits."""
    if not step.taps:
        return ()
    able = SOURCES if step.kernel != "lanes_conv_sum" else SOURCES[:-1]
    return able[SOURCES.index(step.taps) + 1 :]


def pool_of(step: Step) -> OrPool | None:
    """The pool that a convolution does."""
    return step.nodes[-1] if step.kernel == "lanes_conv_pool" else None


def planes(count: int) -> int:
    """Bit planes of a counter up to `count`, as bnn_count() takes them: an even number."""
    return max(4, count.bit_length() + count.bit_length() % 2)


def signal_scratch(channels: int) -> int:
    """Words of scratch of the first layer."""
    return 192 + 6 * channels


def ratios(step: Step) -> list[tuple[str, int]]:
    """The maps of bits that a step in lanes joins, each with its segment as a multiple of the shortest."""
    if step.kernel == "lanes_signal_threshold":
        return [(step.output, 1)]
    if step.kernel == "lanes_conv_sum":
        return [(step.inputs[0], 1)]
    if step.kernel in ("lanes_or_pool", "lanes_conv_pool"):
        return [(step.inputs[0], step.nodes[-1].stride), (step.output, 1)]
    return [(name, 1) for name in (*step.inputs, step.output)]


def segments(steps: Iterable[Step], types: dict[str, TensorType]) -> dict[str, int] | Step:
    """The least segments of all maps that steps in lanes read or write; or a step that cannot be in lanes.

    Its ratios contradict those of steps before it, or its maps would be too large for the runtime's structs.
    """
    groups: dict[str, dict[str, Fraction]] = {}
    steps = [step for step in steps if step.in_lanes and not step.copy]
    for step in steps:
        if not _join(groups, ratios(step)):
            return step
    found = {}
    for group in {id(group): group for group in groups.values()}.values():
        found |= _solve(group, steps, types)
    return next((step for step in steps if not _fits(step, found, types)), found)


def _join(groups: dict[str, dict[str, Fraction]], members: list[tuple[str, int]]) -> bool:
    """Put maps into one group, ratios kept; False if they are in one already with other ratios."""
    first, unit = members[0]
    merged = groups.setdefault(first, {first: Fraction(1)})
    for name, ratio in members[1:]:
        wanted = merged[first] * ratio / unit
        other = groups.get(name, {name: Fraction(1)})
        if other is merged:
            if merged[name] != wanted:
                return False
            continue
        scale = wanted / other[name]
        merged.update({key: value * scale for key, value in other.items()})
        groups.update(dict.fromkeys(other, merged))
    return True


def _solve(group: dict[str, Fraction], steps: list[Step], types: dict[str, TensorType]) -> dict[str, int]:
    """The least common scale at which every segment is whole and 32 of them hold the map, and what is made of it."""
    least = {name: words_of(types[name].shape[1]) for name in group}
    for step in steps:
        if step.kernel.startswith("lanes_conv") and (name := step.inputs[0]) in least:
            least[name] = max(least[name], words_of(types[step.nodes[0].name].shape[1]))
    unit = lcm(*(ratio.denominator for ratio in group.values()))
    scale = unit * max(ceil(least[name] / (ratio * unit)) for name, ratio in group.items())
    return {name: int(ratio * scale) for name, ratio in group.items()}


def _fits(step: Step, found: dict[str, int], types: dict[str, TensorType]) -> bool:
    """Whether rows fit the structs, and what a convolution reads its offsets of 16 bits."""
    if any(found[name] > LIMIT // 2 for name, _ in ratios(step)):
        return False
    node = step.nodes[0]
    if not isinstance(node, BinaryConv):
        return True
    n_out, n_in, kernel = node.w.shape
    # Other readers of the map may want wider margins; three kernels more than cover those of most graphs.
    return (n_in + 1) * (found[step.inputs[0]] + 3 * kernel + 64) <= LIMIT and n_out < LIMIT
