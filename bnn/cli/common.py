"""What several commands share: the graph argument, consoles, windows to run on."""

import hashlib
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bnn import graph as graphs
from bnn import zoo
from bnn.errors import DataError

FILE_WIDTH = 120
"""Columns of what goes to a file or a pipe; a terminal has its own."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else FILE_WIDTH)
"""Results go to `out`, progress and remarks to `err`, so that a script can read the former."""

GraphArgument = Annotated[
    str, typer.Argument(metavar="GRAPH", help="A .graph file, or a name of the zoo; `bnn --help` lists them.")
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="STAGE", help="Of several stages: end with this one's exit. [all]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]


@dataclass(frozen=True, slots=True, eq=False)
class OpenGraph:
    """A graph with the file it came from and that file's SHA-256; `until` where it ends with an earlier exit."""

    path: Path
    graph: graphs.Graph
    sha256: str
    until: str | None = None

    @property
    def words(self) -> str:
        """The graph as a command names it."""
        return self.path.name if self.until is None else f"{self.path.name} --until {self.until}"

    @property
    def set_name(self) -> str:
        """The set of windows it was trained on, by the name that bnn.data.ecg knows."""
        name = self.graph.about.get("set")
        if not name:
            raise DataError(f"{self.path}: does not say which set it was trained on; name one with --set")
        return name


def open_graph(name_or_path: str, until: str | None = None) -> OpenGraph:
    """The graph a command was given, cut after the exit of the stage `until`."""
    path = zoo.graph_path(name_or_path)
    graph = graphs.load(path)
    graph = graph.until(until) if until is not None else graph
    return OpenGraph(path, graph, hashlib.sha256(path.read_bytes()).hexdigest(), until)


def need_one_lead(graph: graphs.Graph, command: str) -> None:
    """DataError by the command, which cuts windows from one lead of a recording, for a graph that reads others."""
    if len(graph.signals) != 1 or graph.signals[0].channels != 1:
        reads = ", ".join(signal.name for signal in graph.signals)
        raise DataError(
            f"{graph.name}: reads {reads}, and {command} takes networks of one lead, such as ecg5; "
            "bnn evaluate, sweep, verify and bench take this one"
        )


def table(*columns: str, title: str | None = None, numbers: tuple[str, ...] = ()) -> Table:
    """A table without vertical rules; the columns `numbers` come last and are set flush right."""
    made = Table(*columns, title=title, box=SIMPLE_HEAD, title_justify="left")
    for column in numbers:
        made.add_column(column, justify="right", no_wrap=True)
    return made


def print_json(value) -> None:
    typer.echo(json.dumps(value, indent=2))


@contextmanager
def progress_bar(text: str, total: int):
    """A bar on stderr; yields a function that is called with the number of steps done."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(text, total=total)
        yield lambda done: progress.update(task, completed=done)


def load_windows(name: str, *, synthetic: bool = False):
    """The labelled windows `name`: recorded ones where the records are at hand, else synthetic ones, and it says so."""
    from bnn.data import ecg, mitdb
    from bnn.data.synthetic import synthetic_set

    if name not in ecg.LOADERS or (not synthetic and mitdb.at_hand()):
        return ecg.load(name)
    if not synthetic:
        err.print(
            "No recordings at hand: the signals are SYNTHETIC. `bnn data fetch` gets the real ones, "
            "or BNN_DATA names the folder that has them.",
            style="yellow",
        )
    made = synthetic_set("ecg17" if name == "ecg17" else "ecg5", per_class=40, seed=0)
    if name == "ecg5-past":  # what comes before a synthetic window looks like it
        return replace(made, name=name, x=np.concatenate([made.x, made.x], axis=1))
    return made


def load_set(name: str, *, synthetic: bool = False):
    """Windows as `load_windows` has them, or nights: an EpochSet at 100 Hz, synthetic only where that is asked for.

    Raises DataError for a name of neither.
    """
    from bnn.data import ecg
    from bnn.data.sleep import sets as nights
    from bnn.data.sleep.resample import resample

    if name in nights.NAMES:
        return resample(nights.load(nights.SYNTHETIC if synthetic else name))
    if name not in ecg.LOADERS:
        raise DataError(f"{name}: no such set, wanted one of {', '.join((*ecg.LOADERS, *nights.NAMES))}")
    return load_windows(name, synthetic=synthetic)


def split_set(loaded, protocol: str | None, seed: int, fold: int):
    """The split of windows or of nights; without a protocol, `stratified` or, of nights, `subjects`."""
    from bnn.data import splits
    from bnn.data.sleep import splits as by_subject
    from bnn.data.sleep.epochs import EpochSet

    if isinstance(loaded, EpochSet):
        return by_subject.split(loaded, protocol or "subjects", seed, fold)
    return splits.split(loaded, protocol or "stratified", seed, fold)


def spread(windows, count: int) -> np.ndarray:
    """Indices of `count` windows that take the classes in turn, so that each has its share of a short run."""
    by_class = [list(np.flatnonzero(windows.y == c)) for c in range(len(windows.classes))]
    order = []
    while any(by_class):
        order += [members.pop(0) for members in by_class if members]
    if count < 1:
        raise DataError(f"--windows is {count}, wanted at least 1")
    return np.array(order[:count])
