"""What the tests of the data share."""

from pathlib import Path

import numpy as np
import pytest

from bnn.data.windows import WindowSet


@pytest.fixture(scope="session")
def make_windows():
    """A function that makes a set of random windows from labels and records."""

    def make(y, record=None, classes=None, length=8, seed=0) -> WindowSet:
        y = np.asarray(y, dtype=np.int64)
        record = np.asarray(record if record is not None else [f"r{i % 5}" for i in range(len(y))], dtype=str)
        x = np.random.default_rng(seed).integers(-2000, 2000, (len(y), length)).astype(np.int16)
        classes = tuple(classes or (f"c{i}" for i in range(max(y.tolist(), default=0) + 1)))
        return WindowSet("made", classes, x, y, record, np.arange(len(y), dtype=np.int64) * length)

    return make


@pytest.fixture
def write_record(tmp_path):
    """A function that writes a small two-lead WFDB record in format 16 and returns its path without suffix."""

    def write(signal: np.ndarray, name="rec", leads=("MLII", "V5"), fs=360.0, gain=200.0, zero=1024, unit="mV") -> Path:
        import wfdb

        columns = np.column_stack([signal + i for i in range(len(leads))]).astype(np.int64)
        n = len(leads)
        wfdb.wrsamp(
            name,
            fs=fs,
            units=[unit] * n,
            sig_name=list(leads),
            d_signal=columns,
            fmt=["16"] * n,
            adc_gain=[gain] * n,
            baseline=[zero] * n,
            write_dir=str(tmp_path),
        )
        return tmp_path / name

    return write
