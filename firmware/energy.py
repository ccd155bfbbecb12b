"""Estimates of cycles, time and energy, from counts of instructions and figures that vendors publish.

Nothing here was measured on a chip. Cycles are those that Arm's technical reference manuals give for each
instruction, added up for code and data in memory without wait states: caches and flash accelerators that always hit,
or code copied into RAM. Pairs of loads that share a cycle, stalls between instructions, and instructions of IT blocks
that are skipped are left out. Current is the datasheet's for another program.
"""

from dataclasses import dataclass

from firmware.profile import NOT_TAKEN, TAKEN, Histogram

REFILL = 2
"""Cycles to refill the Cortex-M4's pipeline: its manual says 1 to 3."""


@dataclass(frozen=True, slots=True)
class Core:
    """Cycles of each kind of instruction; "multiple" and "return" take one more for each register.

    target  whose images this core runs
    source  where the figures are published
    """

    name: str
    target: str
    cycles: dict[str, int]
    source: str

    def estimate(self, histogram: Histogram) -> int:
        """Cycles of what the histogram counted: an estimate."""
        return sum(self.cycles[kind] * count for kind, count in histogram.counts.items()) + histogram.registers


def _core(name: str, target: str, source: str, **cycles: int) -> Core:
    """One cycle for what is not named, 2 for loads and stores."""
    known = {"alu": 1, "multiply": 1, "divide": 0, "load": 2, "store": 2, "multiple": 1, NOT_TAKEN: 1, "other": 1}
    cycles["return"] = cycles.pop("back")
    return Core(name, target, known | {TAKEN: cycles.pop("taken")} | cycles, source)


CORES = {
    core.name: core
    for core in (
        # Both multiply in 1 cycle or in 32, as the chip's maker chose: the fast multiplier is taken. None divides.
        _core("Cortex-M0", "cortex-m0", "Arm DDI 0432C, table 3-1", taken=3, jump=3, call=4, back=4),
        _core("Cortex-M0+", "cortex-m0", "Arm DDI 0484C, table 3-1", taken=2, jump=2, call=3, back=3),
        _core(
            "Cortex-M4",
            "cortex-m4",
            f"Arm DDI 0439D, tables 3-1 and 3-2, with a pipeline refill of {REFILL} cycles",
            **{"divide": 12, "taken": 1 + REFILL, "jump": 1 + REFILL, "call": 1 + REFILL, "back": 1 + REFILL},
        ),
    )
}
"""No public table of cycles was found for the Cortex-M7, M33 and M55: they issue instructions in pairs, or the manuals
leave timing out."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A microcontroller that runs from `volts` at `mhz` with `microamps_per_mhz` of supply current."""

    name: str
    core: str
    mhz: float
    microamps_per_mhz: float
    volts: float
    source: str

    @property
    def microamps(self) -> float:
        return self.mhz * self.microamps_per_mhz


CHIPS = (
    Chip(
        "nRF52840", "Cortex-M4", 64, 52, 3.0,
        "Nordic nRF52840 Product Specification, current consumption: 3.3 mA, CoreMark from flash with cache, DC/DC",
    ),
    Chip(
        "STM32L476", "Cortex-M4", 80, 100, 3.0,
        "ST DS10198, features: run mode, LDO; the core's typical figures are at 3.0 V",
    ),
    Chip(
        "RP2040", "Cortex-M0+", 48, 10.9e3 / 48, 3.3,
        "Raspberry Pi RP2040 datasheet, 5.7.2: 10.9 mA of core current through the on-chip linear regulator at 48 MHz "
        "in the video demo, which keeps more than one core busy: an upper figure",
    ),
    Chip(
        "Apollo4 Plus", "Cortex-M4", 96, 17.2, 1.9,
        "Ambiq Apollo4 Plus datasheet, table 29: CoreMark, low-power mode (4 uA/MHz on its front page is less work)",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one window costs on a chip: all of it estimated.

    average_microamps   of supply, at one window each `every` seconds, for the network alone: sleep, ADC and radio
                        come on top
    """

    chip: str
    core: str
    cycles: int
    milliseconds: float
    microjoules: float
    average_microamps: float


def estimates(histogram: Histogram, target: str, every: float = 10.0) -> list[Estimate]:
    """For every chip that runs images of `target`, at one window in `every` seconds; none for other targets."""
    made = []
    for chip in CHIPS:
        if CORES[chip.core].target != target:
            continue
        cycles = CORES[chip.core].estimate(histogram)
        seconds = cycles / (chip.mhz * 1e6)
        joules = chip.volts * chip.microamps * 1e-6 * seconds
        average = chip.microamps * seconds / every
        made.append(Estimate(chip.name, chip.core, cycles, 1e3 * seconds, 1e6 * joules, average))
    return made
