"""What all tests share: reproducible Hypothesis runs, and the records of MIT-BIH where they are at hand."""

from pathlib import Path

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
