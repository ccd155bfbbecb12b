"""Dividers of the clock generators: they make the wanted clock of the board's own, within the limits of the chip."""

from dataclasses import dataclass
from math import isfinite

from bnn.errors import ToolError

TOLERANCE = 0.01
"""How far, as a part of it, a clock may lie from the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Family:
    """What the clock generator of a family can do: dividers, and frequencies in MHz, both ends included.

    f_pfd = f_in / reference       what the phase detector compares
    f_vco = f_pfd feedback output  where the loop is closed behind the output divider, else f_pfd feedback
    f_out = f_vco / output
    """

    reference: range
    feedback: range
    outputs: tuple[int, ...]
    loop_has_output: bool
    pfd: tuple[float, float]
    vco: tuple[float, float]
    out: tuple[float, float]


FAMILIES = {
    # EHXPLLL with feedback from CLKOP; limits of ecppll (prjtrellis).
    "ecp5": Family(range(1, 129), range(1, 81), tuple(range(1, 129)), True, (3.125, 400), (400, 800), (3.125, 400)),
    # SB_PLL40 with simple feedback; limits of icepll (icestorm).
    "ice40": Family(range(1, 17), range(1, 129), (2, 4, 8, 16, 32, 64), False, (10, 133), (533, 1066), (16, 275)),
    # rPLL of the GW1NR-9 C6/I5; limits of gowin_pll (apycula), after Gowin's DS117E.
    "gowin": Family(
        range(1, 65),
        range(1, 65),
        (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128),
        True,
        (3, 400),
        (400, 1200),
        (3.125, 600),
    ),
}


@dataclass(frozen=True, slots=True)
class Pll:
    """Dividers for one clock, with the frequencies that they make, in MHz."""

    f_in: float
    reference: int
    feedback: int
    output: int
    f_pfd: float
    f_vco: float
    f_out: float

    @property
    def ice40_filter(self) -> int:
        """FILTER_RANGE of SB_PLL40, by the frequency at the phase detector (icepll)."""
        return 1 + sum(self.f_pfd >= edge for edge in (17, 26, 44, 66, 101))


def find_pll(family: str, f_in: float, wanted: float) -> Pll:
    """The dividers that come nearest to `wanted` MHz.

    Of equals, those with the fastest phase detector, then those with the oscillator in the middle of its range.

    Raises ToolError if none is within TOLERANCE.
    """
    references = FAMILIES[family].reference if isfinite(wanted) else ()
    choices = [pll for reference in references for pll in _with_reference(family, f_in, reference, wanted)]
    if choices:
        best = min(
            choices,
            key=lambda pll: (abs(pll.f_out - wanted), -pll.f_pfd, abs(pll.f_vco - sum(FAMILIES[family].vco) / 2)),
        )
        if abs(best.f_out - wanted) <= TOLERANCE * wanted:
            return best
    low, high = FAMILIES[family].out
    near = f"; the nearest is {best.f_out:.4g} MHz" if choices else ""
    raise ToolError(
        f"--freq {wanted:g}: the clock generator cannot make {wanted:g} MHz out of {f_in:g} MHz{near}; "
        f"choose a clock from {low:g} to {high:g} MHz, or leave --freq out"
    )


def _with_reference(family: str, f_in: float, reference: int, wanted: float) -> list[Pll]:
    """For each output divider the nearest clock that is within all limits, if there is one."""
    limits = FAMILIES[family]
    f_pfd = f_in / reference
    if not _within(f_pfd, limits.pfd):
        return []
    found = []
    for output in limits.outputs:
        step = f_pfd if limits.loop_has_output else f_pfd / output  # of f_out, for one more of `feedback`
        feedback = min(max(round(wanted / step), limits.feedback[0]), limits.feedback[-1])
        f_out = step * feedback
        pll = Pll(f_in, reference, feedback, output, f_pfd, f_out * output, f_out)
        if _within(pll.f_vco, limits.vco) and _within(f_out, limits.out):
            found.append(pll)
    return found


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]
