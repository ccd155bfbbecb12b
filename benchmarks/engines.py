"""Windows per second on this computer, one thread: the NumPy simulator beside the generated C.

    OMP_NUM_THREADS=1 python benchmarks/engines.py --json build/engines.json

Both run the same windows and must agree on every logit. They take turns; the median of the rounds counts.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bnn import zoo
from bnn.cli.common import load_windows, open_graph, out, table
from bnn.cli.generate import temporary_sources
from bnn.files import write_atomic
from bnn.sim import simulate
from firmware.runners import open_runner

WINDOWS, ROUNDS = 1000, 5


def seconds(run, *arguments) -> tuple[float, np.ndarray]:
    """(duration, logits) of one run."""
    began = time.perf_counter()
    result = run(*arguments)
    return time.perf_counter() - began, result.logits


def measure(name: str) -> dict:
    """Windows per second of both engines on the network's own set, repeated up to WINDOWS windows."""
    opened = open_graph(name)
    x = np.resize(load_windows(opened.set_name).x, (WINDOWS, opened.graph.signals[0].length))
    times: dict[str, list[float]] = {"simulator": [], "generated C": []}
    with temporary_sources(opened, "host") as sources, tempfile.TemporaryDirectory() as folder:
        runner = open_runner(sources, "host", Path(folder), traced=False, opt="-O3")
        for _ in range(ROUNDS):
            simulator, wanted = seconds(simulate, opened.graph, {opened.graph.signals[0].name: x})
            generated, got = seconds(runner.run, x)
            np.testing.assert_array_equal(got, wanted)
            times["simulator"].append(simulator)
            times["generated C"].append(generated)
    return {engine: round(WINDOWS / statistics.median(rounds), 1) for engine, rounds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    figures = {name: measure(name) for name in zoo.names()}
    made = table("windows per second, one thread", numbers=tuple(figures))
    for engine in next(iter(figures.values())):
        made.add_row(engine, *(f"{figures[name][engine]:,.0f}" for name in figures))
    out.print(made)
    if arguments.json:
        write_atomic(arguments.json, json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
