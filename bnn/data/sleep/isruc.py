"""ISRUC-Sleep, subgroups 1 (100 patients) and 3 (10 healthy people), one night each (Khalighi et al. 2016).

Its site gives one archive a subject; unpacked into `isruc-1` or `isruc-3` it is a folder of the subject's number n with
n.rec, which is EDF, and n_1.txt and n_2.txt, one digit a line from each of two scorers. Epochs that both scored alike
are kept. Six EEG, two EOG and three EMG channels (chin and both legs) of 200 Hz.
"""

from functools import partial
from pathlib import Path

import numpy as np

from bnn.data.sleep.edf import Wanted
from bnn.data.sleep.nights import Night, Source, require_nights
from bnn.data.sleep.stages import ISRUC, agreed
from bnn.errors import DataError

# The mastoids are called A or M, the eyes LOC and ROC or E1 and E2, as the equipment's software changed.
EEG = tuple(
    (f"{site}-A{ear}", f"{site}-M{ear}") for site, ear in zip("F3 C3 O1 F4 C4 O2".split(), "222111", strict=True)
)
WANTED = {
    "eeg": Wanted(EEG, fs=200.0, gain=16.0),
    "eog": Wanted((("LOC-A2", "E1-M2"), ("ROC-A1", "E2-M1")), fs=200.0, gain=16.0),
    "emg": Wanted((("X1",), ("X3",), ("X4",)), fs=200.0, gain=16.0),
}


def find(folder: Path, name: str) -> list[Night]:
    """The nights in `folder`, by the subjects' numbers. Raises DataError for none, or one without both scorings."""
    recordings = [path for path in folder.glob("*/*.rec") if path.stem == path.parent.name and path.stem.isdigit()]
    nights = []
    for path in sorted(recordings, key=lambda path: int(path.stem)):
        scoring = tuple(path.with_name(f"{path.stem}_{scorer}.txt") for scorer in (1, 2))
        missing = [file.name for file in scoring if not file.is_file()]
        if missing:
            raise DataError(
                f"{path}: no {', '.join(missing)} beside it, wanted both scorings; unpack the archive again"
            )
        nights.append(Night(f"{name}-{path.stem}", path.stem, path, scoring))
    return require_nights(nights, name, folder, "n/n.rec, n/n_1.txt and n/n_2.txt")


def stages(night: Night, edf, n_epochs: int) -> np.ndarray:
    """The stages on which both scorers agree. The longer of recording and scorings is cut to the shortest."""
    both = agreed(*(read_scoring(path) for path in night.scoring))
    return both[:n_epochs]


def read_scoring(path: Path) -> np.ndarray:
    """(epochs,) int64 stages of one scorer. Raises DataError for a line that is no stage."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); unpack the archive again") from error
    bad = [(i, line) for i, line in enumerate(lines) if line not in ISRUC]
    if bad:
        i, line = bad[0]
        raise DataError(
            f"{path}: epoch {i} is scored {line!r}, wanted one of {', '.join(ISRUC)} (W N1 N2 N3 REM); "
            f"{len(bad)} of {len(lines)} lines are affected, unpack the archive again"
        )
    return np.array([ISRUC[line] for line in lines], dtype=np.int64)


def _source(name: str) -> Source:
    return Source(name, name, partial(find, name=name), WANTED, stages)


ISRUC_1, ISRUC_3 = _source("isruc-1"), _source("isruc-3")
