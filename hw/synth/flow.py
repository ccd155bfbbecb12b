"""Synthesis, place and route, and packing of a network on a board."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError, ToolError
from bnn.files import write_atomic
from hw.boards import Board
from hw.boards.top import Line, board_verilog
from hw.synth.report import Report, overfull, read_report
from hw.synth.tools import fail, require, run

RTL = Path(__file__).parents[1] / "rtl"
FRONT = ("crc16.v", "uart_rx.v", "uart_tx.v", "frame_rx.v", "frame_tx.v", "uart_front.v")


@dataclass(frozen=True, slots=True)
class Family:
    """How the tools are called for a family of chips; `{pins}` is the file of constraints."""

    synth: str
    pins: tuple[str, ...]
    routed: tuple[str, ...]
    pack: str
    packing: tuple[str, ...]
    bitstream: str


FAMILIES = {
    "ecp5": Family(
        "synth_ecp5",
        ("--lpf", "{pins}"),
        ("--textcfg", "board.config"),
        "ecppack",
        ("--compress", "--input", "board.config", "--bit", "board.bit"),
        "board.bit",
    ),
    "ice40": Family(
        "synth_ice40 -dsp -spram -device u",
        ("--pcf", "{pins}"),
        ("--asc", "board.asc"),
        "icepack",
        ("board.asc", "board.bin"),
        "board.bin",
    ),
    "gowin": Family(
        "synth_gowin -family gw1n",
        ("--vopt", "cst={pins}"),
        ("--write", "board.pnr.json"),
        "gowin_pack",
        ("-d", "GW1N-9C", "-o", "board.fs", "board.pnr.json"),
        "board.fs",
    ),
}


def tools_of(board: Board) -> tuple[str, str, str]:
    """The programs that a board needs, in the order in which they run."""
    return "yosys", f"nextpnr-{board.family}", FAMILIES[board.family].pack


def build(
    line: Line, folder: Path, sources: Iterable[str], *, seed: int = 1, stage: Callable[[str], None] = lambda text: None
) -> Report:
    """Make a bitstream in `folder`, which holds the network's Verilog and memory images already.

    sources   the network's files, relative to `folder`
    seed      where the placer begins
    stage     is called with a few words when a stage begins

    Everything stays in `folder`: board.v, board.json (netlist), the bitstream, and a log of each tool. The bitstream is
    made even where the clock is not met: look at the report. Raises ToolError if a tool is missing or fails, or the
    network does not fit.
    """
    require(*tools_of(line.board))
    folder = Path(folder)
    _copy(line, folder)
    stage("synthesis (yosys)")
    files = [*sources, *FRONT, f"pll_{line.board.family}.v", "board.v"]
    synthesise(line.board, folder, files, "board")
    stage(f"place and route ({tools_of(line.board)[1]})")
    _place_and_route(line, folder, seed)
    stage(f"bitstream ({FAMILIES[line.board.family].pack})")
    _call(FAMILIES[line.board.family].pack, FAMILIES[line.board.family].packing, folder, "pack", line)
    return read_report(line.board.family, folder / "report.json", folder / "cells.json")


def synthesise(board: Board, folder: Path, files: Iterable[str], top: str) -> None:
    """Yosys alone: `top` of the files in `folder` becomes top.json, with its cells counted in cells.json.

    Raises ToolError if a file is refused or `check -assert` finds something.
    """
    script = (
        f"read_verilog -defer {' '.join(files)}; {FAMILIES[board.family].synth} -top {top} -json {top}.json; "
        "check -assert; tee -q -o cells.json stat -json"
    )
    if run("yosys", ("-p", script), folder / "yosys.log", cwd=folder):
        raise fail("yosys", f"{top} for {board.name}", folder / "yosys.log")


def bitstream(board: Board, folder: Path) -> Path:
    """Where build() leaves it."""
    return Path(folder) / FAMILIES[board.family].bitstream


def _copy(line: Line, folder: Path) -> None:
    """Put the board's own files beside the network's: the tools, in WebAssembly, see one folder best."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in (*(RTL / name for name in FRONT), line.board.pins, line.board.pins.with_name(_pll(line))):
            shutil.copyfile(source, folder / source.name)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    write_atomic(folder / "board.v", board_verilog(line))


def _pll(line: Line) -> str:
    return f"pll_{line.board.family}.v"


def _place_and_route(line: Line, folder: Path, seed: int) -> None:
    family, name = FAMILIES[line.board.family], tools_of(line.board)[1]
    arguments = [
        *line.board.device,
        *("--json", "board.json", "--report", "report.json", "--seed", str(seed)),
        *("--freq", f"{line.frequency:g}", "--timing-allow-fail"),
        *(part.format(pins=line.board.constraints) for part in family.pins),
        *family.routed,
    ]
    if run(name, arguments, folder / f"{name}.log", cwd=folder):
        log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        short = overfull(log)
        if short:
            told = ", ".join(f"{kind} {used}" for kind, used in short.items())
            raise ToolError(
                f"{line.name} does not fit on {line.board.name}: it takes {told}; "
                "allow more --cycles, so that fewer lanes work at once, or choose a larger board"
            )
        raise fail(name, f"{line.name} on {line.board.name}", folder / f"{name}.log")


def _call(name: str, arguments: Iterable[str], folder: Path, log: str, line: Line) -> None:
    if run(name, tuple(arguments), folder / f"{log}.log", cwd=folder):
        raise fail(name, f"{line.name} on {line.board.name}", folder / f"{log}.log")
