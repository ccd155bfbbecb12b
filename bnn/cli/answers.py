"""Windows with the simulator's answers, for the tests that generated code brings along."""

import numpy as np

import codegen
from bnn.cli.common import OpenGraph
from bnn.cli.inputs import Inputs, open_inputs
from bnn.data.synthetic import synthetic_recording
from bnn.graph import Graph, Signal, exit_gate, gate, stage_gate
from bnn.sim import Simulation, simulate
from codegen import hls

GOLDEN_WINDOWS = 3


def known_answer(graph: Graph) -> codegen.KnownAnswer:
    """One synthetic window of each signal, with the simulator's answer."""
    signals = {signal.name: _synthetic(signal)[None] for signal in graph.signals}
    answer = simulate(graph, signals)
    return codegen.KnownAnswer({name: x[0] for name, x in signals.items()}, answer.logits[0], int(answer.classes[0]))


def _synthetic(signal: Signal) -> np.ndarray:
    """(channels, length) int16, each channel a recording of its own."""
    seconds = signal.length / signal.fs + 1
    return np.stack([synthetic_recording(seconds, seed=7 + c).signal[: signal.length] for c in range(signal.channels)])


def speeds(graph: Graph, wanted: Simulation) -> list[int]:
    """At each of them about half of the windows are ready to leave one of the stages before the last."""
    gates = [node for stage in graph.stages[:-1] if (node := stage_gate(stage))]
    return list(dict.fromkeys(gate.even_speed(wanted.tensors[node.name]) for node in gates))


def exits(graph: Graph, wanted: Simulation) -> tuple[int, np.ndarray | None]:
    """A speed at which about half of the windows leave, and which do; 0 and None for a graph without a gate.

    Of a graph of several stages, too, which `speeds` is for.
    """
    if len(graph.stages) > 1 or (node := exit_gate(graph)) is None:
        return 0, None
    speed = gate.even_speed(wanted.tensors[node.name])
    return speed, gate.leaves(wanted.tensors[node.name], speed)


def golden(opened: OpenGraph) -> hls.Golden:
    """A few windows of the set that the graph was trained on; of a graph that names none, a synthetic one."""
    if "set" in opened.graph.about:
        given = open_inputs(opened, None, GOLDEN_WINDOWS)
    else:
        signals = {name: x[None] for name, x in known_answer(opened.graph).signals.items()}
        given = Inputs("", "a synthetic signal", signals, True)
    answer = simulate(opened.graph, given.signals, keep="all")
    speed, leaves = exits(opened.graph, answer)
    return hls.Golden(given.flat, answer.logits, answer.classes, given.about, leaves, speed)
