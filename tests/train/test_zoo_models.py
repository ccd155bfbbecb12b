"""The trained networks of the zoo are what their metadata says."""

import pytest

from bnn.data.ecg import load
from bnn.data.splits import split
from bnn.metrics import report
from bnn.models.checkpoint import load_model
from bnn.train.evaluate import check_classes, predict
from bnn.train.recipes import recipe
from bnn.zoo import model_path

TRAINED = {
    "ecg17": ("ecg17", "best", "paper", 0.945),
    "ecg17-float": ("ecg17", "best-float", "paper", 0.945),
    "ecg5": ("ecg5", "best", "paper", 0.945),
    "ecg5-float": ("ecg5", "best-float", "paper", 0.945),
    "ecg5-plus": ("ecg5", "plus", "paper", 0.96),
    "ecg5-plus-float": ("ecg5", "plus-float", "paper", 0.96),
    "ecg-aami": ("aami4", "inter-patient", "inter-patient", 0.75),
    "ecg-aami-float": ("aami4", "inter-patient-float", "inter-patient", 0.75),
}
"""By name: set, recipe, protocol, and an accuracy that the test part exceeds."""


@pytest.mark.parametrize("name", TRAINED)
def test_it_was_trained_on_recordings_to_the_accuracy_wanted(name):
    data, recipe_name, protocol, least = TRAINED[name]
    net, metadata = load_model(model_path(name))
    of = recipe(metadata["recipe"]["task"], recipe_name)
    assert net.config.binary == of.binary and net.config.channels == of.channels and net.config.readout == of.readout
    assert (metadata["protocol"], metadata["split_seed"], metadata["data"]["name"]) == (protocol, 0, data)
    assert metadata["recipe"]["name"] == recipe_name and not metadata["data"]["synthetic"]
    assert metadata["data"]["val"] > 0  # on which the epoch was chosen
    assert metadata["epochs_done"] == metadata["recipe"]["epochs"] == of.epochs
    assert metadata["test"]["accuracy"] >= least


@pytest.mark.parametrize("name", TRAINED)
def test_its_figures_come_out_again(name, mitdb, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(mitdb.parent))
    net, metadata = load_model(model_path(name))
    windows = load(metadata["data"]["name"])
    check_classes(net, windows)
    test = split(windows, metadata["protocol"], metadata["split_seed"], metadata["fold"]).test
    figures = report(windows.y[test], predict(net, windows.x[test]), windows.classes)
    assert figures.accuracy == pytest.approx(metadata["test"]["accuracy"], abs=1.5 / len(test))  # float sums may differ
    assert figures.windows == metadata["data"]["test"]
