"""Which kinds of instructions a model executes: a histogram, counted one by one in emulation."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import ToolError
from firmware.build import build_image
from firmware.compilers import Compiler
from firmware.emulate import EmulatedRunner
from firmware.hooks import Profiler
from firmware.manifest import read_manifest
from firmware.records import check_windows
from firmware.targets import Target, find_target
from firmware.thumb import CLASSES, decode

TAKEN, NOT_TAKEN = "branch taken", "branch not taken"
KINDS = tuple(kind for name in CLASSES for kind in ((TAKEN, NOT_TAKEN) if name == "branch" else (name,)))
"""The classes of firmware.thumb, conditional branches apart by whether they were taken."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Executed instructions by kind, and the registers that those which move several moved in all."""

    counts: dict[str, int]
    registers: int

    @property
    def instructions(self) -> int:
        return sum(self.counts.values())


def profile(
    generated: Path,
    target: str | Target,
    windows: np.ndarray,
    *,
    opt: str = "-O2",
    compiler: Compiler | None = None,
) -> Histogram:
    """Build the model in `generated` for `target`, run `windows` (n >= 1, samples) int16, and return the histogram of
    the slowest; its sum is what firmware.measure counts.

    Raises ToolError for a target that is not an emulated Arm core, and whatever build_image and EmulatedRunner raise.
    """
    target = find_target(target)
    if target.unicorn is None or not target.is_arm:
        raise ToolError(f"target {target.name} is no emulated Arm core, and only Thumb instructions are told apart")
    manifest = read_manifest(generated)
    windows = check_windows(windows, manifest)
    with tempfile.TemporaryDirectory(prefix="bnn-profile-") as folder:
        image = build_image(generated, target, Path(folder), traced=False, opt=opt, compiler=compiler)
        runner = EmulatedRunner(image, manifest, target, traced=False)
        first, end = (runner.machine.image.address(f"model_text_{side}") for side in ("start", "end"))
        profiler = Profiler(runner.machine.uc, first, end)
        slowest = None
        for window in windows:
            visits, jumps = profiler.visits.copy(), profiler.jumps.copy()
            runner.run(window[None])
            counted = profiler.visits - visits, profiler.jumps - jumps
            if slowest is None or counted[0].sum() > slowest[0].sum():
                slowest = counted
        return histogram(runner.machine.read(first, end - first), *slowest)


def histogram(code: bytes, visits: np.ndarray, jumps: np.ndarray) -> Histogram:
    """Of `code`, given how often the instruction at byte 2 i ran, and how often another than the next followed it."""
    counts = dict.fromkeys(KINDS, 0)
    registers = 0
    for i in np.flatnonzero(visits):
        instruction, ran = decode(code, 2 * int(i)), int(visits[i])
        registers += ran * instruction.registers
        if instruction.kind == "branch":
            counts[TAKEN] += int(jumps[i])
            counts[NOT_TAKEN] += ran - int(jumps[i])
        else:
            counts[instruction.kind] += ran
    return Histogram(counts, registers)
