"""bnn classify: a recording, window by window."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bnn.cli.common import JsonOption, err, open_graph, out, print_json, table
from bnn.errors import DataError
from bnn.graph import Graph, past_samples
from bnn.sim import simulate


def register(app: typer.Typer) -> None:
    app.command("classify")(classify_command)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One window: where it lies (seconds), the class, the runner-up and by how much its logit is lower."""

    start_s: float
    end_s: float
    label: str
    runner_up: str
    margin: float


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
    plot: Annotated[Path | None, typer.Option(help="Draw the trace with its labels: .png, .svg or .pdf.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --plot if it exists.")] = False,
    json: JsonOption = False,
):
    """Classify a recording window by window; not a medical device."""
    opened = open_graph(graph)
    recording = read_recording(record, opened.graph, lead, fs, gain, zero)
    signal, verdicts = classify(opened.graph, recording, begin, seconds)
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
    made = table("from", "to", "class", "runner-up", title=title, numbers=("margin",))
    for v in verdicts:
        made.add_row(clock(v.start_s), clock(v.end_s), v.label, v.runner_up, f"{v.margin:.2f}")
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


def classify(graph: Graph, recording, begin: float = 0.0, seconds: float | None = None):
    """(the samples that were classified, one Verdict a window); DataError without a whole window or with a flat one."""
    from bnn.data.signals import check_windows, windows

    signal = graph.signals[0]
    first = round(begin * signal.fs)
    last = len(recording.signal) if seconds is None else first + round(seconds * signal.fs)
    samples = recording.signal[first:last]
    past = past_samples(graph)
    hop = signal.length - past
    x = windows(samples, signal.length, hop, name=recording.name)
    check_windows(x, recording.name, hop)
    logits = simulate(graph, {signal.name: x}).logits / 2.0 ** logit_frac(graph)
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
        )
        for i, (best, second) in enumerate(order[:, :2])
    ]
    return samples[past : past + len(x) * hop], verdicts


def logit_frac(graph: Graph) -> int:
    """Fraction bits of the last exit's logits."""
    return next(node.frac for node in graph.nodes() if node.name == graph.stages[-1].logits)
