"""Run every benchmark and rewrite the committed table, benchmarks/RESULTS.md.

make bench
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from bnn import __version__, zoo
from bnn.files import write_atomic

HERE = Path(__file__).parent
TITLES = {
    "flash": "flash, B",
    "ram": "RAM, B",
    "stack": "stack, B",
    "instructions": "instructions",
}


def run(script: str, folder: Path) -> dict:
    """The figures of one benchmark, run in a process of its own."""
    path = folder / f"{script}.json"
    subprocess.run([sys.executable, str(HERE / f"{script}.py"), "--json", str(path)], check=True)
    return json.loads(path.read_text())


def accuracy(name: str) -> dict:
    """`bnn evaluate` of a network of the zoo, on the test part of the split it was trained under."""
    command = [sys.executable, "-m", "bnn.cli", "evaluate", name, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def markdown(header: list[str], rows: list[list]) -> str:
    """A table: the first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *rows]) + "\n"


def accuracy_part(figures: dict[str, dict]) -> str:
    header = ["network", "protocol", "test windows", "accuracy", "95 % interval", "macro-F1", "signals"]
    rows = []
    for name, f in figures.items():
        low, high = f["interval"]
        protocol = f"{f['protocol']}, seed {f['seed']}"
        signals = "SYNTHETIC" if f["synthetic"] else "MIT-BIH"
        interval = f"{100 * low:.1f}-{100 * high:.1f} %"
        rows.append(
            [name, protocol, f["windows"], f"{100 * f['accuracy']:.2f} %", interval, f"{f['macro_f1']:.3f}", signals]
        )
    return "## Accuracy\n\nInteger graphs, `bnn evaluate NAME`.\n\n" + markdown(header, rows)


def cores_part(figures: dict[str, list[dict]]) -> str:
    text = "## Cores\n\nOne window, emulated; instructions are counts, not cycles. The samples, 7,200 B, come on top.\n"
    for name, measurements in figures.items():
        header = ["core", "build", *TITLES.values()]
        rows = [[m["target"], m["build"], *(f"{m[key]:,}" for key in TITLES)] for m in measurements]
        text += f"\n### {name}, {measurements[0]['compiler']}\n\n{markdown(header, rows)}"
        for build in dict.fromkeys(m["build"] for m in measurements):
            text += layers_part(build, [m for m in measurements if m["build"] == build])
    return text


def layers_part(build: str, measurements: list[dict]) -> str:
    """Instructions of each layer; where kernels differ from core to core, not every core has every tensor."""
    names = dict.fromkeys(name for m in measurements for name in m["per_layer"])
    layers = [
        [name, *(f"{m['per_layer'][name]:,}" if name in m["per_layer"] else "-" for m in measurements)]
        for name in names
    ]
    header = ["up to tensor", *(m["target"] for m in measurements)]
    return f"\nInstructions of each layer, {build}:\n\n{markdown(header, layers)}"


def host_part(figures: dict[str, dict]) -> str:
    text = (
        "## This computer\n\nOne thread, time of the processor, `benchmarks/host.py`: rounds in which all take turns, "
        "medians; the last column is the median of the ratios within a round. torch, onnxruntime and the Larq Compute "
        "Engine get windows that are standardised already, all others raw samples.\n"
    )
    header = ["engine", "windows per second", "us a window", "native engine is faster by"]
    for name, engines in figures.items():
        rows = [[e, f"{f['windows_per_second']:,}", f"{f['us']:.2f}", f"{f['ratio']:.1f}"] for e, f in engines.items()]
        text += f"\n### {name} on this computer\n\n{markdown(header, rows)}"
    return text


def training_part(figures: dict) -> str:
    rows = [
        ["plain torch", f"{figures['plain_seconds_per_epoch']:.3f}"],
        ["bnn.train", f"{figures['bnn_seconds_per_epoch']:.3f}"],
    ]
    return (
        f"## Training\n\nSeconds per epoch of {figures['windows']} synthetic windows, 17 classes, one thread, "
        f"torch {figures['torch']}; ratio {figures['ratio']:.2f}.\n\n" + markdown(["loop", "seconds per epoch"], rows)
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            f"# Results\n\nWritten by `make bench` with bnn {__version__}, Python {platform.python_version()} on "
            f"{platform.system()} {platform.machine()}. Do not edit.\n",
            accuracy_part({name: accuracy(name) for name in zoo.names()}),
            cores_part(run("cores", Path(folder))),
            host_part(run("host", Path(folder))),
            training_part(run("training", Path(folder))),
        ]
    write_atomic(HERE / "RESULTS.md", "\n".join(parts))


if __name__ == "__main__":
    main()
