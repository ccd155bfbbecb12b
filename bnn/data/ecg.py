"""The labelled ECG sets, cut from the MIT-BIH Arrhythmia Database by the index tables of this package."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from bnn.data import mitdb
from bnn.data.annotations import AAMI_CLASSES, window_classes
from bnn.data.records import read_annotations, read_record
from bnn.data.windows import WindowSet
from bnn.errors import DataError

WINDOW = 3600  # samples: 10 s at 360 Hz
CLASSES_17 = (
    "NSR", "APB", "AFL", "AFIB", "SVTA", "WPW", "PVC", "Bigeminy", "Trigeminy",
    "VT", "IVR", "VFL", "Fusion", "LBBBB", "RBBBB", "SDHB", "PR",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Where each window stands: class name, record, lead (n,) str, start (n,) int64."""

    label: np.ndarray
    record: np.ndarray
    lead: np.ndarray
    start: np.ndarray


def load_ecg17() -> WindowSet:
    """Plawiak's 1000 ten-second fragments in 17 classes of rhythm and beat, 45 records, nearly all lead MLII."""
    return _ecg17(mitdb.locate())


def load_ecg5(labels: str = "published") -> WindowSet:
    """7740 back-to-back windows of lead MLII, 43 records x 180, classes N S V F Q.

    labels  "published": as the set was published, to compare with its paper.
            "annotations": computed from the beats by `window_class`, N where a window holds no beat (11 windows).
            The two agree on 95.2 % of the windows.
    """
    if labels not in ("published", "annotations"):
        raise DataError(f"ecg5: labels {labels!r} are not known, wanted published or annotations")
    return _ecg5(mitdb.locate(), labels)


def load_aami() -> WindowSet:
    """Back-to-back windows of lead MLII of all DS1 and DS2 records, labelled from the annotations.

    For the inter-patient protocol: it has record 114, which the 5-class set lacks, and one rule for every label.
    A window without an annotated beat (ventricular flutter, for one) has no AAMI class and is left out.
    """
    return _aami(mitdb.locate())


def load_aami4() -> WindowSet:
    """`load_aami` without class Q, whose 8 windows can be neither learned nor tested: classes N S V F.

    Most inter-patient figures are of these four, since EC57 leaves the paced records out and with them nearly all of Q.
    """
    return _aami4(mitdb.locate())


def load_ecg5_past() -> WindowSet:
    """The windows of load_ecg5(), each behind the window before it: x is (7740, 2 * WINDOW).

    For networks that normalise by statistics of the past; label and `start` are those of the second half. The first
    window of each of the 43 records has no past: there it stands twice.
    """
    return _ecg5_past(mitdb.locate())


LOADERS: dict[str, Callable[[], WindowSet]] = {
    "ecg17": load_ecg17,
    "ecg5": load_ecg5,
    "ecg5-past": load_ecg5_past,
    "ecg5-annotations": lambda: load_ecg5("annotations"),
    "aami": load_aami,
    "aami4": load_aami4,
}


def load(name: str) -> WindowSet:
    """The set of that name in LOADERS."""
    if name not in LOADERS:
        raise DataError(f"{name}: no such set, wanted one of {', '.join(LOADERS)}")
    return LOADERS[name]()


def read_table(name: str) -> Index:
    """The index table `name` ("ecg17" or "ecg5") of this package."""
    text = files("bnn.data").joinpath("tables", f"{name}.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))

    def column(key: str) -> np.ndarray:
        return np.array([row[key] for row in rows])

    return Index(column("class"), column("record"), column("lead"), column("start_sample").astype(np.int64))


@lru_cache(maxsize=1)
def _ecg17(folder: Path) -> WindowSet:
    index = read_table("ecg17")
    return _window_set("ecg17", CLASSES_17, index, cut(folder, index))


@lru_cache(maxsize=2)
def _ecg5(folder: Path, labels: str) -> WindowSet:
    index = read_table("ecg5")
    name = "ecg5"
    if labels == "annotations":
        name = "ecg5-annotations"
        found = annotated_classes(folder, index)
        index = Index(np.array([c or "N" for c in found]), index.record, index.lead, index.start)
    return _window_set(name, AAMI_CLASSES, index, cut(folder, index))


@lru_cache(maxsize=1)
def _ecg5_past(folder: Path) -> WindowSet:
    index = read_table("ecg5")
    now = cut(folder, index)
    before = Index(index.label, index.record, index.lead, np.maximum(index.start - WINDOW, 0))
    past = np.where((index.start >= WINDOW)[:, None], cut(folder, before), now)
    return _window_set("ecg5-past", AAMI_CLASSES, index, np.concatenate([past, now], axis=1))


@lru_cache(maxsize=1)
def _aami(folder: Path) -> WindowSet:
    records = np.array(sorted(mitdb.DS1 + mitdb.DS2))
    starts = np.arange(mitdb.SAMPLES // WINDOW, dtype=np.int64) * WINDOW
    record = np.repeat(records, len(starts))
    everything = Index(record, record, np.full(len(record), "MLII"), np.tile(starts, len(records)))
    found = annotated_classes(folder, everything)
    keep = np.array([c is not None for c in found])
    label = np.array([c for c in found if c is not None])
    index = Index(label, record[keep], everything.lead[keep], everything.start[keep])
    return _window_set("aami", AAMI_CLASSES, index, cut(folder, index))


@lru_cache(maxsize=1)
def _aami4(folder: Path) -> WindowSet:
    everything = _aami(folder)
    classes = everything.classes[:-1]
    return replace(everything.subset(everything.y < len(classes)), name="aami4", classes=classes)


def cut(folder: Path, index: Index) -> np.ndarray:
    """The windows (n, WINDOW) int16 that `index` names; each record and lead is read once."""
    x = np.empty((len(index.start), WINDOW), dtype=np.int16)
    for record, lead in sorted(set(zip(index.record.tolist(), index.lead.tolist(), strict=True))):
        signal = read_record(folder / record, lead).signal
        rows = np.flatnonzero((index.record == record) & (index.lead == lead))
        end = index.start[rows].max() + WINDOW
        if end > len(signal):
            raise DataError(f"record {record}: {len(signal)} samples, wanted at least {end}; fetch the record again")
        x[rows] = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[index.start[rows]]
    return x


def annotated_classes(folder: Path, index: Index) -> list[str | None]:
    """The AAMI class of each window of `index` by its beats, None where it has no beat."""
    found: np.ndarray = np.empty(len(index.start), dtype=object)
    for record in np.unique(index.record):
        rows = np.flatnonzero(index.record == record)
        sample, symbol = read_annotations(folder / str(record))
        found[rows] = window_classes(sample, symbol, index.start[rows], WINDOW)
    return found.tolist()


def _window_set(name: str, classes: tuple[str, ...], index: Index, x: np.ndarray) -> WindowSet:
    number = {c: i for i, c in enumerate(classes)}
    y = np.array([number[c] for c in index.label.tolist()], dtype=np.int64)
    for array in (x, y, index.record, index.start, index.lead):
        array.flags.writeable = False  # the loaders hand out one cached set to everybody
    return WindowSet(name, classes, x, y, record=index.record, start=index.start, lead=index.lead)
