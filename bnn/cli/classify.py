"""bnn classify: a recording, window by window."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn.cli.common import JsonOption, err, need_one_lead, open_graph, out, print_json, table
from bnn.cli.evaluate import MinConfidenceOption
from bnn.cli.subject import graph_subject
from bnn.errors import DataError
from bnn.graph import Graph, past_samples
from bnn.rejection import check_threshold, confidence


def register(app: typer.Typer) -> None:
    app.command("classify")(classify_command)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One window: where it lies (seconds), the class, the runner-up and by how much its logit is lower.

    confidence  in [0, 1], None where the network does not say its logit scale
    answered    False where the confidence is below what was asked for; `label` is then a guess
    """

    start_s: float
    end_s: float
    label: str
    runner_up: str
    margin: float
    confidence: float | None
    answered: bool

    @property
    def shown(self) -> str:
        """What a person reads."""
        return self.label if self.answered else "unsure"


def classify_command(
    record: Annotated[
        str, typer.Argument(help="A WFDB record (path, with or without suffix), or a .csv or .npy file.")
    ],
    graph: Annotated[str, typer.Option(help="A .graph file, or a name of the zoo.")] = "ecg17",
    lead: Annotated[str, typer.Option(help="Lead of a WFDB record, by name.")] = "MLII",
    fs: Annotated[float | None, typer.Option(help="Samples per second of a .csv or .npy file.")] = None,
    gain: Annotated[float | None, typer.Option(help="Steps per mV of a .csv or .npy file; 1 if it is in mV.")] = None,
    zero: Annotated[int, typer.Option(help="Value at 0 mV of a .csv or .npy file.")] = 0,
    begin: Annotated[float, typer.Option(min=0, help="Begin at this second.")] = 0.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds. [to the end]")] = None,
    min_confidence: MinConfidenceOption = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the trace with its labels: .png, .svg or .pdf.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --plot if it exists.")] = False,
    json: JsonOption = False,
):
    """Classify a recording window by window; not a medical device."""
    if min_confidence is not None:
        check_threshold(min_confidence)
    opened = open_graph(graph)
    need_one_lead(opened.graph, "bnn classify")
    recording = read_recording(record, opened.graph, lead, fs, gain, zero)
    signal, verdicts = classify(opened.graph, recording, begin, seconds, min_confidence)
    if plot:
        from bnn.report.plots import save_trace

        save_trace(plot, signal, recording, verdicts, verdicts[0].start_s, force=force)
        err.print(f"wrote {plot}")
    if json:
        head = {"record": recording.name, "lead": recording.lead, "graph": opened.graph.name}
        windows = [{name: getattr(v, name) for name in Verdict.__slots__} for v in verdicts]
        print_json({**head, "windows": windows})
        return
    out.print(verdict_table(f"{recording.name} {recording.lead} by {opened.graph.name}", verdicts))


def verdict_table(title: str, verdicts: list[Verdict]) -> Table:
    """What a person reads."""
    made = table("from", "to", "class", "runner-up", title=title, numbers=("margin", "confidence"))
    for v in verdicts:
        sure = "" if v.confidence is None else f"{v.confidence:.3f}"
        made.add_row(clock(v.start_s), clock(v.end_s), v.shown, v.runner_up, f"{v.margin:.2f}", sure)
    return made


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def read_recording(record: str, graph: Graph, lead: str, fs: float | None, gain: float | None, zero: int):
    """The recording at the network's rate and gain."""
    from bnn.data.mitdb import find_record
    from bnn.data.records import read_record
    from bnn.data.samples import read_samples
    from bnn.data.signals import to_adc

    path, signal = Path(record), graph.signals[0]
    if path.suffix in (".csv", ".txt", ".npy"):
        if fs is None or gain is None:
            raise DataError(f"{record}: a file of bare samples does not tell its rate and gain; give --fs and --gain")
        recording = read_samples(path, fs, gain, zero)
    else:
        if fs is not None or gain is not None:
            raise DataError(f"{record}: a WFDB record tells its own rate and gain; leave --fs and --gain out")
        recording = read_record(find_record(path), lead)
    return to_adc(recording, signal.fs, signal.gain)


def classify(
    graph: Graph, recording, begin: float = 0.0, seconds: float | None = None, min_confidence: float | None = None
):
    """(the samples that were classified, one Verdict a window); DataError without a whole window or with a flat one."""
    from bnn.data.signals import check_windows, windows

    signal, subject = graph.signals[0], graph_subject(graph)
    scale = subject.logit_scale if min_confidence is None else subject.scale()
    first = round(begin * signal.fs)
    last = len(recording.signal) if seconds is None else first + round(seconds * signal.fs)
    samples = recording.signal[first:last]
    past = past_samples(graph)
    hop = signal.length - past
    x = windows(samples, signal.length, hop, name=recording.name)
    check_windows(x, recording.name, hop)
    logits = subject.logits(x)
    sure = np.full(len(x), np.nan) if scale is None else confidence(logits, scale)
    order = np.argsort(-logits, axis=1, kind="stable")
    begin += past / signal.fs
    span = hop / signal.fs
    verdicts = [
        Verdict(
            round(begin + i * span, 3),
            round(begin + (i + 1) * span, 3),
            graph.classes[best],
            graph.classes[second],
            round(float(logits[i, best] - logits[i, second]), 4),
            None if scale is None else round(float(sure[i]), 6),
            min_confidence is None or bool(sure[i] >= min_confidence),
        )
        for i, (best, second) in enumerate(order[:, :2])
    ]
    return samples[past : past + len(x) * hop], verdicts
