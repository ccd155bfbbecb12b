"""ISRUC and SHHS: their layouts, channels and scorings, whole and odd."""

import numpy as np
import pytest

from bnn.data.sleep import isruc, shhs
from bnn.data.sleep.isruc import ISRUC_1, ISRUC_3
from bnn.data.sleep.nights import read_night
from bnn.data.sleep.shhs import SHHS
from bnn.errors import DataError

ISRUC_LABELS = "LOC-A2 ROC-A1 F3-A2 C3-A2 O1-A2 F4-A1 C4-A1 O2-A1 X1 X2 X3 X4 X5 X6 DC3 X7 X8 SaO2 DC8".split()
OTHER_LABELS = "E1-M2 E2-M1 F3-M2 C3-M2 O1-M2 F4-M1 C4-M1 O2-M1 X1 X2 X3 X4 X5 X6 DC3 X7 X8 SaO2 DC8".split()
SHHS_CHANNELS = (
    ("SaO2", 1, "", (0, 100), (-32768, 32767)),
    ("EEG(sec)", 125, "uV", (-125, 125), (-128, 127)),
    ("EMG", 125, "uV", (-31.5, 31.5), (-128, 127)),
    ("EOG(L)", 50, "uV", (-125, 125), (-128, 127)),
    ("EOG(R)", 50, "uV", (-125, 125), (-128, 127)),
    ("EEG", 125, "uV", (-125, 125), (-128, 127)),
)


@pytest.fixture
def write_isruc(write_edf):
    """A function that writes the folder of one subject."""

    def write(folder, subject=1, one="0123555", other="0123550", labels=ISRUC_LABELS, epochs=8):
        path = folder / str(subject) / f"{subject}.rec"
        channels = [(label, 200, "uV", (-3200, 3200), (-32768, 32767)) for label in labels]
        digital = write_edf(path, channels, epochs * 30)
        for scorer, text in ((1, one), (2, other)):
            path.with_name(f"{subject}_{scorer}.txt").write_text("\n".join(text) + "\n\n")
        return digital

    return write


@pytest.mark.parametrize("labels", [ISRUC_LABELS, OTHER_LABELS])
def test_isruc(write_isruc, tmp_path, labels):
    digital = write_isruc(tmp_path, 12, labels=labels)
    (night,) = isruc.find(tmp_path, "isruc-3")
    epochs = read_night(ISRUC_3, night)
    assert epochs.name == "isruc-3" and set(epochs.subject) == {"12"}
    assert epochs.stage.tolist() == [0, 1, 2, 3, 4, 4], "the scorers part at the last epoch; the eighth is not scored"
    shapes = {key: s.x.shape for key, s in epochs.signals.items()}
    assert shapes == {"eeg": (6, 6, 6000), "eog": (6, 2, 6000), "emg": (6, 3, 6000)}
    assert epochs.signals["eeg"].channels == ("F3-A2", "C3-A2", "O1-A2", "F4-A1", "C4-A1", "O2-A1")
    leg = (digital["X4"][:6000] + 32768.0) * 6400 / 65535 - 3200
    np.testing.assert_array_equal(epochs.signals["emg"].x[0, 2], np.clip(np.rint(leg * 16), -(2**15), 2**15 - 1))


def test_isruc_scoring_longer_than_the_recording(write_isruc, tmp_path):
    write_isruc(tmp_path, epochs=3, other="0123555000")
    (night,) = isruc.find(tmp_path, "isruc-1")
    assert read_night(ISRUC_1, night).stage.tolist() == [0, 1, 2]


def test_isruc_nights_in_order(write_isruc, tmp_path):
    for subject in (10, 9, 100):
        write_isruc(tmp_path, subject, epochs=1)
    assert [night.name for night in isruc.find(tmp_path, "isruc-1")] == ["isruc-1-9", "isruc-1-10", "isruc-1-100"]
    (tmp_path / "9" / "9_2.txt").unlink()
    with pytest.raises(DataError, match="9.rec: no 9_2.txt beside it, wanted both scorings"):
        isruc.find(tmp_path, "isruc-1")
    with pytest.raises(DataError, match="no night of isruc-3 there, wanted n/n.rec"):
        isruc.find(tmp_path / "10", "isruc-3")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"one": "014"}, "1_1.txt: epoch 2 is scored '4', wanted one of 0, 1, 2, 3, 5 .*; 1 of 3 lines"),
        ({"labels": ISRUC_LABELS[:-10]}, "no channel X3, the recording has LOC-A2"),
        ({"one": "0000", "other": "5555"}, "none of 8 epochs is scored"),
    ],
)
def test_isruc_odd(write_isruc, tmp_path, change, words):
    write_isruc(tmp_path, **change)
    with pytest.raises(DataError, match=words):
        read_night(ISRUC_1, isruc.find(tmp_path, "isruc-1")[0])


def nsrr(*stages):
    """NSRR's annotation file: other events stand between the stages."""
    event = (
        "<ScoredEvent><EventType>{}</EventType><EventConcept>{}</EventConcept><Start>{}</Start><Duration>{}</Duration>"
        "</ScoredEvent>"
    )
    events = [event.format("", "Recording Start Time", 0, 300)]
    events += [event.format("Stages|Stages", *stage) for stage in stages]
    events.insert(2, event.format("Respiratory|Respiratory", "Hypopnea|Hypopnea", 35.5, 12.1))
    body = f"<PSGAnnotation><ScoredEvents>{''.join(events)}</ScoredEvents></PSGAnnotation>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


NIGHT = (
    ("Wake|0", 0, 60),
    ("Stage 1 sleep|1", 60, 30),
    ("Stage 2 sleep|2", 90, 30),
    ("Stage 3 sleep|3", 120, 30),
    ("Stage 4 sleep|4", 150, 30),
    ("REM sleep|5", 180, 30),
    ("Movement|6", 210, 30),
    ("Unscored|9", 240, 60),
)


@pytest.fixture
def write_shhs(write_edf, tmp_path):
    """A function that writes one night in NSRR's layout and returns its digital values."""

    def write(annotations=None, channels=SHHS_CHANNELS):
        base = tmp_path / "polysomnography"
        digital = write_edf(base / "edfs/shhs1/shhs1-200001.edf", channels, 300, record=1)
        path = base / "annotations-events-nsrr/shhs1/shhs1-200001-nsrr.xml"
        path.parent.mkdir(parents=True)
        path.write_text(nsrr(*NIGHT) if annotations is None else annotations)
        return digital

    return write


@pytest.mark.parametrize("second", ["EEG(sec)", "EEG sec", "EEG_SEC", "EEG 2", "EEG2"])
def test_shhs(write_shhs, tmp_path, second):
    channels = [(second if c[0] == "EEG(sec)" else c[0], *c[1:]) for c in SHHS_CHANNELS]
    digital = write_shhs(channels=channels)
    (night,) = shhs.find(tmp_path)
    epochs = read_night(SHHS, night)
    assert (night.name, night.subject) == ("shhs1-200001", "200001")
    assert epochs.stage.tolist() == [0, 0, 1, 2, 3, 3, 4]
    assert [s.fs for s in epochs.signals.values()] == [125, 50, 125]
    eeg = (digital[second][:3750] + 128.0) * 250 / 255 - 125
    np.testing.assert_array_equal(epochs.signals["eeg"].x[0, 1], np.rint(eeg * 16))


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ("<PSGAnnotation><Scored", "shhs1-200001-nsrr.xml: damaged annotations"),
        ("<PSGAnnotation/>", "no event of type Stages.Stages"),
        (nsrr(("Stage 7 sleep|7", 0, 30)), "stage 'Stage 7 sleep.7' at 0 s is not known"),
        (nsrr(("Wake|0", "soon", 30)), "damaged annotations .could not convert"),
        (nsrr(("Wake|0", 0, 60), ("REM sleep|5", 30, 30)), "begins before"),
        (
            nsrr(("Wake|0", 0, 30)).replace("<Duration>30</Duration>", ""),
            "damaged annotations .a stage without Duration",
        ),
    ],
)
def test_shhs_odd_annotations(write_shhs, tmp_path, annotations, words):
    write_shhs(annotations)
    with pytest.raises(DataError, match=words):
        read_night(SHHS, shhs.find(tmp_path)[0])


def test_shhs_without_annotations(write_shhs, tmp_path):
    write_shhs()
    next(tmp_path.rglob("*.xml")).unlink()
    with pytest.raises(DataError, match="nsrr.xml: no such file, wanted the annotations of shhs1-200001.edf"):
        shhs.find(tmp_path)
    with pytest.raises(DataError, match="no night of shhs there"):
        shhs.find(tmp_path / "elsewhere")
