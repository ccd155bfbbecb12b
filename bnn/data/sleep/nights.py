"""From the files of one night to its epochs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.data.sleep.edf import Wanted, open_edf, read_signal
from bnn.data.sleep.epochs import EPOCH, EpochSet, Signal
from bnn.data.sleep.stages import UNSCORED
from bnn.errors import DataError


@dataclass(frozen=True, slots=True)
class Night:
    """The files of one night.

    name     of the recording, one of its kind in the set
    subject  who slept; several nights may have the same
    signals  the EDF file
    scoring  the file or files that tell the stages
    """

    name: str
    subject: str
    signals: Path
    scoring: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """How the nights of one data set are found and read.

    name     of the set
    folder   that holds its recordings, inside the folder that BNN_DATA names
    find     folder -> its nights, in a fixed order
    wanted   per signal, what is read of each recording
    stages   (night, edf, number of whole epochs) -> (epochs,) int64 stages, UNSCORED where an epoch is left out
    """

    name: str
    folder: str
    find: Callable[[Path], list[Night]]
    wanted: dict[str, Wanted]
    stages: Callable[[Night, object, int], np.ndarray]


def read_night(source: Source, night: Night) -> EpochSet:
    """The scored epochs of a night, those wholly inside the recording.

    Raises DataError if a file is damaged, a channel is missing or of another rate, or no epoch is scored.
    """
    edf = open_edf(night.signals)
    read = {key: read_signal(night.signals, edf, wanted) for key, wanted in source.wanted.items()}
    n_epochs = min(x.shape[1] // round(EPOCH * source.wanted[key].fs) for key, (x, _) in read.items())
    stage = source.stages(night, edf, n_epochs)
    position = np.flatnonzero(stage != UNSCORED)
    if not len(position):
        raise DataError(
            f"{source.name}, night {night.name}: none of {n_epochs} epochs is scored; check that the scoring "
            f"{', '.join(path.name for path in night.scoring)} belongs to {night.signals.name}"
        )
    signals = {}
    for key, (x, channels) in read.items():
        wanted = source.wanted[key]
        signals[key] = Signal(_epochs(x, round(EPOCH * wanted.fs), position), channels, wanted.fs, wanted.gain)
    n = len(position)
    return EpochSet(source.name, signals, stage[position], np.full(n, night.subject), np.full(n, night.name), position)


def _epochs(x: np.ndarray, length: int, position: np.ndarray) -> np.ndarray:
    """(channels, samples) -> (n, channels, length): the epochs at `position`, counted in epochs."""
    whole = x[:, : x.shape[1] // length * length]
    return np.ascontiguousarray(whole.reshape(len(x), -1, length)[:, position].swapaxes(0, 1))


def require_nights(found: list[Night], source: str, folder: Path, layout: str) -> list[Night]:
    """`found` as it is; raises DataError if it is empty, with the layout that was looked for."""
    if not found:
        raise DataError(f"{folder}: no night of {source} there, wanted {layout}; put the recordings there")
    return found
