"""Boards that `bnn synth` builds for. None of them was ever powered up with what it builds."""

from dataclasses import dataclass
from pathlib import Path

from bnn.errors import ToolError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Board:
    """A board: its chip by the names that the tools give it, its clock, its pins.

    clock        MHz of the oscillator at i_clk
    default      MHz that `bnn synth` aims at
    constraints  file beside this one with the pins of i_clk, i_rx, o_tx and o_led
    led_on       the level that lights the LED
    cycles       clocks a window that the network's folding aims at
    """

    name: str
    title: str
    family: str
    device: tuple[str, ...]
    clock: float
    default: float
    constraints: str
    led_on: int
    cycles: int

    @property
    def pins(self) -> Path:
        return FOLDER / self.constraints


_ECP5 = ("--package", "CABGA381", "--speed", "6")
BOARDS = {
    board.name: board
    for board in (
        Board("ulx3s", "ULX3S, ECP5-25F", "ecp5", ("--25k", *_ECP5), 25, 75, "ulx3s.lpf", 1, 4000),
        Board("ulx3s-85f", "ULX3S, ECP5-85F", "ecp5", ("--85k", *_ECP5), 25, 75, "ulx3s.lpf", 1, 4000),
        Board(
            "icebreaker",
            "iCEBreaker, iCE40 UP5K",
            "ice40",
            ("--up5k", "--package", "sg48"),
            12,
            18,
            "icebreaker.pcf",
            0,
            160_000,
        ),
        Board(
            "tangnano9k",
            "Tang Nano 9K, GW1NR-9",
            "gowin",
            ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
            27,
            27,
            "tangnano9k.cst",
            0,
            40_000,
        ),
        Board(
            "orangecrab",
            "OrangeCrab r0.2, ECP5-25F",
            "ecp5",
            ("--25k", "--package", "CSFBGA285", "--speed", "8"),
            48,
            96,
            "orangecrab.lpf",
            0,
            4000,
        ),
    )
}


def find_board(name: str) -> Board:
    """The board of that name. Raises ToolError for any other, with the names there are."""
    if name not in BOARDS:
        raise ToolError(f"--board {name!r} is unknown; choose one of {', '.join(BOARDS)}")
    return BOARDS[name]
