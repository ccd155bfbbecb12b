import json

import pytest

from bnn.errors import FileError
from firmware.manifest import read_manifest
from tests.firmware.toy import MANIFEST, write_toy


def test_what_the_generator_wrote_is_read(toy):
    manifest = read_manifest(toy)
    assert (manifest.name, manifest.classes, manifest.values) == ("toy", ("A", "B", "C", "D"), 64)
    assert [(t.id, t.type, t.shape, t.first_bit) for t in manifest.traces][:2] == [
        (0, "int32", (2,), 0),
        (1, "bit", (3, 64), 5),
    ]


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"holds 0 manifests \(none\), but a generated folder has one NAME.json"):
        read_manifest(tmp_path)


def test_two_manifests_are_refused(tmp_path):
    write_toy(tmp_path)
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(FileError, match=r"holds 2 manifests \(other.json, toy.json\)"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3}', '{"format": 3, "name": "toy", "classes": 3}'])
def test_a_damaged_manifest_is_refused(tmp_path, text):
    (tmp_path / "toy.json").write_text(text)
    with pytest.raises(FileError, match=r"toy.json: is not a manifest of generated C .*; run bnn generate again"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 4}, r"has format 4, but this laboratory reads format 3; generate again"),
        ({"form": "drip"}, r"form 'drip', not one of window, stream; run bnn generate again"),
        (
            {"trace": [{"id": 1, "name": "a", "type": "int32", "shape": [2], "layout": "rows"}]},
            r"trace a is in rows, but only maps are",
        ),
        ({"name": "to-y"}, r"name 'to-y' is not a C identifier"),
        ({"sources": ["toy.c", "lost.c"]}, r"source lost.c is listed but missing"),
        (
            {"trace": [{"id": 1, "name": "a", "type": "float", "shape": [2]}]},
            r"trace a has type 'float', not one of bit",
        ),
        ({"trace": MANIFEST["trace"] + MANIFEST["trace"][:1]}, r"two traces share one id"),
        ({"trace": MANIFEST["trace"] + [{**MANIFEST["trace"][0], "id": 99}]}, r"two traces share one name"),
    ],
)
def test_a_manifest_that_cannot_be_built_is_refused(tmp_path, change, words):
    with pytest.raises(FileError, match=words):
        read_manifest(write_toy(tmp_path, **change))


def test_several_signals_add_up(tmp_path):
    signals = [{"name": "eeg", "samples": 30, "channels": 2}, {"name": "ecg", "samples": 4, "channels": 1}]
    manifest = read_manifest(write_toy(tmp_path, signals=signals))
    assert manifest.values == 64
    assert json.loads((tmp_path / "toy.json").read_text())["signals"] == signals


def test_stages_are_called_by_their_names(tmp_path):
    signals = [{"name": "eeg", "samples": 10, "channels": 2}, {"name": "eog", "samples": 10, "channels": 1}]
    stages = [{"name": "first", "signals": ["eeg"]}, {"name": "second", "signals": ["eog"]}]
    manifest = read_manifest(write_toy(tmp_path / "a", signals=signals, stages=stages))
    assert manifest.entries == ("toy_first", "toy_second") and manifest.values == 30
    stages[1]["signals"] = ["emg"]
    with pytest.raises(FileError, match=r"toy.json: stage second reads emg, no signal of it; run bnn generate again"):
        read_manifest(write_toy(tmp_path / "b", signals=signals, stages=stages))
