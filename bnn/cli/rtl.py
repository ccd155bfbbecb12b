"""Verilog: the option, writing a folder of it, its cost as a table, and its simulation for `bnn verify`."""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn import __version__
from bnn.cli.common import OpenGraph, err, table
from codegen import rtl

CyclesOption = Annotated[
    int | None, typer.Option(min=1, help=f"rtl: most clock cycles between two windows. [{rtl.CYCLES}]")
]


def write_verilog(opened: OpenGraph, folder: Path, plan: rtl.RtlPlan, cycles: int | None, force: bool = False) -> Path:
    """Write the Verilog of a plan into `folder`; returns the folder. `cycles` as they were asked for."""
    asked = f" --cycles {cycles}" if cycles is not None else ""
    rtl.generate_rtl(
        plan,
        folder,
        command=f"bnn generate {opened.path.name} --target rtl{asked}",
        graph_sha256=opened.sha256,
        tool_version=__version__,
        force=force,
    )
    return folder


def fold_table(plan: rtl.RtlPlan) -> Table:
    """One row a convolution: its fold, and what that is estimated to take."""
    title = f"{plan.graph.name}: {plan.cycles:,} cycles a window (estimates; no synthesis was run)"
    numbers = ("lanes", "bits", "cycles", "LUT4", "flip-flops", "block RAM, bits")
    made = table("convolution", title=title, numbers=numbers)
    for name, layer in plan.layers.items():
        cost = layer.logic
        row = (layer.fold.lanes, layer.fold.bits, layer.cycles, cost.luts, cost.flops, cost.memory_bits)
        made.add_row(name, *(f"{value:,}" for value in row))
    made.add_row("samples, statistics", "", "", f"{plan.front:,}", "", "", f"{plan.frame_bits:,}")
    return made


def run_rtl(opened: OpenGraph, x: np.ndarray):
    """Simulate the default plan: as it ships, at full speed; then traced, with random back-pressure at both ends and
    after a reset in mid-window: (hw.rtl_sim.RtlRun, tensors by name)."""
    from hw.rtl_sim import RtlSimulation, Stalls

    plan = rtl.make_plan(opened.graph)
    with tempfile.TemporaryDirectory(prefix="bnn-") as name:
        folder = write_verilog(opened, Path(name) / opened.graph.name, plan, None)
        shipped = RtlSimulation(folder, Path(name) / "shipped", traced=False)
        plain = shipped.run(x)
        err.print(
            f"rtl: {plain.cycles:,} cycles between windows (estimated {plan.cycles:,}), {plain.latency:,} from the "
            f"first sample to the class, simulated by {shipped.simulator}"
        )
        reset_at = plan.cycles + plan.graph.signals[0].length // 2
        stalls = Stalls(held_in=64, held_out=192, seed=2026, reset_at=reset_at)
        return plain, RtlSimulation(folder, Path(name) / "traced").run(x, stalls).tensors
