"""What is decided before Verilog is written: which nodes run, how far convolutions are folded, how long it takes."""

from dataclasses import dataclass

from bnn.errors import GraphError
from bnn.graph import Graph, check
from bnn.graph.ops import BinaryConv, Node, SignalConv, WindowStats
from bnn.graph.types import TensorType
from codegen.fold_cost import Fold, Logic, Work, check_fold, choose_fold, logic, window_cycles
from codegen.plan import only_signal
from codegen.steps import needed

CYCLES = 4000
"""Most between two windows, unless the user says otherwise: 50 microseconds at 80 MHz."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution with its fold, and what they are estimated to take."""

    work: Work
    fold: Fold
    cycles: int
    logic: Logic


@dataclass(frozen=True, slots=True, eq=False)
class RtlPlan:
    """A graph of one stage and one signal, ready to become Verilog.

    types   of every tensor
    nodes   those that the logits depend on, in order
    layers  of every convolution, by name
    front   cycles between windows that reading samples, their statistics and the frame allow
    """

    graph: Graph
    types: dict[str, TensorType]
    nodes: tuple[Node, ...]
    layers: dict[str, Layer]
    front: int

    @property
    def frame_bits(self) -> int:
        """Of the two banks of samples."""
        return 2 * 16 * self.graph.signals[0].length

    @property
    def cycles(self) -> int:
        """Estimated cycles between windows: those of the slowest of all that runs side by side."""
        return max(self.front, *(layer.cycles for layer in self.layers.values()))


def make_plan(graph: Graph, cycles: int | None = None, folds: dict[str, Fold] | None = None) -> RtlPlan:
    """Fold every convolution with the least logic that lets a window pass every `cycles` cycles.

    cycles  CYCLES if not given, or more where the samples take longer to come in
    folds   of the convolutions named here: taken as they are
    Raises GraphError for a graph that the Verilog backend does not run, cycles that cannot be met, a fold that does
    not divide its layer or names none.
    """
    types = check(graph, "target")
    nodes = tuple(needed(list(graph.nodes()), graph.stages[-1].logits))
    _check(graph, nodes)
    front = front_cycles(graph, nodes)
    cycles = max(CYCLES, front) if cycles is None else cycles
    if cycles < front:
        raise GraphError(
            f"graph {graph.name}: one sample a cycle and the statistics take {front} cycles a window, "
            f"but {cycles} were asked for; ask for more"
        )
    works = {node.name: work_of(node, types) for node in nodes if isinstance(node, SignalConv | BinaryConv)}
    folds = dict(folds or {})
    if unknown := sorted(set(folds) - set(works)):
        raise GraphError(f"graph {graph.name}: {unknown[0]} is no convolution; it has {', '.join(works)}")
    layers = {}
    for name, work in works.items():
        fold = folds.get(name) or choose_fold(work, cycles, splits=work.width == 1)
        check_fold(work, fold)
        if work.width > 1 and fold.bits != work.taps:
            raise GraphError(f"{name}: the first layer adds all of its {work.taps} taps at once; fold its lanes alone")
        layers[name] = Layer(work, fold, window_cycles(work, fold), logic(work, fold))
    return RtlPlan(graph, types, nodes, layers, front)


def work_of(node: SignalConv | BinaryConv, types: dict[str, TensorType]) -> Work:
    """A convolution as its folding sees it."""
    kernel, (_, length) = node.w.shape[-1], types[node.inputs[0]].shape
    width = 17 + node.frac if isinstance(node, SignalConv) else 1
    positions = types[node.name].shape[1]
    return Work(node.name, len(node.w), node.w[0].size, kernel, positions, length + 2 * node.pad, width)


def front_cycles(graph: Graph, nodes: tuple[Node, ...]) -> int:
    """Cycles between windows that the two banks of samples allow.

    A window is written, its statistics are taken, it is read. With two banks, the next but one is written when
    this one has been read, so two windows take as long as all three steps of one.
    """
    length = graph.signals[0].length
    frac = next(node.frac for node in nodes if isinstance(node, WindowStats))
    pad = next(node.pad for node in nodes if isinstance(node, SignalConv))
    write, read = length + 1, length + 2 * pad + 2
    return max(write, read, -(-(write + stats_cycles(length, frac) + read) // 2))


def stats_cycles(length: int, frac: int) -> int:
    """From the last sample to the statistics: the pipeline of sums, two products, root and quotient, a bit a cycle."""
    bits = max(3, length.bit_length())
    return 3 + (length.bit_length() + 1) + (16 + bits + 1) + 2 * (bits + 15 + frac + 1) + 2


def _check(graph: Graph, nodes: tuple[Node, ...]) -> None:
    """GraphError where no arrangement of the modules computes the graph."""
    signal = only_signal(graph, "Verilog").name
    for kind in (WindowStats, SignalConv):
        if (count := sum(isinstance(node, kind) for node in nodes)) != 1:
            raise GraphError(f"graph {graph.name}: has {count} {kind.__name__}, but the Verilog backend runs one")
    for node in nodes:
        if isinstance(node, WindowStats | SignalConv) != (node.inputs[0] == signal):
            node.fail(
                f"reads {node.inputs[0]}, but in Verilog WindowStats and SignalConv read the signal, and only they"
            )
    if len(graph.classes) > 256:
        raise GraphError(f"graph {graph.name}: {len(graph.classes)} classes, but o_class has 8 bits; the limit is 256")
