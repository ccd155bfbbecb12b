"""What is decided before Verilog is written: which nodes run, how far convolutions are folded, how long it takes."""

from dataclasses import dataclass, replace
from math import gcd

from bnn.errors import GraphError
from bnn.graph import Graph, check, exit_gate, streamed_signal
from bnn.graph.gate import SPEED_BITS
from bnn.graph.integer_ops import SignConv
from bnn.graph.node import Node
from bnn.graph.ops import SignalConv, WindowStats
from bnn.graph.types import TensorType
from codegen.folding import Folding, Work, check_foldings, works_of
from codegen.rtl.cost import Logic, choose_folding, logic
from codegen.rtl.cost import cycles as layer_cycles
from codegen.steps import needed

FIRST = WindowStats | SignalConv | SignConv
FIRST_NAMES = "WindowStats, SignalConv and SignConv"

CYCLES = 4000
"""Most between two windows, unless the user says otherwise: 50 microseconds at 80 MHz."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution with its folding, and what they are estimated to take."""

    work: Work
    folding: Folding
    cycles: int
    logic: Logic


@dataclass(frozen=True, slots=True, eq=False)
class RtlPlan:
    """A graph of one stage and one signal, ready to become Verilog.

    types   of every tensor
    nodes   those that the logits depend on, in order; then the gate, if there is one
    layers  of every convolution, by name
    front   cycles between windows that reading samples, their statistics and the frame allow
    exit    cycles between windows that the gate and its comparison allow; 0 where there is none
    """

    graph: Graph
    types: dict[str, TensorType]
    nodes: tuple[Node, ...]
    layers: dict[str, Layer]
    front: int
    exit: int

    @property
    def frame_bits(self) -> int:
        """Of the two banks of samples that wait for their statistics."""
        framed = any(isinstance(node, WindowStats) for node in self.nodes)
        return 2 * 16 * self.graph.signals[0].length if framed else 0

    @property
    def cycles(self) -> int:
        """Estimated cycles between windows: those of the slowest of all that runs side by side."""
        return max(self.front, self.exit, *(layer.cycles for layer in self.layers.values()))


def make_plan(graph: Graph, cycles: int | None = None, foldings: dict[str, Folding] | None = None) -> RtlPlan:
    """Fold every convolution with the least logic that lets a window pass every `cycles` cycles.

    cycles    CYCLES if not given, or more where the samples take longer to come in
    foldings  of the convolutions named here: taken as they are
    Raises GraphError for a graph that the Verilog backend does not run, cycles that cannot be met, a folding that
    does not divide its layer or names none.
    """
    types = check(graph, "target")
    signal = streamed_signal(graph, "Verilog").name
    gate = exit_gate(graph)
    nodes = (*needed(list(graph.nodes()), {graph.stages[-1].logits}), *([gate] if gate else []))
    _check(graph, nodes, signal)
    front = front_cycles(graph, nodes)
    cycles = max(CYCLES, front) if cycles is None else cycles
    if cycles < front:
        raise GraphError(
            f"graph {graph.name}: one sample a cycle and the statistics take {front} cycles a window, "
            f"but {cycles} were asked for; ask for more"
        )
    works, foldings = _works(nodes, types), dict(foldings or {})
    check_foldings(works, foldings)
    layers = {name: _layer(work, foldings.get(name) or choose_folding(work, cycles)) for name, work in works.items()}
    return RtlPlan(graph, types, nodes, layers, front, exit_cycles(len(graph.classes)) if gate else 0)


def _works(nodes: tuple[Node, ...], types: dict[str, TensorType]) -> dict[str, Work]:
    """The convolutions. A SignConv's map and pads are whole words of its memory too, not only its strides."""
    works = works_of(nodes, types)
    for node in nodes:
        if isinstance(node, SignConv):
            work, (channels, length) = works[node.name], types[node.inputs[0]].shape
            works[node.name] = replace(work, moves=gcd(work.moves, channels * node.pad, channels * length))
    return works


def _layer(work: Work, folding: Folding) -> Layer:
    if work.width > 1 and not work.moves and folding.simd != work.taps:
        raise GraphError(
            f"folding of {work.name}: SIMD is {folding.simd}, but in Verilog the first layer adds all of its "
            f"{work.taps} taps at once; choose {folding.pe},{work.taps}"
        )
    return Layer(work, folding, layer_cycles(work, folding), logic(work, folding))


def front_cycles(graph: Graph, nodes: tuple[Node, ...]) -> int:
    """Cycles between windows that the two banks of samples allow.

    A window is written, its statistics are taken, it is read. With two banks, the next but one is written when
    this one has been read, so two windows take as long as all three steps of one. Without statistics no sample waits.
    """
    length = graph.signals[0].length
    if not any(isinstance(node, WindowStats) for node in nodes):
        return graph.signals[0].values
    frac = next(node.frac for node in nodes if isinstance(node, WindowStats))
    pad = next(node.pad for node in nodes if isinstance(node, SignalConv))
    write, read = length + 1, length + 2 * pad + 2
    return max(write, read, -(-(write + stats_cycles(length, frac) + read) // 2))


def stats_cycles(length: int, frac: int) -> int:
    """From the last sample to the statistics: the pipeline of sums, two products, root and quotient, a bit a cycle."""
    bits = max(3, length.bit_length())
    return 3 + (length.bit_length() + 1) + (16 + bits + 1) + 2 * (bits + 15 + frac + 1) + 2


def exit_cycles(classes: int) -> int:
    """From the first logit to the result: bnn_gate takes the logits and six cycles for each and once more, bnn_exit one
    a bit of the speed; two more pass as they hand on what they have."""
    return classes + 6 * (classes + 1) + SPEED_BITS + 2


def _check(graph: Graph, nodes: tuple[Node, ...], signal: str) -> None:
    """GraphError where no arrangement of the modules computes the graph."""
    for kind in (WindowStats, SignalConv):
        count, wanted = (sum(isinstance(node, some) for node in nodes) for some in (kind, WindowStats | SignalConv))
        if wanted and count != 1:
            raise GraphError(f"graph {graph.name}: has {count} {kind.__name__}, but the Verilog backend runs one")
    for node in nodes:
        if isinstance(node, FIRST) != (node.inputs[0] == signal):
            node.fail(f"reads {node.inputs[0]}, but in Verilog {FIRST_NAMES} read the signal, and only they")
    if len(graph.classes) > 256:
        raise GraphError(f"graph {graph.name}: {len(graph.classes)} classes, but o_class has 8 bits; the limit is 256")
