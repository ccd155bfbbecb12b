"""bnn generate: C sources from a graph, or hardware: a project for Vitis HLS, or Verilog."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import codegen
from bnn import __version__
from bnn.cli import hls, rtl
from bnn.cli.answers import known_answer
from bnn.cli.common import ForceOption, GraphArgument, OpenGraph, UntilOption, open_graph, out
from bnn.cli.targets import FoldingOption, folding_words
from bnn.errors import GraphError

KernelsOption = Annotated[str, typer.Option(help="auto, plain, or lanes: bits of 32 time steps a word.")]
MaxFlashOption = Annotated[int | None, typer.Option(min=0, help="Most bytes of code and constants, as predicted.")]
StreamOption = Annotated[bool, typer.Option("--stream", help="Take samples as they come, through line buffers.")]
MaxRamOption = Annotated[int | None, typer.Option(min=0, help="Most bytes of working memory.")]


def register(app: typer.Typer) -> None:
    app.command("generate")(generate_command)


def generate_command(
    graph: GraphArgument,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the sources; made if it does not exist.")],
    target: Annotated[
        str, typer.Option(help="Core that C is meant for, see `bnn verify --help`; hls for C++, rtl for Verilog.")
    ] = "cortex-m4",
    kernels: KernelsOption = "auto",
    max_flash: MaxFlashOption = None,
    max_ram: MaxRamOption = None,
    stream: StreamOption = False,
    part: hls.PartOption = None,
    clock: hls.ClockOption = None,
    latency_us: hls.LatencyOption = None,
    folding: FoldingOption = None,
    cycles: rtl.CyclesOption = None,
    until: UntilOption = None,
    force: ForceOption = False,
):
    """Write C: NAME.h, NAME.c, the runtime, a known-answer test, a build file. Or hardware: --target hls or rtl."""
    opened = open_graph(graph, until)
    options = codegen.Options(kernels, max_flash, max_ram, stream)
    foldings = tuple(folding or ())
    _check_options(target, options, hls.HlsOptions(part, clock, latency_us), rtl.RtlOptions(cycles), foldings)
    if target == "hls":
        _generate_hls(opened, folder, hls.HlsOptions(part, clock, latency_us, foldings), force)
    elif target == "rtl":
        _generate_rtl(opened, folder, rtl.RtlOptions(cycles, foldings), force)
    else:
        _generate_c(opened, folder, target, options, force)


def _generate_hls(opened: OpenGraph, folder: Path, options: hls.HlsOptions, force: bool) -> None:
    design = options.design(opened.graph)
    hls.write_project(opened, folder, options, design, force)
    out.print(hls.cost_table(design))
    out.print(hls.timing_line(design))
    out.print(f"wrote {folder}; read README.md in it first")


def _generate_rtl(opened: OpenGraph, folder: Path, options: rtl.RtlOptions, force: bool) -> None:
    plan = options.plan(opened.graph)
    rtl.write_verilog(opened, folder, options, plan, force)
    out.print(rtl.fold_table(plan))
    out.print(f"wrote {folder}; the top level is {opened.graph.name}_top.v, and its first lines say how to use it")


def _generate_c(opened: OpenGraph, folder: Path, target: str, options: codegen.Options, force: bool) -> None:
    choice = codegen.plan(opened.graph, target, options)
    write_sources(opened, folder, target=target, options=options, choice=choice, force=force)
    out.print(f"kernels for {target}: {choice}")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    out.print(f"wrote {len(files)} files to {folder}, {sum(path.stat().st_size for path in files)} bytes")
    out.print(f"read {opened.graph.name}.h first; `make -C {folder} check` runs the known-answer test on this computer")


def _check_options(
    target: str, options: codegen.Options, design: hls.HlsOptions, verilog: rtl.RtlOptions, foldings: tuple[str, ...]
) -> None:
    """GraphError for an option that says nothing of this target."""
    if target in ("hls", "rtl") and options != codegen.DEFAULT:
        see = "--folding and --latency-us" if target == "hls" else "--folding and --cycles"
        raise GraphError(f"{options} chooses kernels in C, but the target is {target}; see {see}")
    if target not in ("hls", "rtl") and foldings:
        said = " ".join(folding_words(foldings))
        raise GraphError(f"{said} is of hardware, but the target is {target}; add --target hls or rtl")
    if target != "hls" and design != hls.HlsOptions():
        raise GraphError(f"{design} is of a design in HLS C++, but the target is {target}; add --target hls")
    if target != "rtl" and verilog != rtl.RtlOptions():
        raise GraphError(f"{verilog} is of Verilog, but the target is {target}; add --target rtl")


def write_sources(
    opened: OpenGraph,
    folder: Path,
    *,
    target: str,
    options: codegen.Options = codegen.DEFAULT,
    choice: codegen.Choice | codegen.StreamPlan | None = None,
    force: bool = False,
) -> Path:
    """Generate C for a graph into `folder`, with a known answer that the simulator gives; returns the folder.

    The sources name the command that makes them, without the folder, so that two folders get the same bytes.
    """
    codegen.generate(
        opened.graph,
        folder,
        target=target,
        known_answer=known_answer(opened.graph),
        command=f"bnn generate {opened.words} --target {target} {options}".rstrip(),
        graph_sha256=opened.sha256,
        tool_version=__version__,
        options=options,
        choice=choice,
        force=force,
    )
    return folder


@contextmanager
def temporary_sources(opened: OpenGraph, target: str, options: codegen.Options = codegen.DEFAULT) -> Iterator[Path]:
    """The sources in a temporary folder, for building and measuring."""
    with tempfile.TemporaryDirectory(prefix="bnn-") as folder:
        yield write_sources(opened, Path(folder) / opened.graph.name, target=target, options=options)
