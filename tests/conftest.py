"""What all tests share: reproducible Hypothesis runs, and the records of MIT-BIH where they are at hand."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bnn.data.download import read_manifest
from bnn.data.mitdb import cache_folder, locate

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
    root = os.environ.get("BNN_DATA")
    if root and not (Path(root) / "mitdb").is_dir():
        pytest.skip(f"BNN_DATA is {root}, which holds no folder mitdb")
    if not root and not all((cache_folder() / "mitdb" / item.name).is_file() for item in read_manifest("mitdb")):
        pytest.skip("no MIT-BIH records: set BNN_DATA to the folder that holds mitdb, or fetch the records")
    return locate("mitdb")
