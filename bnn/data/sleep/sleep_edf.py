"""Sleep-EDF Expanded, the cassette study: 153 nights of 78 people at home (Kemp et al. 2000; PhysioNet, ODC-By).

Files SC4ssNEO-PSG.edf and SC4ssNEC-Hypnogram.edf: ss the subject, N the night, in `sleep-edf` or, as PhysioNet lays
them out, its folder `sleep-cassette`. The first 20 subjects, 39 nights, are the older and smaller set. Two EEG and one
EOG channels of 100 Hz; the EMG is an envelope recorded once a second.
"""

import re
from pathlib import Path

import numpy as np

from bnn.data.sleep.edf import Wanted, read_marks, start_of
from bnn.data.sleep.nights import Night, Source, require_nights
from bnn.data.sleep.stages import SLEEP_EDF, UNSCORED, near_sleep, stages_of_marks
from bnn.errors import DataError

FIRST_20 = tuple(f"{i:02d}" for i in range(20))
WANTED = {
    "eeg": Wanted((("EEG Fpz-Cz",), ("EEG Pz-Oz",)), fs=100.0, gain=16.0),
    "eog": Wanted((("EOG horizontal",),), fs=100.0, gain=16.0),
    "emg": Wanted((("EMG submental",),), fs=1.0, gain=512.0),
}
NAME = re.compile(r"(SC4(\d\d)(\d)[A-Z])0-PSG\.edf")


def subject_of(file_name: str) -> str | None:
    """The subject's two digits in the name of a file of the cassette study, None for other files."""
    found = re.match(r"SC4(\d\d)\d", file_name)
    return found[1] if found else None


def files_folder(folder: Path) -> Path:
    """Where the files stand below `folder`."""
    cassette = folder / "sleep-cassette"
    return cassette if cassette.is_dir() else folder


def find_all(folder: Path) -> list[Night]:
    """All nights in the folder. Raises DataError for none, or one without its hypnogram."""
    nights = [_night(path) for path in sorted(files_folder(folder).glob("SC4*-PSG.edf"))]
    return require_nights(nights, "Sleep-EDF", folder, "SC4ssNEO-PSG.edf and SC4ssNEC-Hypnogram.edf")


def find_20(folder: Path) -> list[Night]:
    """The nights of subjects 00 to 19."""
    nights = [night for night in find_all(folder) if night.subject in FIRST_20]
    return require_nights(nights, "sleep-edf-20", folder, "nights of subjects 00 to 19")


def _night(path: Path) -> Night:
    found = NAME.fullmatch(path.name)
    if not found:
        raise DataError(f"{path}: its name tells no subject and night, wanted SC4ssNEO-PSG.edf; rename or remove it")
    scoring = sorted(path.parent.glob(f"{found[1]}?-Hypnogram.edf"))
    if len(scoring) != 1:
        raise DataError(
            f"{path}: {len(scoring)} hypnograms {found[1]}?-Hypnogram.edf beside it, wanted one; fetch the missing file"
        )
    return Night(found[1], found[2], path, (scoring[0],))


def stages(night: Night, edf, n_epochs: int) -> np.ndarray:
    """R&K to AASM by the hypnogram, wake further than 30 minutes from sleep left out."""
    (path,) = night.scoring
    marks, begin = read_marks(path)
    start = start_of(night.signals, edf)
    if begin != start:
        raise DataError(
            f"{path}: begins at {begin}, the recording {night.signals.name} at {start}; wanted the same time, "
            "else every stage would be shifted"
        )
    stage = stages_of_marks(marks, SLEEP_EDF, n_epochs, str(path))
    return np.where(near_sleep(stage), stage, UNSCORED)


SLEEP_EDF_20 = Source("sleep-edf-20", "sleep-edf", find_20, WANTED, stages)
SLEEP_EDF_78 = Source("sleep-edf-78", "sleep-edf", find_all, WANTED, stages)
