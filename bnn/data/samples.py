"""Reading a recording from a plain file of samples: CSV or NPY, one column."""

import math
from pathlib import Path

import numpy as np

from bnn.data.records import Recording
from bnn.errors import DataError


def read_samples(path: str | Path, fs: float, gain: float, adc_zero: int = 0) -> Recording:
    """Read one column of samples: a .npy array (n,) or (n, 1), or a text file of one number a line.

    fs        samples per second
    gain      file units per millivolt: 200 for samples of the MIT-BIH ADC, 1 for millivolts, 1000 for microvolts
    adc_zero  the file's value at 0 mV

    A first line that is no number is taken as the column's heading. The Recording's signal is float64.
    Raises DataError if the file cannot be read, has several columns, or holds NaN, infinities or nothing.
    """
    path = Path(path)
    _check_positive(path, "--fs", fs, "samples per second")
    _check_positive(path, "--gain", gain, "file units per millivolt")
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    values = _read_npy(path) if path.suffix == ".npy" else _read_text(path)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values):
        raise DataError(f"{path}: holds an array of shape {values.shape}, wanted one column of samples (n,)")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{path}: sample {bad[0]} is {values[bad[0]]}, wanted a finite number; {len(bad)} of {len(values)} "
            "samples are affected, cut or interpolate them first"
        )
    return Recording(path.stem, values, float(fs), float(gain), adc_zero, lead="")


def _check_positive(path: Path, option: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise DataError(f"{path}: {option} is {value:g}, wanted a positive number of {unit}")


def _read_npy(path: Path) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a .npy array of numbers ({error}); write it with numpy.save") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise DataError(f"{path}: holds {getattr(values, 'dtype', 'an archive')}, wanted an array of real numbers")
    return values.astype(np.float64)


def _read_text(path: Path) -> np.ndarray:
    try:
        lines = path.read_text().splitlines()
        heading = bool(lines) and not _is_number(lines[0])
        return np.loadtxt(lines[heading:], delimiter=",", dtype=np.float64, ndmin=2) if lines[heading:] else np.empty(0)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a column of numbers ({error}); write one sample a line") from error


def _is_number(line: str) -> bool:
    try:
        [float(cell) for cell in line.split(",")]
    except ValueError:
        return False
    return True
