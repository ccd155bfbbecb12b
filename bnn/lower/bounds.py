"""Bounds of the activation sign(BatchNorm(PReLU(x))), found by trying every value x can take.

No algebra, hence no rounding of our own: the trainer's modules are evaluated on all values, and the
runs of non-negative results are read off. PReLU has two slopes, so there are at most two changes of
sign: the result is an interval, or the complement of one (`flip`).
"""

from collections.abc import Callable

import numpy as np

from bnn.errors import ModelError
from bnn.graph.arith import ALWAYS, NEVER, sign_bit

Activation = Callable[[np.ndarray], np.ndarray]
"""(n,) values -> (channels, n) results of PReLU and BatchNorm, before the sign."""


def integer_bounds(f: Activation, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lower, upper, flip) for an accumulator in [-top, top] of the parity of top.

    lower, upper  (channels,) int16; a bound that no value reaches is top + 1
    flip          (channels,) int8, +1 where the interval is where the sign is negative
    """
    values = np.arange(-top, top + 1, 2)
    return read_runs(sign_bit(f(values)), np.append(values, top + 1))


def scaled_bounds(f: Activation, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """(lower, upper, flip, frac) for a real accumulator in [-reach, reach], on a 16-bit grid of step 2**-frac.

    frac is the largest, up to 15, whose grid still holds every change of sign; what changes sign within
    one step of the grid does so at the step's upper end. Beyond the grid there is ALWAYS and NEVER.
    """
    for frac in range(15, -1, -1):
        grid = np.arange(ALWAYS + 1, NEVER)
        values = grid / (1 << frac)
        values = np.concatenate([[min(-reach, values[0])], values, [max(reach, values[-1])]])
        positive = sign_bit(f(values))
        outer = positive[:, [0, -1]] == positive[:, [1, -2]]
        if outer.all() or frac == 0:
            return *read_runs(positive[:, :-1], np.concatenate([[ALWAYS], grid, [NEVER]])), frac
    raise AssertionError("the last turn of the loop returns")


def read_runs(positive: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each row of 0 and 1 changes, as (lower, upper, flip): row = (lower <= values < upper) xor flip.

    positive  (channels, n); values (n + 1,) ascending, the last one beyond the reach of any value
    A row that changes once gets upper = values[-1], so that one comparison is enough for it.
    """
    n = positive.shape[1]
    lower, upper, flip = [], [], []
    for channel, row in enumerate(positive):
        changes = np.flatnonzero(np.diff(row)) + 1
        if len(changes) > 2:
            raise ModelError(
                f"channel {channel}: its activation changes sign {len(changes)} times, a PReLU at most twice"
            )
        if len(changes) == 0:
            changes = [0] if row[0] else [n]
        starts_inside = changes[0] > 0 and row[0] == 1
        lower.append(values[changes[0]])
        upper.append(values[changes[1] if len(changes) == 2 else n])
        flip.append(1 if starts_inside else -1)
    return np.array(lower, np.int16), np.array(upper, np.int16), np.array(flip, np.int8)
