"""Where 5-class networks err: the windows are told apart as the annotations say."""

import numpy as np
import pytest

from benchmarks.errors import abnormal_beats, groups, labels_agree
from bnn.data.ecg import WINDOW, load
from bnn.data.records import read_annotations


@pytest.fixture
def windows(mitdb, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(mitdb.parent))
    return load("ecg5")


def test_abnormal_beats_are_those_of_the_annotations(windows, mitdb):
    chosen = windows.subset(np.flatnonzero(np.isin(windows.record, ["100", "214", "223"]))[::17])
    found = abnormal_beats(chosen)
    for record, start, count in zip(chosen.record, chosen.start, found, strict=True):
        sample, symbol = read_annotations(mitdb / str(record))
        within = (sample >= start) & (sample < start + WINDOW)
        assert count == sum(str(s) in "AaJSVEF/fQ" for s in symbol[within])
    assert found.max() > 5 and found.min() == 0


def test_labels_agree_where_the_facts_say(windows):
    assert labels_agree(windows).mean() == pytest.approx(0.952, abs=5e-4)


def test_every_window_is_counted_once(windows):
    every, *counted, agree, differ = groups(windows).values()
    assert every.all() and (np.sum(counted, axis=0) == 1).all() and (agree ^ differ).all()
