"""The checker: every rule that a graph must keep, run after every pass."""

import re

from bnn.errors import GraphError
from bnn.graph.graph import Graph, Stage
from bnn.graph.ops import LOGICAL_ONLY
from bnn.graph.types import TensorType

LEVELS = ("logical", "target")


def check(graph: Graph, level: str = "logical") -> dict[str, TensorType]:
    """Type of every tensor, signals included, in the order they appear; GraphError where a rule is broken.

    level "logical" admits every op; "target" only those that a backend runs.
    """
    _check_head(graph)
    types: dict[str, TensorType] = {}
    known_signals = {signal.name: signal for signal in graph.signals}
    for stage in graph.stages:
        for name in stage.signals:
            if name not in known_signals:
                raise GraphError(f"stage {stage.name}: signal {name} is not declared; there are {list(known_signals)}")
            signal = known_signals[name]
            _define(types, name, TensorType("int16", (signal.channels, signal.length), -32768, 32767))
        _check_nodes(stage, types, level)
        _check_exit(graph, stage, types)
    if graph.stages[-1].logits is None:
        raise GraphError(f"stage {graph.stages[-1].name}: the last stage must end in an exit, but names no logits")
    return types


def _check_head(graph: Graph) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", graph.name):
        raise GraphError(
            f"graph name {graph.name!r} is not a lower-case C identifier, and generated code is named by it"
        )
    if not graph.stages or len(graph.classes) < 2 or len(set(graph.classes)) != len(graph.classes):
        raise GraphError(f"graph {graph.name}: needs a stage and at least two classes of different names")
    for signal in graph.signals:
        if signal.length < 1 or signal.channels < 1 or not signal.fs > 0 or not signal.gain > 0:
            raise GraphError(f"signal {signal.name}: channels, length, fs and gain must be positive, got {signal}")


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
        _define(types, node.name, node.infer(*(types[source] for source in node.inputs)))


def _check_exit(graph: Graph, stage: Stage, types: dict[str, TensorType]) -> None:
    if stage.logits is None:
        return
    got = types.get(stage.logits)
    if got is None or got.kind != "int32" or got.shape != (len(graph.classes),):
        raise GraphError(
            f"stage {stage.name}: logits {stage.logits} are {got}, wanted int32 ({len(graph.classes)},), one a class"
        )
