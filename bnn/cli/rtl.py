"""Verilog: options, writing a folder of it, its cost as a table, and its simulations for `bnn verify`."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn import __version__
from bnn.cli.common import OpenGraph, err, table
from bnn.cli.targets import folding_words
from codegen import rtl
from codegen.folding_text import parse_foldings

CyclesOption = Annotated[
    int | None, typer.Option(min=1, help=f"rtl: most clock cycles between two windows. [{rtl.CYCLES}]")
]


@dataclass(frozen=True, slots=True)
class RtlOptions:
    """How layers are folded, as the command line says it; `cycles` of None leaves the default."""

    cycles: int | None = None
    foldings: tuple[str, ...] = ()

    def plan(self, graph) -> rtl.RtlPlan:
        """The plan for a graph; GraphError where the options do not fit it."""
        return rtl.make_plan(graph, self.cycles, parse_foldings(self.foldings))

    def for_board(self, board, graph) -> "RtlOptions":
        """Folded for the board's cycles, or as many as samples come in, unless the user says otherwise."""
        return replace(self, cycles=self.cycles or max(board.cycles, graph.signals[0].values))

    def __str__(self) -> str:
        """As the options of the command line."""
        return " ".join([f"--cycles {self.cycles}"] * (self.cycles is not None) + folding_words(self.foldings))


def write_verilog(opened: OpenGraph, folder: Path, options: RtlOptions, plan: rtl.RtlPlan, force: bool = False) -> Path:
    """Write the Verilog of the options' plan into `folder`; returns the folder."""
    rtl.generate_rtl(
        plan,
        folder,
        command=f"bnn generate {opened.words} --target rtl {options}".rstrip(),
        graph_sha256=opened.sha256,
        tool_version=__version__,
        force=force,
    )
    return folder


def fold_table(plan: rtl.RtlPlan) -> Table:
    """One row a convolution: its folding, and what that is estimated to take."""
    title = f"{plan.graph.name}: {plan.cycles:,} cycles a window (estimates; no synthesis was run)"
    numbers = ("cycles", "LUT4", "flip-flops", "block RAM, bits")
    made = table("convolution", "PE,SIMD", title=title, numbers=numbers)
    for name, layer in plan.layers.items():
        cost = layer.logic
        numbers = (layer.cycles, cost.luts, cost.flops, cost.memory_bits)
        made.add_row(name, str(layer.folding), *(f"{value:,}" for value in numbers))
    made.add_row("samples, statistics", "", f"{plan.front:,}", "", "", f"{plan.frame_bits:,}")
    return made


def run_rtl(opened: OpenGraph, x: np.ndarray, speed: int, options: RtlOptions):
    """Simulate a plan, an exit at `speed`: as it ships, at full pace; then traced, with random back-pressure at
    both ends and after a reset in mid-window: (hw.rtl_sim.RtlRun, tensors by name)."""
    from hw.rtl_sim import RtlSimulation, Stalls

    plan = options.plan(opened.graph)
    with tempfile.TemporaryDirectory(prefix="bnn-") as name:
        folder = write_verilog(opened, Path(name) / opened.graph.name, options, plan)
        shipped = RtlSimulation(folder, Path(name) / "shipped", traced=False)
        plain = shipped.run(x, speed=speed)
        err.print(
            f"rtl: {plain.cycles:,} cycles between windows (estimated {plan.cycles:,}), {plain.latency:,} from the "
            f"first sample to the class, simulated by {shipped.simulator}"
        )
        reset_at = plan.cycles + plan.graph.signals[0].length // 2
        stalls = Stalls(held_in=64, held_out=192, seed=2026, reset_at=reset_at)
        return plain, RtlSimulation(folder, Path(name) / "traced").run(x, stalls).tensors


def run_netlist(opened: OpenGraph, x: np.ndarray, speed: int, options: RtlOptions, board: str):
    """Synthesise the network for a board's chip and simulate the netlist, at full pace: (hw.rtl_sim.RtlRun, {}), since
    only the ports are left, classes and logits. Folded for the board's cycles unless the options say otherwise."""
    from hw.boards import find_board
    from hw.synth.netlist import simulate_netlist

    chosen = find_board(board)
    options = options.for_board(chosen, opened.graph)
    plan = options.plan(opened.graph)
    with tempfile.TemporaryDirectory(prefix="bnn-") as name:
        folder = write_verilog(opened, Path(name) / opened.graph.name, options, plan)
        with err.status(f"{opened.graph.name} as a netlist for {chosen.title} ..."):
            simulation = simulate_netlist(folder, chosen, Path(name) / "netlist")
            run = simulation.run(x, speed=speed)
        err.print(
            f"netlist: {chosen.title}, {run.cycles:,} cycles between windows (estimated {plan.cycles:,}), simulated by "
            f"{simulation.simulator}"
        )
        return run, {}
