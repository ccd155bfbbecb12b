"""The page on a sleep network: its exits, and what a speed buys."""

from pathlib import Path

from bnn.cli.report import Answers, class_section, learning_section, training_rows, warnings
from bnn.cli.subject import Part, Subject
from bnn.cli.sweep import Counts, speeds_of
from bnn.data.sleep.splits import PROTOCOLS
from bnn.exits import SpeedPoint, sweep
from bnn.metrics import report
from bnn.report.page import Section, Table

SPEEDS = "0:1:0.05"


def sections(subject: Subject, part: Part, run: Path, counts: Counts | None) -> list[Section]:
    """From the top of the page to its end; `counts` of instructions, if they are to be shown."""
    epochs = part.windows
    logits = [subject.logits(epochs.x)] if subject.staged is None else subject.staged.logits(epochs.x)
    figures = [report(epochs.y, z.argmax(axis=1), epochs.classes) for z in logits]
    last = Answers(logits[-1].argmax(axis=1), None, figures[-1])
    found = [summary(subject, part, last), *learning_section(run)]
    if subject.staged is not None:
        found += [exit_section(subject, figures), speed_section(subject, part, counts)]
    return [*found, class_section(last)]


def summary(subject: Subject, part: Part, answers: Answers) -> Section:
    """The last exit's figures, and what a reader must know of them."""
    figures, epochs = answers.figures, part.windows
    low, high = figures.interval
    rows = [
        ("accuracy of the last exit", f"{figures.accuracy:.2%} (95 % interval {low:.1%} to {high:.1%})"),
        ("macro-F1", f"{figures.macro_f1:.3f}"),
        ("Cohen's kappa", f"{figures.kappa:.3f}"),
        ("epochs", f"{figures.windows} of 30 s, {len(set(epochs.subject.tolist()))} subjects"),
        *training_rows(subject),
    ]
    text = f"Protocol {part.split.protocol}: {PROTOCOLS[part.split.protocol]}."
    return Section("Figures", text, warnings(subject, part), Table(("", ""), rows, 2))


def exit_section(subject: Subject, figures: list) -> Section:
    """Each exit as if it answered every epoch."""
    staged = subject.staged
    rows = []
    for k, (name, f) in enumerate(zip(staged.names, figures, strict=True)):
        parameters, macs = staged.cut_off(k)
        shown = f"{f.accuracy:.2%}", f"{f.macro_f1:.3f}", f"{f.kappa:.3f}"
        rows.append((name.upper(), *shown, f"{parameters:,}", f"{macs / 1e6:.2f} M"))
    header = ("exit", "accuracy", "macro-F1", "kappa", "parameters", "multiply-accumulates")
    return Section(
        "Exits", "Each exit alone, on every epoch; costs are of all stages up to it.", table=Table(header, rows)
    )


def speed_section(subject: Subject, part: Part, counts: Counts | None) -> Section:
    """Accuracy, shares of the exits and work over the speeds, as figures and as a picture."""
    from bnn.report import plots
    from bnn.report.speeds import speeds

    points = sweep(subject.staged, part.windows.x, part.windows.y, speeds_of(SPEEDS))
    origin = "SYNTHETIC signals, " if part.windows.synthetic else ""
    title = f"{part.windows.name}, {origin}{part.protocol()}, {part.name} part"
    picture = plots.to_svg(speeds(points, title, counts))
    counted = (f"instructions, {counts.target}",) if counts else ()
    header = ("speed", "accuracy", "MACs", *counted, *(f"leave at {n.upper()}" for n in subject.staged.names))
    text = (
        "An epoch leaves at the first exit whose uncertainty, 0 to 1, is below the speed. "
        "In brackets the right answers among those that leave. Work is the mean of an epoch"
        + ("; instructions are counted in emulation." if counts else ".")
    )
    return Section("What a speed buys", text, table=Table(header, [_row(p, counts) for p in points]), svg=picture)


def _row(point: SpeedPoint, counts: Counts | None) -> tuple[str, ...]:
    shares = (f"{e.share:.1%}" + ("" if e.accuracy is None else f" ({e.accuracy:.1%})") for e in point.exits)
    counted = (f"{point.per_epoch(counts.stages) / 1e6:.2f} M",) if counts else ()
    return f"{point.speed:g}", f"{point.figures.accuracy:.2%}", f"{point.macs / 1e6:.2f} M", *counted, *shares
