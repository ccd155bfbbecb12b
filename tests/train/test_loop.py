"""Training on small windows: what is written, interruption and resume, validation, bad folders."""

import csv
import json
import signal
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bnn.data.splits import split
from bnn.data.windows import WindowSet
from bnn.errors import FileError, ModelError, ToolError
from bnn.models.checkpoint import load_model
from bnn.models.ecg import EcgNet, blank
from bnn.train.evaluate import check_classes, logits, predict
from bnn.train.loop import train
from bnn.train.module import EcgTraining
from bnn.train.recipes import recipe

SAMPLES = 400


def windows(n=90, seed=0) -> WindowSet:
    """Three classes of pulse trains, told apart by their rate, in noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    time = np.arange(SAMPLES)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    x = 1000 + 200 * np.cos(time * 0.05 * 2.0 ** y[:, None] + phase) ** 8 + rng.normal(0, 10, (n, SAMPLES))
    record = np.array([f"r{i % 10}" for i in range(n)])
    return WindowSet("pulses", ("slow", "medium", "fast"), x.astype(np.int16), y, record, np.zeros(n, np.int64), True)


def small(**overrides):
    return recipe("ecg5", **({"epochs": 3, "batch": 16} | overrides))


@pytest.fixture
def data():
    w = windows()
    return w, split(w, "stratified", 0)


def weights(path):
    return load_file(path)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_writes_its_network_logs_and_account(data, tmp_path):
    w, s = data
    path = train(small(), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    net, metadata = load_model(path)
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert metadata == run
    assert (run["protocol"], run["seed"], run["epochs_done"], run["resumed"]) == ("stratified", 0, 3, False)
    assert run["recipe"]["epochs"] == 3 and run["versions"]["torch"] and run["seconds"] > 0
    assert (run["data"]["name"], run["data"]["synthetic"], run["data"]["test"]) == ("pulses", True, len(s.test))
    assert run["test"]["accuracy"] == pytest.approx((predict(net, w.x[s.test]) == w.y[s.test]).mean())
    rows = list(csv.DictReader((tmp_path / "run" / "logs" / "version_0" / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert float(rows[0]["lr"]) == pytest.approx(0.01)
    assert float(rows[2]["train_loss"]) < float(rows[0]["train_loss"])
    assert list((tmp_path / "run" / "logs" / "version_0").glob("events.out.tfevents*"))


def test_training_learns(data, tmp_path):
    w, s = data
    train(small(epochs=25), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["test"]["accuracy"] >= 0.8


@pytest.mark.parametrize(
    ("protocol", "changes"), [("stratified", {}), ("kfold", {}), ("stratified", {"real_weights": 0.5, "balance": 0.5})]
)
def test_an_interrupted_run_resumes_to_the_same_weights(protocol, changes, tmp_path, monkeypatch):
    """The crash comes in the middle of the third epoch, so that epoch is begun again; it may begin a stage."""
    w = windows()
    s = split(w, protocol, 0)
    arguments = (small(epochs=4, **changes), w, s)
    options = dict(seed=7, accelerator="cpu", progress=False)
    whole = train(*arguments, tmp_path / "whole", **options)

    step = EcgTraining.training_step

    def crash(self, batch, index):
        if self.current_epoch == 2 and index == 1:
            raise RuntimeError("power cut")
        return step(self, batch, index)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(EcgTraining, "training_step", crash)
        train(*arguments, tmp_path / "cut", **options)
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    torch.rand(5)  # the global generator stands elsewhere in a new process
    begun = []
    monkeypatch.setattr(
        EcgTraining, "training_step", lambda self, b, i: begun.append(self.current_epoch) or step(self, b, i)
    )
    resumed = train(*arguments, tmp_path / "cut", resume=True, **options)
    assert set(begun) == {2, 3}
    assert same(weights(resumed), weights(whole))
    assert load_model(resumed)[1]["resumed"]


def test_ctrl_c_says_how_to_go_on_and_leaves_the_signal_as_it_was(data, tmp_path, monkeypatch):
    def interrupt(self, batch, index):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(EcgTraining, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt, match="run: stopped in epoch 1 of 3; go on with --resume"):
        train(small(), *data, tmp_path / "run", accelerator="cpu", progress=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(data, tmp_path):
    runs = [
        weights(train(small(epochs=2), *data, tmp_path / str(i), seed=seed, accelerator="cpu", progress=False))
        for i, seed in enumerate((1, 1, 2))
    ]
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_with_a_validation_part_the_best_epoch_is_kept_and_patience_ends_the_run(tmp_path):
    w = windows()
    s = split(w, "kfold", 0)
    path = train(small(epochs=40, patience=2), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    rows = list(csv.DictReader((tmp_path / "run" / "logs" / "version_0" / "metrics.csv").open()))
    val = [float(row["val_accuracy"]) for row in rows if row["val_accuracy"]]
    assert len(val) < 40 and max(val[-2:]) <= max(val[:-2])
    net = load_model(path)[0]
    assert (predict(net, w.x[s.val]) == w.y[s.val]).mean() == pytest.approx(max(val))


def test_an_epoch_that_has_not_settled_is_never_chosen(tmp_path):
    w = windows()
    recipe = small(epochs=12, settled=0.8)
    train(recipe, w, split(w, "kfold", 0), tmp_path / "run", accelerator="cpu", progress=False)
    accuracy, score = (column(tmp_path / "run", f"val_{name}") for name in ("accuracy", "score"))
    assert max(accuracy[:9]) >= min(accuracy[9:]) and max(score[:9]) < min(score[9:])
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == score.index(max(score))


def column(folder, name):
    rows = csv.DictReader((folder / "logs" / "version_0" / "metrics.csv").open())
    return [float(row[name]) for row in rows if row[name]]


def test_the_papers_protocol_notes_its_best_epoch_on_the_test_part_and_chooses_by_validation(tmp_path):
    w = windows()
    s = split(w, "paper", 3)
    path = train(small(epochs=12), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    test, val = (column(tmp_path / "run", f"{part}_accuracy") for part in ("test", "val"))
    best = run["best_on_test"]
    assert best["accuracy"] == pytest.approx(max(test)) and test.index(max(test)) + 1 == best["epoch"]
    net = load_model(path)[0]
    assert (predict(net, w.x[s.val]) == w.y[s.val]).mean() == pytest.approx(max(val))
    assert run["test"]["accuracy"] == pytest.approx((predict(net, w.x[s.test]) == w.y[s.test]).mean())


def test_no_other_protocol_looks_at_the_test_part(tmp_path):
    w = windows()
    train(small(epochs=2), w, split(w, "kfold", 0), tmp_path / "run", accelerator="cpu", progress=False)
    assert "test" not in (tmp_path / "run" / "logs" / "version_0" / "metrics.csv").read_text().splitlines()[0]
    assert "best_on_test" not in json.loads((tmp_path / "run" / "run.json").read_text())


def test_staged_training_trains_real_weights_and_then_binary_ones(data, tmp_path, monkeypatch):
    seen = []
    original = EcgNet.forward

    def forward(self, x):
        if self.training:
            seen.append(self.blocks[1].conv.quant_weight().value.abs().unique().numel() > 1)
        return original(self, x)

    monkeypatch.setattr(EcgNet, "forward", forward)
    recipe = small(epochs=5, real_weights=0.4)
    train(recipe, *data, tmp_path / "run", accelerator="cpu", progress=False)
    steps = len(seen) // 5
    assert seen == [True] * (2 * steps) + [False] * (3 * steps)
    rates = column(tmp_path / "run", "lr")
    assert rates[:3] == pytest.approx([recipe.lr, recipe.lr / 2, recipe.lr])


def test_the_float_twin_trains_through_the_same_loop(data, tmp_path):
    path = train(small(binary=False), *data, tmp_path / "run", accelerator="cpu", progress=False)
    net = load_model(path)[0]
    assert not net.config.binary


def test_progress_bar_shows_epochs_and_figures(data, tmp_path, capsys):
    train(small(epochs=2), *data, tmp_path / "run", accelerator="cpu", progress=True)
    shown = capsys.readouterr().out
    assert "2/2" in shown and "train accuracy" in shown


def test_an_existing_folder_is_left_alone_unless_told_otherwise(data, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match="run: exists already; pass --resume to go on with it, --force to start over"):
        train(small(), *data, tmp_path / "run", accelerator="cpu", progress=False)
    train(small(epochs=1), *data, tmp_path / "run", accelerator="cpu", progress=False, force=True)
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_an_accelerator_that_is_not_here_leaves_nothing_behind(data, tmp_path):
    with pytest.raises(ToolError, match=r"accelerator 'abacus' cannot be used here \(.*\); choose auto or cpu"):
        train(small(), *data, tmp_path / "run", accelerator="abacus", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_runs_away_ends_the_training(data, tmp_path, monkeypatch):
    monkeypatch.setattr(EcgNet, "forward", lambda self, x: self.blocks[0].norm.weight.sum() * x[:, 0, :3] * torch.inf)
    with pytest.raises(ModelError, match="train loss of epoch 1 is nan: training has run away; .* below 0.01"):
        train(small(), *data, tmp_path / "run", accelerator="cpu", progress=False)


def test_a_resumed_run_must_be_the_same_run(data, tmp_path):
    w, s = data
    options = dict(accelerator="cpu", progress=False)
    train(small(epochs=1), w, s, tmp_path / "run", **options)
    with pytest.raises(ModelError, match=r"was begun with another seed \(0\) than asked for now \(5\); resume with"):
        train(small(epochs=1), w, s, tmp_path / "run", seed=5, resume=True, **options)
    with pytest.raises(ModelError, match="another recipe"):
        train(small(epochs=2), w, s, tmp_path / "run", resume=True, **options)
    with pytest.raises(ModelError, match="another protocol"):
        train(small(epochs=1), w, split(w, "paper", 0), tmp_path / "run", resume=True, **options)
    with pytest.raises(ModelError, match="another data"):
        train(small(epochs=1), windows(seed=1), s, tmp_path / "run", resume=True, **options)
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(ModelError, match="run.json: missing or damaged, so there is no run to resume"):
        train(small(epochs=1), w, s, tmp_path / "run", resume=True, **options)


def test_evaluation_does_not_depend_on_the_batch_and_names_misfits(data, tmp_path):
    w, s = data
    net = load_model(train(small(epochs=1), w, s, tmp_path / "run", accelerator="cpu", progress=False))[0].train()
    np.testing.assert_allclose(logits(net, w.x, batch=7), logits(net, w.x, batch=90), rtol=1e-4, atol=1e-3)
    assert net.training
    with pytest.raises(ModelError, match=r"windows have shape \(90, 399\), but the network takes \(n, 400\); cut them"):
        predict(net, w.x[:, 1:])
    check_classes(net, w)
    other = WindowSet("other", ("x", "y", "z"), w.x, w.y, w.record, w.start)
    with pytest.raises(ModelError, match=r"tells 3 classes \(slow medium fast\), but other has 3 \(x y z\); choose"):
        check_classes(net, other)


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ({}, [0.0] * 5 + [-0.5]),  # no sign follows the last block
        ({"monotone": False}, [-0.5] * 6),
        ({"binary": False}, [-0.5] * 6),
    ],
)
def test_a_monotone_recipe_keeps_slopes_before_a_sign_from_falling(overrides, kept):
    chosen = small(**overrides)
    net = blank(chosen.config(("a", "b"), SAMPLES), 0)
    for block in net.blocks:
        torch.nn.init.constant_(block.prelu.weight, -0.5)
    EcgTraining(net, chosen, 0).on_train_batch_end(None, None, 0)
    assert [block.prelu.weight.item() for block in net.blocks] == kept


def test_a_taught_network_follows_its_teacher_and_not_the_labels(data, tmp_path):
    w, s = data
    teacher = train(small(binary=False, epochs=20), w, s, tmp_path / "teacher", accelerator="cpu", progress=False)
    wrong = replace(w, y=(w.y + 1) % 3)  # labels that the teacher contradicts
    sha = json.loads((tmp_path / "teacher" / "run.json").read_text())["data"]["sha256"]
    told = small(binary=False, epochs=20, teaching=1.0)
    with patch("bnn.train.run_folder.fingerprint", return_value=sha):
        pupil = train(told, wrong, s, tmp_path / "pupil", teacher=teacher, accelerator="cpu", progress=False)
    answers = [predict(load_model(path)[0], w.x[s.test]) for path in (teacher, pupil)]
    assert np.mean(answers[0] == w.y[s.test]) > 0.9
    assert np.mean(answers[0] == answers[1]) > 0.9
    assert json.loads((tmp_path / "pupil" / "run.json").read_text())["teacher"]


def test_a_teacher_that_may_have_seen_the_test_part_is_refused(data, tmp_path):
    w, s = data
    teacher = train(small(epochs=1), w, s, tmp_path / "teacher", accelerator="cpu", progress=False)
    other = split(w, "stratified", 1)
    with pytest.raises(ModelError, match="trained on another split .* may have seen what this run holds out"):
        train(small(teaching=0.5), w, other, tmp_path / "pupil", teacher=teacher, accelerator="cpu", progress=False)
    assert not (tmp_path / "pupil").exists()


def test_teaching_and_a_teacher_need_each_other(data, tmp_path):
    w, s = data
    with pytest.raises(ModelError, match="has teaching 0.5 but no teacher; name its run with --teacher"):
        train(small(teaching=0.5), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    teacher = train(small(epochs=1), w, s, tmp_path / "teacher", accelerator="cpu", progress=False)
    with pytest.raises(ModelError, match="would teach nothing; add --with teaching=0.5"):
        train(small(), w, s, tmp_path / "run", teacher=teacher, accelerator="cpu", progress=False)


def test_channels_of_a_recipe_are_those_of_the_network(data, tmp_path):
    w, s = data
    path = train(small(epochs=1, channels=[4, 4, 8, 8, 8]), w, s, tmp_path / "run", accelerator="cpu", progress=False)
    assert load_model(path)[0].config.channels == (4, 4, 8, 8, 8)
    with pytest.raises(ModelError, match="channels is .4, 4., wanted five numbers above 0"):
        small(channels=[4, 4])
