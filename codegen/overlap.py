"""Which kernels may write over what they read, and how far ahead of the input their output must begin.

The plain kernels write their output strictly in order, and read a map from step to step of time. So the output
may lie over an input that dies with the step, as long as writing never overtakes reading. The rule
for each kernel stands in its contract in firmware/runtime; here it is counted out.
"""

import numpy as np

from bnn.graph.types import BITS
from codegen.layout import Tensor


def leads(steps: tuple, tensors: dict[str, Tensor]) -> dict[tuple[str, str], int]:
    """(output, input) -> words that the output must begin before the input, or lie apart from it.

    A pair that is not listed must not overlap at all.
    """
    last_use = {name: i for i, step in enumerate(steps) for name in step.inputs}
    found = {}
    for i, step in enumerate(steps):
        for source in (name for name in step.inputs if name in tensors and last_use[name] == i):
            reads = _first_read(step, tensors, source)
            if reads is not None:
                written = _written(step, tensors[step.output])
                found[step.output, source] = max(0, int((written // 32 - reads // 32).max()))
    return found


def _written(step, y: Tensor) -> np.ndarray:
    """Bits of the output that may be stored when the last read for time step t happens, (length,).

    A binary convolution copies its window before it writes the step; the others read and write in turn.
    """
    done = np.arange(y.length) + y.margin + (0 if step.kernel.startswith("conv") else 1)
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
        case "or_pool" | "max_pool16" | "max_pool32":
            return (x.margin + t * node.stride) * width
    return None
