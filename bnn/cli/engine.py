"""The engines that run a graph on this computer: the simulator in NumPy, or its twin in C for this very processor."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn.cli.common import OpenGraph, err
from bnn.errors import GraphError, ToolError
from bnn.graph import Graph
from bnn.sim import Simulation, simulate

ENGINES = ("numpy", "native", "auto")
TRIAL = 70
"""Windows that a new build must classify as the simulator does: more than one word of 64, and a rest."""

EngineOption = Annotated[
    str, typer.Option(help="numpy: the simulator; native: C compiled for this computer; auto: native where it can be.")
]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """name  "numpy" or "native"
    run   (windows (n, samples) int16, progress) -> Simulation; of tensors it keeps none
    """

    name: str
    run: Callable[[np.ndarray, Progress], Simulation]


def open_engine(graph: Graph, name: str) -> Engine:
    """The engine of that name. `auto` falls back on the simulator, and says why, where there is no other.

    Raises ToolError for another name, and for `native` without a compiler; GraphError where it does not run the graph.
    """
    if name not in ENGINES:
        raise ToolError(f"--engine {name}: wanted one of {', '.join(ENGINES)}")
    if name != "numpy":
        try:
            return _native(graph)
        except (ToolError, GraphError) as error:
            if name == "native":
                raise
            err.print(
                f"The NumPy simulator runs, since the native engine does not: {error}", style="yellow", markup=False
            )
    return Engine("numpy", lambda x, progress: simulate(graph, by_signal(graph, x), progress=progress))


def by_signal(graph: Graph, x: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the graph reads of a set's x: windows are its one signal, epochs come by signal."""
    if not isinstance(x, dict):
        return {graph.signals[0].name: x}
    return {signal.name: x[signal.name] for signal in graph.signals if signal.name in x}


def _native(graph: Graph) -> Engine:
    runner = native_runner(graph)

    def run(x: np.ndarray, progress: Progress) -> Simulation:
        (x,) = by_signal(graph, x).values()
        result = runner.run(x)
        progress(len(x))
        return Simulation(result.classes.astype(np.int64), result.logits, {})

    return Engine("native", run)


def native_runner(graph: Graph, **options):
    """The graph in the native engine; a new build is held against the simulator first. Options as of open_native."""
    from codegen.c.native import emit_native
    from firmware.native import open_native

    return open_native(emit_native(graph), check=lambda runner: _hold_against(graph, runner), **options)


def _hold_against(graph: Graph, runner) -> None:
    rng, length = np.random.default_rng(0), graph.signals[0].length
    walk = rng.normal(scale=20, size=(TRIAL, length)).cumsum(axis=1)
    x = np.clip(walk, -32768, 32767).astype(np.int16)
    if not np.array_equal(runner.run(x).logits, simulate(graph, {graph.signals[0].name: x}).logits):
        raise ToolError(
            f"{graph.name}: this compiler's build of the native engine differs from the simulator; use --engine numpy, "
            "and see what `bnn verify --on native` says"
        )


def run_native(opened: OpenGraph, x: np.ndarray, compiler: str | None = None):
    """One build, run as it ships and then so that it shows every tensor it stores: (records.Result, tensors)."""
    from codegen.c.native import emit_native
    from firmware.compilers import find_compiler
    from firmware.native import open_native
    from firmware.targets import HOST

    with tempfile.TemporaryDirectory(prefix="bnn-") as cache:  # what is not proved is not kept
        runner = open_native(emit_native(opened.graph), compiler=find_compiler(HOST, compiler), cache=Path(cache))
        return runner.run(x), runner.run(x, tensors=True).tensors
