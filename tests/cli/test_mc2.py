"""From nights to MC2SleepNet, its figures and its soft labels, on the command line."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from bnn.data.sleep import sets  # noqa: E402
from bnn.data.sleep.synthetic import synthetic_nights  # noqa: E402

TINY = ("width=16", "cnn=8", "spectrogram_layers=1", "layers=1", "heads=2", "feed_forward=16", "sequence=5") + (
    "gap=60", "epochs=1", "align_epochs=1", "mask_epochs=1", "batch=16", "sequences=4",
)  # fmt: skip
CHANGES = [text for change in TINY for text in ("--with", change)]


@pytest.fixture(scope="module", autouse=True)
def few():
    """A few synthetic nights stand for the set of many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sets.LOADERS, sets.SYNTHETIC, lambda: synthetic_nights(4, 1, 16))
        yield


@pytest.fixture
def run(bnn, tmp_path):
    ran = bnn("train", "mc2sleep", "--set", "sleep-synthetic", "--fold", 3, *CHANGES, "--out", tmp_path / "run",
              "--accelerator", "cpu")  # fmt: skip
    assert ran.code == 0, ran
    assert "SYNTHETIC signals: these figures say nothing about patients" in ran.out
    assert "protocol subjects (seed 0, fold 3), test part, 16 windows" in ran.out
    assert "by the vote of all sequences of up to 5 epochs" in ran.out and "kappa" in ran.out
    assert "all, vote of 5 sequences" in ran.out
    return tmp_path / "run"


def test_evaluation_repeats_the_figures_and_soft_labels_agree_with_them(bnn, refused, run, tmp_path):
    kept = json.loads((run / "run.json").read_text())["test"]
    told = json.loads(bnn("evaluate", run, "--json").out)
    assert (told["set"], told["synthetic"], told["protocol"], told["fold"]) == ("sleep-synthetic", True, "subjects", 3)
    assert told["accuracy"] == kept["accuracy"] == told["heads"][-1]["accuracy"]
    assert [head["name"] for head in told["heads"]] == list(kept["heads"])
    assert told["parameters"] == sum(part["parameters"] for part in told["parts"])

    labels = tmp_path / "labels.safetensors"
    assert "64 epochs x 5 classes" in bnn("soft-labels", run, "--out", labels).out
    with safe_open(labels, "np") as file:
        p, about = file.get_tensor("probabilities"), file.metadata()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (about["set"], about["synthetic"], about["protocol"], about["fold"]) == (
        "sleep-synthetic", "yes", "subjects", "3",
    )  # fmt: skip
    assert "exists already" in refused("soft-labels", run, "--out", labels)
    line = refused("soft-labels", run, "--out", tmp_path / "other", "--fold", 2)
    assert "the teacher was trained on another split" in line and not (tmp_path / "other").exists()

    assert "one exit, so a speed decides nothing" in refused("evaluate", run, "--speed", 0.5)
    assert "holds a network 'mc2sleep', wanted 'ecg'" in refused("lower", run, "--out", tmp_path / "x.graph")
    (summary,) = json.loads(bnn("runs", run, "--json").out)
    assert summary["recipe"].startswith("mc2sleep/default epochs=1")


def test_distil_into_a_binarised_network_on_the_teachers_split(bnn, refused, run, tmp_path):
    student = ["--recipe", "tiny"] + [
        t for c in ("features=4", "hidden=8", "epochs=1", "student_epochs=1") for t in ("--with", c)
    ]
    common = ("distill", "--teacher", run, *student, "--accelerator", "cpu")
    ran = bnn(*common, "--out", tmp_path / "taught")
    assert ran.code == 0 and "protocol subjects (seed 0, fold 3), test part, 16 windows" in ran.out, ran
    told = json.loads((tmp_path / "taught" / "run.json").read_text())
    assert (told["recipe"]["name"], told["recipe"]["binary"], told["recipe"]["teaching"]) == ("tiny", True, 0.5)
    assert told["teacher"] == hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    assert bnn("lower", tmp_path / "taught", "--out", tmp_path / "taught.graph").code in (0, 1)  # hardly trained
    assert (tmp_path / "taught.graph").exists()
    assert "the teacher was trained on another split" in refused(*common, "--fold", 2, "--out", tmp_path / "x")
    assert "has no recipe 'tiny'" in refused(*common, "--student", "ecg5", "--out", tmp_path / "x")
    assert "nothing: neither a .safetensors file nor" in refused(
        "distill", "--teacher", tmp_path / "nothing", "--out", tmp_path / "x"
    )
    assert not (tmp_path / "x").exists()


def test_phases_one_by_one(bnn, refused, tmp_path):
    common = ("train", "mc2sleep", "--set", "sleep-synthetic", *CHANGES, "--accelerator", "cpu")
    align, tune = tmp_path / "align", tmp_path / "tune"
    ran = bnn(*common, "--with", "phase=align", "--out", align)
    assert ran.code == 0 and "accuracy" not in ran.out
    line = refused("evaluate", align)
    assert "ended with the phase align, so it tells no stages yet; go on with `bnn train mc2sleep" in line
    assert bnn(*common, "--with", "phase=tune", "--from", align, "--out", tune).code == 0
    assert "name it with --from" in refused(*common, "--with", "phase=tune", "--out", tmp_path / "x")
    assert "leave --devices out" in refused("train", "ecg5", "--synthetic", "--devices", 2, "--out", tmp_path / "x")
    assert "task mc2sleep: which nights? Name them with --set" in refused("train", "mc2sleep")


@pytest.mark.full
def test_two_devices_share_a_run(tmp_path):
    """Two processes, which Lightning starts and joins; the first alone writes, and prints the figures once."""
    command = ["train", "mc2sleep", "--set", "sleep-synthetic", *CHANGES, "--out", str(tmp_path / "run")]
    command += ["--accelerator", "cpu", "--devices", "2"]
    ran = subprocess.run([sys.executable, "-m", "bnn.cli", *command], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("test part, 400 windows") == 1 and ran.stderr.count("wrote") == 1
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["epochs_done"] == 3 and "fused" in run["test"]["heads"]
