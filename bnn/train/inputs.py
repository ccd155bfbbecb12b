"""What the network sees: windows standardised with the integers that the graph uses later."""

import numpy as np

FRACTION_BITS = 4


def integer_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each window, in units of 1 / 16 ADC step.

    x       (n, N) int16
    mean_q  (n,) int64, floor((2 F S1 + N) / (2 N)), the mean rounded to nearest; F = 16, S1 = sum x
    std_q   (n,) int64, the largest s with (s N)^2 <= (N S2 - S1^2) F^2, at least 1; S2 = sum x^2
    """
    n = x.shape[1]
    wide = x.astype(np.int64)
    s1, s2 = wide.sum(axis=1), (wide * wide).sum(axis=1)
    mean_q = ((2 << FRACTION_BITS) * s1 + n) // (2 * n)
    spread = (n * s2 - s1 * s1) << (2 * FRACTION_BITS)  # below 2^62 for N = 3600 and any int16
    std_q = (np.sqrt(spread.astype(np.float64)) / n).astype(np.int64)
    std_q += (std_q + 1) * n * ((std_q + 1) * n) <= spread  # the float root may be one off, either way
    std_q -= std_q * n * (std_q * n) > spread
    return mean_q, np.maximum(std_q, 1)


def standardise(x: np.ndarray) -> np.ndarray:
    """(n, N) int16 ADC units -> (n, N) float32, (16 x - mean_q) / std_q."""
    mean_q, std_q = integer_moments(x)
    centred = (x.astype(np.int32) << FRACTION_BITS) - mean_q.astype(np.int32)[:, None]
    return centred.astype(np.float32) / std_q.astype(np.float32)[:, None]
