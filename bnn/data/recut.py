"""Cutting training windows anew from their records, where the annotations say that the class stays the same.

A window of the MIT-BIH sets is one cut of many: its record goes on with the same rhythm and the same kinds of beats for
minutes. `places` finds, for each window, every start in its record at which

- the rhythms in force and the set of beat symbols are those of the window, and
- no sample is shared with a window that is held out for validation or test.

Of the 17-class set's 1000 windows, all but four are of the class that their record, rhythms and beats tell.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.data import mitdb
from bnn.data.annotations import CLASS_OF_BEAT
from bnn.data.overlap import near
from bnn.data.records import read_annotations, read_record, read_rhythms
from bnn.data.windows import WindowSet
from bnn.errors import DataError

STEP = 72  # samples between the starts that are tried: 0.2 s


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where n windows may be cut from.

    signal  (samples,) int16, raw ADC units: the records after one another
    starts  n arrays of int64, positions in `signal` at which window i may begin; the first is its own
    length  samples per window
    """

    signal: np.ndarray
    starts: tuple[np.ndarray, ...]
    length: int

    def cut(self, rows: np.ndarray, choices: np.ndarray) -> np.ndarray:
        """(B, length) int16: window rows[b] from the place numbered floor(choices[b] * places), choices in [0, 1)."""
        starts = [self.starts[row] for row in rows.tolist()]
        begin = [int(s[int(choice * len(s))]) for s, choice in zip(starts, choices.tolist(), strict=True)]
        return np.stack([self.signal[b : b + self.length] for b in begin])


def places(windows: WindowSet, train: np.ndarray, step: int = STEP) -> Places:
    """The places from which the windows `train` (indices) may be cut; all other windows of the set are held out.

    Windows of one record with the same rhythms and beats but different classes keep the place they have.
    Raises DataError for windows that were cut from no records.
    """
    if windows.lead is None:
        raise DataError(f"{windows.name}: its windows come from no record that they could be cut from anew")
    held = np.setdiff1d(np.arange(len(windows)), train)
    signals, starts, offset = [], {}, 0
    for record, lead in sorted(set(zip(windows.record.tolist(), windows.lead.tolist(), strict=True))):
        path = mitdb.find_record(record)
        signal = read_record(path, lead).signal
        here = (windows.record == record) & (windows.lead == lead)
        rows = train[here[train]]
        taken = windows.start[held[windows.record[held] == record]]
        for row, found in zip(rows.tolist(), _starts(path, len(signal), windows, rows, taken, step), strict=True):
            starts[row] = found + offset
        signals.append(signal)
        offset += len(signal)
    return Places(np.concatenate(signals), tuple(starts[row] for row in train.tolist()), windows.length)


def _starts(path: Path, samples: int, windows: WindowSet, rows: np.ndarray, taken: np.ndarray, step: int):
    """For each window of `rows`, all of one record, its own start and then the others that will do."""
    grid = np.arange(0, samples - windows.length + 1, step, dtype=np.int64)
    grid = grid[~near(grid, taken, windows.length)]
    own = windows.start[rows]
    kind = contents(path, np.concatenate([own, grid]), windows.length)
    kind_of_own, kind_of_grid = kind[: len(own)], kind[len(own) :]
    classes = {k: len(set(windows.y[rows[kind_of_own == k]].tolist())) for k in set(kind_of_own.tolist())}
    for start, k in zip(own, kind_of_own.tolist(), strict=True):
        others = grid[kind_of_grid == k] if classes[k] == 1 else grid[:0]
        yield np.concatenate([[start], others])


def contents(path: Path, starts: np.ndarray, length: int) -> np.ndarray:
    """(n,) int64: equal numbers where the windows [start, start + length) of a record hold the same rhythms and beats.

    The rhythms of a window are those in force in any part of it. Only the set of beat symbols counts, not how many.
    """
    sample, symbol = read_annotations(path)
    is_beat = np.isin(symbol, list(CLASS_OF_BEAT))
    change, rhythm = read_rhythms(path)
    beats = _present(sample[is_beat], symbol[is_beat], starts, starts + length)
    in_force = np.maximum(np.searchsorted(change, starts, side="right") - 1, 0)
    since = change[in_force] if len(change) else starts
    rhythms = _present(change, rhythm, np.minimum(since, starts), starts + length)
    return np.unique(np.hstack([beats, rhythms]), axis=0, return_inverse=True)[1].reshape(-1)


def _present(sample: np.ndarray, name: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(n, names) bool: is there a mark of each name in [begin, end)?"""
    one_hot = name[:, None] == np.unique(name)[None, :]
    before = np.vstack([np.zeros((1, one_hot.shape[1]), np.int64), np.cumsum(one_hot, axis=0)])
    return before[np.searchsorted(sample, end)] > before[np.searchsorted(sample, begin)]
