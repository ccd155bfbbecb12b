"""Cutting training windows anew: same rhythm, same beats, and never a sample of a held-out window."""

import numpy as np
import pytest

from bnn.data import ecg, recut
from bnn.data.overlap import overlaps
from bnn.data.recut import Places, places
from bnn.data.splits import split
from bnn.errors import DataError

LENGTH = 100


@pytest.fixture
def annotated(monkeypatch):
    """A record of beats N at 10, 110, 210 ..., one V at 450, and fibrillation from sample 600 on."""
    sample = np.array([*range(10, 1000, 100), 450])
    symbol = np.array(["N"] * 10 + ["V"])
    order = np.argsort(sample)
    monkeypatch.setattr(recut, "read_annotations", lambda path: (sample[order], symbol[order]))
    monkeypatch.setattr(recut, "read_rhythms", lambda path: (np.array([0, 600]), np.array(["(N", "(AFIB"])))


def test_windows_are_alike_where_rhythms_and_kinds_of_beats_are(annotated):
    kind = recut.contents("any", np.array([0, 100, 250, 351, 400, 450, 451, 501, 600, 900]), LENGTH)
    sinus, ectopic = kind[0], kind[3]
    assert (kind[[0, 1, 2, 6]] == sinus).all()
    assert (kind[[3, 4, 5]] == ectopic).all()
    turning, fibrillation = kind[7], kind[8]
    assert kind[9] == fibrillation
    assert len({sinus, ectopic, turning, fibrillation}) == 4, "a rhythm that begins in the last sample counts"


def test_a_record_without_rhythms_has_beats_alone(annotated, monkeypatch):
    monkeypatch.setattr(recut, "read_rhythms", lambda path: (np.empty(0, np.int64), np.empty(0, str)))
    kind = recut.contents("any", np.array([0, 400, 700]), LENGTH)
    assert kind[0] == kind[2] != kind[1]


def test_a_choice_of_zero_is_the_windows_own_place():
    source = Places(np.arange(50, dtype=np.int16), (np.array([7, 3, 30]), np.array([20])), 5)
    cut = source.cut(np.array([0, 1, 0, 0]), np.array([0.0, 0.99, 0.4, 0.999]))
    assert cut[:, 0].tolist() == [7, 20, 3, 30]
    assert cut.shape == (4, 5) and cut.dtype == np.int16
    assert np.array_equal(np.diff(cut, axis=1), np.ones((4, 4)))


@pytest.mark.parametrize("name", ["ecg17", "ecg5"])
@pytest.mark.parametrize("protocol", ["kfold", "stratified"])
def test_no_place_shares_a_sample_with_a_held_out_window(name, protocol, mitdb, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(mitdb.parent))
    windows = ecg.load(name)
    parts = split(windows, protocol, 1)
    few = np.random.default_rng(0).choice(len(windows), 120, replace=False)  # of a few records all, to keep it short
    records = np.unique(windows.record[few])[:6]
    some = windows.subset(np.isin(windows.record, records))
    train = np.flatnonzero(np.isin(np.flatnonzero(np.isin(windows.record, records)), parts.train))
    found = places(some, train, step=360)
    np.testing.assert_array_equal(found.cut(np.arange(len(train)), np.zeros(len(train))), some.x[train])
    held = np.setdiff1d(np.arange(len(some)), train)
    offset = {}
    for row, starts in zip(train.tolist(), found.starts, strict=True):
        key = (some.record[row], some.lead[row])
        offset.setdefault(key, starts[0] - some.start[row])
        assert starts[0] - some.start[row] == offset[key]
        begin = starts - offset[key]
        others = some.start[held[some.record[held] == some.record[row]]]
        assert (np.abs(begin[:, None] - others[None, :]) >= some.length).all()
    assert max(len(starts) for starts in found.starts) > 5, "somewhere there must be more than one place"
    assert not len(overlaps(some, train, held))


def test_synthetic_windows_have_no_other_place():
    from bnn.data.synthetic import synthetic_set

    windows = synthetic_set("ecg17", 1)
    with pytest.raises(DataError, match="come from no record that they could be cut from anew"):
        places(windows, np.arange(5))
