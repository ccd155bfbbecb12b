"""Training and running a tiny sleep network: two stages, resuming, exits at a speed."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from bnn.data.sleep.splits import split
from bnn.data.sleep.synthetic import synthetic_nights
from bnn.data.synthetic import synthetic_set
from bnn.errors import ModelError
from bnn.exits import sweep
from bnn.models.checkpoint import load_model
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.cost import macs_per_epoch, stage_costs
from bnn.models.sleep.networks import blank
from bnn.train.loop import train
from bnn.train.recipes import recipe
from bnn.train.sleep.batches import scale_of, scaled, to_network
from bnn.train.sleep.evaluate import adaptive, exit_logits, first_sure, uncertainty
from bnn.train.sleep.exits import NetExits
from bnn.train.sleep.module import SleepTraining, divergence
from bnn.train.sleep.task import SleepTask
from bnn.train.soft_labels import soft_labels
from bnn.train.teacher import load_teacher

TINY = dict(features=8, feed_forward=16, epochs=3, student_epochs=2, batch=16, lr=0.003)
QUIET = dict(accelerator="cpu", progress=False)
FROZEN = ("extractors.", "exits.2.")


def tiny(**changes):
    return recipe("sleep", **(TINY | changes))


@pytest.fixture(scope="module")
def nights():
    return synthetic_nights(subjects=4, nights=1, per_night=16)


@pytest.fixture(scope="module")
def trained(nights, tmp_path_factory):
    """The path of a finished run's network."""
    return train(tiny(), nights, split(nights), tmp_path_factory.mktemp("sleep") / "run", **QUIET)


def column(run, name):
    rows = csv.DictReader((run.parent / "logs" / "version_0" / "metrics.csv").open())
    return [float(row[name]) for row in rows if row[name]]


def test_a_run_keeps_figures_of_each_exit(nights, trained):
    run = json.loads((trained.parent / "run.json").read_text())
    assert (run["protocol"], run["folds"], run["epochs_done"]) == ("subjects", 4, 5)
    assert (run["data"]["name"], run["data"]["synthetic"]) == ("sleep-synthetic", True)
    net, metadata = load_model(trained, "sleep")
    assert metadata == run
    test = nights.subset(split(nights).test)
    accuracies = (exit_logits(net, test.x).argmax(axis=2) == test.y).mean(axis=1)
    assert [e["accuracy"] for e in run["test"]["exits"].values()] == pytest.approx(accuracies.tolist())
    assert run["test"]["accuracy"] == run["test"]["exits"]["emg"]["accuracy"]
    assert set(run["test"]["f1"]) == set(nights.classes) and "kappa" in run["test"]


def test_each_stage_has_a_schedule_of_its_own(trained):
    assert column(trained, "lr") == pytest.approx([0.003 * 0.93**k for k in (0, 1, 2, 0, 1)])
    assert len(column(trained, "val_accuracy_eeg")) == 2


def test_students_learn_on_the_best_network_of_the_first_stage_and_leave_it_as_it_is(nights, trained, tmp_path):
    longer = train(tiny(student_epochs=3), nights, split(nights), tmp_path / "run", **QUIET)
    one, other = load_file(trained), load_file(longer)
    frozen = {name for name in one if name.startswith(FROZEN)}
    assert all(torch.equal(one[name], other[name]) for name in frozen)
    assert any(not torch.equal(one[name], other[name]) for name in one.keys() - frozen)
    val = nights.subset(split(nights).val)
    accuracy = (exit_logits(load_model(trained)[0], val.x)[-1].argmax(axis=1) == val.y).mean()
    assert accuracy == pytest.approx(max(column(trained, "val_accuracy")[:3]))


@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupted_run_resumes_to_the_same_weights(epoch, nights, trained, tmp_path, monkeypatch):
    """The crash comes in the middle of the first stage, or in the first epoch of the second."""
    step = SleepTraining.training_step

    def crash(self, batch, index):
        if self.current_epoch == epoch and index == 1:
            raise RuntimeError("power cut")
        return step(self, batch, index)

    arguments = tiny(), nights, split(nights), tmp_path / "cut"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(SleepTraining, "training_step", crash)
        train(*arguments, **QUIET)
    torch.rand(5)  # the global generator stands elsewhere in a new process
    resumed = load_file(train(*arguments, resume=True, **QUIET))
    assert all(torch.equal(value, resumed[name]) for name, value in load_file(trained).items())


def one_batch(nights, recipe_, students):
    config = SleepConfig(nights.classes, (2, 1, 1), (256, 256, 256), features=8, feed_forward=16)
    module = SleepTraining(blank(config, 0), recipe_, 0)
    module._enter(students)
    module.eval()
    x = to_network(config, nights.x, np.arange(12))
    y = torch.from_numpy(nights.y[:12])
    return module, x, y, module.net(x)


def test_the_first_stage_weighs_the_classes(nights):
    module, x, y, (_, _, last) = one_batch(nights, tiny(), students=False)
    loss, (logits,) = module.judge(x, y)
    weights = torch.tensor([1.0, 1.8, 1.0, 1.25, 1.2])
    wanted = (functional.cross_entropy(last, y, reduction="none") * weights[y]).sum() / weights[y].sum()
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(logits, last)


def test_the_second_stage_distils_or_learns_from_labels(nights):
    module, x, y, (eeg, eog, last) = one_batch(nights, tiny(), students=True)
    loss, students = module.judge(x, y)
    p = [torch.softmax(z, dim=1) for z in (eeg, eog, last)]
    wanted = sum((s * (s / p[2]).log()).sum(dim=1).mean() for s in p[:2])
    torch.testing.assert_close(loss, wanted)
    assert len(students) == 2
    loss.backward()
    got = {name for name, value in module.net.named_parameters() if value.grad is not None}
    assert got and not [name for name in got if name.startswith(FROZEN)]
    module, x, y, _ = one_batch(nights, tiny(distillation=False), students=True)
    weight = module.class_weights
    torch.testing.assert_close(
        module.judge(x, y)[0], sum(functional.cross_entropy(z, y, weight=weight) for z in (eeg, eog))
    )


def test_divergence_is_zero_between_equals_and_teaches():
    teacher = torch.log_softmax(torch.tensor([[2.0, 0.0, -1.0]]), dim=1)
    assert divergence(teacher, teacher).item() == pytest.approx(0, abs=1e-7)
    logits = torch.zeros(1, 3, requires_grad=True)
    divergence(torch.log_softmax(logits, dim=1), teacher).backward()
    assert logits.grad[0, 0] < 0 < logits.grad[0, 2]  # a step downhill goes towards the teacher


def test_a_lesson_takes_its_share_of_the_first_stage(nights):
    """T^2 KL(teacher || network) of both softened, against a plain sum."""
    module, x, y, (_, _, last) = one_batch(nights, tiny(teaching=0.25, temperature=3.0), students=False)
    lesson = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    told, (logits,) = module.judge(x, y, lesson)
    p, q = (torch.softmax(z / 3, dim=1) for z in (lesson, last))
    wanted = 9 * (p * (p / q).log()).sum(dim=1).mean()
    torch.testing.assert_close(told, 0.75 * module.judge(x, y)[0] + 0.25 * wanted)
    torch.testing.assert_close(logits, last)
    module._enter(students=True)
    torch.testing.assert_close(module.judge(x, y, lesson)[0], module.judge(x, y)[0])


def test_lessons_go_with_their_epochs(nights, trained):
    teacher, s = load_model(trained)[0], split(nights)
    batches = list(SleepTask(tiny(teaching=0.5), nights, s, 0, teacher).batches(lambda: 1))
    assert sum(len(y) for _, y, _ in batches) == len(s.train)
    for x, _, lesson in batches:
        with torch.no_grad():
            torch.testing.assert_close(lesson, torch.log_softmax(teacher.last(x), dim=1), atol=1e-4, rtol=1e-4)
    assert all(len(batch) == 2 for batch in SleepTask(tiny(), nights, s, 0).batches(lambda: 0))


def test_a_run_on_the_same_split_may_teach(nights, trained):
    run = json.loads((trained.parent / "run.json").read_text())
    teacher = load_teacher(trained, tiny(teaching=0.5), run)
    p = soft_labels(teacher, nights)
    np.testing.assert_allclose(p, torch.softmax(torch.from_numpy(exit_logits(teacher, nights.x)[-1]), dim=1), atol=1e-6)
    assert teacher.config == load_model(trained)[0].config and not any(p.requires_grad for p in teacher.parameters())
    with pytest.raises(ModelError, match="the teacher was trained on another split"):
        load_teacher(trained, tiny(teaching=0.5), run | {"data": {"sha256": "0" * 64}})


def test_a_set_of_one_signal_has_one_exit_and_one_stage(nights, tmp_path):
    eeg = nights.only("eeg")
    path = train(tiny(epochs=1), eeg, split(eeg), tmp_path / "run", **QUIET)
    net, run = load_model(path)
    assert (net.config.signals, run["epochs_done"], list(run["test"]["exits"])) == (("eeg",), 1, ["eeg"])


def test_sets_that_fit_no_recipe(nights, tmp_path):
    with pytest.raises(ModelError, match="sleep-synthetic has no EEG, with which the network begins"):
        train(tiny(), nights.only("eog"), split(nights), tmp_path / "run", **QUIET)
    pulses = synthetic_set("ecg5", per_class=2, seed=0)
    with pytest.raises(ModelError, match="recipe sleep/default trains on nights of sleep, but .* windows of an ECG"):
        train(tiny(), pulses, split(nights), tmp_path / "run", **QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(exits=4), "exits is 4, wanted 1 to 3"),
        (dict(dropout=1.0), r"dropout is 1.0, wanted a number in \[0, 1\)"),
        (dict(features=20), "features is 20, wanted a multiple of 8"),
        (dict(class_weights=[1, 1, 1]), "wanted five numbers above 0"),
        (dict(decay=0.0), r"decay is 0.0, wanted a number in \(0, 1\]"),
        (dict(teaching=1.5), "teaching is 1.5, wanted a number in"),
        (dict(temperature=0.0), "temperature is 0.0, wanted above 0"),
    ],
)
def test_recipes_that_make_no_sense(changes, words):
    with pytest.raises(ModelError, match=words):
        tiny(**changes)


def test_a_scale_is_the_power_of_two_nearest_to_the_level():
    x = np.full((5, 2, 30), 300, np.int16)
    assert scale_of(x, np.arange(5), chunk=2) == 256
    x[3:] = 3000
    assert scale_of(x, np.arange(3)) == 256 and scale_of(np.zeros_like(x), np.arange(3)) == 1
    config = SleepConfig(("a", "b"), (2,), (256,))
    raw = np.array([[[-32768, -1, 0, 1, 32767]]], np.int16)
    np.testing.assert_array_equal((scaled(config, "eeg", raw) * 256).numpy(), raw)


def test_uncertainty_goes_from_certain_to_uniform():
    logits = torch.tensor([[50.0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [np.log(3), 0, -50, -50, -50]])
    p = np.array([0.75, 0.25])
    wanted = [0, 1, -(p * np.log(p)).sum() / np.log(5)]
    np.testing.assert_allclose(uncertainty(logits), wanted, atol=1e-6)


@pytest.fixture(scope="module")
def spread_out(nights):
    """A random network whose exits are of all degrees of certainty: logits are centred, and spread by 3."""
    config = SleepConfig(nights.classes, (2, 1, 1), (256, 256, 256), features=8, feed_forward=16)
    net = blank(config, 1)
    with torch.no_grad():
        for leave, logits in zip(net.exits, torch.from_numpy(exit_logits(net, nights.x)), strict=True):
            steepness = 3 / logits.std(dim=0)
            leave.head[-1].bias.copy_((leave.head[-1].bias - logits.mean(dim=0)) * steepness)
            leave.head[-1].weight.mul_(steepness[:, None])
    return net


@pytest.mark.parametrize("speed", [0, 0.2, 0.5, 0.8, 1])
def test_stages_run_only_for_epochs_that_stay(speed, nights, spread_out, monkeypatch):
    seen = {}
    hooks = [
        module.register_forward_hook(lambda m, x, y, key=key: seen.__setitem__(key, seen.get(key, 0) + len(y)))
        for kind in ("extractors", "exits")
        for key, module in ((f"{kind}{k}", m) for k, m in enumerate(getattr(spread_out, kind)))
    ]
    monkeypatch.setattr("bnn.train.sleep.evaluate.BATCH", 40)
    answers = adaptive(spread_out, nights.x, speed)
    for hook in hooks:
        hook.remove()
    wanted = first_sure(exit_logits(spread_out, nights.x), speed)
    np.testing.assert_array_equal(answers.exit, wanted.exit)
    np.testing.assert_allclose(answers.logits, wanted.logits, rtol=1e-4, atol=1e-4)
    staying = [int((answers.exit >= k).sum()) for k in range(3)]
    assert [seen.get(f"extractors{k}", 0) for k in range(3)] == staying
    assert [seen.get(f"exits{k}", 0) for k in range(3)] == ([0, 0, len(nights)] if speed == 0 else staying)
    if 0.2 <= speed <= 0.5:
        assert len(np.unique(answers.exit)) == 3


def test_the_first_exit_below_the_speed_answers():
    sure, doubtful = [9.0, 0, 0], [0.1, 0, 0]
    logits = np.array([[sure, doubtful, doubtful], [doubtful, sure, doubtful]], np.float32)
    assert first_sure(logits, 0.5).exit.tolist() == [0, 1, 1]
    assert first_sure(logits, 0).exit.tolist() == [1, 1, 1]
    with pytest.raises(ModelError, match="speed is 1.5, wanted 0"):
        first_sure(logits, 1.5)


def test_a_sweep_adds_up(nights, spread_out):
    slow, middle, fast = sweep(NetExits(spread_out), nights.x, nights.y, [0, 0.5, 1])
    costs = stage_costs(spread_out.config)
    assert slow.macs == macs_per_epoch(costs, [1, 1, 1], early=False)
    assert fast.macs == costs[0].extractor.macs + costs[0].exit.macs
    assert sum(e.epochs for e in middle.exits) == len(nights)
    right = sum(e.epochs * e.accuracy for e in middle.exits)
    assert right / len(nights) == pytest.approx(middle.figures.accuracy)
    assert slow.exits[0].accuracy is None and slow.exits[2].share == 1


def test_epochs_that_do_not_fit_are_named(nights, spread_out):
    with pytest.raises(ModelError, match=r"have eog of shape none, but the network takes \(1, 3000\)"):
        exit_logits(spread_out, nights.only("eeg").x)
    short = replace(nights.signals["eeg"], x=nights.x["eeg"][:, :1], channels=("one",))
    with pytest.raises(ModelError, match=r"have eeg of shape \(1, 3000\), but the network takes \(2, 3000\)"):
        adaptive(spread_out, {"eeg": short.x}, 0.5)
