"""Projects for Vitis HLS: options, writing one with golden windows, running its C simulation."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn import __version__
from bnn.cli.answers import golden
from bnn.cli.common import OpenGraph, table
from bnn.cli.targets import folding_words
from codegen import hls
from codegen.folding_text import parse_foldings

PartOption = Annotated[str | None, typer.Option(help="hls: the FPGA, such as xc7z020clg400-1. [that]")]
ClockOption = Annotated[str | None, typer.Option(help="hls: clock as a frequency or a period. [100MHz]")]
LatencyOption = Annotated[
    float | None, typer.Option("--latency-us", min=0, help="hls: most microseconds from first sample to class. [100]")
]


@dataclass(frozen=True, slots=True)
class HlsOptions:
    """What a design is made for, as the command line says it; None leaves the default."""

    part: str | None = None
    clock: str | None = None
    latency_us: float | None = None
    foldings: tuple[str, ...] = ()

    def design(self, graph) -> hls.Design:
        """The design for a graph; GraphError where the options do not fit it."""
        return hls.choose_foldings(
            hls.make_network(graph),
            hls.find_part(self.part or "xc7z020clg400-1"),
            hls.parse_clock(self.clock or "100MHz"),
            100.0 if self.latency_us is None else self.latency_us,
            parse_foldings(self.foldings),
        )

    def __str__(self) -> str:
        """As the options of the command line."""
        given = {"--part": self.part, "--clock": self.clock, "--latency-us": self.latency_us}
        words = [
            f"{flag} {value:g}" if isinstance(value, float) else f"{flag} {value}"
            for flag, value in given.items()
            if value is not None
        ]
        return " ".join(words + folding_words(self.foldings))


def write_project(
    opened: OpenGraph, folder: Path, options: HlsOptions, design: hls.Design, force: bool = False
) -> Path:
    """Write the project of a design into `folder`; returns the folder."""
    hls.generate(
        design,
        folder,
        golden=golden(opened),
        command=f"bnn generate {opened.words} --target hls {options}".rstrip(),
        graph_sha256=opened.sha256,
        tool_version=__version__,
        force=force,
    )
    return folder


def cost_table(design: hls.Design) -> Table:
    """One row a kernel: folding and estimated cost."""
    from codegen.hls.emit import table as rows

    title = f"{design.network.graph.name} on {design.part.name} at {design.clock:g} MHz (estimates)"
    made = table("layer", "PE,SIMD", title=title, numbers=("cycles", "LUT", "BRAM18", "DSP"))
    for row in rows(design):
        made.add_row(*row)
    return made


def timing_line(design: hls.Design) -> str:
    """Latency and pace in words."""
    timing, us = design.timing, design.microseconds
    return (
        f"{us(timing.latency):.1f} us from the first sample to the class ({timing.latency:,} cycles), "
        f"a window every {us(timing.interval):.1f} us: {timing.slowest} sets the pace"
    )


def run_csim(opened: OpenGraph, x: np.ndarray, speed: int, options: HlsOptions, compiler: str | None = None):
    """C simulation of a design, an exit at `speed`, as it ships and traced: (hw.csim.Result, tensors by name)."""
    from hw.csim import run_project
    from hw.cxx import find_cxx

    design, cxx = options.design(opened.graph), find_cxx(compiler)
    with tempfile.TemporaryDirectory(prefix="bnn-") as name:
        folder = Path(name)
        project = write_project(opened, folder / opened.graph.name, options, design)
        how = {"compiler": cxx, "speed": speed}
        plain, traced = (run_project(project, folder, x, traced=t, **how) for t in (False, True))
        return plain, traced.tensors
