"""What the zoo's networks cost on emulated cores: instructions, flash, RAM, stack, and instructions of each layer.

    python benchmarks/cores.py --json build/cores.json

Counts come from Unicorn and are instructions, not cycles. The slowest of a few windows counts.
"""

import argparse
import json
from pathlib import Path

from bnn import zoo
from bnn.cli.common import load_windows, open_graph, out, spread
from bnn.cli.prove import cost_table, layer_table, measure_target
from bnn.files import write_atomic

CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "rv32imc")
LEVELS = ("-Os", "-O2")
WINDOWS = 3


def measure(name: str) -> list:
    """Measurements of one network on every core, at each level of optimisation."""
    opened = open_graph(name)
    windows = load_windows(opened.set_name)
    x = windows.x[spread(windows, WINDOWS)]
    return [measure_target(opened, core, x, level) for level in LEVELS for core in CORES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    figures = {}
    for name in zoo.names():
        measurements = measure(name)
        out.print(cost_table(name, measurements))
        out.print(layer_table(measurements[: len(CORES)]))
        figures[name] = [m.as_dict() for m in measurements]
    if arguments.json:
        write_atomic(arguments.json, json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
