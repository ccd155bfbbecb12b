"""The trained networks of the zoo are what their metadata says."""

import pytest

from bnn.data.ecg import load
from bnn.data.splits import split
from bnn.metrics import report
from bnn.models.checkpoint import load_model
from bnn.train.evaluate import check_classes, predict
from bnn.zoo import model_path

TASKS = ("ecg17", "ecg5")


@pytest.mark.parametrize("task", TASKS)
def test_it_was_trained_on_recordings_to_the_accuracy_wanted(task):
    net, metadata = load_model(model_path(task))
    assert net.config.binary
    assert (metadata["protocol"], metadata["split_seed"], metadata["data"]["name"]) == ("paper", 0, task)
    assert metadata["recipe"]["name"] == "best" and not metadata["data"]["synthetic"]
    assert metadata["data"]["val"] > 0  # on which the epoch was chosen
    assert metadata["epochs_done"] == metadata["recipe"]["epochs"]
    assert metadata["test"]["accuracy"] >= 0.945


@pytest.mark.parametrize("task", TASKS)
def test_its_figures_come_out_again(task, mitdb, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(mitdb.parent))
    net, metadata = load_model(model_path(task))
    windows = load(task)
    check_classes(net, windows)
    test = split(windows, metadata["protocol"], metadata["split_seed"], metadata["fold"]).test
    figures = report(windows.y[test], predict(net, windows.x[test]), windows.classes)
    assert figures.accuracy == pytest.approx(metadata["test"]["accuracy"], abs=1.5 / len(test))  # float sums may differ
    assert figures.windows == metadata["data"]["test"]
