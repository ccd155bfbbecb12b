"""The shared arithmetic against exact rational numbers, exhaustively where the domain is small."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.graph.arith import ALWAYS, NEVER, round_div, scaled_bound, sign_bit, standardise, to_fixed, window_stats
from tests import plain
from tests.graphs import int16


def test_sign_is_never_zero():
    assert sign_bit(np.array([-1e-30, -0.0, 0.0, 1e-30])).tolist() == [0, 1, 1, 1]


def test_round_div_is_rounding_half_up_for_all_small_numbers():
    for b in range(1, 41):
        for a in range(-200, 201):
            assert round_div(a, b) == floor(Fraction(a, b) + Fraction(1, 2)), (a, b)


def test_to_fixed_rounds_as_round_div_does():
    sixteenths = np.arange(-400, 401)
    np.testing.assert_array_equal(to_fixed(sixteenths / 16, 2), [round_div(int(v), 4) for v in sixteenths])


def exact_stats(row, frac):
    """[mean, std] of SPEC.md's words: `std` is tested to be the largest integer that its definition allows."""
    n = len(row)
    mean = Fraction(sum(row), n)
    variance = sum(Fraction(v * v) for v in row) / n - mean * mean
    std = plain.root(variance * 4**frac)
    return [floor(mean * 2**frac + Fraction(1, 2)), max(1, std)]


@pytest.mark.parametrize("frac", range(9))
@pytest.mark.parametrize("row", [[-32768], [32767], [0, 1], [-32768, 32767], [1024] * 9, [1024] * 9 + [1025]])
def test_stats_of_small_and_extreme_windows(row, frac):
    assert window_stats(int16([row]), frac)[0].tolist() == exact_stats(row, frac)


@pytest.mark.parametrize("frac", range(9))
def test_stats_of_the_longest_and_widest_windows(frac):
    """Half at one end of int16 and half at the other: the largest variance there is, at the longest length admitted."""
    n = 1 << min(16, 17 - frac)
    row = np.tile(int16([-32768, 32767]), n // 2)
    mean, std = window_stats(row[None], frac)[0].tolist()
    assert mean == round_div(-(2**frac), 2)
    assert std == floor(Fraction(65535, 2) * 2**frac)


@given(st.integers(0, 2**32), st.integers(0, 5))
def test_stats_of_long_windows(seed, frac):
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(-32768, 32768, 2))
    rows = rng.integers(low, high + 1, (2, 4000)).astype(np.int16)
    for row, got in zip(rows.tolist(), window_stats(rows, frac).tolist(), strict=True):
        assert got == exact_stats(row, frac)


def test_stats_of_a_constant_window_divide_by_one_step():
    for value in (-32768, -1, 0, 1024, 32767):
        assert window_stats(int16([[value] * 5000]))[0].tolist() == [16 * value, 1]


def test_a_square_root_in_doubles_would_not_do():
    """Sum 2 and sum of squares n r**2: the exact std is just below 16 r, and a double's square root gives 16 r."""
    r, n = 31000, 8192
    changes = [248, -248, 22, -22, 3, -3, 1, -1]
    row = [r + d for d in changes] + [r] * 4088 + [2 - r] + [-r] * 4095
    assert sum(row) == 2 and sum(v * v for v in row) == n * r * r
    assert int(np.sqrt(np.float64((n * n * r * r - 4) * 256)) / n) == 16 * r
    assert window_stats(int16([row]))[0].tolist() == [0, 16 * r - 1]


@given(st.integers(0, 2**32))
def test_standardise_divides_by_the_integer_statistics(seed):
    x = np.random.default_rng(seed).integers(-2000, 2000, (3, 50)).astype(np.int16)
    stats = window_stats(x)
    z = standardise(x)
    assert z.dtype == np.float32
    for i in range(3):
        mean, std = stats[i].tolist()
        np.testing.assert_array_equal(z[i], [np.float32((16 * int(v) - mean) / std) for v in x[i]])
    assert np.abs(z.mean(axis=1)).max() < 1e-3 and np.abs(z.std(axis=1) - 1).max() < 1e-3


def test_scaled_bound_is_the_exact_quotient_on_every_small_case():
    """acc >= bound says acc / std >= t / 2**frac for all 25 x 12 x 5 bounds and all accumulators around them."""
    t, std = np.arange(-12, 13, dtype=np.int16), np.arange(1, 13)
    for frac in range(5):
        bound = scaled_bound(t, std, frac)
        acc = np.arange(-150, 151)
        got = acc[None, None, :] >= bound[:, :, None]
        want = acc[None, None, :] * 2**frac >= t[None, :, None].astype(int) * std[:, None, None]
        np.testing.assert_array_equal(got, want)


@given(st.integers(ALWAYS + 1, NEVER - 1), st.integers(1, 1 << 23), st.integers(0, 15))
def test_scaled_bound_is_the_ceiling(t, std, frac):
    assert scaled_bound(int16([t]), np.array([std]), frac)[0, 0] == ceil(Fraction(t * std, 2**frac))


def test_scaled_bound_of_always_and_never():
    bound = scaled_bound(int16([ALWAYS, NEVER]), np.array([1, 10**6]), 15)
    assert bound.tolist() == [[-(2**31), 2**31 - 1]] * 2


def test_standardised_windows_have_mean_zero_and_deviation_one():
    x = np.random.default_rng(0).normal(1024, 150, (20, 3600)).astype(np.int16)
    z = standardise(x)
    assert z.dtype == np.float32
    assert abs(z.mean(axis=1)).max() < 1e-3
    assert abs(z.std(axis=1) - 1).max() < 1e-3
