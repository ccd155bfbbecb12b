"""Integer mean and deviation against their definition in Python's unbounded integers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnn.train import inputs

windows = st.sampled_from([1, 2, 63, 3600]).flatmap(
    lambda n: arrays(np.int16, (2, n), elements=st.integers(-(2**15), 2**15 - 1))
)


def moments(row):
    """The definition, in unbounded integers."""
    row = [int(v) for v in row]
    n, s1, s2 = len(row), sum(row), sum(v * v for v in row)
    return (2 * 16 * s1 + n) // (2 * n), max(1, math.isqrt((n * s2 - s1 * s1) * 256) // n)


def check(x):
    mean_q, std_q = inputs.integer_moments(x)
    for i, row in enumerate(x):
        assert (mean_q[i], std_q[i]) == moments(row)


@given(windows)
def test_moments(x):
    check(x)


def test_extreme_windows():
    full = np.full((4, 3600), 2**15 - 1, np.int16)
    full[1] = -(2**15)
    full[2, ::2] = -(2**15)
    full[3, 0] -= 1
    check(full)


@given(st.integers(1, 9), st.integers(0, 4000))
def test_deviations_beside_a_whole_number(step, k):
    """Windows whose deviation is exactly, or nearly, a whole number: where a float root rounds the wrong way."""
    x = np.zeros((2, 3600), np.int16)
    x[0, ::2], x[0, 1::2] = step * k % 9000, -(step * k % 9000)
    x[1] = x[0]
    x[1, 0] += 1
    check(x)


def test_a_constant_window_does_not_divide_by_zero():
    assert np.array_equal(inputs.standardise(np.full((1, 100), 7, np.int16)), np.zeros((1, 100), np.float32))


def test_standardised_windows_have_mean_zero_and_deviation_one():
    x = np.random.default_rng(0).normal(1024, 150, (20, 3600)).astype(np.int16)
    z = inputs.standardise(x)
    assert z.dtype == np.float32
    assert abs(z.mean(axis=1)).max() < 1e-3
    assert z.std(axis=1) == pytest.approx(np.ones(20), abs=1e-3)
    mean_q, std_q = inputs.integer_moments(x)
    np.testing.assert_array_equal(z[3], (16 * x[3] - mean_q[3]).astype(np.float32) / np.float32(std_q[3]))
