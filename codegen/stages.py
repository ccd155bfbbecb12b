"""What stages of a graph can be functions in C, called one after the other by whoever has the signals."""

from bnn.errors import GraphError
from bnn.graph import Graph, stage_gate
from bnn.graph.ops import ExitGate


def exit_gates(graph: Graph) -> list[ExitGate]:
    """The gates of the exits. GraphError where a stage cannot be such a function."""
    for stage in graph.stages:
        if stage.logits is None:
            raise GraphError(
                f"stage {stage.name}: has no exit, but in C each stage ends in logits; join it to the next"
            )
    for stage, later in zip(graph.stages, graph.stages[1:], strict=False):
        if stage_gate(stage) is None:
            raise GraphError(f"stage {stage.name}: has no ExitGate, so nothing says whether {later.name} is to run")
    _check_signals(graph)
    gates = [gate for stage in graph.stages if (gate := stage_gate(stage))]
    for node in graph.nodes():
        if isinstance(node, ExitGate) and node not in gates:
            node.fail(f"reads {', '.join(node.inputs)}; in C a gate is the one of its stage's logits")
    return gates


def _check_signals(graph: Graph) -> None:
    """Of a stage that is done nobody need have the signals and logits any more."""
    gone: set[str] = set()
    for stage in graph.stages:
        for node in stage.nodes:
            if lost := gone & set(node.inputs):
                node.fail(f"reads {lost.pop()}, but in C signals and logits are gone with the call of their stage")
        gone |= {*stage.signals, stage.logits}
