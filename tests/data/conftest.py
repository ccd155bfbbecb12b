"""What the tests of the data share."""

import numpy as np
import pytest

from bnn.data.windows import WindowSet


@pytest.fixture(scope="session")
def make_windows():
    """A function that makes a set of random windows from labels and records."""

    def make(y, record=None, classes=None, length=8, seed=0, start=None, lead=None) -> WindowSet:
        y = np.asarray(y, dtype=np.int64)
        record = np.asarray(record if record is not None else [f"r{i % 5}" for i in range(len(y))], dtype=str)
        x = np.random.default_rng(seed).integers(-2000, 2000, (len(y), length)).astype(np.int16)
        classes = tuple(classes or (f"c{i}" for i in range(max(y.tolist(), default=0) + 1)))
        start = np.arange(len(y), dtype=np.int64) * length if start is None else np.asarray(start, dtype=np.int64)
        lead = None if lead is None else np.asarray(lead, dtype=str)
        return WindowSet("made", classes, x, y, record, start, lead=lead)

    return make
