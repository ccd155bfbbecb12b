"""Which kernels may write over what they read, and how far ahead of the input their output must begin.

The plain kernels write their output strictly in order, and read a map from step to step of time. So the output
may lie over an input that dies with the step, as long as writing never overtakes reading. The rule
for each kernel stands in its contract in firmware/runtime; here it is counted out.
"""

import numpy as np

from bnn.graph.types import BITS
from codegen.layout import Tensor
from codegen.steps import ALIAS

IN_PLACE = ("max_pool8", "scale_map", "look_up", "norm_rows", "multiply_maps")
"""Kernels that write a value, or a row, when they have read it."""


def leads(steps: tuple, tensors: dict[str, Tensor]) -> dict[tuple[str, str], int]:
    """(output, input) -> words that the output must begin before the input, or lie apart from it.

    A pair that is not listed must not overlap at all.
    """
    root = roots(steps)
    last_use = {root.get(name, name): i for i, step in enumerate(steps) for name in step.inputs}
    found = {}
    for i, step in enumerate(steps):
        for source in (name for name in step.inputs if name in tensors and last_use[root.get(name, name)] == i):
            pair = step.output, root.get(source, source)
            reads = _first_read(step, tensors, source)
            if (lead := lanes_lead(step, tensors[source], tensors[step.output])) is not None:
                found[pair] = lead
            elif reads is not None:
                written = _written(step, tensors[step.output])
                found[pair] = max(0, int((written // 32 - reads // 32).max()))
    return found


def roots(steps: tuple) -> dict[str, str]:
    """Of each tensor that is another by a second name, that other, whose memory it is."""
    found: dict[str, str] = {}
    for step in steps:
        if step.kernel == ALIAS:
            found[step.output] = found.get(step.inputs[0], step.inputs[0])
    return found


def lanes_lead(step, x: Tensor, y: Tensor) -> int | None:
    """Words that the output of a kernel in lanes must begin before its input; None if overlap is ruled out.

    A convolution that pools has read its input when the rows of its output, which fill without margins, move apart.
    A pool reads one row and writes one, in turn.
    """
    if step.kernel == "lanes_conv_pool":
        return y.channels * y.segment
    if step.kernel == "lanes_or_pool":
        return max(y.row, y.channels * (y.row - x.row) + x.row)
    return None


def _written(step, y: Tensor) -> np.ndarray:
    """Bits of the output that may be stored when the last read for time step t happens, (length,).

    A binary convolution copies its window before it writes the step, and those of IN_PLACE have read a value when they
    write it; the others read and write in turn.
    """
    done = np.arange(y.length) + y.margin + (0 if step.kernel.startswith("conv") or step.kernel in IN_PLACE else 1)
    return done * y.channels * BITS[y.type.kind]


def _first_read(step, tensors: dict[str, Tensor], source: str) -> np.ndarray | None:
    """First bit of the input that is read at time step t or later, (length,); None if overlap is ruled out."""
    if step.copy:
        return None
    x, y, node = tensors[source], tensors[step.output], step.nodes[0]
    width = x.channels * BITS[x.type.kind]
    t = np.arange(y.length)
    match step.kernel:
        case "conv_threshold" | "conv_sum":
            return (x.margin - node.pad + t * node.stride) * width
        case "or_pool" | "max_pool8" | "max_pool16" | "max_pool32":
            return (x.margin + t * node.stride) * width
        case "scale_map" | "look_up" | "norm_rows":
            return t * width
        case "multiply_maps":
            return t * width if source == step.inputs[0] != step.inputs[1] else None
    return None
