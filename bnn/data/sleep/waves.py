"""Single waves of synthetic sleep signals, many at a time, in microvolts at 100 Hz.

A function takes the number m of waves and gives (m, samples) float32. Shapes after the AASM manual's definitions (Iber
et al. 2007): spindles 11 to 16 Hz and at least 0.5 s, K-complexes a sharp negative wave followed by a positive one,
together at least 0.5 s; rapid eye movements rise in less than half a second, slow ones in more.
"""

import numpy as np

FS = 100


def spindles(m: int, rng: np.random.Generator) -> np.ndarray:
    """12 to 14.5 Hz under a bell of 0.6 to 1.4 s, 12 to 30 uV."""
    t = _time(2.0)
    frequency, width, size, phase = (
        rng.uniform(low, high, (m, 1)) for low, high in ((12, 14.5), (0.15, 0.35), (12, 30), (0, 2 * np.pi))
    )
    bell = np.exp(-(((t - 1.0) / width) ** 2) / 2)
    return (size * bell * np.sin(2 * np.pi * frequency * t + phase)).astype(np.float32)


def k_complexes(m: int, rng: np.random.Generator) -> np.ndarray:
    """A sharp wave of -60 to -120 uV, then a slower one of the other sign and about half the size."""
    t = _time(1.5)
    size, stretch = rng.uniform(60, 120, (m, 1)), rng.uniform(0.85, 1.2, (m, 1))
    sharp = np.exp(-(((t - 0.35) / (0.09 * stretch)) ** 2) / 2)
    slow = np.exp(-(((t - 0.80) / (0.18 * stretch)) ** 2) / 2)
    return (size * (0.55 * slow - sharp)).astype(np.float32)


def rapid_eye_movements(m: int, rng: np.random.Generator) -> np.ndarray:
    """A jump to either side within 0.1 s that the amplifier's high pass lets fade, 40 to 120 uV."""
    t = _time(2.0)
    size, fade = rng.uniform(40, 120, (m, 1)) * _signs(m, rng), rng.uniform(0.25, 0.6, (m, 1))
    return (size / (1 + np.exp(-(t - 0.15) / 0.015)) * np.exp(-np.maximum(t - 0.15, 0) / fade)).astype(np.float32)


def slow_eye_movements(m: int, rng: np.random.Generator) -> np.ndarray:
    """One or two rolls of 0.2 to 0.5 Hz, 40 to 110 uV."""
    t = _time(6.0)
    size, frequency = rng.uniform(40, 110, (m, 1)) * _signs(m, rng), rng.uniform(0.2, 0.5, (m, 1))
    return (size * np.sin(np.pi * t / 6.0) ** 2 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def blinks(m: int, rng: np.random.Generator) -> np.ndarray:
    """A bump of 0.2 to 0.4 s, 80 to 200 uV, to one side."""
    t = _time(0.8)
    size, width = rng.uniform(80, 200, (m, 1)), rng.uniform(0.06, 0.11, (m, 1))
    return (size * np.exp(-(((t - 0.4) / width) ** 2) / 2)).astype(np.float32)


def movements(m: int, rng: np.random.Generator) -> np.ndarray:
    """The sway of a turning body: 4 s of a slow oscillation of 100 to 350 uV."""
    t = _time(4.0)
    size, frequency = rng.uniform(100, 350, (m, 1)) * _signs(m, rng), rng.uniform(0.4, 1.5, (m, 1))
    return (size * np.sin(np.pi * t / 4.0) * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def electrode_pops(m: int, rng: np.random.Generator) -> np.ndarray:
    """A jump of 150 to 400 uV from one sample to the next, fading within seconds."""
    t = _time(5.0)
    size, fade = rng.uniform(150, 400, (m, 1)) * _signs(m, rng), rng.uniform(0.4, 1.2, (m, 1))
    return (size * np.exp(-t / fade)).astype(np.float32)


def draw_places(rate: np.ndarray, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Poisson events: of `rate` (n,) per epoch, the epoch and the first sample (m,) int64 of each of the m waves."""
    row = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    return row, rng.integers(-FS, samples, len(row))


def add(x: np.ndarray, row: np.ndarray, start: np.ndarray, waves: np.ndarray) -> None:
    """Add wave i to x (n, samples) in place, in row[i] from start[i] on; what lies outside the epoch is cut off."""
    at = start[:, None] + np.arange(waves.shape[1])
    inside = (at >= 0) & (at < x.shape[1])
    flat = (row[:, None] * x.shape[1] + at)[inside]
    np.add.at(x.reshape(-1), flat, waves[inside])


def _time(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * FS))[None, :] / FS


def _signs(m: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice([-1.0, 1.0], (m, 1))
