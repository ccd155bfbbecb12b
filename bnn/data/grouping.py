"""Sharing out whole records over the parts of a split, with the class mix as equal as whole records allow."""

import numpy as np

from bnn.data.windows import WindowSet
from bnn.errors import DataError


def share_records(
    windows: WindowSet, records: np.ndarray, shares: dict[str, float], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Window indices of each part; no record lies in two parts, and windows of other records lie in none.

    records  names of the records to share out
    shares   wanted share of every class by part; the shares sum to 1

    Greedy: records go, roughly the largest first, to the part where the classes then come closest to their shares.
    Classes weigh with the root of their size, so that three windows of one class do not decide where records go.
    A class that only one of the records has cannot be both learned and tested: that record goes to the first part.

    Raises DataError if a part would stay without a record.
    """
    held = _class_shares(windows, records)
    single = held.max(axis=1) == 1.0
    weight = np.sqrt(np.bincount(windows.y, minlength=len(windows.classes)))
    size = (held @ weight) * rng.uniform(0.5, 1.5, len(records))  # the seed must matter, yet the largest go early
    order = [r for r in np.argsort(-size, kind="stable") if not single[r]]
    part_of = _place(held, single, order, np.array(list(shares.values())), weight)
    empty = [name for i, name in enumerate(shares) if not np.any(part_of == i)]
    if empty:
        raise DataError(
            f"{windows.name}: {len(records)} records, {np.count_nonzero(single)} of them the only one of a class, "
            f"leave none for the {empty[0]} part; take a set of more records, or a split by window"
        )
    return {name: np.flatnonzero(np.isin(windows.record, records[part_of == i])) for i, name in enumerate(shares)}


def _place(
    held: np.ndarray, single: np.ndarray, order: list[int], shares: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """(records,) int64: the part of each record. The last in `order` are kept for parts that are still empty."""
    part_of = np.zeros(len(held), dtype=np.int64)
    filled = np.zeros((len(shares), held.shape[1]))
    filled[0] = held[single].sum(axis=0)
    taken = np.zeros(len(shares), dtype=bool)
    taken[0] = single.any()
    for left, r in zip(range(len(order), 0, -1), order, strict=True):
        cost = _cost_of_placing(held[r], filled, shares[:, None]) @ weight
        if left <= np.count_nonzero(~taken):
            cost[taken] = np.inf
        part_of[r] = np.argmin(np.round(cost, 9))  # rounded, so that a tie is one on every machine
        filled[part_of[r]] += held[r]
        taken[part_of[r]] = True
    return part_of


def _class_shares(windows: WindowSet, records: np.ndarray) -> np.ndarray:
    """(records, classes) float64: which share of each class's windows each record holds; 0 for an absent class."""
    counts = np.zeros((len(records), len(windows.classes)))
    for r, record in enumerate(records):
        counts[r] = np.bincount(windows.y[windows.record == record], minlength=len(windows.classes))
    return counts / np.maximum(counts.sum(axis=0), 1)


def _cost_of_placing(record: np.ndarray, filled: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(parts, classes): by how much each squared distance from the target grows if the record goes to the part.

    Distances are taken relative to the target, so that a small part is filled as surely as a large one.
    """
    before = ((filled - target) / target) ** 2
    after = ((filled + record - target) / target) ** 2
    return after - before
