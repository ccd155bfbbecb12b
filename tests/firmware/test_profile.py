"""Histograms of executed instructions, and the estimates made of them, against what a person counts."""

import numpy as np
import pytest

from bnn.errors import ToolError
from firmware.energy import CHIPS, CORES, REFILL, Chip, estimates
from firmware.measure import measure
from firmware.profile import KINDS, NOT_TAKEN, TAKEN, Histogram, profile
from tests.firmware.conftest import EMULATED
from tests.firmware.tiny import ARMV6M, LOOPS, WITH_IT_BLOCK, write_tiny

ARM = [name for name in EMULATED if name.startswith("cortex")]


@pytest.mark.parametrize("target", ARM)
def test_the_histogram_sums_to_the_count_of_instructions(lab, toy, target, windows):
    cost = measure(toy, target, windows)
    made = profile(toy, target, windows)
    assert made.instructions == cost.instructions
    assert set(made.counts) == set(KINDS)
    assert all(made.counts[kind] > 0 for kind in ("alu", "load", "store", "call", "return", TAKEN, NOT_TAKEN))


def test_the_slowest_window_counts_wherever_it_stands(lab, toy, windows):
    forwards, backwards = profile(toy, "cortex-m0", windows), profile(toy, "cortex-m0", windows[::-1])
    assert forwards == backwards
    each = [profile(toy, "cortex-m0", window[None]).instructions for window in windows[:3]]
    assert max(each) <= forwards.instructions


def counts(**named) -> dict[str, int]:
    return dict.fromkeys(KINDS, 0) | {kind.replace("_", " "): n for kind, n in named.items()}


def test_kinds_of_a_loop_counted_by_hand(lab, tmp_path):
    made = profile(write_tiny(tmp_path, ARMV6M[0]), "cortex-m0", np.zeros((2, 1), np.int16))
    wanted = counts(alu=2 + LOOPS, multiple=1, branch_taken=LOOPS - 1, branch_not_taken=1, **{"return": 1})
    assert made == Histogram(wanted, registers=4 + 4)
    # push 1 + 4, movs, 100 subs, movs, bne 99 times 3 (2 on the M0+) and once 1, pop with pc 4 + 4 (3 + 4)
    assert CORES["Cortex-M0"].estimate(made) == 5 + 1 + 100 + 1 + 99 * 3 + 1 + 8
    assert CORES["Cortex-M0+"].estimate(made) == 5 + 1 + 100 + 1 + 99 * 2 + 1 + 7


def test_an_instruction_that_an_it_block_skips_is_no_jump(lab, tmp_path):
    made = profile(write_tiny(tmp_path, WITH_IT_BLOCK[0]), "cortex-m4", np.zeros((1, 1), np.int16))
    wanted = counts(alu=3 + LOOPS, multiple=1, branch_taken=LOOPS - 1, branch_not_taken=1, other=1, **{"return": 1})
    assert made == Histogram(wanted, registers=2 + 2)
    assert CORES["Cortex-M4"].estimate(made) == 3 + 103 + 99 * (1 + REFILL) + 1 + 1 + (1 + 2 + REFILL)


def test_an_estimate_computed_by_hand(monkeypatch):
    """1,000,000 cycles at 10 MHz are 100 ms; 10 MHz at 50 uA/MHz are 0.5 mA; 2 V, 0.5 mA, 0.1 s are 100 uJ."""
    monkeypatch.setattr("firmware.energy.CHIPS", (Chip("C", "Cortex-M4", 10, 50, 2.0, "a test"),))
    (e,) = estimates(Histogram(counts(alu=400_000, load=300_000), registers=0), "cortex-m4", every=10)
    assert (e.chip, e.cycles) == ("C", 1_000_000)
    assert (e.milliseconds, e.microjoules, e.average_microamps) == pytest.approx((100, 100, 5))


def test_every_chip_has_a_core_a_source_and_plausible_figures():
    for chip in CHIPS:
        assert chip.core in CORES and chip.source
        assert 1 < chip.volts < 4 and 1 < chip.microamps_per_mhz < 400 and 1 < chip.mhz < 500
    for core in CORES.values():
        assert set(core.cycles) == set(KINDS) and "DDI" in core.source


def test_other_targets_have_no_estimate():
    assert estimates(Histogram(counts(alu=1), 0), "rv32imc") == []


def test_only_thumb_is_told_apart(lab, toy, windows):
    with pytest.raises(ToolError, match="target rv32imc is no emulated Arm core"):
        profile(toy, "rv32imc", windows)
