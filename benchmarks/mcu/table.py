"""What networks cost on microcontrollers: every core, variant, level and compiler, beside a textbook network and int8.

    python benchmarks/mcu              all of it; writes its section of benchmarks/RESULTS.md and the picture
    python benchmarks/mcu --quick      one level and compiler; for a look, writes nothing of that
    python benchmarks/mcu --json FILE  the figures as JSON, too

Counts come from emulation and are instructions, not cycles. What was measured is kept in build/mcu, by a digest of
sources, compiler and windows: a run that was stopped goes on, and only what has changed is measured again.
"""

import argparse
import json
from pathlib import Path

from benchmarks.mcu import picture
from benchmarks.mcu.grid import pieces
from benchmarks.mcu.run import run
from benchmarks.mcu.section import section
from benchmarks.results import write_section
from bnn.cli.common import out
from bnn.files import write_atomic


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/mcu", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one level and compiler; print, and write no results")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--jobs", type=int, default=2, help="measurements at a time [2]")
    arguments = parser.parse_args()
    figures = run(pieces(arguments.quick), arguments.jobs)
    if arguments.json:
        content = {"rows": figures.rows, "left_out": figures.left_out}
        write_atomic(arguments.json, json.dumps(content, indent=1) + "\n")
    if arguments.quick:
        out.print(section(figures), markup=False, soft_wrap=True)
        return
    write_section(section(figures))
    picture.save(figures)
    out.print(f"wrote {len(figures.rows)} rows to benchmarks/RESULTS.md, and {picture.PATH.name}")
