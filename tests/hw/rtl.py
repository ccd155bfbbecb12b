"""Generating and simulating Verilog of small graphs for the tests."""

from pathlib import Path

import numpy as np

from bnn.errors import GraphError
from bnn.graph import Graph, exit_gate, gate
from bnn.sim import simulate
from codegen.rtl import RtlPlan, generate_rtl, make_plan
from hw.rtl_sim import RtlSimulation, Stalls

STALLS = (Stalls(), Stalls(held_in=100, held_out=180, seed=5, reset_at=77))
"""At full speed; and with random back-pressure at both ends after a reset in mid-window."""

SLOW = 10**7


def fastest(graph: Graph) -> RtlPlan:
    """The plan with the fewest cycles a window."""
    for cycles in range(50, 2000, 10):
        try:
            return make_plan(graph, cycles)
        except GraphError:
            continue
    raise AssertionError(f"{graph.name} has no fast plan")


def write(plan: RtlPlan, folder: Path) -> Path:
    generate_rtl(plan, folder, command="test", graph_sha256="0" * 64, tool_version="0")
    return folder


def differences(simulation: RtlSimulation, graph: Graph, x: np.ndarray, stalls: Stalls = STALLS[0]) -> list[str]:
    """Tensors of a traced run that differ from the simulator's, in order; x (n, samples)."""
    wanted = simulate(graph, {graph.signals[0].name: x}, keep="all")
    doubt = exit_gate(graph)
    speed = gate.even_speed(wanted.tensors[doubt.name]) if doubt else 0
    run = simulation.run(x, stalls, speed)
    assert set(run.tensors) == set(wanted.tensors) - {graph.signals[0].name}
    wrong = [name for name, got in run.tensors.items() if (got != wanted.tensors[name]).any()]
    wrong += ["logits (port)"] * bool((run.logits != wanted.logits).any())
    left = gate.leaves(wanted.tensors[doubt.name], speed) if doubt else np.zeros(len(x), bool)
    wrong += ["leaves"] * bool((run.leaves != left).any())
    return wrong + ["class"] * bool((run.classes != wanted.classes).any())
