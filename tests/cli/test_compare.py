"""What counts as a difference, and which one is named."""

import numpy as np
import pytest

from bnn.cli.compare import Difference, compare
from bnn.errors import ToolError


def tensors() -> dict[str, np.ndarray]:
    return {"a": np.zeros((3, 2, 4), np.int16), "sum": np.zeros((3, 2), np.int32), "b": np.zeros((3, 5), np.uint8)}


def test_equal_runs_and_what_they_do_not_store():
    got = tensors()
    del got["sum"]
    result = compare(tensors(), got)
    assert (result.tensors, result.unseen, result.windows) == (("a", "b"), ("sum",), 3)
    assert result.values == 3 * 2 * 4 + 3 * 5 and result.difference is None


def test_the_first_window_comes_before_the_first_tensor():
    got = tensors()
    got["a"][2, 0, 0] = 1
    got["b"][1, 3] = 7
    assert compare(tensors(), got).difference == Difference(1, "b", (3,), got=7, wanted=0)
    got["a"][1, 1, 2] = -5
    assert compare(tensors(), got).difference == Difference(1, "a", (1, 2), got=-5, wanted=0)


@pytest.mark.parametrize("name, shape", [("a", (3, 4, 2)), ("c", (3, 1))])
def test_a_run_of_another_network_is_refused(name, shape):
    with pytest.raises(ToolError, match=f"{name}: the run gave"):
        compare(tensors(), {**tensors(), name: np.zeros(shape)})
