"""Which pieces the table is made of: every network, variant, core, level and compiler that is to be measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mcu.int8 import write_int8
from benchmarks.mcu.textbook import write_textbook
from bnn import zoo
from bnn.cli.common import OpenGraph
from bnn.cli.generate import write_sources
from bnn.errors import ToolError
from codegen import KERNELS, Options
from firmware.compilers import find_compiler
from firmware.targets import TARGETS, Target

MAIN = "ecg5"
"""The network of which everything is measured; of the others, what `bnn bench` gives by default."""

LEVELS = ("-Os", "-O2", "-O3")
DEFAULT_LEVEL, DEFAULT_COMPILER = LEVELS[0], "zig"
TEXTBOOK, INT8 = "textbook", "int8 CMSIS-NN"

Writer = Callable[[OpenGraph, Target, Path], Path]


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One way to say a network in C. `label` follows the level of optimisation in tables; "" is our default."""

    label: str
    write: Writer
    arm_only: bool = False


def _ours(options: Options) -> Variant:
    def write(opened: OpenGraph, target: Target, folder: Path) -> Path:
        return write_sources(opened, folder, target=target.name, options=options)

    return Variant(str(options), write)


VARIANTS = (
    *(_ours(Options(kernels)) for kernels in KERNELS),
    *(_ours(Options(max_ram=kib << 10)) for kib in (3,)),
    *(_ours(Options(max_flash=kib << 10)) for kib in (8, 14, 16, 18, 64)),
    Variant(TEXTBOOK, lambda opened, target, folder: write_textbook(opened.graph, folder)),
    Variant(INT8, lambda opened, target, folder: write_int8(opened.graph, folder), arm_only=True),
)
"""Our kernels by choice and limit, then the peers. Where a limit changes nothing, it makes no row."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One measurement to make."""

    network: str
    variant: Variant
    target: Target
    level: str
    compiler: str

    @property
    def build(self) -> str:
        return f"{self.level} {self.variant.label}".strip()

    def __str__(self) -> str:
        return f"{self.network} {self.build}, {self.compiler}, {self.target.name}"


def pieces(quick: bool = False) -> Iterator[Piece]:
    """All of them, in the order of the table. `quick` leaves out all levels and compilers but the default."""
    for network in sorted(zoo.names("ecg"), key=lambda name: name != MAIN):
        everything = network == MAIN and not quick
        for compiler in compilers() if everything else (DEFAULT_COMPILER,):
            for level in LEVELS if everything else (DEFAULT_LEVEL,):
                for variant in VARIANTS if network == MAIN else VARIANTS[:1]:
                    for target in cores(compiler):
                        if target.is_arm or not variant.arm_only:
                            yield Piece(network, variant, target, level, compiler)


def compilers() -> list[str]:
    """zig, and GCC where it is installed for any core."""
    return [kind for kind in ("zig", "gcc") if cores(kind)]


def cores(compiler: str) -> list[Target]:
    """The microcontrollers of the laboratory for which that kind of compiler is installed."""
    return [target for target in TARGETS.values() if not target.is_host and _has(target, compiler)]


def _has(target: Target, compiler: str) -> bool:
    try:
        find_compiler(target, compiler)
    except ToolError:
        return False
    return True
