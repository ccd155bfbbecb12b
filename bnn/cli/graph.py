"""bnn inspect, simulate: look at a graph, and run it in integers."""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn.cli.common import (
    GraphArgument,
    JsonOption,
    load_set,
    open_graph,
    out,
    print_json,
    progress_bar,
    table,
)
from bnn.cli.engine import EngineOption, by_signal, open_engine
from bnn.cli.storage import image_storage, paper_bytes, storage_table
from bnn.errors import DataError
from bnn.graph import check, to_text
from bnn.sim import simulate


def register(app: typer.Typer) -> None:
    app.command("inspect")(inspect_command)
    app.command("simulate")(simulate_command)


def inspect_command(graph: GraphArgument, json: JsonOption = False):
    """Print a graph: every tensor with its shape and range, what each layer costs, and what a linked image stores."""
    opened = open_graph(graph)
    rows = layer_costs(opened.graph)
    storage, note = image_storage(opened)
    if json:
        about = {"graph": opened.graph.name, "sha256": opened.sha256, "about": opened.graph.about}
        stored = {"image": storage.to_dict() if storage else None, "paper": paper_bytes(opened.graph), "note": note}
        print_json({**about, "classes": opened.graph.classes, "layers": rows, "storage": stored})
        return
    out.print(to_text(opened.graph), markup=False, soft_wrap=True)
    head = f"{opened.graph.name} (sha256 {opened.sha256[:12]})"
    costs = table("tensor", "op", "shape", title=head, numbers=("constants, B", "values, B", "MACs"))
    for row in rows:
        shape = " x ".join(map(str, row["shape"]))
        constants, values = f"{row['constant_bits'] / 8:,.0f}", f"{row['value_bits'] / 8:,.0f}"
        costs.add_row(row["name"], row["op"], shape, constants, values, f"{row['macs']:,}")
    constants = sum(row["constant_bits"] for row in rows) / 8
    costs.add_section()
    costs.add_row("all", "", "", f"{constants:,.0f}", "", f"{sum(row['macs'] for row in rows):,}")
    out.print(costs)
    out.print(storage_table(storage, paper_bytes(opened.graph)))
    if note:
        out.print(note, markup=False)
    for key, value in opened.graph.about.items():
        out.print(f"{key}: {value}", markup=False)


def layer_costs(graph) -> list[dict]:
    """One entry a node: name, op, kind, shape, range, bits of its constants and of its values, MACs."""
    types, rows = check(graph), []
    for node in graph.nodes():
        kind, sources = types[node.name], [types[source] for source in node.inputs]
        rows.append(
            {
                "name": node.name,
                "op": type(node).__name__,
                "kind": kind.kind,
                "shape": kind.shape,
                "lo": kind.lo,
                "hi": kind.hi,
                "constant_bits": node.storage_bits(),
                "value_bits": kind.bits,
                "macs": node.macs(*sources),
            }
        )
    return rows


def simulate_command(
    graph: GraphArgument,
    samples: Annotated[
        Path | None, typer.Option("--input", help="Windows to run: .npy of int16 (n, samples), raw ADC units.")
    ] = None,
    tensors: Annotated[bool, typer.Option("--tensors", help="Keep every named tensor, not only the logits.")] = False,
    target: Annotated[Path | None, typer.Option("--out", help="Write classes, logits and tensors as .npz.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --out if it exists.")] = False,
    limit: Annotated[int | None, typer.Option("--windows", min=1, help="Only the first so many windows.")] = None,
    engine: EngineOption = "numpy",
    json: JsonOption = False,
):
    """Run windows through the bit-exact simulator, or its twin in C; without --input, the set of the training."""
    opened = open_graph(graph)
    if tensors and engine != "numpy":
        raise DataError(f"--tensors: the {engine} engine does not store every tensor; leave --engine out")
    running = open_engine(opened.graph, engine)
    x, y = _windows(opened, samples, limit)
    n = len(next(iter(x.values())))
    began = time.perf_counter()
    with progress_bar("simulating", n) as progress:
        if tensors:
            result = simulate(opened.graph, x, keep="all", progress=progress)
        else:
            result = running.run(x, progress)
    seconds = time.perf_counter() - began
    if target:
        _write_npz(target, result, force)
    summary = {
        "graph": opened.graph.name,
        "engine": running.name,
        "windows": n,
        "seconds": round(seconds, 3),
        "windows_per_second": round(n / seconds, 1),
        "predicted": _counts(opened.graph.classes, result.classes),
        "right": None if y is None else int((result.classes == y).sum()),
    }
    if json:
        print_json(summary)
        return
    out.print(f"{n} windows in {seconds:.2f} s, {n / seconds:.0f} windows per second")
    out.print("predicted: " + ", ".join(f"{name} {n}" for name, n in summary["predicted"].items() if n))
    if y is not None:
        out.print(f"{summary['right']} are as labelled (training windows included; `bnn evaluate` keeps parts apart)")


def _counts(classes: tuple[str, ...], predicted: np.ndarray) -> dict[str, int]:
    return dict(zip(classes, np.bincount(predicted, minlength=len(classes)).tolist(), strict=True))


def _windows(opened, path: Path | None, limit: int | None):
    """(the first `limit` windows by signal, labels or None)."""
    if path is None:
        windows = load_set(opened.set_name)
        rows = slice(0, limit)
        return by_signal(opened.graph, windows.subset(np.arange(len(windows))[rows]).x), windows.y[rows]
    try:
        x = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a .npy array ({error}); write the windows with numpy.save") from error
    return {opened.graph.signals[0].name: x[:limit]}, None


def _write_npz(path: Path, result, force: bool) -> None:
    from io import BytesIO

    from bnn.files import write_atomic

    buffer = BytesIO()
    np.savez_compressed(buffer, **{**result.tensors, "classes": result.classes, "logits": result.logits})
    write_atomic(path, buffer.getvalue(), force=force)
