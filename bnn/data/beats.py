"""Shapes of synthetic heart beats: each a sum of Gaussian waves.

This is the closed form of the dynamical model of McSharry, Clifford, Tarassenko, Smith 2003, "A dynamical model for
generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3): there each wave is a Gaussian bump of
the phase of the beat; here it is one of the time around the R peak. The pathological shapes are ours: they show what
names the class (a missing P wave, a wide QRS, a pacing spike), and are no model of a disease.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

BEFORE, AFTER = 0.4, 0.9  # seconds of a beat's shape around its R peak
REPOLARISATION = 0.15  # seconds: what comes later is a T wave, and moves with the heart rate


@dataclass(frozen=True, slots=True)
class Wave:
    """amplitude * exp(-((t - centre) / width)^2 / 2): millivolts, seconds from the R peak, seconds."""

    amplitude: float
    centre: float
    width: float


P = Wave(0.12, -0.17, 0.022)
_QRS = (Wave(-0.10, -0.032, 0.008), Wave(1.10, 0.0, 0.011), Wave(-0.22, 0.030, 0.010))
_T = Wave(0.28, 0.29, 0.045)
_VENTRICULAR = (Wave(1.60, 0.0, 0.040), Wave(-0.55, 0.095, 0.035), Wave(-0.45, 0.31, 0.060))


def _scaled(waves: tuple[Wave, ...], factor: float) -> tuple[Wave, ...]:
    return tuple(replace(wave, amplitude=factor * wave.amplitude) for wave in waves)


SHAPES: dict[str, tuple[Wave, ...]] = {
    "normal": (P, *_QRS, _T),
    "atrial": (P,),
    "narrow": (*_QRS, _T),
    "ventricular": _VENTRICULAR,
    "fusion": _scaled((P, *_QRS, _T), 0.5) + _scaled(_VENTRICULAR, 0.5),
    "escape": (Wave(-1.00, 0.0, 0.038), Wave(0.30, 0.095, 0.030), Wave(0.35, 0.31, 0.060)),
    "paced": (Wave(2.50, -0.070, 0.0028), Wave(-1.20, 0.0, 0.045), Wave(0.40, 0.30, 0.070)),
    "left-block": (P, Wave(0.75, -0.022, 0.022), Wave(0.85, 0.048, 0.024), Wave(-0.30, 0.34, 0.060)),
    "right-block": (P, Wave(0.80, 0.0, 0.010), Wave(-0.50, 0.070, 0.030), Wave(0.25, 0.31, 0.045)),
    "preexcited": (
        Wave(0.12, -0.115, 0.020),
        Wave(0.40, -0.045, 0.020),
        Wave(1.20, 0.0, 0.015),
        Wave(-0.20, 0.28, 0.05),
    ),
}


def vary(waves: tuple[Wave, ...], rng: np.random.Generator) -> tuple[Wave, ...]:
    """The waves as another patient has them: heights within about 15 %, widths within about 8 %."""
    height, width = (np.exp(rng.normal(0.0, sigma, len(waves))).tolist() for sigma in (0.15, 0.08))
    return tuple(
        replace(wave, amplitude=wave.amplitude * h, width=wave.width * w)
        for wave, h, w in zip(waves, height, width, strict=True)
    )


def shape(waves: tuple[Wave, ...], rr: float, fs: float) -> np.ndarray:
    """The beat sampled at fs, from BEFORE seconds before its R peak to AFTER seconds behind it, in millivolts.

    rr  seconds between beats; the T wave comes sqrt(rr) times as late as at 60 beats per minute (Bazett 1920)
    """
    t = np.arange(-round(BEFORE * fs), round(AFTER * fs) + 1) / fs
    beat = np.zeros_like(t)
    for wave in waves:
        centre = wave.centre * math.sqrt(rr) if wave.centre > REPOLARISATION else wave.centre
        beat += wave.amplitude * np.exp(-0.5 * ((t - centre) / wave.width) ** 2)
    return beat
