"""Instructions and flash of a plan before it is compiled: a linear model of each kernel, fitted to measured counts.

The coefficients stand in predict.json, one table a family of cores; benchmarks/fit_costs.py measures and rewrites them.
Counts are those of zig's -Os. What is predicted chooses among kernels; what a model really costs
is measured by `bnn bench`.
"""

import json
from functools import cache
from pathlib import Path

from bnn.graph.ops import BinaryConv, SignalConv, WindowStats
from codegen import taps
from codegen.files import on_integers
from codegen.lanes import planes, pool_of
from codegen.layout import Tensor, words_of
from codegen.steps import ALIAS, GATE, Step

TABLE = Path(__file__).with_name("predict.json")
FAMILIES = {"cortex-m0": "armv6m", "cortex-m55": "armv8.1m", "rv32imc": "rv32imc"}
"""Of cores; all others count as ARMv7-M, whose table also ranks kernels for the host."""

VECTORS = {"armv8.1m": 4}
"""Of a family with vectors: positions that its convolutions in lanes count at once."""

VECTOR_KERNEL = 4
"""Taps of the shortest kernel for which they do: BNN_VECTOR_TAPS of the runtime."""


def family(target: str) -> str:
    return FAMILIES.get(target, "armv7m")


@cache
def table(name: str) -> dict:
    return json.loads(TABLE.read_text(encoding="utf-8"))[name]


def instructions(step: Step, tensors: dict[str, Tensor], samples: int, name: str) -> int:
    """Predicted instructions of one call on a family of cores; 0 for what is the same in every plan."""
    if is_fixed(step):
        return 0
    weights = table(name)["instructions"][kernel_of(step)]
    counts = features(step, tensors, samples, name)
    return round(sum(weight * count for weight, count in zip(weights, counts, strict=True)))


def is_fixed(step: Step) -> bool:
    """Whether a step has one kernel only, so that there is nothing to choose: a gate, ops on integers."""
    return step.kernel in (GATE, ALIAS) or on_integers(step)


def kernel_of(step: Step) -> str:
    """The name by which the table knows what a step runs: that of the kernel, but for code generated for the layer."""
    return f"{step.kernel} unrolled" if step.taps == "unrolled" else step.kernel


def flash(steps: tuple[Step, ...], files: set[str], constant_bytes: int, name: str) -> int:
    """Predicted bytes of code and constants: the runtime's files, calls and descriptors of the steps, unrolled taps."""
    sizes = table(name)["flash"]
    code = sum(sizes["files"].get(file, 0) for file in files)
    pairs, unrolled = unrolled_sizes(steps)
    code += sizes["pair"] * pairs + sizes["tap"] * unrolled
    return round(sizes["fixed"] + code + constant_bytes + sizes["step"] * len(steps))


def unrolled_sizes(steps: tuple[Step, ...]) -> tuple[int, int]:
    """Pairs of channels, and taps, that are code."""
    sizes = [taps.unrolled_size(step.nodes[0]) for step in steps if step.taps == "unrolled"]
    return sum(pairs for pairs, _ in sizes), sum(count for _, count in sizes)


def features(step: Step, tensors: dict[str, Tensor], samples: int, name: str) -> list[float]:
    """How often the parts of a kernel run on a family of cores: once, per word, per position, in the order of the
    table's weights."""
    y = tensors[step.output]
    x = tensors.get(step.inputs[0])
    size = y.channels * y.length
    node = step.nodes[0] if step.nodes else None
    match node:
        case WindowStats():
            return [1, samples]
        case SignalConv() if step.in_lanes:
            return [1, y.length, y.channels * y.segment, size]
        case SignalConv():
            return [1, y.length, size, size * node.w.shape[1]]
        case BinaryConv() if step.in_lanes:
            return _lanes_conv(step, node, x, y, VECTORS.get(name, 1))
        case BinaryConv():
            taps = words_of(node.w[0].size)
            return [1, y.length, y.length * taps, size, size * taps]
    if step.kernel == "lanes_or_pool":
        return [1, y.channels, y.channels * y.row, y.channels * y.segment * node.kernel]
    if step.in_lanes:
        return [1, y.channels * (y.row if y.in_lanes else 1), size]
    if step.kernel == "or_pool":
        return [1, y.length, y.length * words_of(y.channels), y.length * words_of(y.channels) * node.kernel]
    if step.kernel.startswith("max_pool"):
        return [1, size, size * node.kernel]
    if step.kernel.startswith("prelu_sum"):
        return [1, x.channels, x.channels * x.length]
    return [1, y.length, size]


def _walks(step: Step, kernel: int, segment: int, at_once: int) -> int:
    """How often a convolution in lanes walks its lists: each pass takes so many positions at once. Code takes one."""
    if kernel < VECTOR_KERNEL or step.kernel == "lanes_conv_sum" or step.taps == "unrolled":
        return segment
    passes, rest = divmod(segment, step.positions)
    return passes * -(-step.positions // at_once) - (-rest // at_once)


def _lanes_conv(step: Step, node: BinaryConv, x: Tensor, y: Tensor, at_once: int) -> list[float]:
    """Decoding weights for each pass; lists, words and planes of each position; what is stored."""
    n_out, n_in, kernel = node.w.shape
    quads = [pair.quads for pair in taps.pairs_of(node, step.taps)]
    counted = taps.unrolled_size(node)[1] / 4 if step.taps == "unrolled" else sum(map(sum, quads))
    high = (planes(n_in * kernel) - 4) // 2
    decoded = 0 if step.taps in taps.NOT_DECODED else -(-x.segment // step.positions)
    walks = _walks(step, kernel, x.segment, at_once)
    pool = pool_of(step)
    stored = n_out * y.segment * pool.kernel if pool else y.row * n_out if y.in_lanes else n_out * y.length * (high + 2)
    return [
        1,
        len(quads) * -(-x.segment // step.positions),
        decoded * len(quads),
        decoded * len(quads) * n_in * kernel,
        walks * len(quads),
        walks * counted,
        walks * high * sum(1 + n // 4 for parts in quads for n in parts),
        (x.segment + kernel - 1) * n_in,
        (x.segment + kernel - 1) * (high + 2),
        stored,
    ]
