"""Options and names of what generated code runs on, as `bnn verify` and `bnn bench` share them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bnn.errors import ToolError

OptOption = Annotated[str, typer.Option(help="Optimisation: -O0 to -O3, -Os.")]
CompilerOption = Annotated[str | None, typer.Option(help="zig, gcc or clang. [zig; gcc for the host]")]
FoldingOption = Annotated[
    list[str] | None,
    typer.Option(help="hls, rtl: LAYER=PE,SIMD, or a .toml or .json file of such. May be repeated."),
]
SetOption = Annotated[str | None, typer.Option("--set", help="Windows to run. [the set of the graph's training]")]


def folding_words(foldings: Sequence[str]) -> list[str]:
    """As options of the command line; a file by its name, whatever folder it is in."""
    return [f"--folding {text if '=' in text else Path(text).name}" for text in foldings]


def find_targets(on: str, everything: list[str], others: tuple[str, ...] = ()) -> list[str]:
    """The names in `on`, "all" being `everything`; ToolError for one that is neither processor nor in `others`."""
    from firmware.targets import TARGETS

    names = [name.strip() for name in on.split(",") if name.strip()]
    names = [name for given in names for name in (everything if given == "all" else [given])]
    known = (*TARGETS, *others)
    if unknown := [name for name in names if name not in known]:
        raise ToolError(f"target {unknown[0]!r} is unknown; choose one of {', '.join(known)}")
    return names


def processors() -> list[str]:
    """All targets whose images can be run here; some cores run in QEMU alone, which may not be installed."""
    from firmware.qemu import has_qemu
    from firmware.targets import TARGETS

    return [target.name for target in TARGETS.values() if target.is_host or target.unicorn or has_qemu(target)]
