"""Windows with the simulator's answers, for the tests that generated code brings along."""

import numpy as np

import codegen
from bnn.cli.common import OpenGraph, load_windows, spread
from bnn.data.synthetic import synthetic_recording
from bnn.graph import Graph, exit_gate, gate
from bnn.sim import Simulation, simulate
from codegen import hls

GOLDEN_WINDOWS = 3


def known_answer(graph: Graph) -> codegen.KnownAnswer:
    """One synthetic window of each signal, with the simulator's answer."""
    signals = {
        signal.name: synthetic_recording(signal.length / signal.fs + 1, seed=7).signal[None, : signal.length]
        for signal in graph.signals
    }
    answer = simulate(graph, signals)
    return codegen.KnownAnswer({name: x[0] for name, x in signals.items()}, answer.logits[0], int(answer.classes[0]))


def exits(graph: Graph, wanted: Simulation) -> tuple[int, np.ndarray | None]:
    """A speed at which about half of the windows leave, and which do; 0 and None for a graph without a gate."""
    if (node := exit_gate(graph)) is None:
        return 0, None
    speed = gate.even_speed(wanted.tensors[node.name])
    return speed, gate.leaves(wanted.tensors[node.name], speed)


def golden(opened: OpenGraph) -> hls.Golden:
    """A few windows of the set that the graph was trained on; of a graph that names none, a synthetic one."""
    signal = opened.graph.signals[0]
    if "set" in opened.graph.about:
        chosen = load_windows(opened.set_name)
        x, source = chosen.x[spread(chosen, GOLDEN_WINDOWS)], chosen.describe()
    else:
        x, source = known_answer(opened.graph).signals[signal.name][None], "a synthetic signal"
    answer = simulate(opened.graph, {signal.name: x}, keep="all")
    speed, leaves = exits(opened.graph, answer)
    return hls.Golden(x, answer.logits, answer.classes, source, leaves, speed)
