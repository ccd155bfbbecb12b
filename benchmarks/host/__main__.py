"""Windows per second on this computer, one thread: the native engine beside everything else that runs the same network.

    OMP_NUM_THREADS=1 python benchmarks/host --json build/host.json [--lce-python PATH]

All take turns in every round; medians of the rounds count, and ratios within a round, all in seconds of the processor.
Those that compute in integers must agree on every logit. torch, onnxruntime and the Larq Compute Engine get windows
that are standardised already; all others get raw samples. `--lce-python`, or BNN_LCE_PYTHON, names an interpreter with
larq-compute-engine (see `bnn export --help`).
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import numpy as np
from textbook import Textbook

from bnn import zoo
from bnn.cli.common import err, load_windows, open_graph, out, table
from bnn.cli.engine import native_runner
from bnn.cli.generate import temporary_sources
from bnn.files import write_atomic
from bnn.graph.arith import standardise
from bnn.sim import simulate
from firmware.runners import open_runner

ROUNDS = 7
NATIVE = "native engine"
WINDOWS = {NATIVE: 7740, "generated C": 2000, "textbook C": 1000, "NumPy simulator": 500}
PEER_WINDOWS = 256
"""Of an engine that WINDOWS does not name; enough for a round of a tenth of a second."""
BATCH = 64
"""Windows that onnxruntime takes at once: of 1, 16, 64 and 256 the fastest."""

Round = Callable[[], float]
"""Runs its windows once; returns seconds of the processor."""


def timed(run: Callable, *arguments) -> Round:
    def once() -> float:
        began = time.process_time()
        run(*arguments)
        return time.process_time() - began

    return once


def integer_rounds(opened, x: np.ndarray, stack: ExitStack) -> dict[str, Round]:
    """The engines that give the simulator's logits; checked before they are timed."""
    graph, folder = opened.graph, Path(stack.enter_context(tempfile.TemporaryDirectory()))
    sources = stack.enter_context(temporary_sources(opened, "host"))
    native, textbook = native_runner(graph), Textbook(graph, folder)
    generated = open_runner(sources, "host", folder, traced=False, opt="-O3")
    signal = graph.signals[0].name
    runs = {
        NATIVE: lambda x: native.run(x).logits,
        "generated C": lambda x: generated.run(x).logits,
        "textbook C": textbook.run,
        "NumPy simulator": lambda x: simulate(graph, {signal: x}).logits,
    }
    wanted = runs["NumPy simulator"](x[:600])
    for name, run in runs.items():
        np.testing.assert_array_equal(run(x[:600]), wanted, err_msg=name)
    return {name: timed(run, x[: WINDOWS[name]]) for name, run in runs.items()}


def torch_rounds(name: str, z: np.ndarray) -> dict[str, Round]:
    """The trained networks in torch, and the float one in onnxruntime."""
    import torch

    from bnn.models.checkpoint import load_model

    torch.set_num_threads(1)
    batch = torch.from_numpy(z[:PEER_WINDOWS, None])
    rounds = {}
    for title, model in (("torch, binary network", name), ("torch, float network", f"{name}-float")):
        net = load_model(zoo.model_path(model))[0].eval()
        rounds[title] = timed(torch.inference_mode()(net), batch)
    rounds["onnxruntime, float network"] = onnx_round(net, batch)
    return rounds


def onnx_round(net, batch) -> Round:
    """The float network by torch's exporter, in batches of BATCH."""
    import onnxruntime
    import torch

    file = BytesIO()
    axes = {"z": {0: "windows"}}
    torch.onnx.export(net, (batch[:1],), file, dynamo=False, input_names=["z"], dynamic_axes=axes, opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    x = batch.numpy()
    np.testing.assert_allclose(
        session.run(None, {"z": x[:1]})[0], net(batch[:1]).detach().numpy(), rtol=1e-3, atol=1e-2
    )
    return timed(lambda: [session.run(None, {"z": x[i : i + BATCH]}) for i in range(0, len(x), BATCH)])


def lce_round(opened, x: np.ndarray, z: np.ndarray, python: Path, stack: ExitStack) -> Round:
    """A process in the other environment, which runs one round whenever it is asked."""
    from bnn.exchange.lce import to_lce

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    (folder / "model.tflite").write_bytes(to_lce(opened.graph, x[:1], python).tflite)
    np.save(folder / "windows.npy", z[:PEER_WINDOWS])
    script = Path(__file__).parent / "lce_rounds.py"
    command = [str(python), str(script), str(folder / "model.tflite"), str(folder / "windows.npy")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.stdin.close)

    def once() -> float:
        process.stdin.write("\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    return once


def measure(name: str, lce_python: Path | None) -> dict:
    """By engine: windows per second, microseconds a window, and how many times faster the native engine is."""
    opened = open_graph(name)
    x = np.resize(load_windows(opened.set_name).x, (WINDOWS[NATIVE], opened.graph.signals[0].length))
    z = standardise(x[:PEER_WINDOWS])
    with ExitStack() as stack:
        rounds = integer_rounds(opened, x, stack) | torch_rounds(name, z)
        if lce_python:
            rounds["Larq Compute Engine"] = lce_round(opened, x, z, lce_python, stack)
        spent: dict[str, list[float]] = {engine: [] for engine in rounds}
        for once in rounds.values():
            once()  # caches, threads and pages are warm when it counts
        for _ in range(ROUNDS):
            for engine, once in rounds.items():
                spent[engine].append(once() / WINDOWS.get(engine, PEER_WINDOWS))
    return {engine: _figures(seconds, spent[NATIVE]) for engine, seconds in spent.items()}


def _figures(seconds: list[float], native: list[float]) -> dict:
    """Of seconds a window, one a round."""
    ratio = statistics.median(s / n for s, n in zip(seconds, native, strict=True))
    middle = statistics.median(seconds)
    return {"windows_per_second": round(1 / middle), "us": round(1e6 * middle, 2), "ratio": round(ratio, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--lce-python", type=Path, default=os.environ.get("BNN_LCE_PYTHON"))
    arguments = parser.parse_args()
    if not arguments.lce_python:
        err.print("The Larq Compute Engine is left out: BNN_LCE_PYTHON names no interpreter that has it.")
    figures = {name: measure(name, arguments.lce_python) for name in zoo.names("ecg")}
    for name, engines in figures.items():
        made = table(f"{name}, one thread", numbers=("windows/s", "us a window", "native is faster by"))
        for engine, f in engines.items():
            made.add_row(engine, f"{f['windows_per_second']:,}", f"{f['us']:.2f}", f"{f['ratio']:.1f}")
        out.print(made)
    if arguments.json:
        write_atomic(arguments.json, json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
