"""bnn bench: what generated C costs on emulated cores."""

from itertools import accumulate
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn.cli.common import GraphArgument, JsonOption, err, open_graph, out, print_json, table
from bnn.cli.energy import as_dict, show_estimates
from bnn.cli.generate import KernelsOption, MaxFlashOption, MaxRamOption, StreamOption, temporary_sources
from bnn.cli.inputs import open_inputs
from bnn.cli.targets import CompilerOption, OptOption, SetOption, find_targets, processors
from bnn.errors import GraphError
from codegen import DEFAULT, Choice, Options, choose

OnOption = Annotated[
    str, typer.Option(help="Targets, with commas: host, cortex-m0, -m3, -m4, -m7, -m33, -m55 (QEMU), rv32imc; or all.")
]


def register(app: typer.Typer) -> None:
    app.command("bench")(bench_command)


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
    stream: StreamOption = False,
    layers: Annotated[bool, typer.Option("--layers", help="Show instructions of each layer.")] = False,
    compare: Annotated[bool, typer.Option("--compare", help="Show what the choice of kernels rests on, too.")] = False,
    energy: Annotated[bool, typer.Option("--energy", help="ESTIMATE cycles, time and energy on named chips.")] = False,
    json: JsonOption = False,
):
    """Count instructions, flash, RAM and stack on emulated cores. These are counts, not cycles."""
    if stream and compare:
        raise GraphError("--stream --compare: a stream has no choice of kernels to show; leave --compare out")
    opened = open_graph(graph)
    x = open_inputs(opened, set_name, windows).flat
    measurements = []
    options = Options(kernels, max_flash, max_ram, stream)
    for name in find_targets(on, processors()):
        err.print(f"measuring {opened.graph.name} on {name} ...")
        measurements.append(measure_target(opened, name, x, opt, compiler, options))
    histograms = profile_targets(opened, measurements, x, opt, compiler, options) if energy else {}
    if json:
        estimated = {name: {"estimate": as_dict(name, histogram)} for name, histogram in histograms.items()}
        print_json([{"graph": opened.graph.name, **m.as_dict(), **estimated.get(m.target, {})} for m in measurements])
        return
    out.print(cost_table(opened.graph.name, measurements))
    if len(opened.graph.stages) > 1:
        out.print(exit_table(measurements))
    if layers:
        out.print(layer_table(measurements))
    if compare:
        for m in measurements:
            out.print(prediction_table(choose(opened.graph, m.target, options), m))
    if energy:
        show_estimates(opened.graph.name, histograms)


def profile_targets(
    opened, measurements: list, x: np.ndarray, opt: str, compiler: str | None, options: Options
) -> dict:
    """Histograms of executed instructions by target; of those Arm cores that Unicorn emulates."""
    from firmware.compilers import find_compiler
    from firmware.profile import profile
    from firmware.targets import find_target

    histograms = {}
    for target in (find_target(m.target) for m in measurements):
        if target.is_arm and target.unicorn:
            with temporary_sources(opened, target.name, options) as sources:
                found = find_compiler(target, compiler)
                histograms[target.name] = profile(sources, target, x, opt=opt, compiler=found)
    return histograms


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
    streams = any(m.largest_push is not None for m in measurements)
    numbers = ("instructions", *(("largest push",) if streams else ()), "flash, B", "RAM, B", "stack, B", "samples, B")
    made = table("target", "", title=title, numbers=numbers)
    for m in measurements:
        burst = (m.largest_push,) if streams else ()
        counts = (m.instructions, *burst, m.flash, m.ram, m.stack, m.sizes.samples)
        made.add_row(m.target, m.opt, *(f"{n:,}" for n in counts))
    return made


def exit_table(measurements: list) -> Table:
    """One row an exit, one column a target: the instructions for a window that leaves there, all stages so far."""
    made = table("leaves at exit", numbers=tuple(m.target for m in measurements))
    sums = [list(accumulate(m.per_stage.values())) for m in measurements]
    for k, name in enumerate(measurements[0].per_stage):
        made.add_row(name, *(f"{counts[k]:,}" for counts in sums))
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
