"""What a design is made for: the part, by its capacity, and the clock."""

import re
from dataclasses import dataclass

from bnn.errors import GraphError


@dataclass(frozen=True, slots=True)
class Part:
    """A device with what it holds. Block RAMs are counted in halves of 18 kbit.

    Capacities are those of AMD's overviews of the families, DS190, DS180, DS891 and DS987.
    """

    name: str
    luts: int
    bram18: int
    dsps: int


DEVICES = {
    "xc7z010": (17_600, 120, 80),
    "xc7z020": (53_200, 280, 220),
    "xc7a35t": (20_800, 100, 90),
    "xc7a100t": (63_400, 270, 240),
    "xc7a200t": (134_600, 730, 740),
    "xczu3eg": (70_560, 432, 360),
    "xczu7ev": (230_400, 624, 1_728),
    "xck26": (117_120, 288, 1_248),
}
"""Look-up tables, 18-kbit block RAMs and DSPs of each device, whatever its package and speed grade."""

LOWEST, HIGHEST = 1.0, 600.0
"""MHz that are taken for a clock; beyond the highest, no part of the table has block RAM."""


def find_part(name: str) -> Part:
    """The part `name`, such as xc7z020clg400-1: a device of the table, its package and its speed grade."""
    device = next((device for device in DEVICES if name.lower().startswith(device)), None)
    if device is None or not re.fullmatch(rf"{device}i?-?[a-z]{{3,4}}\d{{3,4}}-[a-z0-9-]+", name.lower()):
        raise GraphError(
            f"part {name!r} is unknown; wanted a device of {', '.join(DEVICES)} with package and speed grade, "
            "such as xc7z020clg400-1"
        )
    return Part(name.lower(), *DEVICES[device])


def parse_clock(text: str) -> float:
    """MHz from a frequency such as 100MHz or a period such as 10ns."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(mhz|ns)\s*", text.lower())
    value = float(match[1]) if match else 0.0
    clock = value if match and match[2] == "mhz" else 1000.0 / value if value else 0.0
    if not LOWEST <= clock <= HIGHEST:
        raise GraphError(
            f"clock {text!r} is not from {LOWEST:g}MHz to {HIGHEST:g}MHz; write it as 100MHz, or as a period: 10ns"
        )
    return clock
