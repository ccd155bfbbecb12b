from dataclasses import replace

import numpy as np
import pytest

from bnn.errors import DataError


def test_counts_and_subset(make_windows):
    windows = make_windows([0, 1, 1, 0, 1], classes=("a", "b", "none"))
    assert windows.counts() == {"a": 2, "b": 3, "none": 0}
    part = windows.subset(np.array([4, 0]))
    assert part.y.tolist() == [1, 0] and part.start.tolist() == [32, 0]
    np.testing.assert_array_equal(part.x, windows.x[[4, 0]])
    assert len(windows.subset(windows.y == 1)) == 3


def test_description_says_what_is_synthetic(make_windows):
    windows = make_windows([0, 1])
    assert windows.describe() == "made: 2 windows of 0.0222222 s at 360 Hz, 2 classes, 2 records"
    assert "SYNTHETIC" in replace(windows, synthetic=True).describe()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.array([0, 7, 1])}, r"window 1 \(record r1, sample 8\) has label 7, wanted 0 to 1 \(c0 c1\)"),
        ({"y": np.array([0, -1, 1])}, "has label -1"),
        ({"y": np.array([0, 1])}, r"y has shape \(2,\), wanted \(3,\)"),
        ({"y": np.array([0.0, 1.0, 1.0])}, "y holds float64, wanted int64"),
        ({"x": np.zeros((3, 8))}, "x holds float64, wanted int16 ADC units"),
        ({"x": np.zeros(3, dtype=np.int16)}, r"x has shape \(3,\)"),
        ({"record": np.array([1, 2, 3])}, "record holds int64, wanted names"),
    ],
)
def test_bad_arrays_are_refused(make_windows, change, words):
    with pytest.raises(DataError, match=words):
        replace(make_windows([0, 1, 1]), **change)
