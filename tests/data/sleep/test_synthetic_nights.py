"""Synthetic nights: seeded, like nights, and such that the EOG and then the EMG tell what the EEG does not."""

from itertools import pairwise

import numpy as np
import pytest

from bnn.data.sleep.epochs import STAGES
from bnn.data.sleep.hypnogram import NIGHT, draw_hypnogram, transitions
from bnn.data.sleep.polysomnogram import draw_signals, draw_sleeper
from bnn.data.sleep.stages import N1, N2, N3, REM, W
from bnn.data.sleep.synthetic import synthetic_nights
from bnn.errors import DataError

BAND_EDGES = (0.3, 0.7, 2, 4, 8, 12, 15, 25, 45)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def hypnograms():
    return np.stack([draw_hypnogram(generator(seed)) for seed in range(30)])


def test_transitions_are_probabilities():
    for depth, restless in ((1, 1), (0.3, 3), (2.5, 4)):
        p = transitions(np.arange(NIGHT), depth, restless)
        assert p.min() >= 0 and np.allclose(p.sum(axis=2), 1)
        assert not p[:, [W, N1, REM], N3].any(), "the way into deep sleep is through N2"


def test_a_night_has_an_adults_shares(hypnograms):
    sleep = hypnograms[hypnograms != W]
    share = np.bincount(sleep, minlength=5) / len(sleep)
    for stage, low, high in ((N1, 0.03, 0.12), (N2, 0.45, 0.60), (N3, 0.10, 0.22), (REM, 0.15, 0.27)):
        assert low < share[stage] < high, STAGES[stage]
    assert 0.03 < (hypnograms == W).mean() < 0.20


def test_deep_sleep_comes_early_and_rem_sleep_late(hypnograms):
    third = NIGHT // 3
    assert (hypnograms[:, :third] == N3).sum() > 3 * (hypnograms[:, -third:] == N3).sum()
    first_rem = (hypnograms == REM).argmax(axis=1) / 2  # minutes
    assert 50 < np.median(first_rem) < 110


def test_bouts_last(hypnograms):
    """Minutes: light sleep and wake pass soon, the others stay."""
    mean = {}
    for stage in range(5):
        edges = np.diff((hypnograms == stage).astype(int), prepend=0, append=0, axis=1)
        mean[stage] = (hypnograms == stage).sum() / (edges == 1).sum() / 2
    assert mean[N1] < mean[W] < mean[N2] < mean[REM] and 1 < mean[N1] < 4 and 8 < mean[REM] < 20


def spectrum(x):
    """Power in uV^2 per Hz of (n, samples), mean over epochs, and its frequencies."""
    power = abs(np.fft.rfft(x * np.hanning(3000))) ** 2 / (3000 * 100 * 3 / 8) * 2
    return power.mean(axis=0), np.fft.rfftfreq(3000, 0.01)


@pytest.fixture(scope="module")
def stages_shown():
    """Eight sleepers' signals of 40 epochs of each stage, easy to tell: {signal: (5, 320, channels, samples)}."""
    shown = {key: [] for key in ("eeg", "eog", "emg")}
    for stage in range(5):
        row = np.full(40, stage)
        drawn = [draw_signals(row, row, draw_sleeper(generator(s)), 0.0, generator(100 + s)) for s in range(8)]
        for key in shown:
            shown[key].append(np.concatenate([d[key] for d in drawn]))
    return {key: np.stack(values) for key, values in shown.items()}


def test_each_stage_has_its_signs(stages_shown):
    power, f = zip(*(spectrum(x[:, 1]) for x in stages_shown["eeg"]), strict=True)
    f = f[0]
    band = {name: [p[(f >= a) & (f < b)].mean() for p in power] for name, a, b in (("delta", 0.5, 2), ("alpha", 9, 11))}
    assert band["delta"][N3] > 3 * max(band["delta"][s] for s in (W, N1, N2, REM))
    assert band["alpha"][W] > 3 * max(band["alpha"][s] for s in (N1, N2, N3, REM))
    spindle = [p[(f >= 12) & (f < 14.5)].mean() / p[(f >= 16) & (f < 20)].mean() for p in power]
    assert spindle[N2] == max(spindle)
    speed = [np.percentile(abs(x[:, 0, 3:] - x[:, 0, :-3]), 99.8) for x in stages_shown["eog"]]
    assert min(speed[W], speed[REM]) > 1.5 * max(speed[N1], speed[N2])
    tone = [np.median(x[:, 0].std(axis=1)) for x in stages_shown["emg"]]
    assert all(a > b for a, b in pairwise(tone[s] for s in (W, N1, N2, N3, REM))) and tone[W] > 4 * tone[REM]


def test_sizes_are_those_of_the_body(stages_shown):
    """Typical root mean squares in uV, artefacts aside."""
    eeg, eog, emg = (np.median(stages_shown[key].std(axis=-1)) for key in ("eeg", "eog", "emg"))
    assert 10 < eeg < 40 and 5 < eog < 60 and 3 < emg < 30


def test_the_same_seed_the_same_nights():
    epochs = synthetic_nights(3, 2, 10, seed=5)
    again = synthetic_nights(2, 1, 10, seed=5)
    assert (
        epochs.synthetic
        and len(epochs) == 60
        and set(epochs.night) == {f"synthetic0{i}-{j}" for i in range(3) for j in "01"}
    )
    first = epochs.subset(np.isin(epochs.night, ["synthetic00-0", "synthetic01-0"]))
    for key, signal in again.signals.items():
        np.testing.assert_array_equal(signal.x, first.signals[key].x)
        assert signal.x.dtype == np.int16 and signal.gain == 16
    other = synthetic_nights(2, 1, 10, seed=6)
    assert not np.array_equal(other.signals["eeg"].x, again.signals["eeg"].x)
    assert not np.array_equal(epochs.signals["eeg"].x[:10], epochs.signals["eeg"].x[10:20]), "nights differ"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"difficulty": 1.5}, "difficulty 1.5 is out of range, wanted 0 to 1"),
        ({"difficulty": float("nan")}, "difficulty nan is out of range"),
        ({"subjects": 0}, "0 subjects, 2 nights, 100 epochs per night; wanted at least one"),
        ({"per_night": 961}, "at most 960 epochs"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(DataError, match=words):
        synthetic_nights(**arguments)


def features(epochs, signals):
    """(n, f): log powers of bands of each channel; of the EOG, also how fast, how far and how one-sided it moves."""
    found = []
    for key in signals:
        for channel in epochs.signals[key].x.astype(np.float32).swapaxes(0, 1):
            power = abs(np.fft.rfft(channel * np.hanning(3000))) ** 2
            f = np.fft.rfftfreq(3000, 0.01)
            found += [np.log(power[:, (f >= a) & (f < b)].sum(axis=1) + 1) for a, b in pairwise(BAND_EDGES)]
            if key == "eog":
                speed = abs(channel[:, 5:] - channel[:, :-5])
                found += [np.log(np.percentile(speed, 99, axis=1) + 1), np.log(speed.max(axis=1) + 1)]
                found += [(channel**3).mean(axis=1) / channel.std(axis=1) ** 3]
    return np.stack(found, axis=1)


def accuracy(epochs, test, signals, steps=200):
    """Logistic regression on `features`, by gradient descent; tested on people it has not seen."""
    x = features(epochs, signals)
    x = (x - x[~test].mean(axis=0)) / x[~test].std(axis=0)
    x = np.hstack([x, np.ones((len(x), 1))])
    wanted = np.eye(5)[epochs.stage]
    w = np.zeros((x.shape[1], 5))
    for _ in range(steps):
        e = np.exp(x[~test] @ w - (x[~test] @ w).max(axis=1, keepdims=True))
        w -= x[~test].T @ (e / e.sum(axis=1, keepdims=True) - wanted[~test]) / (~test).sum()
    return float(((x[test] @ w).argmax(axis=1) == epochs.stage[test]).mean())


@pytest.fixture(scope="module")
def gains():
    """{difficulty: accuracy with the EEG, then with the EOG, then with the EMG besides}, seven people tested."""
    found = {}
    for difficulty in (0.0, 0.5, 1.0):
        epochs = synthetic_nights(20, 1, 90, difficulty, seed=1)
        test = np.isin(epochs.subject, [f"synthetic{i:02d}" for i in range(13, 20)])
        found[difficulty] = [
            accuracy(epochs, test, names) for names in (["eeg"], ["eeg", "eog"], ["eeg", "eog", "emg"])
        ]
    return found


def test_some_epochs_need_the_eog_and_some_the_emg(gains):
    eeg, eog, emg = gains[0.5]
    assert eeg > 0.75, "most epochs need the EEG alone"
    assert eog > eeg + 0.04 and emg > eog + 0.015


def test_difficulty_takes_from_the_eeg_and_the_eog(gains):
    easy, hard = gains[0.0], gains[1.0]
    assert hard[0] < easy[0] - 0.05 and hard[1] < easy[1] - 0.03
    assert hard[2] - hard[1] > easy[2] - easy[1] + 0.02, "the EMG makes good what was taken from the EOG"
