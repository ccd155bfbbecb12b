"""bnn sweep: what a network with exits gains and loses from one speed to the next."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bnn import zoo
from bnn.cli.common import ForceOption, JsonOption, err, open_graph, out, print_json, table
from bnn.cli.evaluate import (
    FoldOption,
    ModelArgument,
    PartOption,
    ProtocolOption,
    SeedOption,
    SetOption,
    SyntheticOption,
    evaluation_head,
)
from bnn.cli.inputs import open_inputs
from bnn.cli.subject import Part, open_part, open_subject
from bnn.cli.targets import find_targets, processors
from bnn.errors import DataError
from bnn.exits import sweep
from bnn.files import refuse_existing, write_atomic

OnOption = Annotated[
    str | None,
    typer.Option(help="Of a graph with exits: count instructions per epoch on this emulated core, such as cortex-m4."),
]


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions of each stage, its exit included, in its slowest of a few windows on a core."""

    target: str
    stages: tuple[int, ...]


def register(app: typer.Typer) -> None:
    app.command("sweep")(sweep_command)


def sweep_command(
    model: ModelArgument,
    speed: Annotated[str, typer.Option(metavar="FROM:TO:STEP", help="Speeds, both ends included.")] = "0:1:0.05",
    target: Annotated[Path | None, typer.Option("--out", help="Write a CSV file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a plot: .png, .svg or .pdf.")] = None,
    on: OnOption = None,
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: FoldOption = None,
    part: PartOption = "test",
    synthetic: SyntheticOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
):
    """Accuracy, share of each exit and work per epoch of a sleep network, over its speeds."""
    speeds = speeds_of(speed)
    for path in filter(None, (target, plot)):
        refuse_existing(path, force)
    subject = open_subject(model, networks=("sleep", "sleep-binary"))
    if subject.staged is None:
        raise DataError(
            f"{subject.name}: has one exit, so no speed; name a network of `bnn train sleep` that has several"
        )
    from bnn.report import plots
    from bnn.report.speeds import speeds as drawn

    how = dict(set_name=set_name, protocol=protocol, seed=seed, fold=fold, part=part, synthetic=synthetic)
    chosen = open_part(subject, **how)
    points = sweep(subject.staged, chosen.windows.x, chosen.windows.y, speeds)
    counts = count_instructions(model, on)
    head = evaluation_head(model, subject, chosen)
    if target:
        write_atomic(target, _csv(head, points, counts), force=force)
    if plot:
        plots.save(drawn(points, _title(chosen), counts), plot, force=force)
    if json:
        print_json({**head, "points": [_row(point, counts) for point in points]})
        return
    out.print(_title(chosen) + (f"; instructions per epoch on an emulated {counts.target}" if counts else ""))
    out.print(_table(points, counts))


def speeds_of(text: str) -> list[float]:
    """ "0:1:0.5" -> [0.0, 0.5, 1.0]. Raises DataError for anything else than a range within [0, 1]."""
    try:
        first, last, step = (float(number) for number in text.split(":"))
    except ValueError:
        first, last, step = 0.0, 0.0, 0.0
    if not (0 <= first <= last <= 1 and step > 0):
        raise DataError(f"--speed is {text}, wanted FROM:TO:STEP with 0 <= FROM <= TO <= 1, for example 0:1:0.05")
    return [round(first + i * step, 9) for i in range(int((last - first) / step + 1e-9) + 1)]


def _title(chosen: Part) -> str:
    origin = "SYNTHETIC signals, " if chosen.windows.synthetic else ""
    return f"{chosen.windows.name}, {origin}{chosen.protocol()}, {chosen.name} part, {len(chosen.windows)} epochs"


def count_instructions(model: str, on: str | None) -> Counts | None:
    """Instructions of each stage's C on a core. DataError for what is no graph."""
    if on is None:
        return None
    if not (model in zoo.names() or model.endswith(".graph")):
        raise DataError(f"--on {on} counts the instructions of generated C, but {model} is no graph; lower it first")
    from bnn.cli.bench import measure_target

    (target,) = find_targets(on, processors())
    opened = open_graph(model)
    err.print(f"measuring {opened.graph.name} on {target} ...")
    measured = measure_target(opened, target, open_inputs(opened, None, 3).flat)
    return Counts(target, tuple(measured.per_stage.values()))


def _row(point, counts: Counts | None) -> dict:
    """Plain values of one point; a share has its exit's name."""
    row = {"speed": point.speed, "accuracy": point.figures.accuracy}
    row |= {"macro_f1": point.figures.macro_f1, "kappa": point.figures.kappa, "macs": round(point.macs)}
    row |= {"instructions": round(point.per_epoch(counts.stages))} if counts else {}
    for e in point.exits:
        row |= {f"share_{e.name}": e.share, f"accuracy_{e.name}": e.accuracy}
    return row


def _csv(head: dict, points: list, counts: Counts | None) -> str:
    """One line a speed; what the figures are of stands in each."""
    about = {key: head[key] for key in ("set", "synthetic", "protocol", "seed", "fold", "part")}
    text = io.StringIO()
    writer = csv.DictWriter(text, [*about, *_row(points[0], counts)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**about, **_row(point, counts)} for point in points)
    return text.getvalue()


def _table(points: list, counts: Counts | None):
    names = [e.name.upper() for e in points[0].exits]
    shares = (column for name in names for column in (f"at {name}", "right"))
    work = ("instr.",) if counts else ()
    shown = table("speed", numbers=("accuracy", "macro-F1", "kappa", "MACs", *work, *shares))
    for p in points:
        exits = (cell for e in p.exits for cell in (_share(e.share), _share(e.accuracy)))
        overall = f"{p.figures.accuracy:.2%}", f"{p.figures.macro_f1:.3f}", f"{p.figures.kappa:.3f}"
        counted = (f"{p.per_epoch(counts.stages) / 1e6:.2f} M",) if counts else ()
        shown.add_row(f"{p.speed:g}", *overall, f"{p.macs / 1e6:.2f} M", *counted, *exits)
    return shown


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
