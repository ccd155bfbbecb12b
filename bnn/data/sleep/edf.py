"""Reading EDF and EDF+ files by edfio: channels by their name, and annotations."""

import warnings
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import numpy as np

from bnn.data.sleep.stages import Mark
from bnn.errors import DataError, ToolError

MICROVOLTS = {"uV": 1.0, "mV": 1000.0, "V": 1e6}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a set takes of every recording for one signal.

    channels  per channel its label, and others that some of the recordings have instead; letters and digits count
    fs        samples per second that it must have
    gain      ADC units per microvolt of the set
    """

    channels: tuple[tuple[str, ...], ...]
    fs: float
    gain: float


def edf_library():
    """The edfio module, imported late, as the core works without it."""
    try:
        import edfio
    except ImportError as error:
        raise ToolError(
            "edfio is not installed, and reading EDF files needs it; pip install 'bnn-wearables[sleep]'"
        ) from error
    return edfio


def open_edf(path: Path):
    """The edfio.Edf of a file, samples not read yet.

    Raises DataError if it is missing, no EDF file, truncated, or interrupted (EDF+D): gaps would shift the epochs.
    """
    edfio = edf_library()
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path, or fetch the recording again")
    try:
        with warnings.catch_warnings():  # edfio warns of a wrong length; that is an error below
            warnings.simplefilter("ignore")
            edf = edfio.read_edf(path)
        _check_length(path, edf)
    except (ValueError, OSError, ArithmeticError, LookupError, UnboundLocalError) as error:  # as the bytes happen to be
        raise DataError(f"{path}: not an EDF file, or damaged ({error}); fetch the file again") from error
    if edf.reserved.startswith("EDF+D"):
        raise DataError(f"{path}: an interrupted recording (EDF+D), wanted one without gaps; leave it out")
    return edf


def _check_length(path: Path, edf) -> None:
    """edfio counts the records that are there; the header, the first 256 bytes, says how many were written."""
    with path.open("rb") as file:
        promised = int(file.read(256)[236:244])
    if edf.num_data_records < promised:
        raise DataError(
            f"{path}: truncated, {edf.num_data_records} of the {promised} data records that its header promises; "
            "fetch the file again"
        )


def start_of(path: Path, edf) -> time:
    """The time of day at which the recording began. Raises DataError where the header tells none."""
    try:
        return edf.starttime
    except (ValueError, LookupError) as error:
        raise DataError(f"{path}: the header has no time of start ({error}); fetch the file again") from error


def read_signal(path: Path, edf, wanted: Wanted) -> tuple[np.ndarray, tuple[str, ...]]:
    """The wanted channels (channels, samples) int16 at the set's gain, saturating, and the set's names of them.

    Recordings of one set have ADC ranges of their own; this is the one rounding that makes their units equal.
    Raises DataError for a missing channel, another rate, or a unit that is no voltage.
    """
    rows = [_channel(path, edf, names, wanted) for names in wanted.channels]
    return np.stack(rows), tuple(names[0] for names in wanted.channels)


def _channel(path: Path, edf, names: tuple[str, ...], wanted: Wanted) -> np.ndarray:
    by_name = {plain(signal.label): signal for signal in edf.signals}
    signal = next((by_name[plain(name)] for name in names if plain(name) in by_name), None)
    if signal is None:
        there = ", ".join(s.label for s in edf.signals) or "none"
        raise DataError(f"{path}: no channel {' or '.join(names)}, the recording has {there}; leave it out of the set")
    if abs(signal.sampling_frequency - wanted.fs) > 1e-6 * wanted.fs:
        raise DataError(
            f"{path}, {signal.label}: {signal.sampling_frequency:g} samples per second, wanted {wanted.fs:g}; "
            "leave the recording out of the set"
        )
    return _at_gain(signal.digital, _calibration(path, signal), wanted.gain)


def _calibration(path: Path, signal) -> tuple[float, float]:
    """(slope, offset): a digital value d is slope d + offset microvolts."""
    unit = signal.physical_dimension.replace("µ", "u").replace("μ", "u").replace("\N{REPLACEMENT CHARACTER}", "u")
    if unit not in MICROVOLTS:
        raise DataError(
            f"{path}, {signal.label}: its unit is {unit or 'empty'!s}, wanted a voltage ({', '.join(MICROVOLTS)}); "
            "leave the recording out of the set"
        )
    try:
        low, high = signal.digital_range
        bottom, top = signal.physical_range
        slope = (top - bottom) / (high - low)
    except (ValueError, ZeroDivisionError) as error:
        raise _no_range(path, signal, error) from error
    if high < low or slope == 0 or not np.isfinite([bottom, top]).all():
        raise _no_range(path, signal, f"{bottom:g} to {top:g} for {low} to {high}")
    return slope * MICROVOLTS[unit], (bottom - slope * low) * MICROVOLTS[unit]


def _no_range(path: Path, signal, reason: object) -> DataError:
    return DataError(f"{path}, {signal.label}: the header gives no range of values ({reason}); fetch the file again")


def _at_gain(digital: np.ndarray, calibration: tuple[float, float], gain: float) -> np.ndarray:
    slope, offset = calibration
    limits = np.iinfo(np.int16)
    values = np.rint((digital * slope + offset) * gain)
    return np.clip(values, limits.min, limits.max).astype(np.int16)


def plain(label: str) -> str:
    """A label by its letters and digits: EEG(sec), EEG sec and EEG_SEC are one name."""
    return "".join(c for c in label.lower() if c.isalnum())


def read_marks(path: Path) -> tuple[list[Mark], time]:
    """The annotations of an EDF+ file as (onset, duration in seconds, text), and the time of day they count from.

    Raises DataError as open_edf does, if the file has no annotation, or one that cannot be read.
    """
    edf = open_edf(path)
    try:
        marks = [(float(a.onset), float(a.duration or 0), a.text.strip()) for a in edf.annotations]
    except (ValueError, LookupError) as error:
        raise DataError(f"{path}: damaged annotations ({error}); fetch the file again") from error
    if not marks:
        raise DataError(f"{path}: holds no annotation; wanted a hypnogram in EDF+, fetch the file again")
    return marks, start_of(path, edf)
