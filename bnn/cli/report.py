"""bnn report: what a network is worth, on one page that needs no other file."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn.cli.classify import clock
from bnn.cli.common import ForceOption, out
from bnn.cli.evaluate import (
    FoldOption,
    MinConfidenceOption,
    ModelArgument,
    ProtocolOption,
    SeedOption,
    SetOption,
    SyntheticOption,
)
from bnn.cli.robustness import METHOD, read_robustness, robustness_rows
from bnn.cli.subject import Part, Subject, open_part, open_subject
from bnn.cli.sweep import OnOption, count_instructions
from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import PROTOCOLS
from bnn.errors import DataError
from bnn.files import refuse_existing, write_atomic
from bnn.metrics import ClassFigures, Report
from bnn.metrics import report as figures_of
from bnn.rejection import check_threshold, confidence, reject, risk_coverage
from bnn.report.page import Page, Section, Table, render

EXAMPLES = 6
FOLDED = ("kfold", "subjects", "leave-one-out")
TRAINING = ("recipe", "set", "protocol", "seed", "fold", "epochs", "logit_scale")
"""What the page says of the training, in this order."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a subject said of a part.

    classes     (n,) int64, predicted
    confidence  (n,) in [0, 1]; None where the subject does not say its logit scale
    """

    classes: np.ndarray
    confidence: np.ndarray | None
    figures: Report


def register(app: typer.Typer) -> None:
    app.command("report")(report_command)


def report_command(
    model: ModelArgument,
    target: Annotated[
        Path | None, typer.Option("--out", help="The page. [RUN/report.html, or NAME-report.html]")
    ] = None,
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: FoldOption = None,
    min_confidence: MinConfidenceOption = 0.9,
    robustness: Annotated[
        Path | None, typer.Option(help="Figures to show, of `bnn robustness --out FILE.json`.")
    ] = None,
    front: Annotated[
        Path | None, typer.Option(help="Points of the size-accuracy front to show, as JSON: see bnn/report/front.py.")
    ] = None,
    on: OnOption = None,
    force: ForceOption = False,
    synthetic: SyntheticOption = False,
):
    """Write a page on a run, a network of the zoo or a graph: curves, figures per class, examples on ECG paper."""
    from bnn.report.front import read_points

    check_threshold(min_confidence)
    run = Path(model)
    target = target or (run / "report.html" if run.is_dir() else Path(f"{run.stem}-report.html"))
    refuse_existing(target, force)
    disturbed, points = read_robustness(robustness) if robustness else None, read_points(front) if front else None
    subject = open_subject(model, networks=("ecg", "sleep", "sleep-binary"))
    if on and subject.staged is None:
        raise DataError(f"--on {on} counts instructions over several exits, but {subject.name} has one; leave --on out")
    counts = count_instructions(model, on)
    part = open_part(subject, set_name=set_name, protocol=protocol, seed=seed, fold=fold, synthetic=synthetic)
    if isinstance(part.windows, EpochSet):
        from bnn.cli import sleep_report

        sections = sleep_report.sections(subject, part, run, counts)
    else:
        sections = ecg_sections(subject, part, run, min_confidence)
    sections += [*robustness_section(disturbed), *front_section(points)]
    lead = f"{subject.kind[0].upper()}{subject.kind[1:]}, test part of {part.windows.name} under {part.protocol()}"
    write_atomic(target, render(Page(f"{run.name}: report", lead, sections)), force=force)
    out.print(f"wrote {target} ({target.stat().st_size} bytes)")


def ecg_sections(subject: Subject, part: Part, run: Path, min_confidence: float) -> list[Section]:
    """From the top of the page to the examples."""
    answers = answer(subject, part)
    return [
        summary(subject, part, answers),
        *learning_section(run),
        class_section(answers),
        *risk_section(part, answers, min_confidence),
        *example_sections(part, answers),
    ]


def answer(subject: Subject, part: Part) -> Answers:
    """Run the subject on the part."""
    logits = subject.logits(part.windows.x)
    sure = None if subject.logit_scale is None else confidence(logits, subject.logit_scale)
    classes = logits.argmax(axis=1)
    return Answers(classes, sure, figures_of(part.windows.y, classes, part.windows.classes))


def summary(subject: Subject, part: Part, answers: Answers) -> Section:
    """The figures that go on top, and what a reader must know of them."""
    figures, windows = answers.figures, part.windows
    low, high = figures.interval
    rows = [
        ("accuracy", f"{figures.accuracy:.2%} (95 % interval {low:.1%} to {high:.1%})"),
        ("macro-F1", f"{figures.macro_f1:.3f}"),
        ("Cohen's kappa", f"{figures.kappa:.3f}"),
        *([("jk index (Mar et al. 2011)", f"{figures.jk:.3f}")] if figures.jk is not None else []),
        (
            "windows",
            f"{figures.windows} of {windows.length / windows.fs:g} s, {len(np.unique(windows.record))} records",
        ),
        *training_rows(subject),
    ]
    text = f"Protocol {part.split.protocol}: {PROTOCOLS[part.split.protocol]}."
    return Section("Figures", text, warnings(subject, part), Table(("", ""), rows, 2))


def warnings(subject: Subject, part: Part) -> str:
    """What a reader must know before any figure."""
    said = ["These signals are synthetic: no patient stands behind them."] if part.windows.synthetic else []
    if not unseen(subject, part):
        said.append("This is not the split of its training, which may have seen these windows.")
    return " ".join([*said, *(f"{note[0].upper()}{note[1:]}." for note in part.split.notes)])


def training_rows(subject: Subject) -> list[tuple[str, str]]:
    """What to say of the training: what the subject remembers, and the fold only where there are several."""
    known = [key for key in TRAINING if key in subject.about]
    shown = [key for key in known if key != "fold" or subject.about["protocol"] in FOLDED]
    return [(f"trained: {key.replace('_', ' ')}", subject.about[key]) for key in shown]


def unseen(subject: Subject, part: Part) -> bool:
    """Is this the test part that the training of the subject left out?"""
    parts = part.split
    wanted = {"set": part.windows.name, "protocol": parts.protocol, "seed": str(parts.seed), "fold": str(parts.fold)}
    return all(subject.about.get(key) == value for key, value in wanted.items())


def learning_section(run: Path) -> list[Section]:
    """Loss and accuracy of the run's epochs; nothing where there is no run."""
    from bnn.report import curves, plots

    epochs = read_epochs(run)
    if not epochs:
        return []
    text = "Figures of the training part are taken while the network changes, with dropout and augmentation."
    return [Section("Learning", text, svg=plots.to_svg(curves.learning(epochs)))]


def read_epochs(run: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Column -> (epochs, values) of the logs of a run; where it was resumed, the later log counts."""
    logs = sorted(run.glob("logs/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    columns: dict[str, dict[int, float]] = {}
    for path in logs:
        for row in csv.DictReader(path.read_text().splitlines()):
            for name, value in row.items():
                if value and name.endswith(("_loss", "_accuracy")):
                    columns.setdefault(name, {})[int(row["epoch"]) + 1] = float(value)
    return {name: (sorted(values), [values[e] for e in sorted(values)]) for name, values in columns.items()}


def class_section(answers: Answers) -> Section:
    """Sensitivity, positive predictivity and F1 of each class, and the confusion matrix."""
    from bnn.report import plots
    from bnn.report.confusion import confusion

    figures = answers.figures
    names = tuple(c.name for c in figures.classes)
    header = ("class", "windows", "sensitivity, %", "positive predictivity, %", "F1, %")
    rows = [(c.name, c.support, *_with_intervals(c)) for c in figures.classes]
    text = "In brackets 95 % intervals (Wilson); that of F1 is carried over from the share F1 / (2 - F1)."
    picture = plots.to_svg(confusion(names, np.array(figures.confusion)))
    return Section("Classes", text, table=Table(header, rows), svg=picture)


def _with_intervals(figures: ClassFigures) -> list[str]:
    cells = []
    for name in ("sensitivity", "positive_predictivity", "f1"):
        value, interval = getattr(figures, name), getattr(figures, f"{name}_interval")
        cells.append(
            "-" if value is None else f"{100 * value:.1f} ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
        )
    return cells


def risk_section(part: Part, answers: Answers, least: float) -> list[Section]:
    """What is gained by leaving doubtful windows unanswered; nothing where there is no confidence."""
    from bnn.report import curves, plots

    if answers.confidence is None:
        return []
    right = answers.classes == part.windows.y
    curve = risk_coverage(answers.confidence, right)
    text = f"{reject(answers.confidence, right, least).describe().capitalize()}."
    picture = plots.to_svg(curves.risk_coverage(curve, least))
    return [Section("Doubtful windows left unanswered", text, svg=picture)]


def example_sections(part: Part, answers: Answers) -> list[Section]:
    """Windows on ECG paper, answered wrongly and rightly."""
    wrong, right = examples(part, answers)
    sections = []
    if len(wrong):
        surest = answers.confidence is not None
        text = f"The {'surest' if surest else 'first'} wrong answer of each of {len(wrong)} records."
        sections.append(Section("Wrong answers", _paper_text(text), svg=_strips(part, answers, wrong)))
    if len(right):
        text = f"The first right answer of each of the {len(right)} largest classes."
        sections.append(Section("Right answers", _paper_text(text), svg=_strips(part, answers, right)))
    return sections


def examples(part: Part, answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """(wrong, right) indices into the part's windows, at most EXAMPLES each: one a record, and one a class."""
    y = part.windows.y
    wrong = np.flatnonzero(answers.classes != y)
    if answers.confidence is not None:
        wrong = wrong[np.argsort(-answers.confidence[wrong], kind="stable")]
    surest = np.sort(np.unique(part.windows.record[wrong], return_index=True)[1])
    right = np.flatnonzero(answers.classes == y)
    found, first = np.unique(y[right], return_index=True)
    largest = np.argsort(-np.bincount(y)[found], kind="stable")[:EXAMPLES]
    return wrong[surest[:EXAMPLES]], right[first[largest]]


def _paper_text(text: str) -> str:
    return f"{text} 25 mm to the second and 10 mm to the millivolt, in true size where the page is wide enough.".strip()


def _strips(part: Part, answers: Answers, indices: np.ndarray) -> str:
    from bnn.report import plots
    from bnn.report.ecg_paper import strip

    windows, pictures = part.windows, []
    for i in indices.tolist():
        lead = "" if windows.lead is None else f" {windows.lead[i]}"
        sure = "" if answers.confidence is None else f", confidence {answers.confidence[i]:.3f}"
        said = windows.classes[answers.classes[i]]
        place = f"record {windows.record[i]}{lead} at {clock(windows.start[i] / windows.fs)}"
        title = f"{place}: labelled {windows.classes[windows.y[i]]}, answered {said}{sure}"
        pictures.append(plots.to_svg(strip(windows.x[i], windows.fs, windows.gain, windows.adc_zero, title)))
    return "\n".join(pictures)


def robustness_section(result: dict | None) -> list[Section]:
    """Figures of `bnn robustness`."""
    from bnn.report import curves, plots

    if result is None:
        return []
    title = f"Robustness of {result['graph']}"
    text = f"{result['windows']} windows, {result['protocol']} (seed {result['seed']}). {METHOD}."
    table = Table(("condition", "accuracy", "macro-F1"), robustness_rows(result))
    return [Section(title, text, table=table, svg=plots.to_svg(curves.robustness(result)))]


def front_section(points: list | None) -> list[Section]:
    """Accuracy against size."""
    from bnn.report import plots
    from bnn.report.front import front

    if points is None:
        return []
    text = "Accuracy against what a network stores; bars are one standard deviation over seeds or folds."
    return [Section("Size and accuracy", text, svg=plots.to_svg(front(points)))]
