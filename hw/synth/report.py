"""What the tools report, read into a few figures."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from bnn.errors import ToolError

CELLS = {
    "ecp5": {"LUT": ("TRELLIS_COMB",), "FF": ("TRELLIS_FF",), "BRAM": ("DP16KD",), "DSP": ("MULT18X18D",)},
    "ice40": {
        "LUT": ("ICESTORM_LC",),
        "FF": ("SB_DFF",),
        "BRAM": ("ICESTORM_RAM",),
        "SPRAM": ("ICESTORM_SPRAM",),
        "DSP": ("ICESTORM_DSP",),
    },
    "gowin": {
        "LUT": ("LUT4", "ALU"),
        "FF": ("DFF",),
        "BRAM": ("BSRAM",),
        "DSP": ("MULT9X9", "MULT18X18", "MULT36X36", "MULTALU18X18", "MULTADDALU18X18"),
    },
}
"""Of each family, what we count and by which cells of nextpnr's report; SB_DFF alone is Yosys'."""


@dataclass(frozen=True, slots=True)
class Used:
    """How many cells of a kind the design takes, and how many there are (on iCE40 a LUT and a flip-flop are one)."""

    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used:,} of {self.available:,}"


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one run of place and route.

    cells   by the names of CELLS
    clock   MHz asked for;  fmax   MHz reached, after routing
    """

    cells: dict[str, Used]
    clock: float
    fmax: float

    @property
    def met(self) -> bool:
        return self.fmax >= self.clock

    def to_dict(self) -> dict:
        return {
            "cells": {name: asdict(used) for name, used in self.cells.items()},
            "clock": self.clock,
            "fmax": self.fmax,
        }


def read_report(family: str, nextpnr: Path, yosys: Path) -> Report:
    """Figures of nextpnr's --report and of Yosys' `stat -json`, both as files.

    nextpnr writes its report when routing is done, so the clock in it is the one after routing.
    """
    told = json.loads(nextpnr.read_text(encoding="utf-8"))
    if not told["fmax"]:
        raise ToolError(f"{nextpnr}: reports no clock; is the network's output connected?")
    slowest = min(told["fmax"].values(), key=lambda clock: clock["achieved"])
    counts = _cells(told["utilization"], yosys)
    cells = {}
    for name, kinds in CELLS[family].items():
        found = [counts[kind] for kind in kinds if kind in counts]
        cells[name] = Used(sum(used for used, _ in found), max((available for _, available in found), default=0))
    asked = round(slowest["constraint"], 2)  # nextpnr rounds the period to picoseconds
    return Report(cells, asked, slowest["achieved"])


def _cells(utilization: dict, yosys: Path) -> dict[str, tuple[int, int]]:
    counts = {kind: (u["used"], u["available"]) for kind, u in utilization.items()}
    if "ICESTORM_LC" in counts:  # there a flip-flop is part of a logic cell, and nextpnr does not count it by itself
        made = json.loads(yosys.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        flip_flops = sum(n for kind, n in made.items() if kind.startswith("SB_DFF"))
        counts["SB_DFF"] = (flip_flops, counts["ICESTORM_LC"][1])
    return counts


def overfull(log: str) -> dict[str, Used]:
    """The kinds of cells of which a design has more than the chip, by nextpnr's log; {} if it says of none."""
    lines = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", log, re.MULTILINE)
    return {kind: Used(int(used), int(of)) for kind, used, of in lines if int(used) > int(of)}
