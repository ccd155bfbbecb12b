"""The plan of the host engine: many windows at once, one bit of a wide vector each. It knows no language.

The steps are those of the plain kernels, and a map has their order: vector (t + margin) * row + c is element (c, t).
What C needs to know beyond that is worked out here: which taps are counted for which output channels, and the bounds.
"""

from dataclasses import dataclass

import numpy as np

from bnn.errors import GraphError
from bnn.graph import Graph, only_signal, refuse_gate
from bnn.graph.ops import BinaryConv, Threshold
from codegen.layout import Tensor
from codegen.memory import Block, Memory, place
from codegen.plan import Plan, make_plan
from codegen.steps import LIMIT, Step

KERNELS = {
    "window_stats": None,
    "signal_conv_threshold": "bnn_native_signal",
    "conv_threshold": "bnn_native_conv",
    "conv_sum": "bnn_native_conv",
    "threshold16": "bnn_native_threshold",
    "or_pool": "bnn_native_pool",
    "max_pool16": "bnn_native_pool",
    "and_not": "bnn_native_pair_map",
    "prelu_sum16": "bnn_native_prelu_sum",
}
"""Of each kernel that the engine has: the struct that describes a layer to it."""

ROUND = 8
"""Taps that are counted together; lists are filled up with a vector of zeros."""

MAX_SIGNAL_KERNEL = 64
MAX_PLANES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How a map lies in vectors.

    row     vectors of a time step: the channels, and one of zeros where a convolution reads the map
    planes  vectors of an element: 1 for bits, else the bits of a two's complement number
    """

    tensor: Tensor
    row: int
    planes: int

    @property
    def vectors(self) -> int:
        return (self.tensor.length + 2 * self.tensor.margin) * self.row * self.planes


@dataclass(frozen=True, slots=True)
class Pair:
    """Rounds of taps that two output channels count: together, the first alone, the second alone.

    flip  bit k: channel k counts its taps of weight -1
    """

    both: int
    first: int
    second: int
    flip: int


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """A binary convolution as lists of taps.

    taps     vectors from the first one under the kernel: the channels of a time step, then pair after pair
    bounds   (n_out,) the least counter that reaches the threshold, before the flip; or, for sums, what is added to them
    planes   of a counter
    """

    taps: np.ndarray
    pairs: tuple[Pair, ...]
    bounds: np.ndarray
    planes: int


@dataclass(frozen=True, slots=True, eq=False)
class NativePlan:
    """shapes    of the maps, by tensor
    counting  of each binary convolution, by its step's output
    memory    places in vectors, of tensors and of each step's scratch under "OUTPUT scratch"
    """

    plan: Plan
    shapes: dict[str, Shape]
    counting: dict[str, Counting]
    memory: Memory


def make_native(graph: Graph) -> NativePlan:
    """Plan a graph of the target dialect; GraphError where the engine has no kernel."""
    only_signal(graph, "native")
    refuse_gate(graph, "the native engine")
    plan = make_plan(graph)
    for step in plan.steps:
        _check(step, plan)
    planes = _planes(plan)
    shapes = {t.name: _shape(t, planes, plan) for t in plan.tensors.values() if len(t.type.shape) == 2}
    counting = {s.output: _counting(s, shapes[s.inputs[0]].row) for s in plan.steps if s.kernel.startswith("conv_")}
    return NativePlan(plan, shapes, counting, place(_blocks(plan, shapes, counting), {}))


def _check(step: Step, plan: Plan) -> None:
    node = step.nodes[0]
    if step.kernel not in KERNELS:
        node.fail(f"the native engine has no kernel for {step.kernel}, integers of 32 bits; use the numpy engine")
    if step.kernel == "signal_conv_threshold" and node.w.shape[1] > MAX_SIGNAL_KERNEL:
        node.fail(f"has {node.w.shape[1]} taps, the native engine takes {MAX_SIGNAL_KERNEL}; use the numpy engine")
    if isinstance(node, BinaryConv) and node.w.shape[2] * (node.w.shape[1] + 1) > LIMIT:
        node.fail(f"has {node.w[0].size} taps, whose offsets the native engine cannot hold; use the numpy engine")
    if step.output == plan.logits and step.kernel != "prelu_sum16":
        raise GraphError(f"{step.output}: the native engine takes logits from PReluSum alone; use the numpy engine")


def counter_planes(taps: int) -> int:
    """Planes of a counter D = 2 P - S + 2^(n - 1) - 1, for which taps < 2^(n - 1)."""
    return max(4, taps.bit_length()) + 1


def _planes(plan: Plan) -> dict[str, int]:
    """Of every integer map: a pool keeps what it reads."""
    found: dict[str, int] = {}
    for step in plan.steps:
        if step.kernel == "conv_sum":
            found[step.output] = counter_planes(step.nodes[0].w[0].size)
        elif step.kernel == "max_pool16":
            found[step.output] = found[step.inputs[0]]
    return found


def _shape(tensor: Tensor, planes: dict[str, int], plan: Plan) -> Shape:
    readers = [step.nodes[0] for step in plan.steps if tensor.name in step.inputs]
    zeros = any(isinstance(node, BinaryConv) for node in readers)
    return Shape(tensor, tensor.channels + zeros, planes.get(tensor.name, 1))


def _counting(step: Step, row: int) -> Counting:
    """Part the taps of two channels after the other into classes; the largest is the one that neither counts."""
    node = step.nodes[0]
    n_out, n_in, kernel = node.w.shape
    weights = (node.w > 0).transpose(0, 2, 1).reshape(n_out, -1)  # in the order of the taps
    offsets = (np.arange(kernel)[:, None] * row + np.arange(n_in)).ravel()
    lists, pairs, flips = [_filled(np.arange(n_in), n_in)], [], []
    for o in range(0, n_out, 2):
        two = weights[o : o + 2] if o + 1 < n_out else weights[[o, o]]
        classes = two[0] + 2 * two[1]
        flip = int(np.bincount(classes, minlength=4).argmax())
        parts = [_filled(offsets[classes == flip ^ other], n_in) for other in (3, 1, 2)]
        pairs.append(Pair(*(len(part) // ROUND for part in parts), flip))
        flips += [flip & 1, flip >> 1]
        lists += parts
    planes = counter_planes(weights.shape[1])
    bounds = _bounds(step, weights, np.array(flips[:n_out]), planes)
    return Counting(np.concatenate(lists).astype(np.uint16), tuple(pairs), bounds, planes)


def _filled(taps: np.ndarray, zero: int) -> np.ndarray:
    """Whole rounds, with the offset of a vector of zeros."""
    return np.concatenate([taps, np.full(-len(taps) % ROUND, zero, taps.dtype)])


def _bounds(step: Step, weights: np.ndarray, flip: np.ndarray, planes: int) -> np.ndarray:
    """See bnn_native_conv.h; with W = 2 n+ - N for the n+ weights of +1 among N."""
    balance = 2 * weights.sum(axis=1) - weights.shape[1]
    if not isinstance(step.nodes[-1], Threshold):
        return (np.where(flip, -1, 2) - balance) % (1 << planes)
    v = step.nodes[-1].t.astype(np.int64) + balance
    least = np.where(flip, -v // 2 + 1, (v + 1) // 2) + (1 << (planes - 1)) - 1
    return np.clip(least, 0, (1 << planes) - 1)


def scratch_vectors(step: Step, plan: Plan, planes: int) -> int:
    """Vectors of scratch, enough for every width of vector: the narrowest has 8 bytes."""
    node, y = step.nodes[0], plan.tensors[step.output]
    if step.kernel == "signal_conv_threshold":
        phase = -(-y.length // 16) * 16 + node.w.shape[1]
        integers = y.channels + 16 + node.stride * phase + 16
        return -(-integers // 2) + 8 * (-(-y.length // 64) * 64) * -(-y.channels // 8)
    if isinstance(node, BinaryConv):
        return MAX_PLANES * node.w.shape[2] + y.channels * planes
    return 0


def _blocks(plan: Plan, shapes: dict[str, Shape], counting: dict[str, Counting]) -> list[Block]:
    """Every tensor from the step that writes it to the last that reads it, every scratch for its step."""
    last = {name: i for i, step in enumerate(plan.steps) for name in step.inputs}
    blocks = []
    for i, step in enumerate(plan.steps):
        name = step.output
        if name != plan.logits:
            vectors = shapes[name].vectors if name in shapes else 64  # statistics: 8 bytes a window
            blocks.append(Block(name, vectors, i, last[name]))
        planes = counting[name].planes if name in counting else 0
        if scratch := scratch_vectors(step, plan, planes):
            blocks.append(Block(f"{name} scratch", scratch, i, i))
    return blocks
