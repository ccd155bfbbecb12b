"""Do two parts of a split share samples? Two windows of different indices may still hold the same heart beats."""

import numpy as np

from bnn.data.windows import WindowSet
from bnn.errors import DataError


def overlaps(windows: WindowSet, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Those of the indices `a` whose window shares a sample with a window of `b`: same record, same lead, same time.

    windows  must come from records: with `lead`, and `start` in samples of the record
    a, b     indices into `windows`; an index in both is an overlap, too

    A window [s, s + length) shares a sample with [t, t + length) exactly if |s - t| < length.
    Raises DataError where the windows were cut from no records.
    """
    found = [
        a[of_a][near(windows.start[a[of_a]], windows.start[b[of_b]], windows.length)]
        for of_a, of_b in _by_source(windows, a, b)
    ]
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _by_source(windows: WindowSet, a: np.ndarray, b: np.ndarray):
    """For each record and lead that both sides have: two masks, of `a` and of `b`."""
    if windows.lead is None:
        raise DataError(f"{windows.name}: its windows were cut from no records, so they have no samples to share")
    source = np.char.add(np.char.add(windows.record, "|"), windows.lead)
    for name in np.intersect1d(source[a], source[b]):
        yield source[a] == name, source[b] == name


def near(starts: np.ndarray, others: np.ndarray, length: int) -> np.ndarray:
    """(n,) bool: does window starts[i] share a sample with one at `others`? All are `length` long, of one record."""
    if not len(others):
        return np.zeros(len(starts), dtype=bool)
    others = np.sort(others)
    after = np.searchsorted(others, starts)
    gaps = [np.abs(others[np.clip(i, 0, len(others) - 1)] - starts) for i in (after - 1, after)]
    return np.minimum(*gaps) < length
