"""A set of synthetic nights, for tests and where no recorded ones can be had. No patient stands behind it."""

import numpy as np

from bnn.data.sleep.epochs import EpochSet, Signal, join
from bnn.data.sleep.hypnogram import NIGHT, draw_hypnogram
from bnn.data.sleep.polysomnogram import CHANNELS, draw_signals, draw_sleeper
from bnn.data.sleep.waves import FS
from bnn.errors import DataError

GAIN = 16.0  # ADC units per microvolt
DIFFICULTY = 0.5


def synthetic_nights(
    subjects: int = 20, nights: int = 2, per_night: int = 100, difficulty: float = DIFFICULTY, seed: int = 0
) -> EpochSet:
    """`per_night` epochs, evenly spaced over eight hours, of each of `nights` nights of synthetic `subjects`.

    difficulty  0 to 1, how many epochs need the EOG, or even the EMG, to be told (bnn.data.sleep.polysomnogram)

    Subject and night are drawn for themselves: a night is the same whatever the number of subjects and nights is.
    Raises DataError for a difficulty outside 0 to 1, or fewer than one subject, night or epoch, or over 960 epochs.
    """
    if not 0 <= difficulty <= 1:
        raise DataError(f"synthetic nights: difficulty {difficulty:g} is out of range, wanted 0 to 1")
    if subjects < 1 or nights < 1 or not 1 <= per_night <= NIGHT:
        raise DataError(
            f"synthetic nights: {subjects} subjects, {nights} nights, {per_night} epochs per night; wanted at least "
            f"one of each, and at most {NIGHT} epochs"
        )
    parts = [
        _night(subject, night, per_night, difficulty, seed) for subject in range(subjects) for night in range(nights)
    ]
    return join("sleep-synthetic", parts)


def _night(subject: int, night: int, n: int, difficulty: float, seed: int) -> EpochSet:
    sleeper = draw_sleeper(_generator(seed, 0, subject))
    rng = _generator(seed, 1, subject, night)
    hypnogram = draw_hypnogram(rng, sleeper.depth, sleeper.restless)
    position = np.arange(n, dtype=np.int64) * NIGHT // n
    beside = np.clip(position + rng.choice([-1, 1], n), 0, NIGHT - 1)
    drawn = draw_signals(hypnogram[position], hypnogram[beside], sleeper, difficulty, rng)
    signals = {key: Signal(_digitise(x), CHANNELS[key], float(FS), GAIN) for key, x in drawn.items()}
    name = f"synthetic{subject:02d}"
    return EpochSet(
        "sleep-synthetic",
        signals,
        hypnogram[position],
        np.full(n, name),
        np.full(n, f"{name}-{night}"),
        position,
        synthetic=True,
    )


def _digitise(microvolts: np.ndarray) -> np.ndarray:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(microvolts * np.float32(GAIN)), limits.min, limits.max).astype(np.int16)


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
