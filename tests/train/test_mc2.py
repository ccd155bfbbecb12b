"""MC2SleepNet in training: losses, masks, what each phase changes, resuming, the vote, soft labels."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bnn.data.sleep.sequences import runs
from bnn.data.sleep.splits import split
from bnn.data.sleep.synthetic import synthetic_nights
from bnn.errors import ModelError, ToolError
from bnn.models.checkpoint import load_model
from bnn.models.mc2.config import HEADS
from bnn.models.mc2.net import blank
from bnn.train.loop import train
from bnn.train.mc2.batches import Embeddings, SequenceBatches, draw_masks, to_network
from bnn.train.mc2.evaluate import probabilities
from bnn.train.mc2.module import AlignTraining, MaskTraining, PhaseTraining, TuneTraining, info_nce
from bnn.train.recipes import recipe
from bnn.train.run_folder import fingerprint
from bnn.train.share import Share
from bnn.train.soft_labels import soft_labels
from bnn.train.teacher import SLEEP_TEACHERS, load_on_split

TINY = dict(
    width=16, cnn=8, spectrogram_layers=1, layers=1, heads=2, feed_forward=16, sequence=5, gap=60, lr=0.003
) | dict(epochs=2, align_epochs=2, mask_epochs=2, batch=16, sequences=4)
QUIET = dict(accelerator="cpu", progress=False)


def tiny(**changes):
    return recipe("mc2sleep", **(TINY | changes))


@pytest.fixture(scope="module")
def nights():
    """Four subjects of one night; the epochs lie 60 positions apart."""
    return synthetic_nights(subjects=4, nights=1, per_night=16)


@pytest.fixture(scope="module")
def trained(nights, tmp_path_factory):
    """The path of a finished run's network."""
    return train(tiny(), nights, split(nights), tmp_path_factory.mktemp("mc2") / "run", **QUIET)


@pytest.fixture(scope="module")
def net(nights):
    return blank(tiny(dropout=0.0).config(nights.classes, 256, 3000), 0)


def batches(nights, net, part, **how):
    found = runs(nights, getattr(split(nights), part), net.config.gap)
    embeddings = Embeddings(net, nights.x["eeg"][:, 0], np.arange(len(nights)))
    return SequenceBatches(embeddings, nights, found, **(dict(size=4, mask=0.25, seed=0, epoch=lambda: 0) | how))


def test_info_nce_against_a_plain_loop():
    one, other = torch.randn(2, 7, 12, generator=torch.Generator().manual_seed(0))
    losses = []
    for a, b in ((one, other), (other, one)):
        for i in range(7):
            cosines = [float(a[i] @ b[j] / (a[i].norm() * b[j].norm())) for j in range(7)]
            losses.append(-cosines[i] / 0.2 + math.log(sum(math.exp(c / 0.2) for c in cosines)))
    assert info_nce(one, other, 0.2).item() == pytest.approx(np.mean(losses), rel=1e-5)
    assert info_nce(one, one, 0.01).item() < 0.01 < math.log(7) < info_nce(one, one.roll(1, 0), 0.01).item()


def test_masks_hide_a_share_of_each_sequence_in_each_view_on_its_own():
    lengths = np.array([16, 8, 5, 2, 1] * 40)
    present = np.arange(16) < lengths[:, None]
    masked = draw_masks(present, 0.25, np.random.default_rng(0))
    assert masked.shape == (200, 16, 2) and not masked[~present].any()
    assert (masked.sum(axis=1) == np.maximum(np.rint(lengths / 4), 1)[:, None]).all()
    assert (masked[..., 0] != masked[..., 1]).any() and masked[lengths == 16].any(axis=(0, 2)).all()
    assert not draw_masks(present, 0.0, np.random.default_rng(0)).any()


def test_each_pass_has_every_epoch_once_in_sequences_of_one_night(nights, net):
    train_part = split(nights).train
    passes = []
    for epoch in (0, 0, 1):
        rows = []
        for x, y in batches(nights, net, "train", epoch=lambda: epoch):  # noqa: B023
            assert x.views.shape[1:] == (5, 2, 16) and len(y) == x.present.sum()
            rows.append(x.offset[x.present])
        passes.append(torch.cat(rows))
    assert len(passes[0]) == len(train_part) and torch.equal(passes[0], passes[1])
    assert not torch.equal(passes[0], passes[2])
    whole = batches(nights, net, "train")
    table = np.concatenate([whole._table(np.random.default_rng(k)) for k in range(9)])
    assert all(len(set(nights.night[line[line >= 0]])) == 1 for line in table)
    stages = torch.cat([y for _, y in batches(nights, net, "val", epoch=None)])
    assert stages.tolist() == nights.stage[split(nights).val].tolist()


def test_what_is_cached_is_what_the_backbones_say(nights, net):
    rows = np.array([9, 3, 30])
    embeddings = Embeddings(net, nights.x["eeg"][:, 0], rows)
    net.train()
    got = embeddings(np.array([[3, 30], [9, -1]]))
    assert net.signal.training and not got.requires_grad
    net.eval()
    wanted = net.embed(to_network(net.config, nights.x["eeg"][[3, 30, 9], 0]))
    torch.testing.assert_close(got.reshape(4, 2, 16)[:3], wanted, atol=1e-4, rtol=1e-4)


def test_the_loss_of_masking_is_the_mean_over_masked_epochs_and_both_views(nights, net):
    module = MaskTraining(net, tiny(), 1, 0).eval()
    x, y = next(iter(batches(nights, net, "train")))
    rebuilt = net.rebuild(*x)
    each = [(rebuilt[:, :, k] - x.views[:, :, k])[x.masked[:, :, k]].abs().mean() for k in range(2)]
    torch.testing.assert_close(module.judge(x, y)[0], (each[0] + each[1]) / 2)


def batch_for(module, nights):
    if isinstance(module, AlignTraining):
        return to_network(module.net.config, nights.x["eeg"][:8, 0]), torch.zeros(8)
    return next(iter(batches(nights, module.net, "train")))


def learn(module, batch, steps):
    """The losses of so many steps on one batch."""
    adam = torch.optim.Adam([p for p in module.net.parameters() if p.requires_grad], 0.01)
    losses = []
    for _ in range(steps):
        adam.zero_grad()
        loss, logits = module.judge(*batch)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses, logits


@pytest.mark.parametrize(("kind", "steps"), [(AlignTraining, 40), (MaskTraining, 80), (TuneTraining, 40)])
def test_each_phase_learns_a_tiny_batch_by_heart(kind, steps, nights, net):
    module = kind(blank(net.config, 0), tiny(temperature=0.1), 1, 0)
    batch = batch_for(module, nights)
    losses, logits = learn(module, batch, steps)
    assert losses[-1] < 0.4 * losses[0]
    if kind is TuneTraining:
        assert (logits[0].argmax(dim=1) == batch[1]).all()


@pytest.mark.parametrize("kind", [AlignTraining, MaskTraining, TuneTraining])
def test_mixed_precision_changes_a_loss_by_little(kind, nights, net):
    module = kind(blank(net.config, 0), tiny(temperature=0.5), 1, 0).eval()
    batch = batch_for(module, nights)
    plain, _ = module.judge(*batch)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, _ = module.judge(*batch)
    assert mixed.item() != plain.item() and mixed.item() == pytest.approx(plain.item(), rel=0.02)
    mixed.backward()


@pytest.mark.parametrize("kind", [AlignTraining, MaskTraining, TuneTraining])
def test_a_phase_changes_what_it_teaches_and_nothing_else(kind, nights, net):
    module = kind(blank(net.config, 0), tiny(), 1, 0)
    before = {name: value.clone() for name, value in module.net.state_dict().items()}
    learn(module, batch_for(module, nights), 2)
    changed = {name.split(".")[0] for name, v in module.net.state_dict().items() if not torch.equal(v, before[name])}
    assert changed == set(module.learns)
    unused = [name for name, p in module.net.named_parameters() if p.requires_grad and p.grad is None]
    assert not unused  # devices that share a phase wait for every gradient
    frozen = [part for name, part in module.net.named_children() if name not in module.learns]
    assert not any(layer.training for part in frozen for layer in part.modules())


def test_a_run_keeps_figures_of_each_classifier(nights, trained):
    run = json.loads((trained.parent / "run.json").read_text())
    assert (run["protocol"], run["epochs_done"], run["start"], run["data"]["synthetic"]) == ("subjects", 6, None, True)
    net, metadata = load_model(trained, "mc2sleep")
    assert metadata == run
    test = nights.subset(split(nights).test)
    accuracies = (probabilities(net, test).argmax(axis=2) == test.y).mean(axis=1)
    assert [run["test"]["heads"][name]["accuracy"] for name in HEADS] == pytest.approx(accuracies.tolist())
    assert run["test"]["accuracy"] == run["test"]["heads"]["fused"]["accuracy"]
    assert set(run["test"]["f1"]) == set(nights.classes) and "kappa" in run["test"]
    for phase in ("align", "mask", "tune"):
        rows = list(csv.DictReader((trained.parent / "logs" / phase / "version_0" / "metrics.csv").open()))
        assert [float(row["lr"]) for row in rows if row["lr"]] == pytest.approx([0.003, 0.0015])
        assert (trained.parent / "checkpoints" / phase / "best.ckpt").exists()


@pytest.mark.parametrize("place", [("align", 1), ("mask", 0), ("tune", 1)], ids=str)
def test_an_interrupted_run_resumes_to_the_same_weights(place, nights, trained, tmp_path, monkeypatch):
    step = PhaseTraining.training_step
    kinds = dict(align=AlignTraining, mask=MaskTraining, tune=TuneTraining)

    def crash(self, batch, index):
        if isinstance(self, kinds[place[0]]) and self.current_epoch == place[1] and index == 1:
            raise RuntimeError("power cut")
        return step(self, batch, index)

    arguments = tiny(), nights, split(nights), tmp_path / "cut"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(PhaseTraining, "training_step", crash)
        train(*arguments, **QUIET)
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    torch.rand(5)  # the global generator stands elsewhere in a new process
    begun = []
    monkeypatch.setattr(PhaseTraining, "training_step", lambda self, b, i: begun.append(type(self)) or step(self, b, i))
    resumed = train(*arguments, resume=True, **QUIET)
    assert kinds["align"] not in begun or place[0] == "align"
    one, other = load_file(trained), load_file(resumed)
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    again, whole = load_model(resumed)[1], load_model(trained)[1]
    assert (again["resumed"], whole["resumed"]) == (True, False) and again["epochs_done"] == whole["epochs_done"] == 6


def test_ctrl_c_says_in_which_phase(nights, tmp_path, monkeypatch):
    def interrupt(self, batch, index):
        raise KeyboardInterrupt

    monkeypatch.setattr(MaskTraining, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt, match="run: stopped in mask epoch 1 of 2; go on with --resume"):
        train(tiny(align_epochs=1), nights, split(nights), tmp_path / "run", **QUIET)


def test_phases_one_by_one_are_the_whole(nights, trained, tmp_path):
    path = None
    for phase in ("align", "mask", "tune"):
        arguments = tiny(phase=phase), nights, split(nights), tmp_path / phase
        path = train(*arguments, start=path, **QUIET)
        assert ("test" in json.loads((path.parent / "run.json").read_text())) == (phase == "tune")
    one, other = load_file(trained), load_file(path)
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    with pytest.raises(ModelError, match="begun with another start"):
        train(*arguments, start=trained, resume=True, **QUIET)


def test_what_a_phase_does_not_start_from(nights, trained, tmp_path):
    s = split(nights)
    with pytest.raises(ModelError, match="recipe mc2sleep/default goes on from an earlier run of mc2sleep; .* --from"):
        train(tiny(phase="tune"), nights, s, tmp_path / "run", **QUIET)
    with pytest.raises(ModelError, match="goes on from no other run, so .* leave --from out"):
        train(tiny(), nights, s, tmp_path / "run", start=trained, **QUIET)
    with pytest.raises(ModelError, match="holds another network .* give the same changes with --with"):
        train(tiny(phase="tune", width=32), nights, s, tmp_path / "run", start=trained, **QUIET)
    with pytest.raises(ModelError, match="the network was trained on another split"):
        train(tiny(phase="tune"), nights, replace(s, test=s.test[1:]), tmp_path / "run", start=trained, **QUIET)
    assert not (tmp_path / "run").exists()


def test_the_vote_against_a_plain_loop(nights, trained):
    """Every sequence of five epochs of a night by itself, its probabilities averaged."""
    net, _ = load_model(trained)
    order = np.random.default_rng(0).permutation(len(nights))
    shuffled = nights.subset(order)
    with torch.no_grad():
        views = net.embed(to_network(net.config, nights.x["eeg"][:, 0]))
        said = [[] for _ in range(len(nights))]
        for start in range(0, len(nights), 16):
            for first in range(start, start + 12):
                rows = np.arange(first, first + 5)
                offset = torch.from_numpy(nights.position[rows] - nights.position[first])[None]
                logits = net(views[rows][None], offset, torch.ones(1, 5, dtype=torch.bool))
                for k, row in enumerate(rows):
                    said[row].append(logits[:, 0, k].softmax(dim=-1).numpy())
    wanted = np.stack([np.mean(each, axis=0) for each in said], axis=1)
    assert sorted({len(each) for each in said}) == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(probabilities(net, nights), wanted, atol=1e-4)
    np.testing.assert_allclose(probabilities(net, shuffled), wanted[:, order], atol=1e-4)


def test_soft_labels_of_a_teacher_of_the_same_split_alone(nights, trained, tmp_path):
    s = split(nights)
    sha = fingerprint(nights, s)
    p = soft_labels(load_on_split(trained, SLEEP_TEACHERS, sha), nights)
    assert p.shape == (64, 5) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    run = json.loads((trained.parent / "run.json").read_text())
    assert (p[s.test].argmax(axis=1) == nights.y[s.test]).mean() == pytest.approx(run["test"]["accuracy"])
    other = split(nights, fold=1)
    assert set(nights.subject[other.test]) <= set(nights.subject[np.concatenate([s.train, s.val])])
    for different in (other, split(nights, seed=1), split(nights, "leave-one-out", fold=1)):
        with pytest.raises(ModelError, match="the teacher was trained on another split .* same set, protocol, seed"):
            load_on_split(trained, SLEEP_TEACHERS, fingerprint(nights, different))
    begun = train(tiny(phase="align", align_epochs=1), nights, s, tmp_path / "align", **QUIET)
    with pytest.raises(ModelError, match="ended with the phase align, so it tells no stages yet"):
        load_on_split(begun, SLEEP_TEACHERS, sha)


def test_sets_that_do_not_fit(nights, net, tmp_path):
    eeg = nights.signals["eeg"]
    slow = replace(nights, signals={"eeg": replace(eeg, x=eeg.x[:, :, ::2], fs=50.0)})
    with pytest.raises(ModelError, match="epochs have 1500 samples, but the network takes 3000; .* at 100 Hz"):
        probabilities(net, slow)
    with pytest.raises(ModelError, match="sleep-synthetic has no EEG, wanted channel 0"):
        train(tiny(), nights.only("eog"), split(nights), tmp_path / "run", **QUIET)
    with pytest.raises(ModelError, match="has channels 0 to 1 of EEG, wanted channel 2"):
        train(tiny(channel=2), nights, split(nights), tmp_path / "run", **QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(phase="sleep"), "phase is 'sleep', wanted all, align, mask, tune"),
        (dict(mask=1.0), r"mask is 1.0, wanted a number in \(0, 1\)"),
        (dict(temperature=0.0), "temperature is 0.0, wanted above 0"),
        (dict(batch=1), "batch is 1, wanted at least 2, for a contrast"),
        (dict(gap=0), "gap is 0, wanted at least 1"),
        (dict(heads=3), "heads are 3, wanted a divisor of the width 16"),
        (dict(clip=0.0), "clip is 0.0, wanted above 0"),
        (dict(teaching=0.5), "a recipe has no field 'teaching'"),
    ],
)
def test_recipes_that_make_no_sense(changes, words):
    with pytest.raises(ModelError, match=words):
        tiny(**changes)


class Place:
    """Of a trainer, what Share asks for."""

    def __init__(self, rank, devices):
        self.global_rank, self.world_size = rank, devices


def test_devices_take_the_batches_in_turn():
    shares = [list(Share(range(8), Place(rank, 3))) for rank in range(3)]
    assert shares == [[0, 3], [1, 4], [2, 5]]
    assert list(Share(range(4), Place(0, 1))) == [0, 1, 2, 3]
    with pytest.raises(ModelError, match="makes 2 batches an epoch, but there are 3 devices"):
        list(Share(range(2), Place(0, 3)))


def test_devices_that_are_not_there_or_not_for_the_task(nights, tmp_path):
    with pytest.raises(ModelError, match="recipe sleep/default trains on one device, not 2; leave --devices out"):
        train(recipe("sleep"), nights, split(nights), tmp_path / "run", devices=2, **QUIET)
    with pytest.raises(ToolError, match="accelerator 'abacus' with 2 devices cannot be used here"):
        train(tiny(), nights, split(nights), tmp_path / "run", devices=2, accelerator="abacus")
    assert not (tmp_path / "run").exists()
