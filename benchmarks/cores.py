"""What the zoo's networks cost on emulated cores: instructions, flash, RAM, stack, and instructions of each layer.

    python benchmarks/cores.py --json build/cores.json

Counts come from Unicorn and are instructions, not cycles. The slowest of a few windows counts.
"""

import argparse
import json
from pathlib import Path

from bnn import zoo
from bnn.cli.common import load_windows, open_graph, out, spread
from bnn.cli.prove import cost_table, measure_target
from bnn.files import write_atomic
from codegen.choose import Options

CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "rv32imc")
BUILDS = (
    ("-Os", Options()),
    ("-Os", Options(max_flash=13600)),
    ("-Os", Options(max_flash=65536)),
    ("-Os", Options("plain")),
    ("-O2", Options("plain")),
)
"""Optimisation and choice of kernels; the first is what a user gets who asks for nothing."""
WINDOWS = 3


def measure(name: str) -> list[dict]:
    """Figures of one network on every core, for each build; printed as they come."""
    opened = open_graph(name)
    windows = load_windows(opened.set_name)
    x = windows.x[spread(windows, WINDOWS)]
    figures = []
    for level, options in BUILDS:
        measurements = [measure_target(opened, core, x, level, options=options) for core in CORES]
        build = f"{level} {options}".strip()
        out.print(cost_table(f"{name} {build}", measurements))
        figures += [{**m.as_dict(), "build": build} for m in measurements]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    figures = {name: measure(name) for name in zoo.names()}
    if arguments.json:
        write_atomic(arguments.json, json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
