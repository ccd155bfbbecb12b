"""Accuracy against size: the ECG network, narrower and wider, trained, measured and drawn.

    python benchmarks/front.py                  trains what runs/front lacks (hours), measures, writes front.json, draws
    python benchmarks/front.py --train 4,8,12,16,24 [--seed 1]    trains one of the sizes, no more
    python benchmarks/front.py --draw           draws what front.json holds

The recipe is ecg5's `plus` with other channels, the protocol `paper`, the accuracy that of the epoch chosen on the
validation part, over all seeds that lie there. bnn/report/front.py says what the file of points holds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the file runs by its path, too

from bnn.files import write_atomic  # noqa: E402
from bnn.report.front import front, read_points  # noqa: E402
from bnn.report.plots import save  # noqa: E402

RUNS = ROOT / "runs" / "front"
POINTS = ROOT / "benchmarks" / "front.json"
PICTURE = ROOT / "docs" / "images" / "size-accuracy.svg"

TASK, RECIPE, PROTOCOL = "ecg5", "plus", "paper"
SIZES = ("4,8,12,16,24", "6,12,20,24,32", "8,16,32,32,64", "16,32,32,32,40", "16,32,48,48,64", "24,48,72,72,96")
"""Channels of the first five blocks. The third are those of the paper's network, the fourth the recipe's own."""


def bnn(*arguments) -> str:
    """What a command prints; its progress and its error are shown. Raises SystemExit with its code if it fails."""
    command = [sys.executable, "-m", "bnn.cli", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        printed, _ = process.communicate()
    except KeyboardInterrupt:  # the command is told, too, and keeps the epochs it has
        process.wait()
        sys.exit(130)
    if process.returncode:
        sys.exit(process.returncode)
    return printed


def train(size: str, seed: int) -> Path:
    """Train one network, or go on with it; does nothing once it is trained."""
    run = RUNS / size / f"seed-{seed}"
    if not (run / "model.safetensors").exists():
        resume = ["--resume"] if run.exists() else []
        of = ("--recipe", RECIPE, "--protocol", PROTOCOL, "--seed", seed, "--with", f"channels=[{size}]")
        bnn("train", TASK, *of, "--out", run, *resume)
    return run


def measure(size: str) -> dict:
    """The point of one size: bytes in a linked image, accuracy over its seeds."""
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "size.graph"
        bnn("lower", RUNS / size / "seed-0", "--out", graph)
        stored = json.loads(bnn("inspect", graph, "--json"))["storage"]["image"]["network"]
    (summary,) = json.loads(bnn("runs", RUNS / size, "--json"))
    accuracy = [run["test"]["accuracy"] for run in summary["runs"]]
    spread = stdev(accuracy) if len(accuracy) > 1 else None
    of = dict(protocol=PROTOCOL, set=TASK)
    return dict(name=size, bytes=stored, accuracy=round(mean(accuracy), 4), sd=spread and round(spread, 4), **of)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/front.py", description=__doc__.splitlines()[0])
    parser.add_argument("--train", choices=SIZES, metavar="SIZE", help=f"train one: {', '.join(SIZES)}")
    parser.add_argument("--seed", type=int, default=0, help="seed of what is trained [0]")
    parser.add_argument("--draw", action="store_true", help="draw the points that are written, no more")
    arguments = parser.parse_args()
    if not arguments.draw:
        for size in [arguments.train] if arguments.train else SIZES:
            train(size, arguments.seed)
    if arguments.train:
        return
    if not arguments.draw:
        write_atomic(POINTS, json.dumps([measure(size) for size in SIZES], indent=1) + "\n")
    save(front(read_points(POINTS)), PICTURE, force=True)
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
