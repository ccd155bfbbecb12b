"""What each step costs before any compiler has seen it."""

from dataclasses import dataclass

from bnn.graph.integer_ops import SignConv
from bnn.graph.node import Node, constants
from bnn.graph.ops import BinaryConv, Threshold
from codegen import taps
from codegen.layout import words_of
from codegen.limits import limits
from codegen.plan import Plan
from codegen.signs import sign_words
from codegen.steps import Step


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step.

    constant_bytes  weights, bounds and factors in the image; one copy of what several steps share
    macs            multiply-accumulates an inference, as the literature counts them
    """

    name: str
    constant_bytes: int
    macs: int


def costs(plan: Plan) -> list[Cost]:
    """One entry a step, in order. Descriptors and code are left out: their size is the compiler's affair."""
    counted: set[str] = set()
    entries = []
    for step in plan.steps:
        size = _pad_bytes(plan, step.output)
        for node in step.nodes:
            size += 0 if node.name in counted else _bytes(node, step)
            counted.add(node.name)
        macs = sum(node.macs(*(plan.types[name] for name in node.inputs)) for node in step.nodes)
        entries.append(Cost(step.output, size, macs))
    return entries


def _bytes(node: Node, step: Step) -> int:
    """Binary constants in whole words, the others as they are; a pad value is counted where the map is written."""
    if step.taps and isinstance(node, BinaryConv):
        return taps.constant_bytes(node, step.taps)
    if isinstance(node, Threshold) and isinstance(step.nodes[0], BinaryConv):
        return limits(step.nodes[0], node).nbytes
    if isinstance(node, SignConv):
        return 4 * sign_words(node)
    arrays = [(spec, array) for spec, array in constants(node) if spec.name != "pad_value"]
    return sum(4 * words_of(a.size) if spec.metadata.get("binary") else a.nbytes for spec, a in arrays)


def _pad_bytes(plan: Plan, name: str) -> int:
    pad = plan.tensors[name].pad
    return 0 if pad is None else 4 * words_of(pad.size)
