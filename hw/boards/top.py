"""The board's own Verilog: clock, reset, serial line and the network, put together by a template."""

from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bnn.errors import ToolError
from hw.boards import FOLDER, Board
from hw.boards.pll import Pll, find_pll

BAUD = 115200
SILENCE = 0.1
"""Seconds without a byte that end a frame."""


@dataclass(frozen=True, slots=True)
class Line:
    """A network on a board, and the serial line to it.

    name, samples, classes   the network: its module is `name`_top
    frequency                MHz inside; pll makes it of the board's clock, or is None where it is that clock
    """

    board: Board
    name: str
    samples: int
    classes: int
    frequency: float
    pll: Pll | None
    baud: int

    @property
    def divider(self) -> int:
        """Clocks a bit."""
        return round(self.frequency * 1e6 / self.baud)

    @property
    def timeout(self) -> int:
        """Clocks of silence that end a frame."""
        return round(self.frequency * 1e6 * SILENCE)


def plan(board: Board, name: str, samples: int, classes: int, *, freq: float | None = None, baud: int = BAUD) -> Line:
    """Choose clock and divider. Raises ToolError for a clock or a rate that the board cannot make.

    freq   MHz; default: the board's
    """
    wanted = board.default if freq is None else freq
    pll = None if wanted == board.clock else find_pll(board.family, board.clock, wanted)
    line = Line(board, name, samples, classes, pll.f_out if pll else board.clock, pll, baud)
    # Both ends may be 2 % off: after 10 bits the middle of the last one has then moved by 0.4 of a bit.
    if baud < 1 or line.divider < 4 or abs(line.frequency * 1e6 / line.divider - baud) > 0.02 * baud:
        raise ToolError(
            f"--baud {baud}: no whole number of clocks of {line.frequency:g} MHz, at least 4, makes a bit within 2 %; "
            f"choose a rate from 1 to {line.frequency * 1e6 / 25:,.0f}"
        )
    return line


def board_verilog(line: Line) -> str:
    """The module `board`, whose ports are those of the board's constraints."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    fields = {name: getattr(line, name) for name in ("board", "name", "samples", "classes", "frequency", "pll", "baud")}
    return environment.get_template("board.v.j2").render(fields, divider=line.divider, timeout=line.timeout)
