"""bnn_gate.c equals ExitGate of the simulator, whatever the logits and the speed."""

import ctypes
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.graph import gate, ops
from bnn.sim.ops import evaluate
from tests.runtime import kernels
from tests.runtime.conftest import builds
from tests.runtime.kernels import RUNTIME, Runtime, build, descriptor, pointer, u8, u16

COMPILER = builds()[0]
TABLES = gate.tables()
VALUES = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(-300, 300), st.sampled_from((-(2**31), 0, 2**31 - 1)))


class ExitGate(ctypes.Structure):
    _fields_ = [("exp", pointer), ("log", pointer), ("entries", u16), ("classes", u8), ("frac", u8)]


def compare(runtime, row, frac, speed):
    """Entropy, and the decision at `speed`, at both ends, and where it turns."""
    layer = descriptor(ExitGate, **TABLES, entries=len(TABLES["exp"]) - 1, classes=len(row), frac=frac)
    y = np.zeros(2, np.int32)
    runtime.call("bnn_exit_entropy", layer, np.array(row, np.int32), y)
    wanted = evaluate(ops.ExitGate("gate", ("x",), **TABLES, frac=frac), np.array([row]))
    np.testing.assert_array_equal(y, wanted[0])
    turn = min(int(y[0]) * gate.SPEED_ONE // int(y[1]), gate.SPEED_ONE - 1)
    for value in (speed, 0, gate.SPEED_ONE, turn, turn + 1):
        assert bool(runtime.call("bnn_exit_leaves", y, value)) == bool(gate.leaves(wanted, value)[0])


@given(st.lists(VALUES, min_size=2, max_size=32), st.integers(0, 31), st.integers(0, gate.SPEED_ONE))
def test_the_kernel_equals_the_simulator(runtime, row, frac, speed):
    compare(runtime, row, frac, speed)


def compare_many(runtime):
    rng = np.random.default_rng(5)
    for frac in (0, 3, 9, 10, 16, 31):
        for _ in range(60):
            spread = 2.0 ** rng.uniform(frac - 6, min(frac + 4, 29))
            compare(runtime, rng.normal(0, spread, rng.integers(2, 33)).clip(-(2**31), 2**31 - 1), frac, 9999)
        compare(runtime, [2**31 - 1, -(2**31), 0], frac, 1)
        compare(runtime, [2**22, 0], frac, 1)


MISTAKES = [
    ("s & 511u", "s & 255u"),
    ("+ 8u) >> 4", ") >> 4"),
    ("* (d & 63u)", "* (d & 31u)"),
    ("d < top ? d : top", "d < top ? d : top - 64u"),
    ("(d < 0xFFFFu ? d : 0xFFFFu)", "d"),
    ("(uint64_t)speed", "speed"),
    (" < (uint64_t)speed", " <= (uint64_t)speed"),
]


def test_no_mistake_is_found_in_the_kernel_as_it_is(runtime):
    compare_many(runtime)


@pytest.mark.parametrize("right, wrong", MISTAKES)
def test_a_mistake_is_found(right, wrong, tmp_path, monkeypatch):
    for name in ("bnn_gate.c", "bnn_gate.h", "bnn_argmax.c", "bnn_runtime.h"):
        shutil.copy(RUNTIME / name, tmp_path)
    text = (tmp_path / "bnn_gate.c").read_text()
    assert text.count(right) == 1
    (tmp_path / "bnn_gate.c").write_text(text.replace(right, wrong))
    monkeypatch.setattr(kernels, "RUNTIME", tmp_path)
    broken = Runtime(build(COMPILER, tmp_path / "broken.so"))
    with pytest.raises(AssertionError):
        compare_many(broken)
