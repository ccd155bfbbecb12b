"""The size-accuracy front: a point is what the linked image stores and the mean over the seeds that lie there."""

import shutil
import subprocess
import sys

import pytest

pytest.importorskip("torch")

from benchmarks import front
from bnn import zoo
from tests.runs import write_run


def test_a_point_is_of_the_image_and_of_all_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(front, "RUNS", tmp_path)
    for seed, hits in ((0, 8), (1, 9), (2, 10)):
        run = write_run(tmp_path / front.SIZES[2] / f"seed-{seed}", seed=seed, protocol="paper", hits=hits)
        shutil.copy(zoo.model_path("ecg5"), run / "model.safetensors")
    point = front.measure(front.SIZES[2])
    assert point["bytes"] == 3740 and point["name"] == front.SIZES[2]  # as `bnn inspect ecg5` says
    assert point["accuracy"] == pytest.approx(0.9) and point["sd"] == pytest.approx(0.1)
    assert (point["set"], point["protocol"]) == ("ecg5", "paper")


def test_a_training_that_fails_ends_it_with_one_line(tmp_path):
    seed = "123456789"  # of which no run lies there
    command = [sys.executable, front.__file__, "--train", front.SIZES[0], "--seed", seed]
    ran = subprocess.run(command, env={"BNN_DATA": str(tmp_path), "PATH": ""}, capture_output=True, text=True)
    assert ran.returncode == 2 and "Traceback" not in ran.stderr
    assert "bnn: " in ran.stderr.splitlines()[-1]
