import pytest

from bnn.errors import ToolError
from hw.rtl_tools import find_simulator


@pytest.fixture(scope="session")
def simulator() -> str:
    """A simulator of Verilog; skips where there is none."""
    try:
        return find_simulator()
    except ToolError as error:
        pytest.skip(str(error))
