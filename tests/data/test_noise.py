"""Noise at a stated SNR, and the other conditions a recording may be under."""

import numpy as np
import pytest

from bnn.data import disturb, ecg, noise
from bnn.data.mitdb import at_hand
from bnn.data.records import lead_names, read_record
from bnn.errors import DataError

FS = 360


@pytest.fixture
def nstdb(mitdb):
    try:
        return at_hand("nstdb") or pytest.skip("no noise records: run `bnn data fetch nstdb`")
    except DataError as error:
        pytest.skip(str(error))


def beats(amplitude=300.0, count=40, seed=0):
    """A flat line with triangles of that height, 100 ms wide, and where they are."""
    sample = FS * (1 + np.arange(count)) + np.random.default_rng(seed).integers(-40, 40, count)
    signal = np.full(FS * (count + 3), 1024.0)
    ramp = np.interp(np.arange(-18, 19), [-18, 0, 18], [0, amplitude, 0])
    for s in sample:
        signal[s - 18 : s + 19] += ramp
    return np.rint(signal).astype(np.int16), sample


def test_signal_power_is_an_eighth_of_the_squared_amplitude():
    signal, sample = beats()
    assert noise.signal_power(signal, sample, np.array(["N"] * 40)) == pytest.approx(300**2 / 8)


def test_a_sine_has_the_power_of_its_amplitude():
    """The meaning of A^2 / 8: mean square of a sine whose peaks are A apart."""
    t = np.arange(FS * 10)
    wave = 150 * np.sin(2 * np.pi * t / FS * 10)
    power = noise.signal_power(wave, t[100:-100:200], np.array(["N"] * len(t[100:-100:200])))
    assert power == pytest.approx(np.mean(wave**2), rel=0.01)
    assert noise.noise_power(wave) == pytest.approx(np.mean(wave**2), rel=1e-6)


def test_abnormal_beats_and_outliers_do_not_count():
    signal, sample = beats()
    for place in sample[:2]:
        signal[place] += 600  # 2 of 40 normal beats: the trimmed mean drops them, and two of the lowest
    for place in sample[2:10]:
        signal[place] += 500
    symbol = np.array(["N"] * 2 + ["V", "E", "F", "+"] * 2 + ["L", "/"] * 15)
    assert noise.signal_power(signal, sample, symbol) == pytest.approx(300**2 / 8, rel=0.2)
    assert noise.signal_power(signal, sample, symbol) > noise.signal_power(signal, sample[10:], symbol[10:])
    with pytest.raises(DataError, match="no annotation is a normal beat"):
        noise.signal_power(signal, sample, np.array(["V"] * 40))


def test_noise_power_leaves_slow_drift_out():
    rng = np.random.default_rng(0)
    white = rng.normal(0, 20, FS * 100)
    drift = np.linspace(0, 5000, FS * 100)
    assert noise.noise_power(white) == pytest.approx(400, rel=0.02)
    assert noise.noise_power(white + drift) < 1.6 * 400 < np.var(white + drift)


@pytest.mark.parametrize("snr", [24.0, 6.0, 0.0])
def test_noise_is_added_at_the_ratio_asked_for(snr):
    rng = np.random.default_rng(1)
    track = rng.normal(5, 7, FS * 400)
    x = np.full((3, 3600), 1024, dtype=np.int16)
    got = noise.add_noise(x, np.array([1e4, 1e4, 4e4]), track, snr, np.array([0, 999, 999]))
    added = got.astype(float) - 1024
    ratio = 10 * np.log10(np.array([1e4, 1e4, 4e4]) / added.var(axis=1))
    np.testing.assert_allclose(ratio, snr, atol=0.25)
    assert not np.array_equal(got[0], got[1]) and np.corrcoef(added[1], added[2])[0, 1] > 0.99


def test_the_adc_saturates():
    assert noise.saturate(np.array([-5.0, 0.4, 1024.5, 3000.0])).tolist() == [0, 0, 1024, 2047]


def test_gain_turns_about_zero_millivolts(make_windows):
    windows = make_windows([0, 0])
    windows.x[:] = [[0, 924, 1024, 1124, 2047, 1025, 1023, 600]]
    got = disturb.change_gain(windows, 4.0)
    assert got.dtype == np.int16 and got[0].tolist() == [0, 624, 1024, 1424, 2047, 1028, 1020, 0]
    assert disturb.change_gain(windows, 0.25)[0].tolist() == [768, 999, 1024, 1049, 1280, 1024, 1024, 918]
    np.testing.assert_array_equal(disturb.change_gain(windows, 1.0), windows.x)


@pytest.fixture(scope="module")
def some(mitdb):
    """Six windows of three records, one of them with its leads in the other order, and the last of a record."""
    windows = ecg.load("aami")
    rows = [np.flatnonzero(windows.record == r)[i] for r in ("100", "114", "207") for i in (3, -1)]
    return windows.subset(np.array(rows))


def test_the_other_lead_is_of_the_same_time(some, mitdb):
    got = disturb.other_lead(some)
    for i, record in enumerate(some.record):
        name = next(lead for lead in lead_names(mitdb / record) if lead != "MLII")
        signal = read_record(mitdb / record, name).signal
        np.testing.assert_array_equal(got[i], signal[some.start[i] :][:3600])


@pytest.mark.parametrize("rate", disturb.RATES)
def test_another_rate_changes_little(some, rate):
    got = disturb.change_rate(some, rate)
    assert got.shape == some.x.shape and not np.array_equal(got, some.x)
    for a, b in zip(got, some.x, strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.98, rate  # what 250 Hz loses lies above 125 Hz


@pytest.mark.parametrize("error", [-0.02, 0.001, 0.02])
def test_a_fast_clock_stretches(some, error):
    """Sample k of the skewed window is what the recording held at k / (1 + error)."""
    got = disturb.skew_clock(some, error)
    first = np.rint(some.start * (1 + error)) / (1 + error) - some.start  # start moves by less than a sample
    for i in range(len(some)):
        k = np.arange(0, 3400)
        there = np.interp(k / (1 + error) + first[i], np.arange(3600), some.x[i])
        assert np.corrcoef(got[i, :3400], there)[0, 1] > 0.97
    assert np.corrcoef(got[0], some.x[0])[0, 1] < 0.97 or abs(error) < 0.01


def test_conditions_are_repeatable(some, nstdb):
    twice = [{(c.group, c.level): c for c in disturb.conditions(some, seed=5)} for _ in range(2)]
    assert len(twice[0]) == 15 + 1 + 6 + 3 + 8
    assert {c.group for c in twice[0].values() if c.random} == set(noise.KINDS)
    one, two = (t["em", 6.0] for t in twice)
    np.testing.assert_array_equal(one.make(1), two.make(1))
    assert not np.array_equal(one.make(0), one.make(1))
    other = next(iter(disturb.conditions(some, seed=6)))
    assert not np.array_equal(other.make(0), twice[0]["bw", 24.0].make(0))
    for condition in twice[0].values():
        x = condition.make(0)
        assert x.shape == some.x.shape and x.dtype == np.int16 and x.min() >= 0 and x.max() <= 2047


def test_noise_of_the_database(nstdb):
    for kind, rms in {"bw": 20.1, "em": 65.9, "ma": 16.2}.items():
        track = noise.load_noise(kind)
        assert track.shape == (650_000,) and noise.noise_power(track) ** 0.5 == pytest.approx(rms, abs=0.05)
    with pytest.raises(DataError, match="pl: no such noise, wanted one of bw, em, ma"):
        noise.load_noise("pl")


def test_windows_without_records_cannot_be_disturbed(make_windows):
    with pytest.raises(DataError, match="made: its windows were cut from no records"):
        list(disturb.conditions(make_windows([0, 1])))
