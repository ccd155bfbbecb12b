"""The binarised sleep network against its graph: bits and int8 but for values on the edge of a rounding."""

import numpy as np
import pytest
import torch

from bnn.errors import ModelError
from bnn.graph import check, gate, stage_gate
from bnn.graph.ops import LOGICAL_ONLY, Threshold
from bnn.lower.passes import to_target
from bnn.lower.sleep import lower_sleep
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.networks import blank
from bnn.sim import simulate

STAGES = ("W", "N1", "N2", "N3", "REM")
GAINS = dict.fromkeys(("eeg", "eog", "emg"), (16.0, "uV"))
CONFIGS = {
    kind: BinarySleepConfig(STAGES, (2, 1, 1), (512, 256, 128), attention=kind == "attention")
    for kind in ("attention", "bits")
}


def recordings(config, n, seed):
    """int16 noise of many levels about the scale of each signal."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.3, 2, (n, 1, 1))
    named = zip(config.signals, config.channels, config.scales, strict=True)
    return {
        name: np.clip(rng.normal(size=(n, c, config.samples)) * level * s, -32768, 32767).astype(np.int16)
        for name, c, s in named
    }


def as_floats(config, x):
    named = zip(config.signals, config.scales, strict=True)
    return {name: torch.from_numpy(x[name].astype(np.float32)) / scale for name, scale in named}


@pytest.fixture(scope="module", params=CONFIGS)
def case(request):
    """(network whose batch norms have seen data, its graph, what each module gave for 30 epochs, every tensor)."""
    config = CONFIGS[request.param]
    net = blank(config, 3)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
        for seed in range(12):
            net(as_floats(config, recordings(config, 16, seed)))
    net.eval()
    seen = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _, __, y, name=name: seen.__setitem__(name, y))
    x = recordings(config, 30, 99)
    with torch.no_grad():
        seen["logits"] = net(as_floats(config, x))
    graph = to_target(lower_sleep(net, "sleep", GAINS))
    return net, graph, seen, simulate(graph, x, keep="all").tensors


def share_equal(tensors, name, y, unit=1.0):
    wanted = y.numpy().reshape(tensors[name].shape) / unit
    return np.mean(tensors[name] == (wanted > 0 if tensors[name].dtype == np.uint8 else wanted))


def test_bits_of_the_branches_are_those_of_the_network(case):
    net, _, seen, tensors = case
    for k, signal in enumerate(net.config.signals):
        for i, branch in enumerate(("small", "large")):
            where = f"extractors.{k}.branches.{i}"
            assert share_equal(tensors, f"{signal}.{branch}.bits", seen[f"{where}.bits"]) > 0.998
            assert share_equal(tensors, f"{signal}.{branch}.first", seen[f"{where}.value"], 1 / 32) > 0.998


def test_int8_of_the_first_layer_differs_by_one_rounding_at_most(case):
    net, _, seen, tensors = case
    for k, signal in enumerate(net.config.signals):
        for i, branch in enumerate(("small", "large")):
            wanted = seen[f"extractors.{k}.branches.{i}.value"].numpy() * 32
            assert np.abs(tensors[f"{signal}.{branch}.first"] - wanted).max() <= 1


def test_sums_of_bits_are_those_of_the_network(case):
    net, _, seen, tensors = case
    for k, signal in enumerate(net.config.signals):
        for i, branch in enumerate(("small", "large")):
            for conv in range(3):
                wanted = seen[f"extractors.{k}.branches.{i}.convs.{conv}"]
                assert share_equal(tensors, f"{signal}.{branch}.conv{conv + 1}.acc", wanted) > 0.95


def test_logits_of_every_exit_choose_the_same_class(case):
    _, graph, seen, tensors = case
    for stage, wanted in zip(graph.stages, seen["logits"], strict=True):
        frac = stage_gate(stage).frac
        got = tensors[stage.logits] / 2.0**frac
        assert np.mean(got.argmax(axis=1) == wanted.numpy().argmax(axis=1)) >= 28 / 30
        assert np.median(np.abs(got - wanted.numpy())) < 0.05 * wanted.std()


def test_a_stage_has_its_signal_its_logits_and_their_gate(case):
    net, graph, _, _ = case
    assert [(s.name, s.signals, s.logits) for s in graph.stages] == [
        (name, (name,), f"{name}.exit.logits") for name in ("eeg", "eog", "emg")
    ]
    assert all(stage_gate(stage) for stage in graph.stages)
    assert [(s.channels, s.length, s.fs) for s in graph.signals] == [(c, 3000, 100.0) for c in (2, 1, 1)]
    assert not any(isinstance(node, LOGICAL_ONLY) for node in graph.nodes())


def test_one_threshold_a_channel_is_enough(case):
    """Batch norms do not fall, so no comparison is two-sided or turned round."""
    _, graph, _, _ = case
    assert any(isinstance(node, Threshold) for node in graph.nodes())
    assert not any(type(node).__name__ in ("AndNot", "Flip") for node in graph.nodes())


def test_without_attention_only_the_first_layer_has_integers(case):
    net, graph, _, _ = case
    if net.config.attention:
        return
    types = check(graph)
    kinds = {types[node.name].kind for node in graph.nodes() if ".first" not in node.name and ".acc" not in node.name}
    assert "int8" not in kinds


def test_everyone_may_leave_at_some_speed(case):
    _, graph, _, tensors = case
    doubt = tensors["eeg.doubt"]
    assert gate.leaves(doubt, gate.SPEED_ONE).all() and not gate.leaves(doubt, 0).any()


def test_what_cannot_be_lowered():
    with pytest.raises(ModelError, match="the float network cannot be lowered"):
        lower_sleep(blank(SleepConfig(STAGES, (1,), (512,), features=8, feed_forward=8), 0), "sleep", GAINS)
    net = blank(BinarySleepConfig(STAGES, (1,), (512,), attention=False), 0)
    with torch.no_grad():
        net.exits[0].bias[0] = float("nan")
    with pytest.raises(ModelError, match=r"exits.0.bias holds NaN or infinity"):
        lower_sleep(net, "sleep", GAINS)


def test_configurations_that_make_no_network():
    with pytest.raises(ModelError, match=r"maps of 16 x 21, which tokens of 96 do not divide; take a multiple of 32"):
        BinarySleepConfig(STAGES, (1,), (512,), features=16)
    with pytest.raises(ModelError, match="features are 15, wanted an even number"):
        BinarySleepConfig(STAGES, (1,), (512,), features=15, attention=False)
