import numpy as np
import pytest

from bnn.data import ecg
from bnn.data.annotations import CLASS_OF_BEAT, window_class, window_classes
from bnn.data.mitdb import DS1, DS2
from bnn.data.records import read_record
from bnn.errors import DataError

COUNTS_17 = dict(
    zip(ecg.CLASSES_17, (283, 66, 20, 135, 13, 21, 133, 55, 13, 10, 10, 10, 11, 103, 62, 10, 45), strict=True)
)


@pytest.mark.parametrize(
    ("symbols", "wanted"),
    [
        ("NNNN", "N"),
        ("NLRej", "N"),
        ("NNNNV", "V"),
        ("NAAV", "S"),
        ("AV", "V"),  # a tie goes to the graver class
        ("AF", "S"),
        ("F/", "F"),
        ("//V", "Q"),
        ("+~N|", "N"),
        ("+~[!]", None),
        ("", None),
    ],
)
def test_class_of_a_window(symbols, wanted):
    assert window_class(symbols) == wanted


def test_beats_at_the_edges_of_a_window():
    """A window holds its first sample and not the one behind its last."""
    sample, symbol = np.array([10, 20, 30]), np.array(["A", "V", "F"])
    assert window_classes(sample, symbol, np.array([10, 11, 20, 31]), 10) == ["S", "V", "V", None]


def test_every_beat_symbol_has_one_class():
    assert len(CLASS_OF_BEAT) == 15 and "".join(sorted(CLASS_OF_BEAT)) == "/AEFJLNQRSVaefj"


def test_tables_need_no_records():
    index = ecg.read_table("ecg17")
    names, counts = np.unique(index.label, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == COUNTS_17
    assert len(ecg.read_table("ecg5").label) == 7740


def test_ecg17(mitdb):
    windows = ecg.load_ecg17()
    assert windows.counts() == COUNTS_17 and windows.x.shape == (1000, 3600)
    assert len(np.unique(windows.record)) == 45 and not windows.synthetic
    i = 400
    signal = read_record(mitdb / str(windows.record[i])).signal
    np.testing.assert_array_equal(windows.x[i], signal[windows.start[i] :][:3600])
    assert windows.x.min() >= 0 and windows.x.max() <= 2047


def test_nine_pairs_of_ecg17_are_identical(mitdb):
    windows = ecg.load_ecg17()
    _, counts = np.unique(windows.x, axis=0, return_counts=True)
    assert np.bincount(counts).tolist() == [0, 982, 9]


def test_ecg5_has_two_kinds_of_labels(mitdb):
    published, annotated = ecg.load_ecg5(), ecg.load_ecg5("annotations")
    assert list(published.counts().values()) == [5186, 545, 1890, 100, 19]
    assert list(annotated.counts().values()) == [4868, 632, 2139, 93, 8]
    np.testing.assert_array_equal(published.x, annotated.x)
    assert len(np.unique(published.record)) == 43
    assert round(float((published.y == annotated.y).mean()), 3) == 0.952


def test_windows_with_their_past(mitdb):
    """The second half is a window of ecg5, the first what comes before it; a record's first window stands twice."""
    plain, past = ecg.load_ecg5(), ecg.load("ecg5-past")
    np.testing.assert_array_equal(past.x[:, 3600:], plain.x)
    for name in ("y", "record", "start"):
        np.testing.assert_array_equal(getattr(past, name), getattr(plain, name))
    first = past.start < 3600
    assert first.sum() == 43
    np.testing.assert_array_equal(past.x[first, :3600], plain.x[first])
    for i in np.flatnonzero(~first)[[0, 100, -1]]:
        signal = read_record(mitdb / str(past.record[i])).signal
        np.testing.assert_array_equal(past.x[i], signal[past.start[i] - 3600 :][:7200])


def test_aami_has_all_44_records(mitdb):
    windows = ecg.load_aami()
    assert set(windows.record.tolist()) == set(DS1 + DS2)
    assert len(windows) == 44 * 180 - 11  # 11 windows hold no beat
    assert list(windows.counts().values()) == [4996, 638, 2172, 95, 8]


def test_aami4_is_aami_without_q(mitdb):
    windows, everything = ecg.load_aami4(), ecg.load_aami()
    assert windows.classes == ("N", "S", "V", "F")
    assert list(windows.counts().values()) == [4996, 638, 2172, 95]
    np.testing.assert_array_equal(windows.x, everything.x[everything.y < 4])
    assert ecg.load("aami4") is windows


def test_windows_know_their_lead(mitdb):
    windows = ecg.load_ecg17()
    assert dict(zip(*np.unique(windows.lead, return_counts=True), strict=True)) == {"MLII": 997, "V1": 3}
    for i in np.flatnonzero(windows.lead == "V1"):
        signal = read_record(mitdb / str(windows.record[i]), "V1").signal
        np.testing.assert_array_equal(windows.x[i], signal[windows.start[i] :][:3600])
    assert set(windows.subset(windows.lead == "V1").lead.tolist()) == {"V1"}


def test_a_set_is_read_once_and_cannot_be_changed(mitdb):
    windows = ecg.load("ecg17")
    assert ecg.load("ecg17") is windows
    with pytest.raises(ValueError, match="read-only"):
        windows.x[0, 0] = 0


def test_unknown_names():
    known = "ecg17, ecg5, ecg5-past, ecg5-annotations, aami, aami4"
    with pytest.raises(DataError, match=f"ecg18: no such set, wanted one of {known}"):
        ecg.load("ecg18")
    with pytest.raises(DataError, match="labels 'mine' are not known, wanted published or annotations"):
        ecg.load_ecg5("mine")


def test_short_record(write_record, monkeypatch):
    path = write_record(np.arange(5000), name="100")
    index = ecg.Index(*(np.array([v]) for v in ("N", "100", "MLII", 3600)))
    with pytest.raises(DataError, match="record 100: 5000 samples, wanted at least 7200"):
        ecg.cut(path.parent, index)
