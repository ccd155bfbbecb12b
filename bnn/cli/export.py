"""bnn export: a graph in the format of another tool, held against the simulator."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn.cli.common import (
    ForceOption,
    GraphArgument,
    JsonOption,
    load_windows,
    need_one_lead,
    open_graph,
    out,
    print_json,
    spread,
)
from bnn.errors import DataError
from bnn.files import refuse_existing, write_atomic
from bnn.sim import Simulation, simulate

FORMATS = ("onnx", "lce")
LEAST_AGREEMENT = 0.995
"""Of classes, where the other tool computes in floats: as `bnn lower` asks."""

NOTES = {
    "onnx": "integers in float32 and int64: every logit must be the simulator's",
    "lce": "the first layer is in floats and may round across a threshold; logits are real numbers",
}


def register(app: typer.Typer) -> None:
    app.command("export")(export_command)


def export_command(
    graph: GraphArgument,
    target: Annotated[Path, typer.Option("--out", help="File to write: .onnx or .tflite.")],
    kind: Annotated[str, typer.Option("--format", help="onnx; lce: .tflite for the Larq Compute Engine.")] = "onnx",
    lce_python: Annotated[
        Path | None, typer.Option("--lce-python", help="Python interpreter of an environment with larq-compute-engine.")
    ] = None,
    windows: Annotated[int, typer.Option(min=1, help="How many windows to compare on, all classes in turn.")] = 500,
    force: ForceOption = False,
    json: JsonOption = False,
):
    """Write a graph as ONNX or for the Larq Compute Engine; exit code 1 if what it computes differs."""
    if kind not in FORMATS:
        raise DataError(f"--format {kind}: wanted one of {', '.join(FORMATS)}")
    refuse_existing(target, force)
    opened = open_graph(graph)
    need_one_lead(opened.graph, "bnn export")
    chosen = load_windows(opened.set_name)
    x = chosen.x[spread(chosen, windows)]
    content, logits = _onnx(opened.graph, x) if kind == "onnx" else _lce(opened.graph, x, lce_python)
    write_atomic(target, content, force=force)
    summary = {"graph": opened.graph.name, "format": kind, "bytes": len(content), "set": chosen.name}
    summary |= {"synthetic": chosen.synthetic, "windows": len(x)}
    summary |= _held_against(opened.graph, x, logits) if logits is not None else {"equal_classes": None}
    if json:
        print_json(summary)
    else:
        out.print(f"wrote {target} ({len(content)} bytes)")
        out.print(_line(summary, chosen.describe()), markup=False)
    equal = summary["equal_classes"]
    if equal is not None and equal < (len(x) if kind == "onnx" else LEAST_AGREEMENT * len(x)):
        raise typer.Exit(1)


def _line(summary: dict, windows: str) -> str:
    """What a person reads."""
    note = NOTES[summary["format"]]
    if summary["equal_classes"] is None:
        return f"not compared, since onnxruntime is not installed: pip install 'bnn-wearables[peers]' ({note})"
    equal = f"{summary['equal_classes']} of {summary['windows']} classes as the simulator's"
    return f"{equal}, logits within {summary['logit_difference']:.2g}, on {windows} ({note})"


def _held_against(graph, x: np.ndarray, logits: np.ndarray) -> dict:
    """How many classes are the simulator's, and the largest difference of logits in units of 1."""
    wanted: Simulation = simulate(graph, {graph.signals[0].name: x})
    frac = next(node.frac for node in graph.nodes() if node.name == graph.stages[-1].logits)
    difference = np.abs(logits.astype(np.float64) - wanted.logits / 2.0**frac).max()
    return {
        "equal_classes": int((logits.argmax(axis=1) == wanted.classes).sum()),
        "logit_difference": float(difference),
    }


def _onnx(graph, x: np.ndarray) -> tuple[bytes, np.ndarray | None]:
    """The file, and the logits in units of 1; None where onnxruntime is not installed."""
    from bnn.exchange.onnx import to_onnx

    content = to_onnx(graph)
    try:
        import onnxruntime
    except ImportError:
        return content, None
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    logits, _ = session.run(None, {graph.signals[0].name: x[:, None]})
    frac = next(node.frac for node in graph.nodes() if node.name == graph.stages[-1].logits)
    return content, logits / 2.0**frac


def _lce(graph, x: np.ndarray, python: Path | None) -> tuple[bytes, np.ndarray]:
    from bnn.exchange.lce import INSTALL, to_lce

    if python is None:
        raise DataError(f"--format lce needs an environment of its own: {INSTALL}")
    made = to_lce(graph, x, python)
    return made.tflite, made.logits
