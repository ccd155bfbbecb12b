"""Where sets come from: the folder of BNN_DATA, PhysioNet, the cache of prepared nights, arrays."""

import os
from pathlib import Path

import numpy as np
import pytest

from bnn.data.download import fetch
from bnn.data.sleep import cache, places, sets, stored
from bnn.data.sleep.nights import read_night
from bnn.data.sleep.resample import resample
from bnn.data.sleep.sleep_edf import SLEEP_EDF_20, SLEEP_EDF_78, find_all
from bnn.data.sleep.splits import folds_of, split
from bnn.errors import DataError


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    """An empty cache, and no BNN_DATA."""
    monkeypatch.delenv("BNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bnn-wearables"


@pytest.fixture
def real(monkeypatch):
    """The folder of the real epochs."""
    folder = os.environ.get("BNN_DATA", "")
    if not all((Path(folder) / file).is_file() for file in stored.FILES.values()):
        pytest.skip("no real epochs of sleep: set BNN_DATA to the folder that holds ucddb_eeg.npz")


def test_the_manifest_is_the_data_sets():
    """153 nights of 78 subjects: two each, but for the three that PhysioNet says were lost."""
    everything = places.manifest("sleep-edf-78")
    psg = [item.name for item in everything if item.name.endswith("-PSG.edf")]
    hypnograms = {item.name[:7] for item in everything if item.name.endswith("-Hypnogram.edf")}
    assert len(psg) == len(hypnograms) == 153 and {name[:7] for name in psg} == hypnograms
    nights = {subject: sum(name[3:5] == subject for name in psg) for subject in {name[3:5] for name in psg}}
    assert len(nights) == 78 and {s for s, n in nights.items() if n == 1} == {"13", "36", "52"}
    assert len(places.manifest("sleep-edf-20")) == 78
    assert {(item.algorithm, len(item.digest), item.size) for item in everything} == {("sha1", 40, None)}
    with pytest.raises(DataError, match="shhs: no checksums of it are published"):
        places.manifest("shhs")


def test_sleep_edf_is_fetched_once(own_cache, monkeypatch):
    calls = []

    def fake(url, items, folder):
        calls.append((url, len(items)))
        folder.mkdir(parents=True, exist_ok=True)
        for item in items:
            (folder / item.name).touch()

    monkeypatch.setattr(places, "fetch", fake)
    assert places.at_hand(SLEEP_EDF_20) is None
    assert places.locate(SLEEP_EDF_20) == places.locate(SLEEP_EDF_20) == own_cache / "sleep-edf"
    assert places.locate(SLEEP_EDF_78) == places.at_hand(SLEEP_EDF_78)
    assert [n for _, n in calls] == [78, 306]
    assert calls[0][0] == "https://physionet.org/files/sleep-edfx/1.0.0/sleep-cassette/"
    assert fetch is not fake


def test_what_cannot_be_fetched_says_where_it_is(own_cache, monkeypatch, tmp_path):
    with pytest.raises(
        DataError, match="isruc-3: no such folder, .*get them from https://sleeptight.isr.uc.pt .subgroup 3"
    ):
        sets.load("isruc-3")
    with pytest.raises(DataError, match="sleepdata.org/datasets/shhs"):
        sets.load("shhs")
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    with pytest.raises(DataError, match="sleep-edf: no such folder, though BNN_DATA is set; .*or unset"):
        sets.load("sleep-edf-20")
    with pytest.raises(
        DataError, match="mine: no such set of nights, wanted one of sleep-edf-20, sleep-edf-78, isruc-1"
    ):
        sets.load("mine")


def test_whereabouts(own_cache, monkeypatch, tmp_path):
    assert sets.whereabouts("sleep-synthetic").startswith("SYNTHETIC")
    assert "`bnn data fetch sleep-edf-20` gets them" in sets.whereabouts("sleep-edf-20")
    assert "sleeptight" in sets.whereabouts("isruc-1") and "ucddb_eeg.npz" in sets.whereabouts("ucddb")
    (tmp_path / "isruc-1").mkdir()
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    assert sets.whereabouts("isruc-1") == str(tmp_path / "isruc-1")


def same(a, b):
    columns = all(np.array_equal(getattr(a, c), getattr(b, c)) for c in ("stage", "subject", "night", "position"))
    signals = all(np.array_equal(a.signals[k].x, b.signals[k].x) and a.signals[k].like(b.signals[k]) for k in a.signals)
    return columns and signals and a.describe() == b.describe() and list(a.signals) == list(b.signals)


def test_a_prepared_night_is_the_night(write_cassette, own_cache, tmp_path, monkeypatch):
    write_cassette(tmp_path / "sleep-edf")
    (night,) = find_all(tmp_path / "sleep-edf")
    epochs = cache.prepared(SLEEP_EDF_20, night)
    assert same(epochs, read_night(SLEEP_EDF_20, night))
    monkeypatch.setattr(cache, "read_night", lambda *_: pytest.fail("read again"))
    assert same(epochs, cache.prepared(SLEEP_EDF_20, night))


def test_the_cache_knows_what_changed(write_cassette, own_cache, tmp_path):
    folder = tmp_path / "sleep-edf"
    write_cassette(folder)
    (night,) = find_all(folder)
    first = cache.prepared(SLEEP_EDF_20, night)
    write_cassette(folder, marks=[(0, 300, "Sleep stage 2")])
    assert len(cache.prepared(SLEEP_EDF_20, night)) == 10 != len(first)
    write_cassette(folder, seed=1)
    second = cache.prepared(SLEEP_EDF_20, night)
    assert len(second) == len(first) and not same(first, second)
    assert cache.prepared(SLEEP_EDF_78, night).name == "sleep-edf-78"
    assert len(list((own_cache / "prepared").glob("*.npz"))) == 4


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_damaged_cache_is_replaced(write_cassette, own_cache, tmp_path, content):
    write_cassette(tmp_path / "sleep-edf")
    (night,) = find_all(tmp_path / "sleep-edf")
    epochs = cache.prepared(SLEEP_EDF_20, night)
    (file,) = (own_cache / "prepared").iterdir()
    whole = file.read_bytes()
    file.write_bytes(content or whole[: len(whole) // 2])
    assert same(epochs, cache.prepared(SLEEP_EDF_20, night)) and file.read_bytes() == whole


def test_ucddb(real):
    epochs = sets.load("ucddb")
    assert epochs.describe() == "ucddb: 7400 epochs of 30 s, 1 EEG at 128 Hz, 25 subjects, 25 nights"
    assert epochs.counts() == {"W": 4380, "N1": 58, "N2": 280, "N3": 2663, "REM": 19}
    assert set(epochs.night[epochs.stage == 2]) == {"ucddb018"}
    assert folds_of(epochs, "leave-one-out") == 25
    s = split(epochs, "subjects", fold=3)
    assert not set(epochs.night[s.train]) & set(epochs.night[s.test])
    few = epochs.subset(np.arange(0, 7400, 500))
    slow = resample(few).signals["eeg"]
    assert slow.x.shape == (15, 1, 3000) and (slow.fs, slow.gain, slow.unit) == (100, 511.875, "")
    before, after = (band_power(x) for x in (few.signals["eeg"].x, slow.x))
    np.testing.assert_allclose(after, before, rtol=0.03)


def test_one_subject_of_a_stored_set(real):
    epochs = sets.load("ucddb", ["ucddb018"])
    assert len(epochs) == 822 and set(epochs.subject) == {"ucddb018"} and epochs.counts()["REM"] == 19
    with pytest.raises(DataError, match="ucddb: no subject 18, the set has 25, ucddb002 to ucddb028"):
        sets.load("ucddb", ["18"])


def test_the_synthetic_set_by_name():
    epochs = sets.load("sleep-synthetic", ["synthetic07"])
    assert epochs.synthetic and len(epochs) == 200 and "SYNTHETIC" in epochs.describe()


def band_power(x):
    """(n, channels): the power between 0.5 and 35 Hz of epochs of any rate."""
    spectrum = abs(np.fft.rfft(x - x.mean(axis=2, keepdims=True)) / x.shape[2]) ** 2
    return spectrum[:, :, round(0.5 * 30) : 35 * 30].sum(axis=2)


def test_sc4001(real):
    epochs = sets.load("sc4001")
    assert epochs.describe() == (
        "sc4001: 14 epochs of 30 s, 2 EEG at 100 Hz, 1 EOG at 100 Hz, 1 EMG at 100 Hz, 1 subjects, 1 nights"
    )
    assert epochs.counts() == {"W": 2, "N1": 0, "N2": 7, "N3": 1, "REM": 4}
    np.testing.assert_array_equal(
        epochs.signals["eeg"].x[0, 0, :3], np.rint(np.array([41.58828, 33.617584, 27.897436]) * 16)
    )
    assert epochs.signals["emg"].x.max() == round(3.5843787 * 512)


def test_arrays_not_at_hand(own_cache, monkeypatch, tmp_path):
    with pytest.raises(DataError, match="ucddb: ucddb_eeg.npz is not at hand; set BNN_DATA"):
        sets.load("ucddb")
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    (tmp_path / "sc4001_epochs.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="sc4001_epochs.npz: not the arrays x, stage"):
        sets.load("sc4001")
