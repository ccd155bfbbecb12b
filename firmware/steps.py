"""Counting instructions in QEMU, for cores that Unicorn does not know. Arm only.

A plugin of QEMU (ports/counter.c) counts every instruction of the model. Those of a Thumb IT block whose condition
fails count there, too; QEMU runs with one instruction in a translated block and logs the registers before each that
may stand in an IT block, from which such ones are taken off. So the count is exact, is the same in every run, and is
Unicorn's for a core that both know.
"""

import re
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import ToolError
from firmware.compilers import find_compiler, run
from firmware.image import Image
from firmware.manifest import Manifest
from firmware.program import SECONDS, bench_input
from firmware.qemu import QemuRunner
from firmware.targets import HOST, Target

SOURCE = Path(__file__).parent / "ports" / "counter.c"
RECORD = re.compile(r"R00=(\w{8}) [^X]*?R13=(\w{8}) R14=\w{8} R15=(\w{8})\s+XPSR=(\w{8})")
IT_BYTES = 16  # that four instructions behind an IT take at most
LAST = 1000  # characters of a failed run, quoted in the error


@dataclass(frozen=True, slots=True)
class Mark:
    """A function was entered: its name, instructions of the model before, first argument, stack pointer."""

    function: str
    count: int
    argument: int
    stack: int


@dataclass(frozen=True, slots=True)
class Steps:
    """What one run counted.

    marks    entries of the functions asked for, in order
    count    instructions in all
    deepest  the lowest address of the stack to which the model stored
    """

    marks: list[Mark]
    count: int
    deepest: int


def count_steps(
    path: Path, manifest: Manifest, target: Target, windows: np.ndarray, functions: Collection[str]
) -> Steps:
    """Run the image at `path` on `windows` (n, samples) int16 in QEMU; count what executes in the model's code.

    Raises ToolError if QEMU is missing, fails, or cannot be read.
    """
    runner = QemuRunner(path, manifest, target, traced=False)
    image = runner.image
    marked = {image.address(name): name for name in functions}
    with tempfile.TemporaryDirectory(prefix="bnn-steps-") as folder:
        (Path(folder) / "bench.in").write_bytes(bench_input(windows, manifest))
        plugin = _plugin(Path(folder), image, marked)
        filtered = [f"{at:#x}+0x1" for at in marked] + [f"{at:#x}+{IT_BYTES:#x}" for at in _it_blocks(image)]
        logged = ["-singlestep", "-d", "exec,cpu,nochain", "-dfilter", ",".join(filtered), "-D", "log"]
        _start([*runner.command, "-plugin", plugin, *logged], folder)
        lines = [tuple(map(int, line.split())) for line in (Path(folder) / "counts").read_text().splitlines()]
        log = (Path(folder) / "log").read_text(errors="replace")
    return _joined(lines, [tuple(int(field, 16) for field in found) for found in RECORD.findall(log)], marked, image)


def _plugin(folder: Path, image: Image, marked: Collection[int]) -> str:
    """Compile the plugin; the option that loads it."""
    flags = ["-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(folder / "counter.so")]
    run(find_compiler(HOST), flags, what="the plugin that counts in QEMU")
    text = [f"text={image.address(f'model_text_{side}')}" for side in ("start", "end")]
    stack = [f"stack={image.address(f'port_stack_{side}')}" for side in ("bottom", "top")]
    return ",".join([str(folder / "counter.so"), "out=counts", *text, *stack, *(f"mark={at}" for at in marked)])


def _start(command: list[str], folder: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{command[0]} did not end within {SECONDS} s while it counted") from error
    if done.returncode or not (Path(folder) / "counts").exists():
        said = (done.stderr or done.stdout).strip()[-LAST:] or "nothing"
        raise ToolError(
            f"{command[0]} left with code {done.returncode} while it counted, which was tried with version 7.2; "
            f"it said:\n{said}"
        )


def _it_blocks(image: Image) -> list[int]:
    """Where the instruction behind an IT begins; data that looks like one does no harm."""
    first, end = (image.address(f"model_text_{side}") for side in ("start", "end"))
    found = []
    for address, data in image.segments:
        for at in range(max(first, address), min(end, address + len(data)), 2):
            half = int.from_bytes(data[at - address : at - address + 2], "little")
            if half >> 8 == 0xBF and half & 0xF:
                found.append(at + 2)
    return found


def _joined(lines: list[tuple], records: list[tuple], marked: dict[int, str], image: Image) -> Steps:
    """The plugin's counts without the instructions that the log shows not to have executed."""
    first, end = (image.address(f"model_text_{side}") for side in ("start", "end"))
    *entries, (deepest, count) = lines
    marks: list[Mark] = []
    idle = 0
    for argument, stack, pc, status in records:
        if pc in marked:
            address, before = entries[len(marks)]
            if address != pc:
                raise ToolError(f"{image.path.name}: QEMU's log and its plugin disagree at {image.place(pc)}")
            marks.append(Mark(marked[pc], before - idle, argument, stack))
        if first <= pc < end:
            idle += not executes(status)
    return Steps(marks, count - idle, deepest)


def executes(status: int) -> bool:
    """Whether, by the program status register, the condition of the instruction's IT block holds, if it is in one.

    Armv7-M Architecture Reference Manual, "ITSTATE" and "Conditional execution".
    """
    state = (status >> 25 & 3) | (status >> 8 & 0xFC)
    if not state & 0xF:
        return True
    n, z, c, v = ((status >> bit) & 1 for bit in (31, 30, 29, 28))
    holds = (z, c, n, v, c and not z, n == v, n == v and not z, 1)[state >> 5]
    return bool(holds) != bool(state >> 4 & 1 and state >> 5 != 7)
