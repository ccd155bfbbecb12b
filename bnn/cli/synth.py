"""bnn synth: from a graph to a bitstream for a board, with the open tools, and what it takes there."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bnn.cli.common import (
    ForceOption,
    GraphArgument,
    JsonOption,
    OpenGraph,
    UntilOption,
    err,
    open_graph,
    out,
    print_json,
    table,
)
from bnn.cli.inputs import open_inputs
from bnn.cli.rtl import RtlOptions, write_verilog
from bnn.cli.targets import FoldingOption
from bnn.graph import streamed_signal
from bnn.graph.ops import ExitGate

CyclesOption = Annotated[
    int | None, typer.Option(min=1, help="Clocks between windows that the folding aims at. [the board's]")
]


def register(app: typer.Typer) -> None:
    app.command("synth")(synth_command)


def synth_command(
    graph: GraphArgument,
    board: Annotated[str, typer.Option(help="ulx3s, ulx3s-85f, icebreaker, tangnano9k or orangecrab.")],
    freq: Annotated[float | None, typer.Option(help="MHz of the clock inside. [the board's default]")] = None,
    until: UntilOption = None,
    cycles: CyclesOption = None,
    folding: FoldingOption = None,
    baud: Annotated[int, typer.Option(help="Rate of the serial line.")] = 115200,
    seed: Annotated[int, typer.Option(help="Where the placer begins; another one may reach a higher clock.")] = 1,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder for everything. [build/GRAPH-BOARD]")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Count the cycles in a simulation of three windows.")
    ] = False,
    force: ForceOption = False,
    json: JsonOption = False,
):
    """Build a bitstream with the open tools; exit code 1 if the clock is not met. No board ever ran one of them."""
    from hw.boards import find_board
    from hw.boards.top import plan
    from hw.rtl_sim import read_manifest
    from hw.synth.flow import bitstream, build

    chosen = find_board(board)
    opened = without_gate(open_graph(graph, until))
    signal = streamed_signal(opened.graph, "Verilog")
    folder = folder or Path("build") / f"{opened.graph.name}-{chosen.name}"
    line = plan(chosen, opened.graph.name, signal.values, len(opened.graph.classes), freq=freq, baud=baud)
    options = RtlOptions(cycles, tuple(folding or ())).for_board(chosen, opened.graph)
    network = options.plan(opened.graph)
    write_verilog(opened, folder, options, network, force)
    measured = measure(opened, folder) if simulate else None
    with err.status(f"{opened.graph.name} on {chosen.title} ...") as status:
        report = build(
            line, folder, read_manifest(folder)["sources"], seed=seed, stage=lambda text: status.update(f"{text} ...")
        )
    figures = {
        "graph": opened.graph.name,
        "sha256": opened.sha256,
        "board": chosen.name,
        **report.to_dict(),
        "met": report.met,
        "estimated_cycles": network.cycles,
        "measured_cycles": measured,
        "microseconds": (measured or network.cycles) / report.clock,
        "bitstream": str(bitstream(chosen, folder)),
    }
    if json:
        print_json(figures)
    else:
        out.print(figures_table(chosen.title, figures))
    if not report.met:
        err.print(
            f"bnn: the clock is not met: {report.clock:g} MHz asked for, {report.fmax:.2f} MHz reached after routing; "
            f"try --freq {report.fmax * 0.98:.3g}, another --seed, or more --cycles"
        )
        raise typer.Exit(1)


def without_gate(opened: OpenGraph) -> OpenGraph:
    """What a board gets: its serial line answers with class and logits, from which the host tells whether to leave."""
    graph = opened.graph.with_nodes(lambda nodes: [node for node in nodes if not isinstance(node, ExitGate)])
    return replace(opened, graph=graph)


def measure(opened: OpenGraph, folder: Path) -> int:
    """Cycles between windows of the Verilog in `folder`, simulated."""
    from hw.rtl_sim import RtlSimulation

    windows = open_inputs(opened, None, 3).flat
    with tempfile.TemporaryDirectory(prefix="bnn-") as build:
        simulation = RtlSimulation(folder, Path(build), traced=False)
        return simulation.run(windows).cycles


def figures_table(title: str, figures: dict) -> Table:
    """What a design takes and how fast it is."""
    made = table("", title=f"{figures['graph']} on {title}", numbers=("",))
    for name, cell in figures["cells"].items():
        made.add_row(name, f"{cell['used']:,} of {cell['available']:,}")
    made.add_row("clock asked for, MHz", f"{figures['clock']:g}")
    made.add_row("clock reached after routing, MHz", f"{figures['fmax']:.2f}")
    made.add_row("cycles between windows, estimated", f"{figures['estimated_cycles']:,}")
    if figures["measured_cycles"]:
        made.add_row("cycles between windows, simulated", f"{figures['measured_cycles']:,}")
    made.add_row("microseconds between windows", f"{figures['microseconds']:.1f}")
    made.add_row("bitstream", figures["bitstream"])
    return made
