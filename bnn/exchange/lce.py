"""Larq Compute Engine: a graph rebuilt with Larq layers and converted to its .tflite, in an environment of its own.

larq-compute-engine 0.16 wants NumPy 1 and TensorFlow, so it is never imported here: larq_script.py runs in an
interpreter that has it, with files in between. What it computes is the same network in floats:

- The input is the standardised window, float32, (x - mean) / std with the graph's own integer mean and std.
- A threshold is a BatchNormalization that takes t off; the sign that follows makes the bit. Sums of bits are integers
  and exact, but those of the first layer are rounded floats: where one lies on its threshold, a bit of block 1 may
  differ, and all that follows from it.
- Logits are real numbers, in units of 1 where the graph's are in units of 2^-frac.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from bnn.errors import GraphError, ToolError
from bnn.graph import Graph, check, only_signal, ops, refuse_gate
from bnn.graph.arith import ALWAYS, NEVER, standardise

SCRIPT = Path(__file__).parent / "larq_script.py"
NEVER_REACHED = 1e9
"""A bound of standardised sums that none reaches; negated, one that all do."""

INSTALL = (
    "python3.11 -m venv lce && lce/bin/pip install numpy==1.26.4 tensorflow==2.21.0 tf_keras==2.21.0 larq==0.14.0 "
    "larq-compute-engine==0.16.0, then --lce-python lce/bin/python"
)
SECONDS = 900
LAST_LINES = 3


@dataclass(frozen=True, slots=True, eq=False)
class LceModel:
    """tflite  the file; its input is float32 (windows, samples, 1, 1), standardised
    logits  (n, classes) float32, what the engine makes of the windows that were given
    """

    tflite: bytes
    logits: np.ndarray


def to_lce(graph: Graph, windows: np.ndarray, python: Path) -> LceModel:
    """Convert a graph of the target dialect and run `windows` (n, samples) int16 through what came out.

    python  the interpreter that has larq-compute-engine

    Raises GraphError for a graph that Larq's layers do not hold, ToolError if the interpreter lacks the packages or
    fails.
    """
    layers, constants = describe(graph)
    with tempfile.TemporaryDirectory(prefix="bnn-lce-") as temporary:
        folder = Path(temporary)
        (folder / "layers.json").write_text(json.dumps(layers), encoding="utf-8")
        np.savez(folder / "constants.npz", **constants)
        np.save(folder / "windows.npy", standardise(windows, _frac(graph)))
        _run([str(python), str(SCRIPT), str(folder)], python)
        return LceModel((folder / "model.tflite").read_bytes(), np.load(folder / "logits.npy", allow_pickle=False))


def _run(command: list[str], python: Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{python}: the conversion did not end within {SECONDS} s") from error
    except OSError as error:
        raise ToolError(f"{python}: cannot be started ({error.strerror}); make it by {INSTALL}") from error
    if "ModuleNotFoundError" in done.stderr:
        missing = done.stderr.strip().splitlines()[-1]
        raise ToolError(f"{python}: lacks what --format lce needs ({missing}); make an environment by {INSTALL}")
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise ToolError(f"{python}: the conversion failed; it said:\n{said}")


def _frac(graph: Graph) -> int:
    """Fraction bits of the statistics; GraphError where there is no one kind of them."""
    found = {node.frac for node in graph.nodes() if isinstance(node, ops.WindowStats)}
    if len(found) != 1 or len(graph.signals) != 1 or graph.signals[0].channels != 1:
        raise GraphError(
            f"graph {graph.name}: Larq layers are built for one signal of one channel that is standardised once; "
            f"it has {len(graph.signals)} signals and {len(found)} kinds of statistics"
        )
    return found.pop()


def describe(graph: Graph) -> tuple[dict, dict[str, np.ndarray]]:
    """(layers, constants): what larq_script.py builds from; constants are called NODE:FIELD."""
    check(graph, "target")
    only_signal(graph, "Larq Compute Engine")
    refuse_gate(graph, "the Larq Compute Engine")
    _frac(graph)
    listed, constants = [], {}
    for node in graph.nodes():
        if isinstance(node, ops.WindowStats):
            continue  # the input is standardised
        entry = {"op": type(node).__name__, "name": node.name, "inputs": list(node.inputs)}
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, np.ndarray):
                constants[f"{node.name}:{field.name}"] = value.astype(np.float32)
            elif isinstance(value, int):
                entry[field.name] = value
        if isinstance(node, ops.Threshold):
            constants[f"{node.name}:t"] = _bounds(node, graph)
        listed.append(entry)
    signal = graph.signals[0]
    return {
        "signal": signal.name,
        "samples": signal.length,
        "logits": graph.stages[-1].logits,
        "nodes": listed,
    }, constants


def _bounds(node: ops.Threshold, graph: Graph) -> np.ndarray:
    """What is taken off before the sign: t in standard deviations, or half a step below an integer t."""
    of_signal = any(isinstance(other, ops.SignalConv) and other.name == node.inputs[0] for other in graph.nodes())
    if len(node.inputs) == 1:
        if of_signal:
            node.fail("compares sums of raw samples with a fixed bound, which a standardised input does not know")
        return node.t.astype(np.float32) - 0.5
    bounds = np.where(node.t == NEVER, NEVER_REACHED, node.t / 2.0**node.frac)
    return np.where(node.t == ALWAYS, -NEVER_REACHED, bounds).astype(np.float32)
