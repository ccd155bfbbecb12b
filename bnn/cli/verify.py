"""bnn verify: what is generated, run, and compared with the simulator tensor by tensor."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import numpy as np
import typer

from bnn.cli.answers import exits, speeds
from bnn.cli.common import GraphArgument, JsonOption, OpenGraph, UntilOption, open_graph, out, print_json
from bnn.cli.compare import Comparison
from bnn.cli.compare import compare as compare_tensors
from bnn.cli.engine import run_native
from bnn.cli.generate import KernelsOption, MaxFlashOption, MaxRamOption, StreamOption, temporary_sources
from bnn.cli.hls import HlsOptions, LatencyOption, run_csim
from bnn.cli.inputs import open_inputs
from bnn.cli.rtl import CyclesOption, RtlOptions, run_netlist, run_rtl
from bnn.cli.targets import (
    CompilerOption,
    FoldingOption,
    OptOption,
    SetOption,
    find_targets,
    folding_words,
    processors,
)
from bnn.errors import GraphError
from bnn.sim import Simulation, Taken, simulate, simulate_exits
from codegen import Options

OnOption = Annotated[
    str,
    typer.Option(
        help="Targets, with commas: those of `bnn bench`; native: the engine of `bnn simulate`; or all of these. "
        "And for FPGAs hls: C simulation; rtl: simulated Verilog; netlist: simulated cells of a board's chip."
    ),
]

BACKENDS = ("native", "hls", "rtl", "netlist")
"""What runs but as no image."""


def register(app: typer.Typer) -> None:
    app.command("verify")(verify_command)


def verify_command(
    graph: GraphArgument,
    on: OnOption = "host,cortex-m0,cortex-m4,cortex-m33",
    windows: Annotated[int, typer.Option(min=1, help="How many windows, all classes in turn.")] = 50,
    set_name: SetOption = None,
    opt: OptOption = "-Os",
    compiler: CompilerOption = None,
    emulator: Annotated[str, typer.Option(help="unicorn or qemu, for targets other than the host.")] = "unicorn",
    kernels: KernelsOption = "auto",
    max_flash: MaxFlashOption = None,
    max_ram: MaxRamOption = None,
    stream: StreamOption = False,
    folding: FoldingOption = None,
    latency_us: LatencyOption = None,
    cycles: CyclesOption = None,
    board: Annotated[str | None, typer.Option(help="netlist: the board whose chip it is for. [icebreaker]")] = None,
    until: UntilOption = None,
    json: JsonOption = False,
):
    """Prove that generated code equals the simulator on every tensor; exit code 1 at the first difference."""
    opened = open_graph(graph, until)
    targets = find_targets(on, [*processors(), "native"], BACKENDS)
    others = _backends(targets, compiler, tuple(folding or ()), latency_us, cycles, board)
    chosen = open_inputs(opened, set_name, windows)
    x = chosen.flat
    wanted = simulate(opened.graph, chosen.signals, keep="all")
    taken = {speed: simulate_exits(opened.graph, chosen.signals, speed) for speed in speeds(opened.graph, wanted)}
    options = Options(kernels, max_flash, max_ram, stream)
    if not json:
        out.print(f"{opened.graph.name} on {len(x)} windows of {chosen.about}")
    speed, left = exits(opened.graph, wanted)
    results = []
    for name in targets:
        if name in BACKENDS:
            proof = compare_run(wanted, *others[name](opened, x, speed), left)
        else:
            how = {"opt": opt, "compiler": compiler, "emulator": emulator, "taken": taken}
            proof = prove_target(opened, name, x, wanted, options, **how)
        results.append((name, proof))
        if not json:
            out.print(proof_line(name, proof), style=None if proof.difference is None else "bold red")
    if json:
        source = {"set": chosen.name, "synthetic": chosen.synthetic, "windows": len(x)}
        proofs = [{"target": name, **proof.to_dict()} for name, proof in results]
        print_json({"graph": opened.graph.name, "sha256": opened.sha256, **source, "targets": proofs})
    if any(proof.difference for _, proof in results):
        raise typer.Exit(1)


def _backends(
    targets: list[str],
    compiler: str | None,
    foldings: tuple[str, ...],
    latency_us: float | None,
    cycles: int | None,
    board: str | None,
) -> dict[str, Callable]:
    """Of each of BACKENDS a function of graph, windows (n, samples) int16 and the speed of an exit, that returns a run
    of what ships, with classes and logits, and every tensor of a traced run by name. GraphError for an option that says
    nothing of targets.
    """
    verilog = RtlOptions(cycles, foldings)
    for said, kinds in (
        (" ".join(folding_words(foldings)), ("hls", "rtl", "netlist")),
        ("" if latency_us is None else f"--latency-us {latency_us:g}", ("hls",)),
        ("" if cycles is None else f"--cycles {cycles}", ("rtl", "netlist")),
        ("" if board is None else f"--board {board}", ("netlist",)),
    ):
        if said and not set(kinds) & set(targets):
            known = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
            raise GraphError(f"{said} is of {known}, but --on says {','.join(targets)}; add it to --on")
    return {
        "native": lambda opened, x, speed: run_native(opened, x, compiler=compiler),  # it refuses a gate
        "hls": partial(run_csim, options=HlsOptions(latency_us=latency_us, foldings=foldings), compiler=compiler),
        "rtl": partial(run_rtl, options=verilog),
        "netlist": partial(run_netlist, options=verilog, board=board or "icebreaker"),
    }


def proof_line(target: str, proof: Comparison) -> str:
    """One line for the screen."""
    if proof.difference:
        return f"{target:10}  DIFFERS  {proof.difference}"
    return f"{target:10}  equal    {len(proof.tensors)} tensors, {proof.values:,} values over {proof.windows} windows"


def prove_target(
    opened: OpenGraph, target: str, x: np.ndarray, wanted: Simulation, options: Options, **how
) -> Comparison:
    """Generate sources for a processor and prove them; `how` as of `prove`."""
    with temporary_sources(opened, target, options) as sources:
        return prove(sources, target, x, wanted, **how)


def prove(
    sources: Path,
    target: str,
    x: np.ndarray,
    wanted: Simulation,
    *,
    opt: str = "-Os",
    compiler: str | None = None,
    emulator: str = "unicorn",
    taken: Mapping[int, Taken] = MappingProxyType({}),
) -> Comparison:
    """Build generated sources for a target as they ship and traced, run both, and compare with the simulator.

    x       (n, values) int16; wanted holds every tensor of the same windows
    taken   of a graph of several stages: what they get at some speeds, where stages are left out
    """
    from firmware.compilers import find_compiler
    from firmware.runners import open_runner
    from firmware.targets import find_target

    with tempfile.TemporaryDirectory(prefix="bnn-") as folder:
        how = {"opt": opt, "compiler": find_compiler(find_target(target), compiler), "emulator": emulator}
        shipped = open_runner(sources, target, Path(folder), traced=False, **how)
        plain, leaving = shipped.run(x), {speed: shipped.run(x, speed) for speed in taken}
        tensors = open_runner(sources, target, Path(folder), traced=True, **how).run(x).tensors
    wanted = replace(wanted, tensors=wanted.tensors | _at_speeds(taken))
    return compare_run(wanted, plain, tensors | _at_speeds(leaving))


def _at_speeds(runs: Mapping[int, Taken]) -> dict[str, np.ndarray]:
    """The exit that each window took at each speed, and the logits and class that it got, by names of their own."""
    named = {}
    for speed, run in runs.items():
        found = {"exit": run.exits, "logits": run.logits, "class": run.classes}
        named |= {f"{what} (at speed {speed})": values for what, values in found.items()}
    return named


def compare_run(
    wanted: Simulation, plain, tensors: dict[str, np.ndarray], left: np.ndarray | None = None
) -> Comparison:
    """Compare a traced run's tensors with the simulator's; and classes and logits of a run as it ships, by the names
    "class (as shipped)" and "logits (as shipped)"; given which windows should have `left` the exit, (n,) bool, that
    too, by "leaves (as shipped)"."""
    shipped_values = {"logits (as shipped)": plain.logits, "class (as shipped)": plain.classes}
    expected = {"logits (as shipped)": wanted.logits, "class (as shipped)": wanted.classes}
    if left is not None:
        shipped_values["leaves (as shipped)"], expected["leaves (as shipped)"] = plain.leaves, left
    return compare_tensors(wanted.tensors | expected, tensors | shipped_values)
