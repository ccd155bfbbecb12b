"""The plan: which kernel computes what, in which order, and where it lies in memory. It knows no language."""

from dataclasses import dataclass

from bnn.errors import GraphError
from bnn.graph import Graph, Signal, check
from bnn.graph.ops import (
    AndNot,
    BinaryConv,
    MaxPool,
    Node,
    OrPool,
    PReluSum,
    SignalConv,
    Threshold,
    WindowStats,
    attributes,
)
from bnn.graph.types import TensorType
from codegen.layout import Tensor, lay_out, words_of
from codegen.memory import Block, Memory, place
from codegen.overlap import leads

LIMIT = 0xFFFF
"""Of channels, kernels, strides and pads: the runtime's structs hold them in 16 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call of a kernel.

    kernel   name of the function in the runtime, without its prefix
    nodes    the graph's nodes that it carries out, in order; the last one names the output
    inputs   tensors that it reads, the signal included
    scratch  words that it needs while it runs
    """

    kernel: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    scratch: int = 0

    @property
    def output(self) -> str:
        return self.nodes[-1].name


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A graph of one stage and one signal, ready to be written down.

    types    of every tensor of the graph, those that are never stored included
    tensors  what is stored, in order of computation; the signal and the logits lie with the caller
    memory   offsets of the other tensors, and of each step's scratch under scratch_name(step)
    """

    graph: Graph
    signal: Signal
    logits: str
    types: dict[str, TensorType]
    steps: tuple[Step, ...]
    tensors: dict[str, Tensor]
    memory: Memory

    @property
    def arena_bytes(self) -> int:
        return 4 * self.memory.words


def scratch_name(step: Step) -> str:
    return f"{step.output} scratch"


def make_plan(graph: Graph) -> Plan:
    """Plan a graph of the target dialect; GraphError where no kernel serves."""
    types = check(graph, "target")
    signal = _only_signal(graph)
    logits = graph.stages[0].logits
    nodes = _needed(list(graph.nodes()), logits)
    steps = _steps(nodes, types, signal.name, logits)
    readers = {step.output: [node for node in nodes if step.output in node.inputs] for step in steps}
    tensors = {name: lay_out(name, types[name], reading) for name, reading in readers.items()}
    for tensor in tensors.values():
        _check_size(tensor)
    memory = place(blocks_of(steps, tensors, logits), leads(steps, tensors))
    return Plan(graph, signal, logits, types, steps, tensors, memory)


def _only_signal(graph: Graph) -> Signal:
    if len(graph.stages) != 1 or len(graph.signals) != 1 or graph.signals[0].channels != 1:
        shapes = ", ".join(f"{signal.name} ({signal.channels} channels)" for signal in graph.signals)
        raise GraphError(
            f"graph {graph.name}: has {len(graph.stages)} stages and the signals {shapes}; "
            "the C backend runs graphs of a single stage with one signal of one channel"
        )
    return graph.signals[0]


def _needed(nodes: list[Node], logits: str) -> list[Node]:
    """The nodes that the logits depend on, in order."""
    wanted = {logits}
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return [node for node in nodes if node.name in wanted]


def _steps(nodes: list[Node], types: dict[str, TensorType], signal: str, logits: str) -> tuple[Step, ...]:
    by_name = {node.name: node for node in nodes}
    fused = {node.name for node in nodes if _only_thresholded(node, nodes, logits)}
    steps = []
    for node in nodes:
        _check_source(node, signal)
        _check_fields(node)
        if node.name in fused:
            continue
        source = by_name.get(node.inputs[0])
        parts = (source, node) if source and source.name in fused else (node,)
        steps.append(_step(parts, types))
    return tuple(steps)


def _only_thresholded(node: Node, nodes: list[Node], logits: str) -> bool:
    """Whether a convolution's accumulators need not be stored: all who read them compare at once."""
    readers = [other for other in nodes if node.name in other.inputs]
    comparing = all(isinstance(other, Threshold) and other.inputs[0] == node.name for other in readers)
    return isinstance(node, SignalConv | BinaryConv) and bool(readers) and comparing and node.name != logits


def _check_source(node: Node, signal: str) -> None:
    """GraphError where a node reads the signal, or something else, in a way that no kernel offers."""
    on_samples = isinstance(node, WindowStats | SignalConv)
    if on_samples != (node.inputs[0] == signal):
        node.fail(
            f"{type(node).__name__} reads {node.inputs[0]}, but in C the signal is read by WindowStats and "
            "SignalConv and they read nothing else"
        )


def _check_fields(node: Node) -> None:
    """GraphError where an attribute does not fit the runtime's structs."""
    for spec in attributes(type(node)):
        if (value := getattr(node, spec.name)) > LIMIT:
            node.fail(f"{spec.name} is {value}, but the C backend holds it in 16 bits; the limit is {LIMIT}")


def _step(parts: tuple[Node, ...], types: dict[str, TensorType]) -> Step:
    """The kernel for one node, or for a convolution with the Threshold that reads it."""
    node, last = parts[0], parts[-1]
    fused = len(parts) > 1
    inputs = node.inputs + (last.inputs[1:] if fused else ())
    width = types[node.inputs[0]].kind.removeprefix("int")
    match node:
        case WindowStats():
            return Step("window_stats", parts, inputs)
        case SignalConv():
            n_out, kernel = node.w.shape
            scratch = kernel + (n_out if fused else 0) + words_of(8 * node.w.size)
            return Step("signal_conv_threshold" if fused else "signal_conv_sum", parts, inputs, scratch)
        case BinaryConv():
            n_out, taps = len(node.w), node.w[0].size
            scratch = words_of(taps) + _row_copies(n_out, taps)
            return Step("conv_threshold" if fused else "conv_sum", parts, inputs, scratch)
        case Threshold():
            return Step(f"threshold{width}", parts, inputs, len(node.t) if width == "32" else 0)
        case OrPool():
            return Step("or_pool", parts, inputs)
        case MaxPool():
            return Step(f"max_pool{width}", parts, inputs)
        case AndNot():
            return Step("and_not", parts, inputs)
        case PReluSum():
            return Step(f"prelu_sum{width}", parts, inputs)
    return node.fail(f"the C backend has no kernel for {type(node).__name__}")


def _row_copies(n_rows: int, bits: int) -> int:
    """Words for the copies of rows that do not begin at a word in the packed constants."""
    return 0 if bits % 32 == 0 else n_rows * words_of(bits)


def _check_size(tensor: Tensor) -> None:
    if tensor.channels > LIMIT or tensor.words >= 1 << 27:
        raise GraphError(
            f"{tensor.name}: {tensor.type} is beyond the C backend's limits of {LIMIT} channels and 2**32 bits a tensor"
        )


def blocks_of(steps: tuple[Step, ...], tensors: dict[str, Tensor], logits: str) -> list[Block]:
    """Every tensor from the step that writes it to the last that reads it, every scratch for its step."""
    last_use = {name: i for i, step in enumerate(steps) for name in step.inputs}
    blocks = []
    for i, step in enumerate(steps):
        if step.output != logits:
            blocks.append(Block(step.output, tensors[step.output].words, i, last_use[step.output]))
        if step.scratch:
            blocks.append(Block(scratch_name(step), step.scratch, i, i))
    return blocks
