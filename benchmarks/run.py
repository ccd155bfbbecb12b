"""Run every benchmark and rewrite its section of the committed results, benchmarks/RESULTS.md.

make bench
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the file runs by its path, too

from benchmarks.foldings import section as foldings  # noqa: E402
from benchmarks.fpga import section as boards  # noqa: E402
from benchmarks.results import markdown, write_section  # noqa: E402
from bnn import zoo  # noqa: E402

HERE = Path(__file__).parent


def run(script: str, folder: Path):
    """The figures of one benchmark, run in a process of its own."""
    path = folder / "figures.json"
    subprocess.run([sys.executable, str(HERE / script), "--json", str(path)], check=True)
    return json.loads(path.read_text())


def accuracy(name: str) -> dict:
    """`bnn evaluate` of a network of the zoo, on the test part of the split it was trained under."""
    command = [sys.executable, "-m", "bnn.cli", "evaluate", name, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


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


def host_part(figures: dict[str, dict]) -> str:
    text = (
        "## This computer\n\nOne thread, time of the processor, `benchmarks/host`: rounds in which all take turns, "
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
    write_section(accuracy_part({name: accuracy(name) for name in zoo.names("ecg")}))
    subprocess.run([sys.executable, str(HERE / "mcu")], check=True)  # writes its section and its picture itself
    with tempfile.TemporaryDirectory() as folder:
        write_section(host_part(run("host", Path(folder))))
        write_section(boards(run("fpga.py", Path(folder))))
        write_section(foldings(run("foldings.py", Path(folder))))
        write_section(training_part(run("training.py", Path(folder))))


if __name__ == "__main__":
    main()
