"""bnn verify: what is generated, run, and compared with the simulator tensor by tensor."""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn.cli.common import GraphArgument, JsonOption, OpenGraph, load_windows, open_graph, out, print_json, spread
from bnn.cli.compare import Comparison
from bnn.cli.compare import compare as compare_tensors
from bnn.cli.engine import run_native
from bnn.cli.generate import KernelsOption, MaxFlashOption, MaxRamOption, StreamOption, temporary_sources
from bnn.cli.hls import run_csim
from bnn.cli.rtl import run_rtl
from bnn.cli.targets import CompilerOption, OptOption, SetOption, find_targets, processors
from bnn.sim import Simulation, simulate
from codegen import Options

OnOption = Annotated[
    str,
    typer.Option(
        help="Targets, with commas: those of `bnn bench`; native: the engine of `bnn simulate`; or all of these. "
        "And for FPGAs hls: C simulation; rtl: simulated Verilog."
    ),
]

BACKENDS = {"native": run_native, "hls": run_csim, "rtl": run_rtl}
"""What runs but as no image: functions of the graph, the windows and the compiler asked for, that return a run of what
ships, with classes and logits, and every tensor of a traced run by name."""


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
    json: JsonOption = False,
):
    """Prove that generated code equals the simulator on every tensor; exit code 1 at the first difference."""
    opened = open_graph(graph)
    targets = find_targets(on, [*processors(), "native"], tuple(BACKENDS))
    chosen = load_windows(set_name or opened.set_name)
    x = chosen.x[spread(chosen, windows)]
    signal = opened.graph.signals[0].name
    wanted = simulate(opened.graph, {signal: x}, keep="all")
    options = Options(kernels, max_flash, max_ram, stream)
    if not json:
        out.print(f"{opened.graph.name} on {len(x)} windows of {chosen.describe()}")
    results = []
    for name in targets:
        if name in BACKENDS:
            proof = compare_run(wanted, *BACKENDS[name](opened, x, compiler))
        else:
            proof = prove_target(opened, name, x, wanted, options, opt=opt, compiler=compiler, emulator=emulator)
        results.append((name, proof))
        if not json:
            out.print(proof_line(name, proof), style=None if proof.difference is None else "bold red")
    if json:
        source = {"set": chosen.name, "synthetic": chosen.synthetic, "windows": len(x)}
        proofs = [{"target": name, **proof.to_dict()} for name, proof in results]
        print_json({"graph": opened.graph.name, "sha256": opened.sha256, **source, "targets": proofs})
    if any(proof.difference for _, proof in results):
        raise typer.Exit(1)


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
) -> Comparison:
    """Build generated sources for a target as they ship and traced, run both, and compare with the simulator.

    x       (n, samples) int16; wanted holds every tensor of the same windows
    """
    from firmware.compilers import find_compiler
    from firmware.runners import open_runner
    from firmware.targets import find_target

    with tempfile.TemporaryDirectory(prefix="bnn-") as folder:
        how = {"opt": opt, "compiler": find_compiler(find_target(target), compiler), "emulator": emulator}
        plain = open_runner(sources, target, Path(folder), traced=False, **how).run(x)
        tensors = open_runner(sources, target, Path(folder), traced=True, **how).run(x).tensors
    return compare_run(wanted, plain, tensors)


def compare_run(wanted: Simulation, plain, tensors: dict[str, np.ndarray]) -> Comparison:
    """Compare a traced run's tensors with the simulator's; and classes and logits of a run as it ships, by the names
    "class (as shipped)" and "logits (as shipped)"."""
    shipped_values = {"logits (as shipped)": plain.logits, "class (as shipped)": plain.classes}
    expected = {"logits (as shipped)": wanted.logits, "class (as shipped)": wanted.classes}
    return compare_tensors(wanted.tensors | expected, tensors | shipped_values)
