from dataclasses import replace

import numpy as np
import pytest

from bnn.data.sleep.epochs import Signal, join
from bnn.errors import DataError


def test_subset_keeps_epochs_together(make_epochs):
    epochs = make_epochs(list("aabbcc"))
    part = epochs.subset(np.array([4, 1]))
    assert part.subject.tolist() == ["c", "a"] and part.stage.tolist() == [4, 1] and part.position.tolist() == [4, 1]
    for key in ("eeg", "eog"):
        np.testing.assert_array_equal(part.signals[key].x, epochs.signals[key].x[[4, 1]])
    assert len(epochs.subset(epochs.subject == "b")) == 2


def test_counts_and_description(make_epochs):
    epochs = make_epochs(list("aab"), night=["1", "2", "3"], stage=[0, 0, 4])
    assert epochs.counts() == {"W": 2, "N1": 0, "N2": 0, "N3": 0, "REM": 1}
    assert epochs.describe() == "made: 3 epochs of 30 s, 2 EEG at 4 Hz, 1 EOG at 4 Hz, 2 subjects, 3 nights"
    assert "SYNTHETIC signals, no patient" in replace(epochs, synthetic=True).describe()


def test_only_some_signals(make_epochs):
    epochs = make_epochs(list("ab"))
    assert list(epochs.only("eog").signals) == ["eog"] and len(epochs.only("eog")) == 2
    with pytest.raises(DataError, match="made: no signal emg, the set has eeg, eog"):
        epochs.only("eeg", "emg")


def test_join(make_epochs):
    a, b = make_epochs(list("aa")), make_epochs(list("bbb"), seed=1)
    both = join("both", [a, b])
    assert both.name == "both" and both.subject.tolist() == list("aabbb")
    np.testing.assert_array_equal(both.signals["eeg"].x[2:], b.signals["eeg"].x)
    with pytest.raises(DataError, match="both: no night to make a set of"):
        join("both", [])


@pytest.mark.parametrize("change", [{"gain": 8.0}, {"unit": ""}, {"channels": ("x", "y")}])
def test_join_refuses_other_signals(make_epochs, change):
    a, b = make_epochs(list("aa")), make_epochs(list("bb"))
    b = replace(b, signals=b.signals | {"eeg": replace(b.signals["eeg"], **change)})
    with pytest.raises(DataError, match="cannot be joined to .*the signals differ"):
        join("both", [a, b])
    with pytest.raises(DataError, match="the signals differ"):
        join("both", [a, a.only("eeg")])


def changed(epochs, **fields):
    return lambda: replace(epochs, **fields)


def test_what_does_not_fit_is_refused(make_epochs):
    epochs = make_epochs(list("aabb"))
    eeg = epochs.signals["eeg"]
    for fields, words in (
        ({"stage": np.array([0, 1, 5, 4])}, "epoch 2 of night b-0 has stage 5, wanted 0 to 4 .W N1 N2 N3 REM.; 1 of 4"),
        ({"stage": np.array([0, -1, 2, 4])}, "has stage -1"),
        ({"stage": np.zeros(4)}, "stage holds float64, wanted int64"),
        ({"subject": np.array(list("aab"))}, r"subject has shape \(3,\), wanted \(4,\)"),
        ({"subject": np.arange(4)}, "subject holds int64, wanted names"),
        ({"night": np.array(["n"] * 4)}, "night n belongs to subjects a and b, wanted one subject"),
        ({"signals": {}}, "has no signal"),
        ({"signals": {"eeg": replace(eeg, fs=8.0)}}, r"eeg: x has shape \(4, 2, 120\), wanted \(4, 2, 240\)"),
        ({"signals": {"eeg": replace(eeg, x=eeg.x[:3])}}, r"x has shape \(3, 2, 120\), wanted \(4, 2, 120\)"),
        ({"signals": {"eeg": replace(eeg, x=eeg.x / 1.0)}}, "x holds float64, wanted int16 ADC units"),
        ({"signals": {"eeg": replace(eeg, gain=0.0)}}, "gain is 0.0, wanted a positive number"),
        ({"signals": {"eeg": Signal(eeg.x[:, :0], (), 4.0, 1.0)}}, "eeg: x has shape"),
    ):
        with pytest.raises(DataError, match=words):
            changed(epochs, **fields)()
