"""Networks on boards: cells, clock after routing, cycles and time a window. Slow, so results are kept between runs.

python benchmarks/fpga.py [--json FILE] [--fresh] [ecg5:ulx3s sleep-tiny/eeg:ulx3s@60000 ...]

A network's name may be followed by the stage that it is cut after, a board's by the cycles between windows.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bnn.files import write_atomic

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bnn-wearables" / "fpga"
PAIRS = (
    "ecg5:ulx3s",
    "ecg17:ulx3s",
    "ecg5:orangecrab",
    "ecg5:icebreaker",
    "ecg5:tangnano9k",
    "sleep-tiny/eeg:ulx3s@60000",
)
CELLS = ("LUT", "FF", "BRAM", "DSP")


def inputs() -> str:
    """A hash of everything that a bitstream depends on, but for the tools."""
    files = sorted(
        path
        for folder in ("hw/rtl", "hw/boards", "hw/synth", "codegen/rtl", "bnn/zoo")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    digest = hashlib.sha256()
    for path in (*files, ROOT / "codegen" / "folding.py"):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def measure(pair: str, *, fresh: bool = False) -> dict:
    """The figures of `bnn synth --simulate --json`, kept from an earlier run where nothing has changed since.

    {"refused": ...} if the network cannot be built for the board.
    """
    kept = CACHE / f"{pair.replace(':', '-').replace('/', '-')}-{inputs()}.json"
    if kept.exists() and not fresh:
        return json.loads(kept.read_text())
    network, target = pair.split(":")
    (name, _, stage), (board, _, cycles) = network.partition("/"), target.partition("@")
    with tempfile.TemporaryDirectory(prefix="bnn-fpga-") as folder:
        command = [sys.executable, "-m", "bnn.cli", "synth", name, "--board", board, "--out", f"{folder}/x"]
        command += ["--until", stage] if stage else []
        command += ["--cycles", cycles] if cycles else []
        done = subprocess.run([*command, "--simulate", "--json"], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode not in (0, 1):
        figures = {"graph": network, "board": board, "refused": done.stderr.strip().splitlines()[-1]}
    else:
        figures = json.loads(done.stdout) | {"graph": network}
        del figures["bitstream"]
    write_atomic(kept, json.dumps(figures, indent=1))
    return figures


def section(figures: list[dict]) -> str:
    """The part of RESULTS.md."""
    header = ["network", "board", *CELLS, "MHz asked", "MHz reached", "cycles", "us a window"]
    rows = [_row(figure) for figure in figures]
    rule = ["---", "---", *["---:"] * (len(header) - 2)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))
    refused = [f"`{f['graph']}` on {f['board']}: {f['refused']}" for f in figures if "refused" in f]
    text = (
        "`bnn synth NAME --board BOARD --simulate`, with the serial line. The clock is that after routing; cycles are "
        "counted between two windows in simulation; time is cycles at the clock asked for, or at the one reached where "
        "that is lower. No board was ever powered up."
    )
    return f"## Boards\n\n{text}\n\n{table}\n" + "".join(f"\n{line}\n" for line in refused)


def _row(f: dict) -> list[str]:
    if "refused" in f:
        return [f["graph"], f["board"], *["-"] * (len(CELLS) + 4)]
    cycles, clock = f["measured_cycles"] or f["estimated_cycles"], min(f["clock"], f["fmax"])
    cells = [f"{f['cells'][name]['used']:,}" for name in CELLS]
    return [
        f["graph"],
        f["board"],
        *cells,
        f"{f['clock']:g}",
        f"{f['fmax']:.1f}",
        f"{cycles:,}",
        f"{cycles / clock:,.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="*", default=PAIRS, metavar="NETWORK:BOARD")
    parser.add_argument("--json", type=Path, help="write the figures here instead of printing the table")
    parser.add_argument("--fresh", action="store_true", help="measure what is kept already, too")
    options = parser.parse_args()
    figures = [measure(pair, fresh=options.fresh) for pair in options.pairs]
    if options.json:
        write_atomic(options.json, json.dumps(figures, indent=1))
    else:
        print(section(figures))


if __name__ == "__main__":
    main()
