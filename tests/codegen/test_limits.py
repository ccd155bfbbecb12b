"""Limits on mismatches against the thresholds they stand for, by trying every sum."""

import numpy as np
import pytest

from bnn.graph import ops
from codegen.limits import limits


@pytest.mark.parametrize("n_in, kernel", [(1, 1), (1, 2), (3, 7), (127, 2), (51, 5), (16, 16)])
def test_a_limit_says_what_the_threshold_says_of_every_sum(n_in, kernel):
    taps = n_in * kernel
    t = np.unique(np.r_[-32768, np.arange(-taps - 3, taps + 4), 32767]).astype(np.int16)
    conv = ops.BinaryConv("acc", ("x",), np.ones((len(t), n_in, kernel), np.int8), np.ones(n_in, np.int8), 1, 0)
    stored = limits(conv, ops.Threshold("y", ("acc",), t))
    assert len(stored) == len(t) * (1 if taps <= 254 else 2)
    limit = stored.reshape(len(t), -1).astype(int) @ [[1], [256]][: stored.size // len(t)]
    mismatches = np.arange(taps + 1)
    np.testing.assert_array_equal(mismatches < limit, taps - 2 * mismatches >= t.astype(int)[:, None])
