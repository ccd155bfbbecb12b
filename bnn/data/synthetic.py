"""Synthetic ECG for tests, and for a demonstration where no recording can be had. No patient stands behind it."""

import numpy as np

from bnn.data.annotations import AAMI_CLASSES
from bnn.data.beats import BEFORE, SHAPES, Wave, shape, vary
from bnn.data.ecg import CLASSES_17, WINDOW
from bnn.data.records import Recording
from bnn.data.rhythms import RHYTHMS, Rhythm, continuous_wave, draw_beats
from bnn.data.windows import WindowSet
from bnn.errors import DataError

FS, GAIN, ADC_ZERO = 360.0, 200.0, 1024  # as the MIT-BIH records
ADC_MAX = 2047  # 11 bits
PATIENTS = 20
MAINS = 60.0  # Hz, where the MIT-BIH records were taken
EPISODE = 20.0  # seconds of one rhythm in a synthetic recording
CLASSES = {"ecg5": AAMI_CLASSES, "ecg17": CLASSES_17}

Shapes = dict[str, tuple[Wave, ...]]


def synthetic_set(name: str, per_class: int, seed: int = 0) -> WindowSet:
    """`per_class` windows of each class of the set "ecg5" or "ecg17", dealt out to 20 synthetic patients.

    Each class has its own rhythm and beat shape. Window k of a class is the same whatever `per_class` is.
    Raises DataError for another set or no windows.
    """
    if name not in CLASSES:
        raise DataError(f"{name}: no such synthetic set, wanted one of {', '.join(CLASSES)}")
    if per_class < 1:
        raise DataError(f"synthetic {name}: {per_class} windows per class, wanted at least 1")
    classes = CLASSES[name]
    y = np.repeat(np.arange(len(classes), dtype=np.int64), per_class)
    k = np.tile(np.arange(per_class, dtype=np.int64), len(classes))
    patient = (k + y) % PATIENTS
    shapes = [_patient_shapes(seed, p) for p in range(PATIENTS)]
    x = np.empty((len(y), WINDOW), dtype=np.int16)
    for i in range(len(y)):
        rng = _generator(seed, 1, int(y[i]), int(k[i]))
        clean = _episode(RHYTHMS[classes[y[i]]], WINDOW, shapes[patient[i]], rng)
        x[i] = _digitise(clean + _noise(WINDOW, rng))
    record = np.array([f"synthetic{p:02d}" for p in patient])
    return WindowSet(name, classes, x, y, record, start=(y * per_class + k) * WINDOW, synthetic=True)


def synthetic_recording(seconds: float, seed: int = 0) -> Recording:
    """A synthetic recording, int16 at 360 Hz and 200 units/mV: normal rhythm in turn with others, 20 s of each.

    Raises DataError if it would have no sample.
    """
    n = round(seconds * FS)
    if n < 1:
        raise DataError(f"synthetic recording: {seconds:g} s is too short, wanted at least one sample")
    rng = _generator(seed, 2)
    shapes = _patient_shapes(seed, 0)
    others = [name for name in CLASSES_17 if name != "NSR"]
    length = round(EPISODE * FS)
    episodes = []
    for i in range(-(-n // length)):
        name = "NSR" if i % 2 == 0 else others[rng.integers(len(others))]
        episodes.append(_episode(RHYTHMS[name], length, shapes, rng))
    clean = np.concatenate(episodes)[:n]
    signal = _digitise(clean + _noise(n, rng))
    return Recording(f"synthetic-{seed}", signal, FS, GAIN, ADC_ZERO, lead="MLII")


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def _patient_shapes(seed: int, patient: int) -> Shapes:
    rng = _generator(seed, 0, patient)
    size = rng.uniform(0.7, 1.3)
    varied = {kind: vary(waves, rng) for kind, waves in SHAPES.items()}
    return {kind: tuple(Wave(size * w.amplitude, w.centre, w.width) for w in waves) for kind, waves in varied.items()}


def _episode(rhythm: Rhythm, n: int, shapes: Shapes, rng: np.random.Generator) -> np.ndarray:
    """n samples of one rhythm without noise, (n,) float64 millivolts.

    Beats of one kind are their shape convolved with a row of impulses as high as each beat is strong.
    """
    beats = draw_beats(rhythm, n / FS, rng)
    strength = rng.normal(1.0, 0.04, len(beats.times))
    lead = round(2 * FS)  # room for beats that begin before the episode
    before = round(BEFORE * FS)
    at = np.rint(beats.times * FS).astype(np.int64) + lead
    signal = np.zeros(n)
    for kind in np.unique(beats.kinds):
        chosen = (beats.kinds == kind) & (at >= 0)
        impulses = np.bincount(at[chosen], weights=strength[chosen], minlength=n + lead)
        signal += np.convolve(impulses, shape(shapes[str(kind)], beats.rr, FS))[lead + before :][:n]
    if rhythm.wave:
        signal += continuous_wave(rhythm.wave, np.arange(n) / FS, rng)
    return signal


def _noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """Baseline wander (electrodes, breathing), mains hum and muscle noise, (n,) float64 millivolts."""
    t = np.arange(n) / FS
    frequency = np.array([rng.uniform(0.03, 0.1), rng.uniform(0.15, 0.35), MAINS])
    amplitude = np.array([rng.uniform(0.02, 0.10), rng.uniform(0.01, 0.06), rng.uniform(0.002, 0.015)])
    phase = rng.uniform(0.0, 2 * np.pi, 3)
    slow_and_hum = np.sin(2 * np.pi * np.outer(t, frequency) + phase) @ amplitude
    muscle = rng.normal(0.0, rng.uniform(0.005, 0.02), n)
    offset = rng.uniform(-0.4, 0.1)
    return offset + slow_and_hum + muscle


def _digitise(millivolts: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(millivolts * GAIN + ADC_ZERO), 0, ADC_MAX).astype(np.int16)
