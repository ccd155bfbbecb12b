from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.data.sleep.epochs import EpochSet, Signal
from bnn.data.sleep.resample import coefficients, resample
from bnn.errors import DataError

RATIOS = [Fraction(25, 32), Fraction(4, 5), Fraction(2), Fraction(100), Fraction(1, 2)]


def one_signal(x, fs):
    """A set of one epoch for each row of x."""
    n = len(x)
    names = np.full(n, "s")
    signal = Signal(np.asarray(x, dtype=np.int16)[:, None], ("a",), fs, 16.0)
    return EpochSet("made", {"eeg": signal}, np.zeros(n, np.int64), names, names, np.arange(n, dtype=np.int64))


def by_the_formula(x, ratio, n_out):
    """The docstring of bnn.data.sleep.resample, sample by sample in Python's integers."""
    h = coefficients(ratio)
    half = h.shape[1] // 2
    y = []
    for m in range(n_out):
        t, phase = divmod(m * ratio.denominator, ratio.numerator)
        at = [min(max(t - half + 1 + k, 0), len(x) - 1) for k in range(2 * half)]
        total = sum(int(h[phase, k]) * int(x[i]) for k, i in enumerate(at))
        y.append(min(max((total + 2**14) >> 15, -(2**15)), 2**15 - 1))
    return y


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([(8, 6.25), (5, 4), (2, 4), (1, 20), (8, 4)]), st.integers(0, 2**32))
def test_it_is_the_formula(rates, seed):
    source, target = rates
    x = np.random.default_rng(seed).integers(-(2**15), 2**15, 30 * source)
    y = resample(one_signal(x[None], float(source)), target).signals["eeg"]
    ratio = Fraction(target) / Fraction(source)
    assert y.fs == target and y.x[0, 0].tolist() == by_the_formula(x, ratio, round(30 * target))


@pytest.mark.parametrize("ratio", RATIOS)
def test_rows_are_exact_and_small(ratio):
    h = coefficients(ratio)
    assert len(h) == ratio.numerator and np.all(h.sum(axis=1) == 2**15)
    assert abs(h).sum(axis=1).max() < 2.1 * 2**15


@pytest.mark.parametrize("value", [-(2**15), -1, 0, 77, 2**15 - 1])
def test_a_constant_stays(value):
    for source in (128.0, 125.0, 50.0, 1.0, 200.0):
        x = np.full((1, round(30 * source)), value)
        assert set(resample(one_signal(x, source)).signals["eeg"].x.ravel().tolist()) == {value}


@pytest.mark.parametrize(("hertz", "passes"), [(2.0, True), (11.0, True), (35.0, True), (62.0, False)])
def test_what_a_100_hz_signal_can_hold_passes(hertz, passes):
    x = 2000 * np.sin(2 * np.pi * hertz * np.arange(3840) / 128)
    y = resample(one_signal(np.rint(x)[None], 128.0)).signals["eeg"].x[0, 0, 50:-50]
    wanted = 2000 * np.sin(2 * np.pi * hertz * np.arange(3000) / 100)[50:-50] if passes else 0
    assert abs(y - wanted).max() < 25


def test_other_signals_and_columns_stay(make_epochs):
    epochs = make_epochs(list("ab"), fs=4.0)
    assert resample(epochs, 4.0).signals["eeg"] is epochs.signals["eeg"]
    other = resample(epochs, 8.0)
    assert other.signals["eog"].x.shape == (2, 1, 240) and other.subject is epochs.subject
    assert replace(other.signals["eog"], fs=4.0).like(epochs.signals["eog"])


@pytest.mark.parametrize("fs", [0.0, -1.0, 99.99])
def test_odd_rates(make_epochs, fs):
    with pytest.raises(DataError, match="made, eeg: 4 Hz cannot be made .* wanted a ratio of small whole numbers"):
        resample(make_epochs(list("ab")), fs)
