"""bnn demo: the whole chain on one recording, with a page to look at."""

import time
from pathlib import Path
from typing import Annotated

import typer

from bnn.cli.bench import cost_table, measure_target
from bnn.cli.classify import classify, clock, verdict_table
from bnn.cli.common import ForceOption, OpenGraph, err, need_one_lead, open_graph, out
from bnn.cli.generate import write_sources
from bnn.cli.verify import proof_line, prove
from bnn.files import refuse_existing, write_atomic
from bnn.report.page import Page, Section, Table, render
from bnn.sim import simulate

SECONDS = 60.0
TARGET = "cortex-m4"


def register(app: typer.Typer) -> None:
    app.command("demo")(demo_command)


def demo_command(
    graph: Annotated[str, typer.Option(help="A .graph file, or a name of the zoo.")] = "ecg17",
    record: Annotated[str, typer.Option(help="MIT-BIH record to take, where the records are at hand.")] = "207",
    begin: Annotated[float, typer.Option(min=0, help="Begin at this second.")] = 0.0,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the C sources and the page.")] = Path("build/demo"),
    force: ForceOption = False,
):
    """An ECG through a binary network, its C, an emulated Cortex-M4, and the proof that they agree."""
    began = time.perf_counter()
    page_path = folder / "index.html"
    refuse_existing(page_path, force)
    opened = open_graph(graph)
    need_one_lead(opened.graph, "bnn demo")
    out.rule(f"1  An ECG through {opened.graph.name}")
    recording, synthetic = demo_recording(record, begin)
    signal, verdicts = classify(opened.graph, recording, seconds=SECONDS)
    out.print(verdict_table(f"{recording.name} {recording.lead}", verdicts))
    x = signal.reshape(len(verdicts), -1)

    out.rule("2  The network as C")
    sources = folder / opened.graph.name
    write_sources(opened, sources, target=TARGET, force=force)
    out.print(f"{sources}: {', '.join(sorted(path.name for path in sources.iterdir()))}")

    out.rule("3  The same numbers everywhere")
    wanted = simulate(opened.graph, {opened.graph.signals[0].name: x}, keep="all")
    proofs = {target: prove(sources, target, x, wanted) for target in ("host", TARGET)}
    for target, proof in proofs.items():
        out.print(proof_line(target, proof))

    out.rule("4  What it costs")
    cost = measure_target(opened, TARGET, x[:1])
    out.print(cost_table(opened.graph.name, [cost]))
    write_atomic(page_path, demo_page(opened, recording, synthetic, signal, verdicts, proofs, cost))
    out.print(f"{page_path} shows all of this; {time.perf_counter() - began:.1f} s")
    if any(proof.difference for proof in proofs.values()):
        raise typer.Exit(1)


def demo_recording(record: str, begin: float):
    """(a minute of a real recording, False) where there is one, else (of a synthetic one, True), said on screen."""
    from dataclasses import replace

    from bnn.data import mitdb
    from bnn.data.records import read_record
    from bnn.data.synthetic import synthetic_recording

    folder = mitdb.at_hand()
    if folder is None:
        err.print("No recordings at hand: this ECG is SYNTHETIC. `bnn data fetch` gets the real ones.", style="yellow")
        return synthetic_recording(SECONDS, seed=3), True
    recording = read_record(folder / record)
    first = round(begin * recording.fs)
    return replace(recording, signal=recording.signal[first : first + round(SECONDS * recording.fs)]), False


def demo_page(opened: OpenGraph, recording, synthetic: bool, signal, verdicts, proofs: dict, cost) -> str:
    """The demo as HTML."""
    from bnn.report import plots

    name = opened.graph.name
    about = opened.graph.about
    trace = plots.to_svg(plots.trace(signal, recording, verdicts))
    layers = {layer: n for layer, n in cost.per_layer.items() if n >= 0.001 * cost.instructions}
    bars = plots.to_svg(plots.bars(list(layers), list(layers.values()), "Instructions of each layer", "instructions"))
    verdict_rows = [(clock(v.start_s), v.shown, v.runner_up, f"{v.margin:.2f}") for v in verdicts]
    proof_rows = [
        (t, "equal" if p.difference is None else str(p.difference), len(p.tensors), f"{p.values:,}")
        for t, p in proofs.items()
    ]
    cost_rows = [
        ("instructions a window", f"{cost.instructions:,}"),
        ("flash: code and constants, bytes", f"{cost.flash:,}"),
        ("RAM: the context, bytes", f"{cost.ram:,}"),
        ("stack, bytes", f"{cost.stack:,}"),
        ("the caller's samples, bytes", f"{cost.sizes.samples:,}"),
    ]
    warning = "This ECG is synthetic: it was computed, and no patient stands behind it." if synthetic else ""
    known = "" if synthetic else " Training has seen windows of the same database, perhaps of this record."
    training = (
        f"trained on {about.get('set', '?')}, protocol {about.get('protocol', '?')}, seed {about.get('seed', '?')}"
    )
    sections = [
        Section(
            "An ECG, classified",
            f"Windows of {recording.name} {recording.lead}, by the integer network {name} ({training}).{known}",
            warning,
            Table(("from", "class", "runner-up", "margin"), verdict_rows, 3),
            trace,
        ),
        Section(
            "The same numbers everywhere",
            f"Every tensor of the generated C, on this computer and on an emulated {TARGET}, against the simulator.",
            table=Table(("target", "result", "tensors", "values compared"), proof_rows, 2),
        ),
        Section(
            f"What it costs on a {TARGET}",
            f"Counted in emulation ({cost.compiler}, {cost.opt}). Instructions are counts, not cycles.",
            table=Table(("", ""), cost_rows),
            svg=bars,
        ),
    ]
    lead = "From a heart recording to firmware, with the proof that nothing changed on the way."
    return render(Page(f"{name}: demonstration", lead, sections))
