"""bnn generate: C sources from a graph."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import codegen
from bnn import __version__
from bnn.cli.common import ForceOption, GraphArgument, OpenGraph, open_graph, out
from bnn.sim import simulate

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
        str, typer.Option(help="Core that the sources are meant for: see `bnn verify --help`.")
    ] = "cortex-m4",
    kernels: KernelsOption = "auto",
    max_flash: MaxFlashOption = None,
    max_ram: MaxRamOption = None,
    stream: StreamOption = False,
    force: ForceOption = False,
):
    """Write NAME.h, NAME.c, the runtime they need, a known-answer test, an example and a build file."""
    opened = open_graph(graph)
    options = codegen.Options(kernels, max_flash, max_ram, stream)
    choice = codegen.plan(opened.graph, target, options)
    write_sources(opened, folder, target=target, options=options, choice=choice, force=force)
    out.print(f"kernels for {target}: {choice}")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    out.print(f"wrote {len(files)} files to {folder}, {sum(path.stat().st_size for path in files)} bytes")
    out.print(f"read {opened.graph.name}.h first; `make -C {folder} check` runs the known-answer test on this computer")


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
        command=f"bnn generate {opened.path.name} --target {target} {options}".rstrip(),
        graph_sha256=opened.sha256,
        tool_version=__version__,
        options=options,
        choice=choice,
        force=force,
    )
    return folder


def known_answer(graph) -> codegen.KnownAnswer:
    """One synthetic window of each signal, with the simulator's answer."""
    from bnn.data.synthetic import synthetic_recording

    signals = {
        signal.name: synthetic_recording(signal.length / signal.fs + 1, seed=7).signal[None, : signal.length]
        for signal in graph.signals
    }
    answer = simulate(graph, signals)
    return codegen.KnownAnswer({name: x[0] for name, x in signals.items()}, answer.logits[0], int(answer.classes[0]))


@contextmanager
def temporary_sources(opened: OpenGraph, target: str, options: codegen.Options = codegen.DEFAULT) -> Iterator[Path]:
    """The sources in a temporary folder, for building and measuring."""
    with tempfile.TemporaryDirectory(prefix="bnn-") as folder:
        yield write_sources(opened, Path(folder) / opened.graph.name, target=target, options=options)
