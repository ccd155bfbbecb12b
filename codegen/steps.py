"""From nodes to calls of the plain kernels: what is fused, what runs at all."""

from dataclasses import dataclass

from bnn.graph.integer_ops import (
    Add,
    Attention,
    Concat,
    GlobalMax,
    GlobalSum,
    IntConv,
    LayerNorm,
    Multiply,
    Reshape,
    Scale,
    SignConv,
    Table,
)
from bnn.graph.node import Node, attributes
from bnn.graph.ops import (
    AndNot,
    BinaryConv,
    ExitGate,
    MaxPool,
    OrPool,
    PReluSum,
    SignalConv,
    Slice,
    Threshold,
    WindowStats,
)
from bnn.graph.types import TensorType
from codegen.layout import words_of
from codegen.signs import POSITIONS, blocks_of

LIMIT = 0xFFFF
"""Of channels, kernels, strides and pads: the runtime's structs hold them in 16 bits."""


GATE = "exit_entropy"
"""The kernel of an ExitGate."""

ALIAS = "alias"
"""In place of a kernel: the output is the input by another name, in the same memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call of a kernel.

    kernel   name of the function in the runtime, without its prefix
    nodes    the graph's nodes that it carries out, in order; the last one names the output
    inputs   tensors that it reads, the signal included
    scratch  words that it needs while it runs
    positions  of a convolution in lanes: how many one pass over the weights serves
    taps       of a convolution in lanes: one of codegen.taps.SOURCES
    copy     where no node is carried out: name of the copy, in another layout, of the input
    """

    kernel: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    scratch: int = 0
    positions: int = 0
    taps: str = ""
    copy: str = ""

    @property
    def output(self) -> str:
        return self.copy or self.nodes[-1].name

    @property
    def in_lanes(self) -> bool:
        """Whether its maps of bits are in lanes, but for what it copies."""
        return self.kernel.startswith("lanes_")


def needed(nodes: list[Node], exits: set[str]) -> list[Node]:
    """The nodes that the logits of the exits depend on, in order."""
    wanted = set(exits)
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return [node for node in nodes if node.name in wanted]


def plain_steps(
    nodes: list[Node], types: dict[str, TensorType], signals: set[str], exits: set[str]
) -> tuple[Step, ...]:
    """The steps of plain kernels; GraphError where none serves. `exits` are the logits, which are always stored."""
    by_name = {node.name: node for node in nodes}
    fused = {node.name for node in nodes if node.name not in exits and _only_compared(node, nodes)}
    fused |= {node.name for node in nodes if node.name not in exits and _only_scaled(node, nodes)}
    steps = []
    for node in nodes:
        _check_source(node, signals)
        _check_fields(node)
        if node.name in fused:
            continue
        source = by_name.get(node.inputs[0])
        parts = (source, node) if source and source.name in fused else (node,)
        steps.append(_step(parts, types, nodes))
    return tuple(steps)


def _only_compared(node: Node, nodes: list[Node]) -> bool:
    """Whether a convolution's accumulators need not be stored: all who read them compare at once."""
    readers = [other for other in nodes if node.name in other.inputs]
    comparing = all(isinstance(other, Threshold) and other.inputs[0] == node.name for other in readers)
    return isinstance(node, SignalConv | BinaryConv) and bool(readers) and comparing


def _only_scaled(node: Node, nodes: list[Node]) -> bool:
    """Whether those of a convolution of integers need not be: one Scale alone reads them."""
    readers = [other for other in nodes if node.name in other.inputs]
    return isinstance(node, SignConv | IntConv) and len(readers) == 1 and isinstance(readers[0], Scale)


def _check_source(node: Node, signals: set[str]) -> None:
    """GraphError where a node reads a signal, or something else, in a way that no kernel offers."""
    if isinstance(node, Slice):
        node.fail("the graph normalises by the past, which C does only as samples come; generate with --stream")
    on_samples = isinstance(node, WindowStats | SignalConv)
    if on_samples and node.inputs[0] not in signals:
        node.fail(f"reads {node.inputs[0]}, but in C {type(node).__name__} reads a signal")
    if isinstance(node, MaxPool | Threshold | PReluSum) and node.inputs[0] in signals:
        node.fail(f"reads the signal {node.inputs[0]}, which in C a {type(node).__name__} does not")


def _check_fields(node: Node) -> None:
    """GraphError where an attribute does not fit the runtime's structs."""
    for spec in attributes(type(node)):
        if (value := getattr(node, spec.name)) > LIMIT:
            node.fail(f"{spec.name} is {value}, but the C backend holds it in 16 bits; the limit is {LIMIT}")


def _step(parts: tuple[Node, ...], types: dict[str, TensorType], nodes: list[Node]) -> Step:
    """The kernel for one node, or for a convolution with the Threshold or Scale that reads it."""
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
        case ExitGate():
            return Step(GATE, parts, inputs)
    return _integer_step(parts, types, nodes)


def _integer_step(parts: tuple[Node, ...], types: dict[str, TensorType], nodes: list[Node]) -> Step:
    """The kernel of an op of bnn.graph.integer_ops."""
    node = parts[0]
    channels, length = types[node.inputs[0]].shape
    match node:
        case SignConv():
            return Step("sign_convolve", parts, node.inputs, blocks_of(node).sums + (POSITIONS + 1) * len(node.w))
        case IntConv():
            return Step("int_convolve", parts, node.inputs, node.w[0].size + len(node.w))
        case Scale():
            return Step("scale_map", parts, node.inputs, channels)
        case Table():
            return Step("look_up", parts, node.inputs)
        case Multiply():
            return Step("multiply_maps", parts, node.inputs)
        case Add():
            return Step("add_maps", parts, node.inputs, 2 * channels)
        case GlobalMax():
            return Step("global_max", parts, node.inputs, 2 * channels)
        case GlobalSum():
            return Step("global_sum", parts, node.inputs, 2 * channels)
        case Concat():
            return Step(f"concat_{_kind(types[node.name])}", parts, node.inputs)
        case Reshape():
            margins = types[node.name].kind == "bit" and any(_padded(name, nodes) for name in (*node.inputs, node.name))
            return Step("concat_bits" if margins else ALIAS, parts, node.inputs)
        case Attention():
            return Step("attend", parts, node.inputs, length)
        case LayerNorm():
            return Step("norm_rows", parts, node.inputs, channels)
    return node.fail(f"the C backend has no kernel for {type(node).__name__}")


def _kind(of: TensorType) -> str:
    return "bits" if of.kind == "bit" else of.kind


def _padded(name: str, nodes: list[Node]) -> bool:
    """Whether a map of bits has margins."""
    return any(isinstance(node, BinaryConv) and node.pad > 0 and name in node.inputs for node in nodes)


def _row_copies(n_rows: int, bits: int) -> int:
    """Words for the copies of rows that do not begin at a word in the packed constants."""
    return 0 if bits % 32 == 0 else n_rows * words_of(bits)
