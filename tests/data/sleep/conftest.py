"""EDF files with the headers and annotations of the real data sets, written on the spot."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from bnn.data.sleep.epochs import EpochSet, Signal

START = datetime.time(16, 13, 0)
SLEEP_EDF_CHANNELS = (  # label, samples per second, unit, physical and digital range, as in SC4001E0-PSG.edf
    ("EEG Fpz-Cz", 100, "uV", (-192, 192), (-2048, 2047)),
    ("EEG Pz-Oz", 100, "uV", (-197, 196), (-2048, 2047)),
    ("EOG horizontal", 100, "uV", (-1009, 1009), (-2048, 2047)),
    ("Resp oro-nasal", 1, "", (-2048, 2047), (-2048, 2047)),
    ("EMG submental", 1, "uV", (-5, 5), (-2500, 2500)),
    ("Temp rectal", 1, "DegC", (34, 40), (-2849, 2731)),
    ("Event marker", 1, "", (-2047, 2048), (-2047, 2048)),
)


@pytest.fixture(scope="session")
def write_edf():
    """A function that writes an EDF file of random samples, and marks if given, and returns its digital values."""
    edfio = pytest.importorskip("edfio")

    def write(path: Path, channels=(), seconds=0, marks=None, start=START, seed=0, record=30) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        signals, digital = [], {}
        for label, fs, unit, physical, limits in channels:
            values = rng.integers(*limits, seconds * fs, endpoint=True).astype(np.int16)
            digital[label] = values
            signals.append(
                edfio.EdfSignal.from_digital(
                    values, fs, label=label, physical_dimension=unit, physical_range=physical, digital_range=limits
                )
            )
        annotations = None if marks is None else [edfio.EdfAnnotation(*mark) for mark in marks]
        duration = record if signals else None
        path.parent.mkdir(parents=True, exist_ok=True)
        edf = edfio.Edf(signals, starttime=start, annotations=annotations, data_record_duration=duration)
        edf.write(path)
        return digital

    return write


@pytest.fixture
def write_cassette(write_edf):
    """A function that writes a night of Sleep-EDF into a folder: recording and hypnogram, 150 epochs unless told.

    change  per label the rest of another header for this channel, or None to leave it out
    """

    def write(folder: Path, name="SC4001E", scorer="C", epochs=150, marks=None, change=None, order=1, **more):
        headers = {label: rest for label, *rest in SLEEP_EDF_CHANNELS} | (change or {})
        channels = [(label, *rest) for label, rest in headers.items() if rest][::order]
        start = more.pop("hypnogram_start", START)
        marks = cassette_marks() if marks is None else marks
        digital = write_edf(folder / f"{name}0-PSG.edf", channels, epochs * 30, **more)
        write_edf(folder / f"{name}{scorer}-Hypnogram.edf", marks=marks, start=start)
        return digital

    return write


def cassette_marks() -> list[tuple[float, float, str]]:
    """80 epochs of wake, 1 1 2 2 3 4 R, movement, 2, one not scored, 2, then "?" until minutes after that."""
    marks, onset = [], 0
    stages = [("W", 80), ("1", 2), ("2", 2), ("3", 1), ("4", 1), ("R", 1)]
    for text, epochs in [*((f"Sleep stage {s}", n) for s, n in stages), ("Movement time", 1), ("Sleep stage 2", 1)]:
        marks.append((onset, epochs * 30, text))
        onset += epochs * 30
    marks.append((onset, 30, "Sleep stage ?"))
    marks.append((onset + 30, 30, "Sleep stage 2"))
    marks.append((onset + 60, 3000, "Sleep stage ?"))
    return marks


@pytest.fixture(scope="session")
def make_epochs():
    """A function that makes a set of random epochs from subjects, and nights and stages if told."""

    def make(subject, night=None, stage=None, seed=0, fs=4.0) -> EpochSet:
        n = len(subject)
        rng = np.random.default_rng(seed)
        stage = np.arange(n) % 5 if stage is None else np.asarray(stage)
        night = [f"{s}-0" for s in subject] if night is None else night
        signals = {
            key: Signal(rng.integers(-2000, 2000, (n, len(names), round(30 * fs))).astype(np.int16), names, fs, 16.0)
            for key, names in (("eeg", ("a", "b")), ("eog", ("c",)))
        }
        subject, night = np.asarray(subject, dtype=str), np.asarray(night, dtype=str)
        return EpochSet("made", signals, stage.astype(np.int64), subject, night, np.arange(n, dtype=np.int64))

    return make
