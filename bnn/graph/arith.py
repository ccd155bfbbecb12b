"""The integer arithmetic that trainer, simulator and target share: sign, rounding, window statistics, bounds.

docs/SPEC.md states the same in words; `firmware/runtime` states it in C.
"""

from math import isqrt

import numpy as np

STATS_FRAC = 4
"""Fraction bits of a window's mean and standard deviation."""

ALWAYS = -32768
NEVER = 32767
"""Scaled bounds that every value, or no value, reaches. A bound between them is a number."""


def sign_bit(x: np.ndarray) -> np.ndarray:
    """1 where x >= 0, else 0: a sign that is never zero."""
    return (np.asarray(x) >= 0).astype(np.uint8)


def round_div(a, b):
    """a / b to the nearest integer, halves upward: floor((2a + b) / 2b). b > 0.

    The one rounding of the project; with b = 2**n it is the rounding right shift.
    """
    return (2 * a + b) // (2 * b)


def to_fixed(x: np.ndarray, frac: int) -> np.ndarray:
    """Real numbers in units of 2**-frac, rounded as round_div rounds."""
    return np.floor(np.asarray(x, dtype=np.float64) * 2.0**frac + 0.5).astype(np.int64)


def window_stats(x: np.ndarray, frac: int = STATS_FRAC) -> np.ndarray:
    """Mean and standard deviation of each window, in units of 2**-frac ADC steps.

    x        (n, length) int16
    returns  (n, 2) int32: round(2**frac * mean), and the largest integer s with
             s <= 2**frac * sqrt(population variance), at least 1

    Exact: sums are integers, and the root is taken of integers.
    """
    x = np.asarray(x, dtype=np.int64)
    length = x.shape[1]
    total = x.sum(axis=1)
    spread = length * (x * x).sum(axis=1) - total * total  # length**2 * variance
    mean = round_div(total << frac, length)
    std = [max(1, isqrt(int(v) << (2 * frac)) // length) for v in spread]
    return np.stack([mean, np.array(std, dtype=np.int64)], axis=1).astype(np.int32)


def standardise(x: np.ndarray, frac: int = STATS_FRAC) -> np.ndarray:
    """The trainer's view of raw windows: (2**frac * x - mean) / std as float32, (n, length).

    It uses the integer mean and std of the graph, so both sides divide by the same numbers. The
    numerator takes 17 + frac bits, so with the usual frac a float32 holds it exactly.
    """
    return _scaled(x, window_stats(x, frac), frac)


def standardise_past(x: np.ndarray, frac: int = STATS_FRAC) -> np.ndarray:
    """The same by statistics of the past: (n, 2 * length) int16, past and window, -> (n, length) float32."""
    past, now = np.split(np.asarray(x), 2, axis=1)
    return _scaled(now, window_stats(past, frac), frac)


def _scaled(x: np.ndarray, stats: np.ndarray, frac: int) -> np.ndarray:
    mean, std = stats.T
    centred = (np.asarray(x, dtype=np.int32) << frac) - mean[:, None]
    return centred.astype(np.float32) / std.astype(np.float32)[:, None]


def scaled_bound(t: np.ndarray, std: np.ndarray, frac: int) -> np.ndarray:
    """The integer bound that says acc / std >= t / 2**frac without a division: ceil(t * std / 2**frac).

    t (c,) int16, std (n,) -> (n, c) int64; ALWAYS and NEVER become the ends of int32.
    """
    t, std = np.asarray(t, dtype=np.int64), np.asarray(std, dtype=np.int64)
    bound = -((-t[None, :] * std[:, None]) >> frac)
    bound = np.where(t == NEVER, 2**31 - 1, bound)
    return np.where(t == ALWAYS, -(2**31), bound)
