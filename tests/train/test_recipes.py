"""Named recipes, and overrides that fail in words."""

import json

import pytest

from bnn.errors import ModelError
from bnn.train.augment import Augmentation
from bnn.train.recipes import recipe, recipe_names


@pytest.mark.parametrize("task", ["ecg17", "ecg5"])
def test_every_task_has_the_three_recipes(task):
    strangers = ("inter-patient", "inter-patient-float") if task == "ecg5" else ()
    assert recipe_names(task) == ("default", "paper", "float", "best", "best-float", "plus", "plus-float", *strangers)
    assert all(recipe(task, name).task == task for name in recipe_names(task))
    assert all(recipe(task, name).binary != name.endswith("float") for name in recipe_names(task))


def test_the_paper_set_up():
    five, seventeen = recipe("ecg5", "paper"), recipe("ecg17", "paper")
    assert (five.batch, five.lr, seventeen.batch, seventeen.lr) == (512, 0.02, 64, 0.002)
    for r in (five, seventeen):
        assert (r.epochs, r.schedule, r.dropout, r.logit_scale) == (1000, "constant", 0.5, 1.0)
        assert r.augmentation() is None
        assert (r.weight_estimator, r.activation_estimator) == ("annealed", "annealed")


def test_overrides_and_what_follows_from_them():
    r = recipe("ecg17", epochs=3, lr=1, shift=False, weight_estimator="ste")
    assert (r.epochs, r.lr, type(r.lr)) == (3, 1.0, float)
    assert r.augmentation() == Augmentation(False, 0.1, 0.02)
    config = r.config(("a", "b"), 400)
    assert (config.classes, config.samples, config.weight_estimator) == (("a", "b"), 400, "ste")
    assert json.loads(json.dumps(r.to_dict()))["epochs"] == 3


def test_the_readout_is_the_networks():
    assert recipe("ecg5").config(("a", "b"), 400).readout == "sum"
    assert recipe("ecg5", "plus").config(("a", "b"), 3600).pools == [(7, 2)] * 5 + [(59, 59)]


def test_windows_that_hold_their_past():
    config = recipe("ecg5", normalisation="past").config(("a", "b"), 7200)
    assert (config.samples, config.raw_samples, config.normalisation) == (3600, 7200, "past")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(task="ecg9"), "task 'ecg9' is unknown; choose one of ecg17, ecg5"),
        (
            dict(task="ecg5", name="finest"),
            "task ecg5 has no recipe 'finest'; choose one of default, paper, float, best",
        ),
        (dict(task="ecg5", epoch=3), "a recipe has no field 'epoch'; its fields are epochs, batch"),
        (dict(task="ecg5", task_name="x"), "no field 'task_name'"),
        (dict(task="ecg5", epochs=0), "recipe ecg5/default: epochs is 0, wanted at least 1; change the value"),
        (dict(task="ecg5", epochs="ten"), "epochs is 'ten', wanted int"),
        (dict(task="ecg5", epochs=2.5), "epochs is 2.5, wanted int"),
        (dict(task="ecg5", shift=1), "shift is 1, wanted bool"),
        (dict(task="ecg5", epochs=True), "epochs is True, wanted int"),
        (dict(task="ecg5", lr=0.0), r"lr is 0.0, wanted a number in \(0, 1\]"),
        (dict(task="ecg5", lr=float("nan")), "lr is nan, wanted"),
        (dict(task="ecg5", normalisation="none"), "normalisation is 'none', wanted window or past"),
        (dict(task="ecg5", readout="mean"), "readout is 'mean', wanted sum or max"),
        (dict(task="ecg5", schedule="step"), "schedule is 'step', wanted cosine or constant"),
        (dict(task="ecg5", weight_estimator="x"), "weight_estimator is 'x', wanted annealed or ste or approxsign"),
        (dict(task="ecg5", dropout=1.0), "dropout is 1.0, wanted"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ModelError, match=words):
        recipe(**call)
