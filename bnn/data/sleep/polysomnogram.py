"""EEG, EOG and chin EMG of synthetic sleep: what each stage looks like, and how hard it is to see.

A stage is a mixture of bands, of single waves and of muscle tone. `difficulty` takes away what tells stages apart:

- Awake with open eyes, N1 and REM sleep all show a low, mixed EEG. In a share of their epochs, up to 0.8, we give them
  one and the same EEG. Eye movements still tell them apart: rapid in REM, slow in N1, blinks when awake.
- In half of those of W and REM, the eyes do the same, too. Only the chin still tells: it is slack in REM.
- Next to a change of stage, an epoch has up to half of the other stage's bands.
"""

from dataclasses import dataclass

import numpy as np

from bnn.data.sleep import waves
from bnn.data.sleep.epochs import EPOCH
from bnn.data.sleep.stages import N1, REM, W
from bnn.data.sleep.waves import FS

SAMPLES = EPOCH * FS
CHANNELS = {"eeg": ("Fpz-Cz", "Pz-Oz"), "eog": ("EOG",), "emg": ("chin",)}
CENTRE = np.array([1.0, 5.5, 10.0, 13.5, 21.0])  # Hz: delta, theta, alpha, sigma, beta
WIDTH = np.array([0.6, 1.3, 1.0, 0.9, 4.0])
ALPHA = 2

# Root mean square in uV of the 1/f background and of the five bands.
BANDS = np.array(
    [  # 1/f  delta theta alpha sigma beta
        [8.0, 3.0, 4.0, 13.0, 2.0, 6.0],  # W
        [9.0, 6.0, 9.0, 4.0, 2.0, 4.0],  # N1
        [9.0, 14.0, 9.0, 3.0, 3.5, 3.0],  # N2
        [9.0, 38.0, 9.0, 3.0, 2.5, 2.0],  # N3
        [8.0, 5.0, 7.0, 5.0, 2.0, 5.0],  # REM
    ]
)
MIXED = np.array([8.5, 5.0, 7.5, 4.5, 2.0, 4.5])
WHERE = np.array([[1.0, 1.1, 1.0, 0.6, 1.0, 1.0], [0.8, 0.8, 0.9, 1.2, 0.9, 0.8]])  # factors of Fpz-Cz and Pz-Oz
SHARED = 0.5  # of the EEG's power, in both channels

# Waves per epoch in W, N1, N2, N3, REM.
SPINDLES = np.array([0, 0, 2.5, 0.7, 0])
K_COMPLEXES = np.array([0, 0, 1.5, 0.3, 0])
RAPID = np.array([4.0, 0.3, 0, 0, 7.0])
SLOW = np.array([0.5, 3.0, 0.2, 0, 0])
BLINKS = np.array([6.0, 0.2, 0, 0, 0])
MOVEMENTS = np.array([0.08, 0.04, 0.015, 0.01, 0.015])
POPS = 0.02
TONE = np.array([22.0, 13.0, 10.0, 9.0, 3.5])  # uV of the chin
TWITCHES = 0.6  # per epoch of REM sleep


@dataclass(frozen=True, slots=True, eq=False)
class Sleeper:
    """What differs from one synthetic subject to the next: factors, but for the shift of the alpha rhythm in Hz."""

    bands: np.ndarray
    alpha_shift: float
    waves: float
    eyes: float
    tone: float
    depth: float
    restless: float


def draw_sleeper(rng: np.random.Generator) -> Sleeper:
    """Factors of median 1 with a spread as between people: 15 to 40 %."""
    waves_, eyes, tone, depth, restless = np.exp(rng.normal(0, [0.3, 0.2, 0.35, 0.3, 0.4])).tolist()
    bands = np.exp(rng.normal(0, 0.18, 6))
    return Sleeper(bands, float(rng.uniform(-0.8, 0.8)), waves_, eyes, tone, depth, restless)


def draw_signals(
    stage: np.ndarray, neighbour: np.ndarray, sleeper: Sleeper, difficulty: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Microvolts (n, channels, 3000) float32 of eeg, eog and emg for epochs of `stage` (n,).

    neighbour   (n,) the stage of an epoch beside, from which a difficult epoch has a part
    difficulty  0 to 1

    Every epoch is drawn for itself: signals do not go on across its ends.
    """
    awake_or_light = np.isin(stage, (W, N1, REM))
    same_eeg = awake_or_light & (rng.random(len(stage)) < 0.8 * difficulty)
    same_eyes = same_eeg & (stage != N1) & (rng.random(len(stage)) < 0.5)
    part = 0.5 * difficulty * rng.random(len(stage))[:, None]
    bands = np.where(same_eeg[:, None], MIXED, (1 - part) * BANDS[stage] + part * BANDS[neighbour])
    bands = bands * sleeper.bands * np.exp(rng.normal(0, 0.2, bands.shape))
    eeg = _background(bands, sleeper, rng)
    eog = 0.3 * eeg[:, :1] + rng.normal(0, 3, (len(stage), 1, SAMPLES)).astype(np.float32)
    _add_brain_waves(eeg, eog, stage, sleeper, rng)
    _add_eye_movements(eog, stage, same_eyes, sleeper, rng)
    emg = _chin(stage, sleeper, rng)
    _add_artefacts(eeg, eog, emg, stage, rng)
    return {"eeg": eeg, "eog": eog, "emg": emg}


def _background(bands: np.ndarray, sleeper: Sleeper, rng: np.random.Generator) -> np.ndarray:
    """Noise of a given spectrum, (n, 2, 3000): random phases and amplitudes under the root of the power."""
    shapes = _spectra(sleeper.alpha_shift)
    shared = _normal((len(bands), shapes.shape[1]), rng)
    eeg = np.empty((len(bands), 2, SAMPLES), dtype=np.float32)
    for channel, factor in enumerate(WHERE):
        amplitude = np.sqrt((bands * factor) ** 2 @ shapes).astype(np.float32)
        own = _normal(shared.shape, rng)
        mixed = np.float32(SHARED**0.5) * shared + np.float32((1 - SHARED) ** 0.5) * own
        eeg[:, channel] = np.fft.irfft(mixed * amplitude, SAMPLES) * (SAMPLES / 2**0.5)
    return eeg


def _spectra(alpha_shift: float) -> np.ndarray:
    """(6, 1501): the power of 1/f and of each band over the frequencies, each of sum 1."""
    f = np.fft.rfftfreq(SAMPLES, 1 / FS)
    centre = CENTRE.copy()
    centre[ALPHA] += alpha_shift
    bells = np.exp(-(((f - centre[:, None]) / WIDTH[:, None]) ** 2) / 2)
    power = np.vstack([1 / np.maximum(f, 0.5), bells])
    power[:, f < 0.3] = 0  # the amplifier's high pass
    return power / power.sum(axis=1, keepdims=True)


def _normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Complex normal numbers of mean square 1."""
    parts = rng.standard_normal((2, *shape), dtype=np.float32)
    return (parts[0] + 1j * parts[1]) * np.float32(0.5**0.5)


def _add_brain_waves(eeg, eog, stage: np.ndarray, sleeper: Sleeper, rng: np.random.Generator) -> None:
    for rate, draw, back, at_eyes in (
        (SPINDLES, waves.spindles, 0.8, 0.0),
        (K_COMPLEXES, waves.k_complexes, 0.6, 0.5),
    ):
        row, start = waves.draw_places(rate[stage] * sleeper.waves, SAMPLES, rng)
        shape = draw(len(row), rng)
        for x, factor in ((eeg[:, 0], 1.0), (eeg[:, 1], back), (eog[:, 0], at_eyes)):
            waves.add(x, row, start, np.float32(factor) * shape)


def _add_eye_movements(eog, stage: np.ndarray, same: np.ndarray, sleeper: Sleeper, rng: np.random.Generator) -> None:
    rapid = np.where(same, RAPID[REM], RAPID[stage])
    slow = np.where(same, 0.0, SLOW[stage])
    lids = np.where(same, 0.0, BLINKS[stage])
    for rate, draw in (
        (rapid, waves.rapid_eye_movements),
        (slow, waves.slow_eye_movements),
        (lids, waves.blinks),
    ):
        row, start = waves.draw_places(rate, SAMPLES, rng)
        waves.add(eog[:, 0], row, start, np.float32(sleeper.eyes) * draw(len(row), rng))


def _chin(stage: np.ndarray, sleeper: Sleeper, rng: np.random.Generator) -> np.ndarray:
    """Muscle noise, rising with frequency, (n, 1, 3000); short twitches in REM sleep."""
    n = len(stage)
    tone = TONE[stage] * sleeper.tone * np.exp(rng.normal(0, 0.25, n))
    envelope = np.repeat(tone[:, None], SAMPLES, axis=1).astype(np.float32)
    row, start = waves.draw_places(np.where(stage == REM, TWITCHES, 0.0), SAMPLES, rng)
    waves.add(envelope, row, start, np.full((len(row), FS // 4), 10.0, dtype=np.float32))
    noise = np.diff(rng.standard_normal((n, SAMPLES + 1), dtype=np.float32)) * np.float32(0.5**0.5)
    return (envelope * noise)[:, None]


def _add_artefacts(eeg, eog, emg, stage: np.ndarray, rng: np.random.Generator) -> None:
    """Movements reach all signals, a loose electrode one EEG channel."""
    row, start = waves.draw_places(MOVEMENTS[stage], SAMPLES, rng)
    sway = waves.movements(len(row), rng)
    for x, factor in ((eeg[:, 0], 1.0), (eeg[:, 1], 0.7), (eog[:, 0], 0.8)):
        waves.add(x, row, start, np.float32(factor) * sway)
    burst = 60 * rng.standard_normal(sway.shape, dtype=np.float32)
    waves.add(emg[:, 0], row, start, burst)
    for channel in range(eeg.shape[1]):
        row, start = waves.draw_places(np.full(len(stage), POPS / 2), SAMPLES, rng)
        waves.add(eeg[:, channel], row, start, waves.electrode_pops(len(row), rng))
