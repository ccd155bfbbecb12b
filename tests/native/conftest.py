import pytest

from firmware.native import LANES
from tests.native.harness import NativeBench, compilers


@pytest.fixture(scope="session", params=LANES)
def bench(request, tmp_path_factory) -> NativeBench:
    """Vectors of each width, for any processor: the compiler splits what the processor has not."""
    return NativeBench(tmp_path_factory.mktemp(f"native{request.param}"), request.param, compilers()[0])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """No test reads or writes the user's own libraries."""
    monkeypatch.setenv("BNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
