"""What all tests share: reproducible Hypothesis runs, and the records of MIT-BIH where they are at hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from bnn.data.mitdb import at_hand
from bnn.errors import DataError

settings.register_profile(
    "reproducible",
    derandomize=True,  # the same examples on every machine and in every run
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """The folder of the MIT-BIH records; the test is skipped where there is none, and nothing is downloaded."""
    try:
        folder = at_hand()
    except DataError as error:
        pytest.skip(str(error))
    if folder is None:
        pytest.skip("no MIT-BIH records: set BNN_DATA to the folder that holds mitdb, or run `bnn data fetch`")
    return folder


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
