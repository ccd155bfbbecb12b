import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.data.sleep.stages import (
    ISRUC,
    N1,
    N2,
    N3,
    NSRR,
    RECHTSCHAFFEN,
    REM,
    SLEEP_EDF,
    UNSCORED,
    W,
    agreed,
    near_sleep,
    stages_of_marks,
)
from bnn.errors import DataError

TEXT = {"W": W, "2": N2, "?": UNSCORED}
stage_rows = st.lists(st.sampled_from([UNSCORED, W, N1, N2, N3, REM]), max_size=200).map(np.array)


def stages(*marks, n=4):
    return stages_of_marks(marks, TEXT, n, "night").tolist()


def test_rechtschaffen_and_kales_to_aasm():
    assert [SLEEP_EDF[f"Sleep stage {s}"] for s in "W1234R?"] == [W, N1, N2, N3, N3, REM, UNSCORED]
    assert SLEEP_EDF["Movement time"] == UNSCORED
    assert list(NSRR.values()) == [W, N1, N2, N3, N3, REM, UNSCORED, UNSCORED]
    assert ISRUC == {"0": W, "1": N1, "2": N2, "3": N3, "5": REM}
    assert RECHTSCHAFFEN.tolist() == [W, REM, N1, N2, N3, N3]


def test_marks_cover_epochs():
    assert stages((0, 60, "W"), (60, 60, "2")) == [W, W, N2, N2]
    assert stages((60, 60, "2"), (0, 60, "W")) == [W, W, N2, N2], "order in the file does not matter"
    assert stages((0, 30, "W"), (90, 30, "2")) == [W, UNSCORED, UNSCORED, N2], "a gap is not scored"
    assert stages((0, 30, "W"), (30, 9000, "2")) == [W, N2, N2, N2], "longer than the recording"
    assert stages((0, 45, "W"), (45, 75, "2")) == [W, UNSCORED, N2, N2], "an epoch of two halves"
    assert stages((-30, 60, "W"), (30, 0, "2")) == [W, UNSCORED, UNSCORED, UNSCORED], "before the start; no duration"
    assert stages((-90, 30, "W"), (900, 30, "2")) == [UNSCORED] * 4


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([(0, 30, "9")], "night: stage '9' at 0 s is not known, wanted one of W, 2, ?"),
        ([(0, 60, "W"), (30, 30, "2")], "'2' at 30 s begins before 'W' ends at 60 s, wanted one stage at a time"),
        ([(0, 60, "W"), (0, 60, "W")], "begins before"),
        ([(0, -30, "W")], "lasts -30 s, wanted finite times"),
        ([(float("nan"), 30, "W")], "wanted finite times"),
    ],
)
def test_bad_marks(marks, words):
    with pytest.raises(DataError) as caught:
        stages(*marks)
    assert words in str(caught.value)


@given(stage_rows, stage_rows)
def test_agreed_is_symmetric_and_true(a, b):
    both = agreed(a, b)
    assert np.array_equal(both, agreed(b, a)) and len(both) == min(len(a), len(b))
    for i, stage in enumerate(both):
        assert stage == (a[i] if a[i] == b[i] else UNSCORED)


@given(stage_rows, st.integers(0, 40))
def test_only_wake_far_from_sleep_is_cut(stage, minutes):
    keep = near_sleep(stage, minutes)
    asleep = [i for i, s in enumerate(stage) if s not in (W, UNSCORED)]
    for i in range(len(stage)):
        near = not asleep or asleep[0] - 2 * minutes <= i <= asleep[-1] + 2 * minutes
        assert keep[i] == near


def test_half_an_hour_is_sixty_epochs():
    stage = np.array([W] * 100 + [N2, W, N2] + [W] * 100)
    assert np.flatnonzero(near_sleep(stage)).tolist() == list(range(40, 163))
