"""The arithmetic of ExitGate: tables, entropy and the test against a speed, in integers and without a division.

docs/SPEC.md states the same in words.
"""

import numpy as np

MAX_CLASSES = 32
"""More would not keep S log S in 32 bits."""

ONE_BITS, D_BITS, EXP_BITS, LOG_STEPS, SPEED_BITS = 14, 10, 6, 32, 15
"""Fraction bits of e and S; of distances and logarithms; of a place between two entries of exp; entries of log an
octave; fraction bits of the speed."""

MAX_EXP = 1024
"""Entries of exp: then a distance of 16 bits reaches the end of the table whatever frac is."""

ONE = 1 << ONE_BITS
SPEED_ONE = 1 << SPEED_BITS


def tables() -> dict[str, np.ndarray]:
    """The tables of every ExitGate: exp(-i / 16) up to the first 0, and log(1 + i / 32), in units of 2**-14, int16."""
    step = 1 << (D_BITS - EXP_BITS)
    exp = np.floor(ONE * np.exp(-np.arange(12 * step) / step) + 0.5).astype(np.int16)
    log = np.floor(ONE * np.log1p(np.arange(LOG_STEPS + 1) / LOG_STEPS) + 0.5).astype(np.int16)
    return {"exp": exp[: int(np.argmin(exp > 0)) + 1], "log": log}


def entropy(z: np.ndarray, frac: int, exp: np.ndarray, log: np.ndarray) -> np.ndarray:
    """[spread, full] of each row of logits, (n, classes) int32 in units of 2**-frac -> (n, 2) int32."""
    exp = exp.astype(np.int64)
    z = np.asarray(z, dtype=np.int64)
    d = z.max(axis=1, keepdims=True) - z
    d = d >> (frac - D_BITS) if frac >= D_BITS else np.minimum(d, 0xFFFF) << (D_BITS - frac)
    d = np.minimum(d, (len(exp) - 1) << EXP_BITS)  # there e is 0
    i, rest = d >> EXP_BITS, d & ((1 << EXP_BITS) - 1)
    e = exp[i] - ((exp[i] - exp[np.minimum(i + 1, len(exp) - 1)]) * rest >> EXP_BITS)
    total = e.sum(axis=1)
    full = total * logarithm(np.array([ONE * z.shape[1]]), log)
    return np.stack([total * logarithm(total, log) + (e * d).sum(axis=1), full], axis=1).astype(np.int32)


def logarithm(s: np.ndarray, log: np.ndarray) -> np.ndarray:
    """log(s / 2**14) in units of 2**-10 for s >= 2**14: octaves counted, the rest between two entries of the table."""
    s, log = np.asarray(s, dtype=np.int64), log.astype(np.int64)
    octaves = sum((s >= ONE << k).astype(np.int64) for k in range(1, MAX_CLASSES.bit_length()))
    mantissa = (s >> octaves) - ONE
    bits = ONE_BITS - (LOG_STEPS.bit_length() - 1)
    i, rest = mantissa >> bits, mantissa & ((1 << bits) - 1)
    value = octaves * log[LOG_STEPS] + log[i] + ((log[i + 1] - log[i]) * rest >> bits)
    return (value + 8) >> (ONE_BITS - D_BITS)


def leaves(gate: np.ndarray, speed: int) -> np.ndarray:
    """Whether spread / full < speed / 2**15 in each row of an ExitGate's output, (n, 2) -> (n,) bool.

    Speed 0 never leaves. Speed 2**15 leaves unless spread >= full, as it is for logits that are all equal.
    ValueError for a speed outside 0 to 2**15.
    """
    if not 0 <= speed <= SPEED_ONE:
        raise ValueError(f"speed is {speed}, wanted 0 (never leave) to {SPEED_ONE}, in units of 2**-{SPEED_BITS}")
    spread, full = np.asarray(gate, dtype=np.int64).T
    return spread << SPEED_BITS < speed * full


def even_speed(gate: np.ndarray) -> int:
    """A speed at which about half of the rows of an ExitGate's output leave, (n, 2) -> 0 to 2**15."""
    spread, full = np.asarray(gate, dtype=np.int64).T
    turns = (spread << SPEED_BITS) // full  # the first speed that leaves is one more
    return min(int(np.sort(turns)[len(turns) // 2]), SPEED_ONE)
