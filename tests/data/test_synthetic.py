import numpy as np
import pytest
from scipy.signal import find_peaks, welch

from bnn.data import synthetic
from bnn.data.beats import SHAPES, shape
from bnn.data.rhythms import RHYTHMS, draw_beats
from bnn.data.signals import check_windows, windows
from bnn.data.splits import split
from bnn.data.synthetic import CLASSES, synthetic_recording, synthetic_set
from bnn.errors import DataError


@pytest.fixture(scope="module")
def ecg17():
    return synthetic_set("ecg17", 12, seed=3)


def of_class(windows, name):
    return windows.x[windows.y == windows.classes.index(name)].astype(float)


@pytest.mark.parametrize("name", ["ecg5", "ecg17"])
def test_sets(name):
    made = synthetic_set(name, 4, seed=1)
    assert made.synthetic and "SYNTHETIC" in made.describe() and made.classes == CLASSES[name]
    assert set(made.counts().values()) == {4}
    assert made.x.min() >= 0 and made.x.max() <= 2047
    check_windows(made.x)
    assert len(np.unique(np.column_stack([made.start, made.y]), axis=0)) == len(made)


def test_strong_signals_saturate_as_an_11_bit_adc(monkeypatch):
    monkeypatch.setattr(synthetic, "GAIN", 20_000.0)
    x = synthetic_set("ecg5", 1).x
    assert x.min() == 0 and x.max() == 2047


def test_same_seed_same_windows():
    few, many = synthetic_set("ecg5", 3, seed=5), synthetic_set("ecg5", 6, seed=5)
    np.testing.assert_array_equal(few.x, many.x.reshape(5, 6, 3600)[:, :3].reshape(-1, 3600))
    assert not np.array_equal(few.x, synthetic_set("ecg5", 3, seed=6).x)
    np.testing.assert_array_equal(synthetic_recording(30, 2).signal, synthetic_recording(30, 2).signal)


def test_synthetic_patients_can_be_split_by_record(ecg17):
    s = split(ecg17, "grouped")
    assert not s.notes and all(len(p) for p in (s.train, s.val, s.test))


def beat_times(x):
    """Sample numbers of the R peaks: steep and tall."""
    return find_peaks(x - np.median(x), height=0.5 * np.ptp(x - np.median(x)), distance=60)[0]


def test_rates(ecg17):
    """Beats counted in the signal, not in the generator: ten seconds of 58 to 95 or of 150 to 190 a minute."""
    assert all(9 <= len(beat_times(x)) <= 17 for x in of_class(ecg17, "NSR"))
    assert all(24 <= len(beat_times(x)) <= 33 for x in of_class(ecg17, "SVTA"))


def test_fibrillation_is_irregular(ecg17):
    def irregularity(x):
        intervals = np.diff(beat_times(x))
        return intervals.std() / intervals.mean()

    assert min(map(irregularity, of_class(ecg17, "AFIB"))) > max(map(irregularity, of_class(ecg17, "NSR")))


def test_early_beats_come_early(ecg17):
    for name in ("PVC", "APB", "Bigeminy", "Trigeminy"):
        rhythm = RHYTHMS[name]
        for seed in range(5):
            beats = draw_beats(rhythm, 10.0, np.random.default_rng(seed))
            early = np.flatnonzero(beats.kinds == rhythm.ectopic)
            early = early[(early > 0) & (early < len(beats.kinds) - 1)]
            assert len(early) >= 1, name
            before, after = np.diff(beats.times)[early - 1], np.diff(beats.times)[early]
            assert np.all(before < 0.8 * beats.rr) and np.all(after > before)


def test_bigeminy_and_trigeminy_patterns():
    for name, cycle in (("Bigeminy", 2), ("Trigeminy", 3)):
        beats = draw_beats(RHYTHMS[name], 10.0, np.random.default_rng(0))
        assert set(np.diff(np.flatnonzero(beats.kinds == "ventricular")).tolist()) == {cycle}


def test_dropped_beats():
    """Wenckebach: more P waves than beats, and the way from P to beat grows until one is left out."""
    beats = draw_beats(RHYTHMS["SDHB"], 20.0, np.random.default_rng(1))
    p, r = (beats.times[beats.kinds == kind] for kind in ("atrial", "narrow"))
    assert len(r) < len(p)
    following = np.searchsorted(p, r, side="right") - 1
    delay = r - p[following]
    skipped = np.diff(following) > 1
    assert skipped.any() and np.all(np.diff(delay)[skipped] < 0) and np.all(np.diff(delay)[~skipped] > 0)


def test_flutter_shows_its_frequency(ecg17):
    for x in of_class(ecg17, "VFL"):
        frequency, power = welch(x - x.mean(), fs=360.0, nperseg=3600)
        assert 3.3 < frequency[np.argmax(power)] < 4.5


def test_ventricular_beats_are_wide():
    def width(kind):
        beat = np.abs(shape(SHAPES[kind], 1.0, 360.0))
        return np.count_nonzero(beat[70:220] > 0.5 * beat.max()) / 360.0

    assert width("normal") < 0.04 < 0.08 < width("ventricular")


def test_t_wave_moves_with_the_rate():
    def t_peak(rr):
        beat = shape(SHAPES["normal"], rr, 360.0)
        return np.argmax(np.where(np.arange(len(beat)) > 144 + 54, beat, 0)) - 144

    assert t_peak(1.0) == round(0.29 * 360) and t_peak(0.64) == pytest.approx(0.8 * 0.29 * 360, abs=1)


def test_recording():
    recording = synthetic_recording(65, seed=4)
    assert recording.signal.dtype == np.int16 and len(recording.signal) == 65 * 360
    assert (recording.fs, recording.gain, recording.adc_zero) == (360.0, 200.0, 1024)
    cut = windows(recording.signal)
    assert cut.shape == (6, 3600)
    check_windows(cut)


def test_bad_arguments():
    with pytest.raises(DataError, match="ecg9: no such synthetic set, wanted one of ecg5, ecg17"):
        synthetic_set("ecg9", 3)
    with pytest.raises(DataError, match="0 windows per class, wanted at least 1"):
        synthetic_set("ecg5", 0)
    with pytest.raises(DataError, match="0 s is too short"):
        synthetic_recording(0)
