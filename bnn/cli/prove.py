"""bnn verify, bench: what is generated, run and compared with the simulator, and what it costs."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn.cli.common import GraphArgument, JsonOption, err, load_windows, open_graph, out, print_json, spread, table
from bnn.cli.compare import Comparison
from bnn.cli.compare import compare as compare_tensors
from bnn.cli.generate import KernelsOption, MaxFlashOption, MaxRamOption, temporary_sources
from bnn.cli.rtl import run_rtl
from bnn.sim import Simulation, simulate
from codegen import DEFAULT, Choice, Options, choose

OnOption = Annotated[
    str, typer.Option(help="Targets, with commas: host, cortex-m0, -m3, -m4, -m7, -m33, rv32imc; or all of these.")
]
VerifyOnOption = Annotated[
    str, typer.Option(help="Targets, with commas: those of bench, or all of them; rtl: simulated Verilog.")
]
OptOption = Annotated[str, typer.Option(help="Optimisation: -O0 to -O3, -Os.")]
CompilerOption = Annotated[str | None, typer.Option(help="zig, gcc or clang. [zig; gcc for the host]")]
SetOption = Annotated[str | None, typer.Option("--set", help="Windows to run. [the set of the graph's training]")]


BACKENDS = {"rtl": run_rtl}
"""What runs but on no processor: a function of the graph and the windows that returns a run of what ships, with classes
and logits, and every tensor of a traced run by name."""


def register(app: typer.Typer) -> None:
    app.command("verify")(verify_command)
    app.command("bench")(bench_command)


def _targets(on: str, others: Collection[str] = ()) -> list[str]:
    """The targets by name, "all" being all processors; ToolError for one that is neither processor nor in `others`."""
    from firmware.targets import TARGETS, find_target

    names = [name.strip() for name in on.split(",") if name.strip()]
    names = [name for given in names for name in (TARGETS if given == "all" else [given])]
    return [name if name in others else find_target(name).name for name in names]


def verify_command(
    graph: GraphArgument,
    on: VerifyOnOption = "host,cortex-m0,cortex-m4,cortex-m33",
    windows: Annotated[int, typer.Option(min=1, help="How many windows, all classes in turn.")] = 50,
    set_name: SetOption = None,
    opt: OptOption = "-Os",
    compiler: CompilerOption = None,
    emulator: Annotated[str, typer.Option(help="unicorn or qemu, for targets other than the host.")] = "unicorn",
    kernels: KernelsOption = "auto",
    max_flash: MaxFlashOption = None,
    max_ram: MaxRamOption = None,
    json: JsonOption = False,
):
    """Prove that generated code equals the simulator on every tensor; exit code 1 at the first difference."""
    opened = open_graph(graph)
    targets = _targets(on, BACKENDS)
    chosen = load_windows(set_name or opened.set_name)
    x = chosen.x[spread(chosen, windows)]
    signal = opened.graph.signals[0].name
    wanted = simulate(opened.graph, {signal: x}, keep="all")
    if not json:
        out.print(f"{opened.graph.name} on {len(x)} windows of {chosen.describe()}")
    results = []
    for name in targets:
        if name in BACKENDS:
            proof = compare_run(wanted, *BACKENDS[name](opened, x))
        else:
            with temporary_sources(opened, name, Options(kernels, max_flash, max_ram)) as sources:
                proof = prove(sources, name, x, wanted, opt=opt, compiler=compiler, emulator=emulator)
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
    Class and logits of the image as it ships are compared too, as "class (as shipped)" and "logits (as shipped)".
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
    """Compare a traced run's tensors, and classes and logits of a run as it ships, with the simulator."""
    shipped_values = {"logits (as shipped)": plain.logits, "class (as shipped)": plain.classes}
    expected = {"logits (as shipped)": wanted.logits, "class (as shipped)": wanted.classes}
    return compare_tensors(wanted.tensors | expected, tensors | shipped_values)


def bench_command(
    graph: GraphArgument,
    on: OnOption = "cortex-m0,cortex-m3,cortex-m4,cortex-m7,cortex-m33",
    windows: Annotated[int, typer.Option(min=1, help="How many windows; the slowest counts.")] = 3,
    set_name: SetOption = None,
    opt: OptOption = "-Os",
    compiler: CompilerOption = None,
    kernels: KernelsOption = "auto",
    max_flash: MaxFlashOption = None,
    max_ram: MaxRamOption = None,
    layers: Annotated[bool, typer.Option("--layers", help="Show instructions of each layer.")] = False,
    compare: Annotated[bool, typer.Option("--compare", help="Show what the choice of kernels rests on, too.")] = False,
    json: JsonOption = False,
):
    """Count instructions, flash, RAM and stack on emulated cores. These are counts, not cycles."""
    opened = open_graph(graph)
    chosen = load_windows(set_name or opened.set_name)
    x = chosen.x[spread(chosen, windows)]
    measurements = []
    options = Options(kernels, max_flash, max_ram)
    for name in _targets(on):
        err.print(f"measuring {opened.graph.name} on {name} ...")
        measurements.append(measure_target(opened, name, x, opt, compiler, options))
    if json:
        print_json([{"graph": opened.graph.name, **m.as_dict()} for m in measurements])
        return
    out.print(cost_table(opened.graph.name, measurements))
    if layers:
        out.print(layer_table(measurements))
    if compare:
        for m in measurements:
            out.print(prediction_table(choose(opened.graph, m.target, options), m))


def measure_target(
    opened,
    target: str,
    x: np.ndarray,
    opt: str = "-Os",
    compiler: str | None = None,
    options: Options = DEFAULT,
):
    """Costs of a graph on one target, by firmware.measure."""
    from firmware.compilers import find_compiler
    from firmware.measure import measure
    from firmware.targets import find_target

    with temporary_sources(opened, target, options) as sources:
        return measure(sources, target, x, opt=opt, compiler=find_compiler(find_target(target), compiler))


def cost_table(title: str, measurements: list) -> Table:
    """One row a target, in counts and bytes."""
    compilers = ", ".join(dict.fromkeys(m.compiler for m in measurements))
    title = f"{title}, one window, {compilers} (instructions are counts, not cycles)"
    numbers = ("instructions", "flash, B", "RAM, B", "stack, B", "samples, B")
    made = table("target", "", title=title, numbers=numbers)
    for m in measurements:
        counts = (m.instructions, m.flash, m.ram, m.stack, m.sizes.samples)
        made.add_row(m.target, m.opt, *(f"{n:,}" for n in counts))
    return made


def layer_table(measurements: list) -> Table:
    """One row a traced tensor, one column a target; where kernels differ, not every target has every tensor."""
    made = table("instructions up to", numbers=tuple(m.target for m in measurements))
    for name in dict.fromkeys(name for m in measurements for name in m.per_layer):
        made.add_row(name, *(f"{m.per_layer[name]:,}" if name in m.per_layer else "" for m in measurements))
    return made


def prediction_table(choice: Choice, measurement) -> Table:
    """Instructions of each layer as the choice of kernels predicted them, beside those measured."""
    title = f"{measurement.target}: {choice}"
    made = table("instructions up to", "kernel", title=title, numbers=("predicted", "measured", "ratio"))
    waiting = 0  # a copy between layouts is measured with the step that follows it
    for step in choice.plan.steps:
        waiting += choice.instructions[step.output]
        if step.copy:
            continue
        measured = measurement.per_layer[step.output]
        made.add_row(step.output, step.kernel, f"{waiting:,}", f"{measured:,}", f"{waiting / max(measured, 1):.2f}")
        waiting = 0
    total = sum(choice.instructions.values())
    made.add_row("all", "", f"{total:,}", f"{measurement.instructions:,}", f"{total / measurement.instructions:.2f}")
    made.add_row(
        "flash, B", "", f"{choice.flash:,}", f"{measurement.flash:,}", f"{choice.flash / measurement.flash:.2f}"
    )
    return made
