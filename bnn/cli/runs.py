"""bnn runs: many trainings of one recipe, summed up."""

from pathlib import Path
from typing import Annotated

import typer

from bnn.cli.common import JsonOption, out, print_json, table
from bnn.cli.subject import need_torch
from bnn.errors import DataError


def register(app: typer.Typer) -> None:
    app.command("runs")(runs_command)


def runs_command(
    folders: Annotated[list[Path], typer.Argument(help="Run folders, or folders that hold some at any depth.")],
    json: JsonOption = False,
):
    """Sum up runs of one recipe under one protocol: mean and standard deviation over seeds or folds; pooled figures and
    classes where all folds are there."""
    need_torch()
    from bnn.metrics import render
    from bnn.train.summary import spread, summarise

    found = [run.parent for folder in folders for run in sorted(folder.rglob("run.json"))]
    if not found:
        raise DataError(f"{', '.join(map(str, folders))}: no run.json there; name folders that `bnn train` wrote")
    made = summarise(found)
    if json:
        print_json([summary.to_dict() for summary in made])
        return
    numbers = ("runs", "accuracy, %", "best on test, %", "macro-F1", "minutes")
    shown = table("set", "recipe", "protocol", numbers=numbers)
    for s in made:
        best = spread(s.best_on_test) if s.best_on_test else ""
        minutes = "-" if s.minutes is None else f"{s.minutes:.0f}"
        figures = (str(len(s.runs)), spread(s.accuracies), best, spread(s.macro_f1, 1, 3), minutes)
        name = f"{s.set} (SYNTHETIC)" if s.synthetic else s.set
        shown.add_row(name, s.recipe, s.protocol, *figures)
    out.print(shown)
    for s in made:
        if s.pooled:
            protocol = f"{s.protocol}, {len(s.runs)} folds"
            title = f"{s.set} {s.recipe}"
            out.print(render(s.pooled, title=title, protocol=protocol, part="test", synthetic=s.synthetic))
