"""Bounds of the activation, tested on every value that an accumulator can take."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from bnn.errors import ModelError  # noqa: E402
from bnn.graph.arith import ALWAYS, NEVER, sign_bit  # noqa: E402
from bnn.lower.bounds import integer_bounds, read_runs, scaled_bounds  # noqa: E402
from tests.lower.activations import GRID, SCALES, SLOPES, function  # noqa: E402

GRID_VALUES = np.arange(ALWAYS + 1, NEVER)


def inside(values, lower, upper, flip):
    """What an Interval says, (channels, n)."""
    return ((values >= lower[:, None]) & (values < upper[:, None])) ^ (flip > 0)[:, None]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("top", [1, 2, 7, 56, 224, 455])
def test_integer_bounds_on_every_accumulator(slope, top):
    f = function(slope, GRID)
    lower, upper, flip = integer_bounds(f, top)
    values = np.arange(-top, top + 1, 2)
    np.testing.assert_array_equal(inside(values, lower, upper, flip), sign_bit(f(values)))
    assert lower.dtype == upper.dtype == np.int16 and flip.dtype == np.int8
    assert lower.min() >= -top and upper.max() <= top + 1


finite = st.floats(-40, 40, width=32)


@settings(max_examples=300)
@given(st.floats(-4, 4, width=32), st.tuples(finite, finite, finite), st.integers(1, 300))
def test_integer_bounds_of_any_parameters(slope, channel, top):
    f = function(slope, [channel])
    values = np.arange(-top, top + 1, 2)
    assume(np.count_nonzero(np.diff(sign_bit(f(values))[0])) <= 2)  # more is float rounding in a flat piece, refused
    np.testing.assert_array_equal(inside(values, *integer_bounds(f, top)), sign_bit(f(values)))


@pytest.mark.parametrize("slope", [0.25, 1.0, 2.5])
@pytest.mark.parametrize("scale", SCALES)
def test_one_comparison_is_enough_where_the_activation_is_monotone(slope, scale):
    lower, upper, flip = integer_bounds(function(slope, [(scale, 0.5, 0.3), (scale, -0.5, -0.3)]), 56)
    assert (upper == 57).all()
    if scale > 0:
        assert (flip == -1).all()
    if scale == 0:  # shift decides: all values, or none
        assert lower.tolist() == [-56, 57] and (flip == -1).all()
    if scale == -0.6:
        assert (flip == 1).all() and (lower > -56).all()


def test_a_negative_slope_needs_both_bounds():
    """|x| against 10: with slope -1 the activation is norm(|x|)."""
    f = function(-1.0, [(1.0, 10.0, 0.0), (-1.0, 10.0, 0.0)])
    lower, upper, flip = integer_bounds(f, 20)
    assert (lower.tolist(), upper.tolist(), flip.tolist()) == ([-8, -10], [10, 12], [1, -1])


@pytest.mark.parametrize("slope", SLOPES)
def test_scaled_bounds_on_the_whole_grid(slope):
    f = function(slope, GRID)
    lower, upper, flip, frac = scaled_bounds(f, 420.0)
    got = np.stack([compare(GRID_VALUES, *bounds) for bounds in zip(lower, upper, flip, strict=True)])
    np.testing.assert_array_equal(got, sign_bit(f(GRID_VALUES / 2.0**frac)))
    if 2.0**frac > NEVER / 420:  # beyond the grid nothing changes any more
        np.testing.assert_array_equal(got[:, [0, -1]], sign_bit(f(np.array([-420.0, 420.0]))))


def compare(values, lower, upper, flip):
    """An Interval of one channel with ALWAYS and NEVER, as with statistics."""

    def reaches(t):
        return np.full(len(values), t == ALWAYS) if t in (ALWAYS, NEVER) else values >= t

    return (reaches(lower) & ~reaches(upper)) ^ (flip > 0)


@pytest.mark.parametrize("slope", [0.25, -0.4])
def test_scaled_bounds_between_grid_points(slope):
    """Off the grid the answer is wrong at most within the one step in which the sign changes."""
    f = function(slope, GRID)
    lower, upper, flip, frac = scaled_bounds(f, 420.0)
    x = np.random.default_rng(0).uniform(-420, 420, 20000)
    want = sign_bit(f(x)).astype(bool)
    for row, bounds in zip(want, zip(lower, upper, flip, strict=True), strict=True):
        wrong = compare(x * 2.0**frac, *bounds) != row
        changes = np.array([t for t in bounds[:2] if t not in (ALWAYS, NEVER)]) / 2.0**frac
        assert not wrong.any() or (np.abs(x[wrong, None] - changes).min(axis=1) <= 2.0**-frac).all()


@pytest.mark.parametrize(
    "crossing, frac", [(0.9, 15), (1.1, 14), (5.0, 12), (-5.0, 12), (300.0, 6), (419.0, 6), (421.0, 15)]
)
def test_the_grid_is_as_fine_as_the_changes_of_sign_allow(crossing, frac):
    """A change at `crossing` sets the step; one beyond the accumulator's reach sets none."""
    lower, upper, flip, got = scaled_bounds(lambda x: (x - crossing)[None], 420.0)
    assert got == frac and upper[0] == NEVER and flip[0] == -1
    assert lower[0] == (NEVER if crossing > 420 else np.ceil(crossing * 2**frac))


def test_a_channel_that_no_value_reaches_does_not_coarsen_the_others():
    """One changes sign at 300, and so sets the grid; one at 450, on the grid but beyond reach."""
    _, _, _, frac = scaled_bounds(lambda x: np.stack([x - 300, x - 450]), 420.0)
    assert frac == 6


def test_always_and_never():
    f = function(0.25, [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0)])
    lower, upper, flip, frac = scaled_bounds(f, 420.0)
    assert (lower.tolist(), upper.tolist(), flip.tolist(), frac) == ([ALWAYS, NEVER], [NEVER, NEVER], [-1, -1], 15)


@given(st.integers(0, 1), st.lists(st.integers(0, 6), min_size=1, max_size=3))
def test_read_runs_is_undone_by_an_interval(first, lengths):
    """Rows of up to three runs, a run of no length included."""
    row = np.concatenate([np.full(n, (first + i) % 2) for i, n in enumerate(lengths)]).astype(np.uint8)
    assume(len(row) > 0)
    values = np.arange(10, 11 + len(row)) * 3
    bounds = read_runs(row[None], values)
    np.testing.assert_array_equal(inside(values[:-1], *bounds)[0], row)


def test_three_changes_of_sign_are_refused():
    with pytest.raises(ModelError, match="channel 1: its activation changes sign 3 times, a PReLU at most twice"):
        read_runs(np.array([[0, 1, 1, 1], [0, 1, 0, 1]], np.uint8), np.arange(5))
