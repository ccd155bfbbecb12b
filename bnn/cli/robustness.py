"""bnn robustness: what a network's accuracy becomes under noise, another lead, gain, rate and clock."""

import csv
import io
import json as json_module
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn.cli.common import (
    ForceOption,
    GraphArgument,
    JsonOption,
    err,
    need_one_lead,
    open_graph,
    out,
    print_json,
    progress_bar,
    table,
)
from bnn.cli.evaluate import FoldOption, ProtocolOption, SeedOption, SetOption
from bnn.cli.subject import Part, graph_subject, open_part
from bnn.errors import DataError, FileError
from bnn.files import refuse_existing, write_atomic
from bnn.metrics import report
from bnn.sim import simulate

FORMAT = "bnn-robustness 1"
METHOD = (
    "SNR as in nst(1) of the WFDB applications, signal and noise of each record calibrated by sigamp(1); noise begins "
    "at a random place for each window and repeat; noise and gain saturate at the recordings' 11-bit ADC, 0 to 2047; "
    "rates are resampled by the loader's polyphase filter; a clock at +1 % runs at 363.6 Hz for 360"
)


@dataclass(frozen=True, slots=True)
class Row:
    """Figures under one condition (bnn.data.disturb): one accuracy and one macro-F1 a repeat, in [0, 1]."""

    group: str
    level: float
    unit: str
    accuracy: tuple[float, ...]
    macro_f1: tuple[float, ...]

    def to_dict(self) -> dict:
        return {**asdict(self), **{f"{name}_{key}": value for name, key, value in self._summary()}}

    def _summary(self):
        for name in ("accuracy", "macro_f1"):
            values = getattr(self, name)
            yield name, "mean", float(np.mean(values))
            yield name, "sd", float(np.std(values, ddof=1)) if len(values) > 1 else None


def register(app: typer.Typer) -> None:
    app.command("robustness")(robustness_command)


def robustness_command(
    graph: GraphArgument,
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: FoldOption = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often each noise is laid down, at other places.")] = 3,
    noise_seed: Annotated[int, typer.Option(min=0, help="Seed of these places.")] = 0,
    target: Annotated[Path | None, typer.Option("--out", help="Write the figures: .json or .csv.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them: .png, .svg or .pdf.")] = None,
    force: ForceOption = False,
    json: JsonOption = False,
):
    """Accuracy of a graph on its test part under noise (24 to 0 dB), another lead, gain, sampling rate and clock."""
    for path in filter(None, (target, plot)):
        refuse_existing(path, force)
    if target and target.suffix not in (".json", ".csv"):
        raise FileError(f"{target}: figures are written as .json or .csv; choose one of these endings")
    _need_records()
    opened = open_graph(graph)
    need_one_lead(opened.graph, "bnn robustness")
    part = open_part(graph_subject(opened.graph), set_name=set_name, protocol=protocol, seed=seed, fold=fold)
    rows = measure(opened.graph, part, repeats, noise_seed)
    result = {**_head(opened, part, repeats, noise_seed), "rows": [row.to_dict() for row in rows]}
    if target:
        write_atomic(target, _content(result, target.suffix), force=force)
        err.print(f"wrote {target}")
    if plot:
        from bnn.report import curves, plots

        plots.save(curves.robustness(result), plot, force=force)
        err.print(f"wrote {plot}")
    if json:
        print_json(result)
    else:
        out.print(robustness_table(result))
        out.print(METHOD, markup=False, style="dim")


def _need_records() -> None:
    from bnn.data import mitdb

    if mitdb.at_hand() is None:
        raise DataError("no MIT-BIH records at hand, and only records can be disturbed; `bnn data fetch` gets them")


def measure(graph, part: Part, repeats: int, noise_seed: int) -> list[Row]:
    """One Row a condition, the first of them "none"."""
    from bnn.data.disturb import Condition, conditions

    windows = part.windows
    clean = Condition("none", 0.0, "", lambda _: windows.x)
    chosen = [clean, *conditions(windows, noise_seed)]
    rows = []
    with progress_bar("disturbing", len(chosen)) as progress:
        for i, condition in enumerate(chosen):
            runs = range(repeats if condition.random else 1)
            figures = [_figures(graph, condition.make, repeat, part) for repeat in runs]
            accuracy, macro_f1 = zip(*figures, strict=True)
            rows.append(Row(condition.group, condition.level, condition.unit, accuracy, macro_f1))
            progress(i + 1)
    return rows


def _figures(graph, make: Callable[[int], np.ndarray], repeat: int, part: Part) -> tuple[float, float]:
    classes = simulate(graph, {graph.signals[0].name: make(repeat)}).classes
    figures = report(part.windows.y, classes, part.windows.classes)
    return figures.accuracy, figures.macro_f1


def _head(opened, part: Part, repeats: int, noise_seed: int) -> dict:
    return {
        "format": FORMAT,
        "graph": opened.graph.name,
        "sha256": opened.sha256,
        "set": part.windows.name,
        "protocol": part.split.protocol,
        "seed": part.split.seed,
        "fold": part.split.fold,
        "part": part.name,
        "windows": len(part.windows),
        "repeats": repeats,
        "noise_seed": noise_seed,
        "method": METHOD,
    }


def _content(result: dict, suffix: str) -> str:
    if suffix == ".json":
        return json_module.dumps(result, indent=2) + "\n"
    text = io.StringIO()
    fields = ["group", "level", "unit", "accuracy_mean", "accuracy_sd", "macro_f1_mean", "macro_f1_sd"]
    head = ["graph", "set", "protocol", "seed", "fold"]
    writer = csv.DictWriter(text, [*fields, *head], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**row, **{name: result[name] for name in head}} for row in result["rows"])
    return text.getvalue()


def read_robustness(path: Path) -> dict:
    """The figures that `bnn robustness --out FILE.json` wrote. Raises FileError for another or a damaged file."""
    try:
        result = json_module.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise FileError(
            f"{path}: not readable as JSON; write it with `bnn robustness GRAPH --out FILE.json`"
        ) from error
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        raise FileError(f"{path}: is not of format {FORMAT}; write it with `bnn robustness GRAPH --out FILE.json`")
    return result


def condition_text(row: dict) -> str:
    """A condition in words."""
    from bnn.data.noise import KINDS

    group, level = row["group"], row["level"]
    if group in KINDS:
        return f"{KINDS[group]} ({group}), {level:g} dB"
    texts = {"none": "undisturbed", "lead": "the record's other lead", "gain": f"gain x{level:g}"}
    texts |= {"rate": f"recorded at {level:g} Hz", "clock": f"clock off by {level:+g} %"}
    return texts[group]


def robustness_rows(result: dict) -> list[tuple[str, str, str]]:
    """(condition, accuracy, macro-F1) of each row, with the spread of repeats."""
    rows = []
    for row in result["rows"]:
        accuracy, f1 = f"{row['accuracy_mean']:.2%}", f"{row['macro_f1_mean']:.3f}"
        if row["accuracy_sd"] is not None:
            accuracy, f1 = f"{accuracy} ± {100 * row['accuracy_sd']:.2f}", f"{f1} ± {row['macro_f1_sd']:.3f}"
        rows.append((condition_text(row), accuracy, f1))
    return rows


def robustness_table(result: dict) -> Table:
    """What a person reads."""
    fold = f", fold {result['fold']}" if result["protocol"] == "kfold" else ""
    title = (
        f"{result['graph']} on {result['windows']} windows of {result['set']}, protocol {result['protocol']} "
        f"(seed {result['seed']}{fold}), {result['part']} part; ± is the spread of {result['repeats']} repeats"
    )
    made = table("condition", title=title, numbers=("accuracy", "macro-F1"))
    for row in robustness_rows(result):
        made.add_row(*row)
    return made
