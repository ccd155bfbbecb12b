"""What the tests of the data share."""

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
