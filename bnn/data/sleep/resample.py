"""From one rate to another in integers alone, so that a device can take the very same step.

For a ratio up / down in lowest terms, output m stands at input time t = m down / up. Its phase p = m down mod up picks
one of `up` rows of integer coefficients h, each summing to exactly 2^15:

    y[m] = saturate16( (sum_k h[p, k] x[floor(t) - HALF + 1 + k] + 2^14) >> 15 )

A constant therefore stays what it is. Each epoch is taken for itself; its ends are continued with their own value.
"""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from bnn.data.sleep.epochs import EPOCH, EpochSet, Signal
from bnn.errors import DataError

SHIFT = 15
LOBES = 8  # zero crossings of the sinc on either side
BETA = 6.0  # of the Kaiser window: about 60 dB of stop band
LARGEST = 1000  # of up and down


def resample(epochs: EpochSet, fs: float = 100.0) -> EpochSet:
    """All signals of a set at `fs` samples per second; gain and unit stay, a signal of that rate is not touched.

    An envelope of 1 Hz, the EMG of Sleep-EDF, is interpolated by the same formula.
    Raises DataError for a rate that is no simple fraction of the signal's.
    """
    signals = {key: _resampled(f"{epochs.name}, {key}", signal, fs) for key, signal in epochs.signals.items()}
    return replace(epochs, signals=signals)


def _resampled(name: str, signal: Signal, fs: float) -> Signal:
    if signal.fs == fs:
        return signal
    ratio = Fraction(fs).limit_denominator(LARGEST) / Fraction(signal.fs).limit_denominator(LARGEST)
    if not fs > 0 or max(ratio.numerator, ratio.denominator) > LARGEST:
        raise DataError(f"{name}: {signal.fs:g} Hz cannot be made {fs:g} Hz, wanted a ratio of small whole numbers")
    return replace(signal, x=_filtered(signal.x, ratio, round(EPOCH * fs)), fs=float(fs))


@lru_cache(maxsize=8)
def coefficients(ratio: Fraction) -> np.ndarray:
    """(up, 2 half) int64: row p interpolates at p / up past input sample `half - 1` of its 2 half samples.

    A sinc of the lower of the two Nyquist rates under a Kaiser window, in steps of 2^-15; the rounding error of a row
    is put on its largest coefficient, so that each row sums to 2^15.
    """
    up, down = ratio.numerator, ratio.denominator
    band = min(1.0, up / down)
    half = int(np.ceil(LOBES / band))
    offset = np.arange(up)[:, None] / up - (np.arange(2 * half)[None, :] - half + 1)
    window = np.i0(BETA * np.sqrt(np.clip(1 - (offset / half) ** 2, 0, None))) / np.i0(BETA)
    h = np.sinc(band * offset) * window
    rows = np.rint(h / h.sum(axis=1, keepdims=True) * 2**SHIFT).astype(np.int64)
    rows[np.arange(up), rows.argmax(axis=1)] += 2**SHIFT - rows.sum(axis=1)
    return rows


def _filtered(x: np.ndarray, ratio: Fraction, n_out: int) -> np.ndarray:
    """(n, channels, samples) int16 -> (n, channels, n_out) int16, one phase at a time."""
    rows = coefficients(ratio)
    up, down = ratio.numerator, ratio.denominator
    half = rows.shape[1] // 2
    y = np.empty((*x.shape[:2], n_out), dtype=np.int16)
    padded = np.pad(x, ((0, 0), (0, 0), (half - 1, half + down)), mode="edge").astype(np.int32)
    for first in range(min(up, n_out)):  # outputs first, first + up, ... share a phase and are `down` inputs apart
        start, phase = divmod(first * down, up)
        n = -(-(n_out - first) // up)
        # The magnitudes of a row sum to about 2^16, and a sample's is up to 2^15: int32 could overflow.
        total = np.full((*x.shape[:2], n), 1 << (SHIFT - 1), dtype=np.int64)
        for k in np.flatnonzero(rows[phase]):
            total += rows[phase, k] * padded[:, :, start + k : start + k + (n - 1) * down + 1 : down]
        y[:, :, first::up] = np.clip(total >> SHIFT, -(1 << 15), (1 << 15) - 1)
    return y
