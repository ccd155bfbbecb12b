"""Sequences of epochs, each within one night, at the places where its epochs stood in the recording.

Loaders leave out what was not scored, and wake far from sleep, so the epochs that are kept of a night may have holes
between them. A run is a stretch of a night whose epochs lie at most `gap` positions apart: with gap 1 they follow one
another. A sequence is cut from one run, hence from one night.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from bnn.data.sleep.epochs import EpochSet
from bnn.errors import DataError

ABSENT = -1


def runs(epochs: EpochSet, rows: np.ndarray, gap: int = 1) -> list[np.ndarray]:
    """The epochs `rows` as runs: int64 rows of the set, ascending in time; each row is in one run.

    Raises DataError for a gap below 1, or two epochs of a night at the same position.
    """
    if gap < 1:
        raise DataError(f"sequences: gap is {gap}, wanted at least 1 epoch, which allows no hole")
    if not len(rows):
        return []
    night, position = epochs.night[rows], epochs.position[rows]
    order = np.lexsort((position, night))
    night, position = night[order], position[order]
    same, step = night[1:] == night[:-1], np.diff(position)
    twice = np.flatnonzero(same & (step == 0))
    if len(twice):
        i = twice[0]
        raise DataError(
            f"{epochs.name}: night {night[i]} has two epochs at position {position[i]}, wanted one; "
            "an epoch must not be in a part twice"
        )
    return np.split(rows[order], np.flatnonzero(~same | (step > gap)) + 1)


def cut(run: np.ndarray, length: int, first: int) -> list[np.ndarray]:
    """The run in sequences of `length` that do not overlap, the first of them of `first` epochs, 1 to `length`."""
    return np.split(run, np.arange(first, len(run), length))


def overlapping(run: np.ndarray, length: int) -> list[np.ndarray]:
    """All sequences of `length` in the run, one beginning at each epoch; the run itself where it is shorter."""
    return [run[start : start + length] for start in range(max(len(run) - length, 0) + 1)]


def padded(sequences: Sequence[np.ndarray], length: int) -> np.ndarray:
    """(n, length) int64: a sequence a line, ABSENT behind its end."""
    table = np.full((len(sequences), length), ABSENT, dtype=np.int64)
    for line, sequence in zip(table, sequences, strict=True):
        line[: len(sequence)] = sequence
    return table


def offsets(epochs: EpochSet, table: np.ndarray) -> np.ndarray:
    """(n, length) int64: how many positions after the first epoch of its sequence each epoch stood; 0 where ABSENT."""
    position = epochs.position[table]
    return np.where(table == ABSENT, 0, position - position[:, :1])


def vote(chunks: Iterable[tuple[np.ndarray, np.ndarray]], n: int, width: int) -> np.ndarray:
    """(n, width) float64: for each of n epochs the mean of what the sequences that hold it say.

    chunks  tables of rows (m, length) as `padded` makes them, with numbers (m, length, width)

    Raises DataError where an epoch is in no sequence.
    """
    total, votes = np.zeros((n, width)), np.zeros(n, dtype=np.int64)
    for table, p in chunks:
        present = table != ABSENT
        np.add.at(total, table[present], p[present])
        np.add.at(votes, table[present], 1)
    if not votes.all():
        raise DataError(f"vote: epoch {np.argmin(votes)} of {n} is in no sequence; make sequences of all epochs")
    return total / votes[:, None]
