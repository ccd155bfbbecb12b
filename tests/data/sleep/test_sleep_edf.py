"""Nights of Sleep-EDF, whole and odd, as files of the same headers and annotation layout."""

import datetime

import numpy as np
import pytest

from bnn.data.sleep import sets
from bnn.data.sleep.epochs import STAGES
from bnn.data.sleep.nights import read_night
from bnn.data.sleep.sleep_edf import SLEEP_EDF_20, SLEEP_EDF_78, find_20, find_all
from bnn.errors import DataError


def read(folder):
    (night,) = find_all(folder)
    return read_night(SLEEP_EDF_20, night)


def refused(folder, words):
    with pytest.raises(DataError, match=words):
        read(folder)


def test_a_night(write_cassette, tmp_path):
    digital = write_cassette(tmp_path)
    epochs = read(tmp_path)
    # 80 epochs of wake, 60 of them kept; 87 is movement time, 89 was not scored
    assert epochs.position.tolist() == [*range(20, 87), 88, 90]
    assert [STAGES[s] for s in epochs.stage[60:]] == "N1 N1 N2 N2 N3 N3 REM N2 N2".split()
    assert set(epochs.subject) == {"00"} and set(epochs.night) == {"SC4001E"}
    assert {key: s.x.shape[1:] for key, s in epochs.signals.items()} == {
        "eeg": (2, 3000),
        "eog": (1, 3000),
        "emg": (1, 30),
    }
    assert epochs.signals["emg"].fs == 1 and epochs.signals["eeg"].channels == ("EEG Fpz-Cz", "EEG Pz-Oz")
    fpz = (digital["EEG Fpz-Cz"][88 * 3000 : 89 * 3000] + 2048.0) * 384 / 4095 - 192
    np.testing.assert_array_equal(epochs.signals["eeg"].x[67, 0], np.rint(fpz * 16))
    emg = digital["EMG submental"][20 * 30 : 21 * 30] / 500
    np.testing.assert_array_equal(epochs.signals["emg"].x[0, 0], np.rint(emg * 512))


def test_channels_go_by_name(write_cassette, tmp_path):
    write_cassette(tmp_path / "a")
    write_cassette(tmp_path / "b", order=-1)
    assert read(tmp_path / "b").signals["eeg"].channels == read(tmp_path / "a").signals["eeg"].channels


def test_millivolts_are_voltages_too(write_cassette, tmp_path):
    digital = write_cassette(tmp_path, change={"EOG horizontal": (100, "mV", (-1, 1), (-2000, 2000))})
    wanted = np.rint(digital["EOG horizontal"][20 * 3000 : 21 * 3000] / 2.0 * 16)
    np.testing.assert_array_equal(read(tmp_path).signals["eog"].x[0, 0], wanted)


def test_large_values_saturate(write_cassette, tmp_path):
    write_cassette(tmp_path, change={"EOG horizontal": (100, "uV", (-9000, 9000), (-2048, 2047))})
    x = read(tmp_path).signals["eog"].x
    assert (x.min(), x.max()) == (-(2**15), 2**15 - 1)


def test_hypnogram_shorter_than_the_signals(write_cassette, tmp_path):
    write_cassette(tmp_path, marks=[(0, 300, "Sleep stage W"), (300, 600, "Sleep stage 2")])
    assert read(tmp_path).position.tolist() == list(range(30))


def test_hypnogram_longer_than_the_signals(write_cassette, tmp_path):
    write_cassette(tmp_path, epochs=84)
    epochs = read(tmp_path)
    assert epochs.position.tolist() == list(range(20, 84)) and epochs.counts()["N2"] == 2


def test_a_gap_in_the_scoring(write_cassette, tmp_path):
    write_cassette(tmp_path, marks=[(0, 90, "Sleep stage 1"), (150, 45, "Sleep stage R"), (195, 75, "Sleep stage 2")])
    assert read(tmp_path).position.tolist() == [0, 1, 2, 5, 7, 8]


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([(0, 30, "Sleep stage 5")], "stage 'Sleep stage 5' at 0 s is not known, wanted one of Sleep stage W"),
        ([(0, 90, "Sleep stage 1"), (60, 30, "Sleep stage 2")], "'Sleep stage 2' at 60 s begins before"),
        ([(0, 3000, "Sleep stage ?")], "none of 150 epochs is scored; check that the scoring SC4001EC-Hypnogram.edf"),
    ],
)
def test_odd_hypnograms(write_cassette, tmp_path, marks, words):
    write_cassette(tmp_path, marks=marks)
    refused(tmp_path, words)


def test_a_recording_for_a_hypnogram(write_cassette, tmp_path):
    write_cassette(tmp_path)
    (tmp_path / "SC4001EC-Hypnogram.edf").write_bytes((tmp_path / "SC4001E0-PSG.edf").read_bytes())
    refused(tmp_path, "SC4001EC-Hypnogram.edf: holds no annotation; wanted a hypnogram in EDF")


def test_missing_channel(write_cassette, tmp_path):
    write_cassette(tmp_path, change={"EEG Pz-Oz": None})
    refused(tmp_path, "SC4001E0-PSG.edf: no channel EEG Pz-Oz, the recording has EEG Fpz-Cz, EOG horizontal")


def test_wrong_rate(write_cassette, tmp_path):
    write_cassette(tmp_path, change={"EMG submental": (100, "uV", (-5, 5), (-2500, 2500))})
    refused(tmp_path, "EMG submental: 100 samples per second, wanted 1; leave the recording out")


@pytest.mark.parametrize("unit", ["DegC", ""])
def test_no_voltage(write_cassette, tmp_path, unit):
    write_cassette(tmp_path, change={"EEG Fpz-Cz": (100, unit, (-5, 5), (-2500, 2500))})
    refused(tmp_path, f"EEG Fpz-Cz: its unit is {unit or 'empty'}, wanted a voltage")


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_truncated_recording(write_cassette, tmp_path, keep):
    write_cassette(tmp_path)
    path = tmp_path / "SC4001E0-PSG.edf"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    refused(tmp_path, "SC4001E0-PSG.edf: truncated, [0-9]+ of the 150 data records that its header promises")


@pytest.mark.parametrize("file", ["SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"])
@pytest.mark.parametrize("content", [b"", b"0" * 100, b"not EDF" * 1000, bytes(5000)])
def test_no_edf_at_all(write_cassette, tmp_path, file, content):
    write_cassette(tmp_path)
    (tmp_path / file).write_bytes(content)
    refused(tmp_path, f"{file}: not an EDF file, or damaged")


def test_damaged_annotations(write_cassette, tmp_path):
    write_cassette(tmp_path)
    path = tmp_path / "SC4001EC-Hypnogram.edf"
    path.write_bytes(path.read_bytes().replace(b"\x14", b"\xff"))
    refused(tmp_path, "SC4001EC-Hypnogram.edf: damaged annotations")


@pytest.mark.parametrize(("file", "header"), [("SC4001E0-PSG.edf", 8 * 256), ("SC4001EC-Hypnogram.edf", 900)])
def test_any_damage_to_a_header_is_a_data_error(write_cassette, tmp_path, file, header):
    """Bytes of header or annotations changed at random: the night can still be read, or the error is ours."""
    write_cassette(tmp_path, epochs=10, marks=[(60 * i, 60, f"Sleep stage {s}") for i, s in enumerate("W12R?")])
    whole = (tmp_path / file).read_bytes()
    rng = np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        content = np.frombuffer(whole, np.uint8).copy()
        at = rng.integers(0, min(header, len(content)), rng.choice([1, 2, 20]))
        content[at] = rng.choice(np.frombuffer(b" 019-\0\xffX", np.uint8), len(at))
        (tmp_path / file).write_bytes(content.tobytes())
        try:
            outcomes.add(len(read(tmp_path)) > 0)
        except DataError:
            outcomes.add("refused")
    assert outcomes == {True, "refused"}


@pytest.mark.parametrize(("column", "value"), [(128, "-3000"), (128, "-2048"), (112, "-192"), (112, "nan"), (104, "x")])
def test_no_range_of_values(write_cassette, tmp_path, column, value):
    """Physical minimum and maximum, then digital ones, follow 104, 112, 120 and 128 characters a signal."""
    write_cassette(tmp_path)
    path = tmp_path / "SC4001E0-PSG.edf"
    content = bytearray(path.read_bytes())
    at = 256 + 7 * column
    content[at : at + 8] = f"{value:8}".encode()
    path.write_bytes(content)
    refused(tmp_path, "EEG Fpz-Cz: the header gives no range of values .*; fetch the file again")


def test_interrupted_recording(write_cassette, write_edf, tmp_path):
    write_cassette(tmp_path)
    path = tmp_path / "SC4001E0-PSG.edf"
    content = path.read_bytes()
    path.write_bytes(content[:192] + b"EDF+D" + content[197:])
    refused(tmp_path, "an interrupted recording .EDF.D., wanted one without gaps")


def test_another_start(write_cassette, tmp_path):
    write_cassette(tmp_path, hypnogram_start=datetime.time(16, 13, 30))
    refused(tmp_path, "begins at 16:13:30, the recording SC4001E0-PSG.edf at 16:13:00; wanted the same time")


def test_hypnogram_missing(write_cassette, tmp_path):
    write_cassette(tmp_path)
    (tmp_path / "SC4001EC-Hypnogram.edf").unlink()
    with pytest.raises(DataError, match=r"0 hypnograms SC4001E\?-Hypnogram.edf beside it, wanted one"):
        find_all(tmp_path)


def test_nights_and_subjects(write_cassette, tmp_path):
    for name, scorer in (("SC4001E", "C"), ("SC4002E", "C"), ("SC4191E", "P"), ("SC4201E", "C")):
        write_cassette(tmp_path / "sleep-cassette", name, scorer, epochs=3, marks=[(0, 90, "Sleep stage 2")])
    (tmp_path / "ST7011J0-PSG.edf").touch()
    nights = find_all(tmp_path)
    assert [(n.name, n.subject) for n in nights] == [
        ("SC4001E", "00"),
        ("SC4002E", "00"),
        ("SC4191E", "19"),
        ("SC4201E", "20"),
    ]
    assert [n.name for n in find_20(tmp_path)] == ["SC4001E", "SC4002E", "SC4191E"]
    assert nights[2].scoring[0].name == "SC4191EP-Hypnogram.edf"
    with pytest.raises(DataError, match="no night of Sleep-EDF there, wanted SC4ssNEO-PSG.edf"):
        find_all(tmp_path / "sleep-cassette" / "none")
    (tmp_path / "sleep-cassette" / "SC4x-PSG.edf").touch()
    with pytest.raises(DataError, match="SC4x-PSG.edf: its name tells no subject and night"):
        find_all(tmp_path)


def test_loading_by_name(write_cassette, tmp_path, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for seed, name in enumerate(("SC4001E", "SC4002E", "SC4011E", "SC4201E")):
        write_cassette(tmp_path / "sleep-edf", name, epochs=100, seed=seed)
    epochs = sets.load("sleep-edf-20")
    assert epochs.describe() == (
        "sleep-edf-20: 207 epochs of 30 s, 2 EEG at 100 Hz, 1 EOG at 100 Hz, 1 EMG at 1 Hz, 2 subjects, 3 nights"
    )
    assert len(sets.load("sleep-edf-78")) == 276 and SLEEP_EDF_78.folder == SLEEP_EDF_20.folder
    assert set(sets.load("sleep-edf-20", ["01"]).night) == {"SC4011E"}
    with pytest.raises(DataError, match="sleep-edf-20: no subject 20, the set has 2, 00 to 01"):
        sets.load("sleep-edf-20", ["00", "20"])
