"""No sample of a test window may have been trained on: places in records are compared, not indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.data import ecg
from bnn.data.overlap import near, overlaps
from bnn.data.splits import FOLDS, split
from bnn.errors import DataError

SETS = [name for name in ecg.LOADERS if name != "ecg5-past"]
"""A window of ecg5-past begins with the one before it, for its mean and std: there, parts share by design."""
CLEAN = ("stratified", "kfold", "grouped", "inter-patient")
"""Protocols that promise that no two parts share a sample; `paper` does not."""

places = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("MLII", "V1")), st.integers(0, 60)), min_size=2)


def sampled(windows, indices) -> set:
    """Every sample of the windows, by record, lead and place."""
    return {
        (windows.record[i], windows.lead[i], t)
        for i in indices
        for t in range(windows.start[i], windows.start[i] + windows.length)
    }


@settings(max_examples=100)
@given(places=places, data=st.data())
def test_overlaps_are_shared_samples(make_windows, places, data):
    record, lead, start = zip(*places, strict=True)
    windows = make_windows([0] * len(places), record, start=start, lead=lead)
    side = np.array(data.draw(st.lists(st.booleans(), min_size=len(places), max_size=len(places))))
    a, b = np.flatnonzero(side), np.flatnonzero(~side)
    wanted = [i for i in a if sampled(windows, [i]) & sampled(windows, b)]
    assert overlaps(windows, a, b).tolist() == wanted


def test_windows_touch_without_sharing(make_windows):
    windows = make_windows([0] * 4, list("aaaa"), start=[0, 8, 15, 100], lead=["MLII"] * 4)
    assert overlaps(windows, np.array([0, 3]), np.array([1, 2])).tolist() == []
    assert overlaps(windows, np.array([1]), np.array([2])).tolist() == [1]


def test_windows_without_records_are_refused(make_windows):
    with pytest.raises(DataError, match="made: its windows were cut from no records"):
        overlaps(make_windows([0, 1]), np.array([0]), np.array([1]))


def splits_of(windows, seeds=3):
    """Every split of the promising protocols that this set allows: all folds of one seed, and some seeds."""
    for protocol in CLEAN:
        if protocol == "inter-patient" and not windows.name.startswith("aami"):
            continue
        folds = range(FOLDS if protocol == "kfold" else 1)
        yield from (split(windows, protocol, seed, fold) for fold in folds for seed in range(seeds if not fold else 1))


@pytest.mark.parametrize("name", SETS)
def test_no_part_shares_samples_with_another(mitdb, name):
    windows = ecg.load(name)
    for s in splits_of(windows):
        trained = np.concatenate([s.train, s.val])
        assert not len(overlaps(windows, s.test, trained)), s.describe()
        assert not len(overlaps(windows, s.val, s.train)), s.describe()
        if s.protocol in ("grouped", "inter-patient"):
            owners = [set(windows.record[part].tolist()) for part in (s.train, s.val, s.test)]
            assert sum(map(len, owners)) == len(set.union(*owners)), s.describe()


@pytest.mark.parametrize("name", ecg.LOADERS)
def test_no_window_is_on_two_sides(mitdb, name):
    windows = ecg.load(name)
    content = np.array([hash(x.tobytes()) for x in windows.x])
    for s in splits_of(windows, seeds=1):
        assert not set(content[s.test].tolist()) & set(content[np.concatenate([s.train, s.val])].tolist())


def test_what_the_paper_protocol_shares(mitdb):
    """As the docstring of bnn.data.splits says: nine pairs in one place, of one class each, and no partial overlap."""
    windows = ecg.load("ecg17")
    everything, shared = np.arange(len(windows)), []
    for seed in range(3):
        test = split(windows, "paper", seed).test
        shared.append(len(overlaps(windows, test, np.setdiff1d(everything, test))))
    assert shared == [2, 3, 3]
    pairs = [i for i in everything if len(overlaps(windows, np.array([i]), np.delete(everything, i)))]
    assert len(pairs) == 18
    assert len({(windows.record[i], windows.start[i], windows.y[i]) for i in pairs}) == 9
    others = ecg.load("ecg5")
    test = split(others, "paper").test
    assert not len(overlaps(others, test, np.setdiff1d(np.arange(len(others)), test)))


@pytest.mark.parametrize("length", [1, 2, 7])
def test_near_is_what_it_says(length):
    """Against the definition, on every set of other starts within a short record."""
    starts = np.arange(12)
    for mask in range(1 << 8):
        taken = np.flatnonzero([mask >> i & 1 for i in range(8)])
        want = [any(abs(s - t) < length for t in taken) for s in starts]
        np.testing.assert_array_equal(near(starts, taken, length), want)
