import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.data.records import Recording
from bnn.data.signals import check_windows, to_adc, windows
from bnn.errors import DataError


def recording(signal, fs=360.0, gain=200.0, zero=1024):
    return Recording("made", np.asarray(signal), fs, gain, zero, "MLII")


def test_what_fits_is_not_touched():
    source = recording(np.array([1000, 1024, 1100], dtype=np.int16))
    assert to_adc(source) is source


def test_gain_and_zero():
    """1 mV is 200 units above 1024, whatever units it came in."""
    out = to_adc(recording([0.0, 1.0, -2.5], gain=1.0, zero=0))
    assert out.signal.dtype == np.int16 and out.signal.tolist() == [1024, 1224, 524]
    assert to_adc(recording(np.array([500, 1500], dtype=np.int32), gain=1000.0, zero=500)).signal.tolist() == [
        1024,
        1224,
    ]
    assert (out.fs, out.gain, out.adc_zero) == (360.0, 200.0, 1024)


def test_saturation():
    assert to_adc(recording([1e6, -1e6], gain=1.0, zero=0)).signal.tolist() == [32767, -32768]


@pytest.mark.parametrize("fs", [100.0, 128.0, 250.0, 257.3, 500.0, 1000.0])
def test_resampling_keeps_a_sine(fs):
    """A sine of 5 Hz and 1 mV keeps its frequency, height and offset to within 1 % of its height."""
    t = np.arange(round(20 * fs)) / fs
    out = to_adc(recording(0.3 + np.sin(2 * np.pi * 5 * t), fs=fs, gain=1.0, zero=0)).signal
    assert abs(len(out) - 7200) <= 2
    wanted = 1024 + 200 * (0.3 + np.sin(2 * np.pi * 5 * np.arange(len(out)) / 360))
    middle = slice(360, 6800)
    assert np.max(np.abs(out[middle] - wanted[middle])) <= 3


def test_resampling_adds_no_step_at_the_ends():
    out = to_adc(recording(np.full(1280, 1600.0), fs=128.0, zero=1024)).signal
    assert out.min() >= 1599 and out.max() <= 1601


@pytest.mark.parametrize("fs", [10.0, 2e5])
def test_impossible_rates(fs):
    with pytest.raises(DataError, match="samples per second, wanted 50 to 100000; check the sampling rate"):
        to_adc(recording(np.zeros(100), fs=fs))


@given(n=st.integers(0, 60), length=st.integers(1, 20), step=st.integers(1, 20))
def test_windows_are_the_pieces(n, length, step):
    signal = np.arange(n, dtype=np.int16)
    pieces = [signal[i : i + length].tolist() for i in range(0, n, step) if i + length <= n]
    if pieces:
        assert windows(signal, length, step).tolist() == pieces
    else:
        with pytest.raises(DataError, match=f"{n} samples, too short for one window of {length}"):
            windows(signal, length, step)


def test_bad_windows_are_named():
    x = np.random.default_rng(0).integers(0, 100, (4, 50)).astype(float)
    check_windows(x)
    flat = x.copy()
    flat[2] = 7
    with pytest.raises(DataError, match="100: the window from sample 7200 is constant at 7.*; 1 of 4 windows"):
        check_windows(flat.astype(np.int16), "100")
    x[3, 4] = np.nan
    with pytest.raises(DataError, match="the window from sample 150 holds NaN"):
        check_windows(x, step=50)
