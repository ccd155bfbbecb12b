"""bnn_gate.c equals ExitGate of the simulator, whatever the logits and the speed."""

import ctypes

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnn.graph import gate, ops
from bnn.sim.ops import evaluate
from tests.runtime.kernels import descriptor, pointer, u8, u16

TABLES = gate.tables()
VALUES = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(-300, 300), st.sampled_from((-(2**31), 0, 2**31 - 1)))


class ExitGate(ctypes.Structure):
    _fields_ = [("exp", pointer), ("log", pointer), ("entries", u16), ("classes", u8), ("frac", u8)]


@given(st.lists(VALUES, min_size=2, max_size=32), st.integers(0, 31), st.integers(0, gate.SPEED_ONE))
def test_the_kernel_equals_the_simulator(runtime, row, frac, speed):
    layer = descriptor(ExitGate, **TABLES, entries=len(TABLES["exp"]) - 1, classes=len(row), frac=frac)
    y = np.zeros(2, np.int32)
    runtime.call("bnn_exit_entropy", layer, np.array(row, np.int32), y)
    wanted = evaluate(ops.ExitGate("gate", ("x",), **TABLES, frac=frac), np.array([row]))
    np.testing.assert_array_equal(y, wanted[0])
    at = int(y[0]) * gate.SPEED_ONE // int(y[1])  # where the decision turns
    for value in {speed, 0, gate.SPEED_ONE, min(at, gate.SPEED_ONE), min(at + 1, gate.SPEED_ONE)}:
        assert bool(runtime.call("bnn_exit_leaves", y, value)) == bool(gate.leaves(wanted, value)[0])
