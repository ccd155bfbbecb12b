"""The graph as text, one line a tensor: for people, and for comparing before and after a pass."""

from bnn.graph.check import check
from bnn.graph.graph import Graph
from bnn.graph.node import Node, attributes, constants


def to_text(graph: Graph) -> str:
    """One line a signal and node: name, op, inputs, attributes, type and range."""
    types = check(graph)
    lines = [f"graph {graph.name}: {len(graph.classes)} classes ({' '.join(graph.classes)})"]
    for signal in graph.signals:
        rate = f"{signal.fs:g} Hz, {signal.gain:g} steps per {signal.unit}"
        lines.append(f"signal {signal.name}: {types[signal.name]}, {rate}")
    for stage in graph.stages:
        lines.append(f"stage {stage.name}: reads {' '.join(stage.signals)}")
        for node in stage.nodes:
            kind = types[node.name]
            lines.append(f"  {node.name} = {_call(node)} -> {kind} [{kind.lo}, {kind.hi}]")
        lines.append(f"  exit {stage.logits}" if stage.logits else "  no exit")
    return "\n".join(lines) + "\n"


def _call(node: Node) -> str:
    arguments = list(node.inputs)
    arguments += [f"{spec.name} {'x'.join(map(str, array.shape))}" for spec, array in constants(node)]
    arguments += [f"{spec.name}={getattr(node, spec.name)}" for spec in attributes(type(node))]
    return f"{type(node).__name__}({', '.join(arguments)})"
