"""The checker: every rule that a graph must keep, run after every pass."""

import re

from bnn.errors import GraphError
from bnn.graph.graph import Graph, Signal, Stage
from bnn.graph.integer_ops import INTEGER_OPS, Concat, Scale, SignConv
from bnn.graph.node import Node, attributes, constants
from bnn.graph.ops import LOGICAL_ONLY, ExitGate, Interval, SignalConv, Slice, Threshold, WindowStats
from bnn.graph.types import TensorType

LEVELS = ("logical", "target")
MAX_LENGTH, MAX_CHANNELS, MAX_RATE = 1 << 20, 1 << 10, 1e9
"""Of a signal: far beyond what a wearable holds, and small enough that no range overflows 64 bits."""


def check(graph: Graph, level: str = "logical") -> dict[str, TensorType]:
    """Type of every tensor, signals included, in the order they appear; GraphError where a rule is broken.

    level "logical" admits every op; "target" only those that a backend runs.
    """
    _check_head(graph)
    types: dict[str, TensorType] = {}
    makers = {node.name: node for node in graph.nodes()}
    known_signals = {signal.name: signal for signal in graph.signals}
    for stage in graph.stages:
        for name in stage.signals:
            if name not in known_signals:
                raise GraphError(f"stage {stage.name}: signal {name} is not declared; there are {list(known_signals)}")
            signal = known_signals[name]
            _define(types, name, TensorType("int16", (signal.channels, signal.length), -32768, 32767))
        _check_nodes(stage, types, level)
        _check_exit(graph, stage, types)
        if isinstance(makers.get(stage.logits), ExitGate):
            makers[stage.logits].fail("is the entropy of logits; a stage's exit names the logits themselves")
    for node in graph.nodes():
        _check_statistics(node, makers)
    if graph.stages[-1].logits is None:
        raise GraphError(f"stage {graph.stages[-1].name}: the last stage must end in an exit, but names no logits")
    if unread := set(known_signals) - set(types):
        raise GraphError(f"signal {sorted(unread)[0]}: declared, but no stage reads it")
    return types


def _check_head(graph: Graph) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", graph.name):
        raise GraphError(
            f"graph name {graph.name!r} is not a lower-case C identifier, and generated code is named by it"
        )
    if not graph.stages or len(graph.classes) < 2 or len(set(graph.classes)) != len(graph.classes):
        raise GraphError(f"graph {graph.name}: needs a stage and at least two classes of different names")
    for text in (*graph.classes, *(signal.unit for signal in graph.signals)):
        if not text or not text.isprintable():
            raise GraphError(f"graph {graph.name}: {text!r} names a class or a unit; wanted one printable line")
    if not all(isinstance(text, str) for item in graph.about.items() for text in item):
        raise GraphError(f"graph {graph.name}: about holds {graph.about}, wanted texts by name")
    for what, names in (("stage", [s.name for s in graph.stages]), ("signal", [s.name for s in graph.signals])):
        if len(set(names)) != len(names):
            raise GraphError(f"graph {graph.name}: {what} names are {names}, but every {what} needs a name of its own")
    for signal in graph.signals:
        _check_signal(signal)


def _check_signal(signal: Signal) -> None:
    if signal.length not in range(1, MAX_LENGTH + 1) or signal.channels not in range(1, MAX_CHANNELS + 1):
        raise GraphError(
            f"signal {signal.name}: {signal.channels} x {signal.length} samples; "
            f"wanted 1 to {MAX_CHANNELS} channels of 1 to {MAX_LENGTH}"
        )
    if not all(0 < value < MAX_RATE for value in (signal.fs, signal.gain)):  # NaN fails, too
        raise GraphError(f"signal {signal.name}: fs is {signal.fs} and gain {signal.gain}, wanted 0 to {MAX_RATE:g}")


def _define(types: dict[str, TensorType], name: str, kind: TensorType) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_.]*", name):
        raise GraphError(f"tensor name {name!r}: use lower-case letters, digits, '_' and '.'")
    if name in types:
        raise GraphError(f"{name}: defined twice; every tensor has one name and one node")
    types[name] = kind


def _check_nodes(stage: Stage, types: dict[str, TensorType], level: str) -> None:
    for node in stage.nodes:
        if level == "target" and isinstance(node, LOGICAL_ONLY):
            node.fail(f"{type(node).__name__} does not run on a target; run the passes of bnn.lower first")
        for source in node.inputs:
            if source not in types:
                node.fail(f"reads {source}, which no earlier node of stage {stage.name} or signal defines")
        _check_fields(node)
        _define(types, node.name, node.infer(*(types[source] for source in node.inputs)))


def _check_fields(node: Node) -> None:
    """Constants have the element type and rank that the op declares and are not empty; the rest are whole numbers."""
    for spec, array in constants(node):
        dtype, rank = spec.metadata["dtype"], spec.metadata["rank"]
        if array.dtype != dtype or array.ndim != rank or array.size == 0:
            node.fail(f"{spec.name} is {array.dtype} {array.shape}, wanted {dtype} of {rank} axes, none empty")
    for spec in attributes(type(node)):
        if type(getattr(node, spec.name)) is not int:
            node.fail(f"{spec.name} is {getattr(node, spec.name)!r}, wanted a whole number")


def _check_statistics(node: Node, makers: dict[str, Node]) -> None:
    """What is read as statistics comes from WindowStats; for a SignalConv, of its samples or their past."""
    if not isinstance(node, (SignalConv, Threshold, Interval)) or len(node.inputs) != 2:
        return
    stats = makers.get(node.inputs[1])
    if not isinstance(stats, WindowStats):
        node.fail(f"reads {node.inputs[1]} as statistics, but {type(stats).__name__} made it, not WindowStats")
    if not isinstance(node, SignalConv):
        return
    own = stats.inputs[0] == node.inputs[0] or is_past(makers.get(stats.inputs[0]), makers.get(node.inputs[0]))
    if not own or stats.frac != node.frac:
        node.fail(
            f"reads {node.inputs[0]} with {node.frac} fraction bits, but {stats.name} holds the statistics of "
            f"{stats.inputs[0]} with {stats.frac}"
        )


def is_past(before: Node | None, now: Node | None) -> bool:
    """Whether two nodes are slices of one signal, of one length, the first just before the second."""
    slices = isinstance(before, Slice) and isinstance(now, Slice) and before.inputs == now.inputs
    return slices and before.length == now.length and before.first + before.length == now.first


def past_samples(graph: Graph) -> int:
    """Samples at the beginning of the signal of which only statistics are taken; 0 where a window gives its own."""
    makers = {node.name: node for node in graph.nodes()}
    sources = [makers.get(node.inputs[0]) for node in graph.nodes() if isinstance(node, SignalConv)]
    return max((source.first for source in sources if isinstance(source, Slice)), default=0)


def exit_gate(graph: Graph) -> ExitGate | None:
    """The gate of a graph of one stage; GraphError where there are several, or it is not of the stage's logits."""
    gates = [node for node in graph.nodes() if isinstance(node, ExitGate)]
    for gate in gates:
        if len(gates) > 1 or gate.inputs != (graph.stages[-1].logits,):
            gate.fail(
                f"is one of {len(gates)} gates and reads {', '.join(gate.inputs)}; backends run graphs of one gate, "
                f"which reads the logits {graph.stages[-1].logits}"
            )
    return gates[0] if gates else None


def stage_gate(stage: Stage) -> ExitGate | None:
    """The gate of a stage's logits, where it has one."""
    gates = (node for node in stage.nodes if isinstance(node, ExitGate) and node.inputs == (stage.logits,))
    return next(gates, None)


def only_signal(graph: Graph, backend: str) -> Signal:
    """The signal of a graph of one stage and one signal of one channel, without ops on integers that are not bits.

    GraphError by the backend for others: generated C that classifies whole windows alone has kernels for those.
    """
    if len(graph.stages) != 1 or len(graph.signals) != 1 or graph.signals[0].channels != 1:
        shapes = ", ".join(f"{signal.name} ({signal.channels} channels)" for signal in graph.signals)
        raise GraphError(
            f"graph {graph.name}: has {len(graph.stages)} stages and the signals {shapes}; "
            f"the {backend} backend runs graphs of a single stage with one signal of one channel"
        )
    for node in graph.nodes():
        if isinstance(node, INTEGER_OPS):
            node.fail(f"the {backend} backend has no {type(node).__name__}; C that classifies whole windows has one")
    return graph.signals[0]


def streamed_signal(graph: Graph, backend: str) -> Signal:
    """The signal of a graph of one stage and one signal that runs as a pipeline of streams, as on an FPGA.

    GraphError by the backend for others, and for ops on integers that no stage of such a pipeline computes.
    """
    if len(graph.stages) != 1 or len(graph.signals) != 1:
        raise GraphError(
            f"graph {graph.name}: has {len(graph.stages)} stages and {len(graph.signals)} signals; the {backend} "
            f"backend runs graphs of a single stage with one signal; cut it with --until {graph.stages[0].name}"
        )
    for node in graph.nodes():
        if isinstance(node, Concat) and (node.axis != 1 or len(node.inputs) != 2):
            node.fail(f"the {backend} backend joins two maps in time, no others; C that classifies whole windows does")
        if isinstance(node, INTEGER_OPS) and not isinstance(node, SignConv | Scale | Concat):
            node.fail(f"the {backend} backend has no {type(node).__name__}; C that classifies whole windows has one")
    return graph.signals[0]


def refuse_gate(graph: Graph, backend: str) -> None:
    """GraphError by the backend, which has no kernel for an ExitGate, where the graph has one."""
    if gate := exit_gate(graph):
        gate.fail(f"{backend} has no ExitGate; C that classifies whole windows, HLS C++ and Verilog have one")


def _check_exit(graph: Graph, stage: Stage, types: dict[str, TensorType]) -> None:
    if stage.logits is None:
        return
    got = types.get(stage.logits)
    if got is None or got.kind != "int32" or got.shape != (len(graph.classes),):
        raise GraphError(
            f"stage {stage.name}: logits {stage.logits} are {got}, wanted int32 ({len(graph.classes)},), one a class"
        )
