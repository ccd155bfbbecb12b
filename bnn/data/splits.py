"""Splitting a set of windows for training, model selection and test: named protocols, each with a seed.

The same set, protocol, seed and fold give the same split on every machine (NumPy's PCG64). The window parts of
`stratified` and `kfold` treat identical windows as one, so that no window is tested that was also trained on.

What two parts may share, checked in samples of the records by bnn.data.overlap on every set of bnn.data.ecg:

- nothing in `stratified`, `kfold`, `grouped` and `inter-patient`; no record in the last two, no patient in `grouped`.
- `paper` may share samples: of the 17-class set, nine pairs of windows are one and the same (no others overlap), and
  two or three of its 200 test windows then lie in another part, too (seeds 0, 1, 2). Other sets are cut back to back.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bnn.data import mitdb
from bnn.data.grouping import share_records
from bnn.data.windows import WindowSet
from bnn.errors import DataError

PROTOCOLS = {
    "paper": "random 80/20 by window, 10 % of the 80 for validation; optimistic: records and copies lie on both sides",
    "stratified": "80/20 by window, the same class mix in both, no validation part; records lie on both sides",
    "kfold": "10 folds by window, the same class mix in each, 10 % of the training windows for validation",
    "grouped": "70/10/20 by patient: no patient lies in two parts",
    "inter-patient": "AAMI: train on DS1 (some of its records for validation), test on DS2; paced records left out",
}
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
FOLDS = 10
HELD_OUT_OF_DS1 = 0.2  # for model selection


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which windows of a set belong to which part.

    train, val, test  int64 indices into the set, ascending, disjoint; val is empty where the protocol has none
    notes             what the reader of a result must know, one sentence each (a class that cannot be tested)
    folds             how many folds there are, 1 where the protocol has none

    Raises DataError if two parts share a window, or train or test is empty.
    """

    protocol: str
    seed: int
    fold: int
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    notes: tuple[str, ...] = ()
    folds: int = 1

    def __post_init__(self):
        for part in ("train", "test"):
            if not len(getattr(self, part)):
                raise DataError(f"split {self.protocol}: the {part} part is empty; the set has too few windows for it")
        everything = np.concatenate([self.train, self.val, self.test])
        twice = len(everything) - len(np.unique(everything))
        if twice:
            raise DataError(f"split {self.protocol}: {twice} windows lie in two parts, wanted disjoint parts")

    def describe(self) -> str:
        """One line for the screen."""
        fold = f", fold {self.fold} of {self.folds}" if self.folds > 1 else ""
        return (
            f"{self.protocol} (seed {self.seed}{fold}): {len(self.train)} windows to train, "
            f"{len(self.val)} to validate, {len(self.test)} to test"
        )


def split(windows: WindowSet, protocol: str, seed: int = 0, fold: int = 0) -> Split:
    """Split `windows` by one of PROTOCOLS. `fold` counts from 0 and is used by kfold alone.

    Raises DataError for an unknown protocol, a fold out of range, or a set that the protocol cannot split.
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"{protocol}: no such protocol, wanted one of {', '.join(PROTOCOLS)}")
    folds = FOLDS if protocol == "kfold" else 1
    if not 0 <= fold < folds:
        raise DataError(f"split {protocol}: fold {fold} is out of range, wanted 0 to {folds - 1}")
    if seed < 0:
        raise DataError(f"split {protocol}: seed {seed} is negative, wanted 0 or more")
    rng = np.random.Generator(np.random.PCG64(seed))
    train, val, test, notes = _SPLITTERS[protocol](windows, rng, fold)
    parts = (np.sort(np.asarray(part, dtype=np.int64)) for part in (train, val, test))
    return Split(protocol, seed, fold, *parts, notes=tuple(notes), folds=folds)


Parts = tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]
NOTHING = np.empty(0, dtype=np.int64)


def _paper(windows: WindowSet, rng: np.random.Generator, fold: int) -> Parts:
    order = rng.permutation(len(windows))
    n_test = round(TEST_SHARE * len(windows))
    n_val = round(VALIDATION_SHARE * (len(windows) - n_test))
    return order[n_test + n_val :], order[n_test : n_test + n_val], order[:n_test], []


def _stratified(windows: WindowSet, rng: np.random.Generator, fold: int) -> Parts:
    everything = np.arange(len(windows))
    test = _take_share(windows, everything, TEST_SHARE, rng)
    return np.setdiff1d(everything, test), NOTHING, test, _untested(windows, test)


def _kfold(windows: WindowSet, rng: np.random.Generator, fold: int) -> Parts:
    """Distinct windows of each class are dealt out to the folds in turn, each class going on where the last ended."""
    fold_of = np.empty(len(windows), dtype=np.int64)
    dealt = 0
    for _, copies in _distinct_by_class(windows, np.arange(len(windows)), rng):
        for members in copies:
            fold_of[members] = dealt % FOLDS
            dealt += 1
    test = np.flatnonzero(fold_of == fold)
    rest = np.flatnonzero(fold_of != fold)
    val = _take_share(windows, rest, VALIDATION_SHARE, rng)
    return np.setdiff1d(rest, val), val, test, _untested(windows, test)


def _grouped(windows: WindowSet, rng: np.random.Generator, fold: int) -> Parts:
    shares = {"train": 1 - TEST_SHARE - VALIDATION_SHARE, "val": VALIDATION_SHARE, "test": TEST_SHARE}
    windows = replace(windows, record=mitdb.persons(windows.record))
    parts = share_records(windows, np.unique(windows.record), shares, rng)
    notes = _single_record_classes(windows) + _untested(windows, parts["test"])
    return parts["train"], parts["val"], parts["test"], notes


def _inter_patient(windows: WindowSet, rng: np.random.Generator, fold: int) -> Parts:
    there = np.unique(windows.record)
    ds1, ds2 = (there[np.isin(there, half)] for half in (mitdb.DS1, mitdb.DS2))
    if len(ds1) < 2 or not len(ds2):
        raise DataError(
            f"split inter-patient: {windows.name} has {len(ds1)} records of DS1 and {len(ds2)} of DS2, wanted at "
            "least 2 and 1; it needs the MIT-BIH records, take the set aami"
        )
    parts = share_records(windows, ds1, {"train": 1 - HELD_OUT_OF_DS1, "val": HELD_OUT_OF_DS1}, rng)
    test = np.flatnonzero(np.isin(windows.record, ds2))
    missing = len(mitdb.DS1) + len(mitdb.DS2) - len(ds1) - len(ds2)
    notes = [f"{missing} of the 44 records of DS1 and DS2 are not in {windows.name}"] if missing else []
    for tested, same in mitdb.SAME_PERSON.items():
        if {tested, same} <= set(there.tolist()):
            notes.append(f"records {same} (DS1) and {tested} (DS2) are of one patient, as the halves were published")
    return parts["train"], parts["val"], test, notes + _untested(windows, test)


_SPLITTERS: dict[str, Callable[[WindowSet, np.random.Generator, int], Parts]] = {
    "paper": _paper,
    "stratified": _stratified,
    "kfold": _kfold,
    "grouped": _grouped,
    "inter-patient": _inter_patient,
}


def _take_share(windows: WindowSet, among: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """About `share` of the windows of each class, at least one and never all where it has two distinct ones."""
    taken = []
    for n_distinct, copies in _distinct_by_class(windows, among, rng):
        n = min(max(round(share * n_distinct), 1), n_distinct - 1)
        taken += copies[:n]
    return np.concatenate(taken) if taken else NOTHING


def _distinct_by_class(windows: WindowSet, among: np.ndarray, rng: np.random.Generator):
    """Per class with windows `among` these: how many are distinct, and their indices, copies together, shuffled."""
    for label in np.unique(windows.y[among]):
        copies: dict[bytes, list[int]] = {}
        for i in among[windows.y[among] == label].tolist():
            copies.setdefault(windows.x[i].tobytes(), []).append(i)
        members = [np.array(group) for group in copies.values()]
        yield len(members), [members[i] for i in rng.permutation(len(members))]


def _untested(windows: WindowSet, test: np.ndarray) -> list[str]:
    missing = [name for name, n in windows.subset(test).counts().items() if not n]
    return [f"the test part has no window of class {', '.join(missing)}"] if missing else []


def _single_record_classes(windows: WindowSet) -> list[str]:
    notes = []
    for label, name in enumerate(windows.classes):
        records = np.unique(windows.record[windows.y == label])
        if len(records) == 1:
            notes.append(f"class {name} comes from the patient of record {records[0]} alone, who is kept for training")
    return notes
