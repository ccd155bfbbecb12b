"""The sleep network's shapes, attention, ablations and cost."""

import numpy as np
import pytest
import torch
from torch import nn

from bnn.errors import ModelError
from bnn.models.checkpoint import load_model, save_model
from bnn.models.sleep.attention import ChannelAttention, MapAttention, SpatialAttention, SqueezeExcite
from bnn.models.sleep.config import LARGE, SMALL, SleepConfig
from bnn.models.sleep.cost import macs_per_epoch, stage_costs
from bnn.models.sleep.net import SleepNet
from bnn.models.sleep.networks import blank

STAGES = ("W", "N1", "N2", "N3", "REM")
PAPER = SleepConfig(STAGES, (2, 1, 1), (512, 512, 128))
TINY = SleepConfig(STAGES, (2, 1, 1), (512, 512, 128), features=8, feed_forward=16)


def signals(config, n=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    named = zip(config.signals, config.channels, strict=True)
    return {name: torch.randn(n, channels, config.samples, generator=generator) for name, channels in named}


def test_an_epoch_at_100_hz_leaves_24_steps_and_16_tokens_a_map():
    assert (SMALL.steps(3000), LARGE.steps(3000), PAPER.steps, PAPER.tokens) == (13, 11, 24, 16)
    with pytest.raises(ModelError, match=r"6000 samples leaves maps of 64 x 41, which tokens of 96 .* resample to 100"):
        SleepConfig(STAGES, (6, 1, 1), (1, 1, 1), samples=6000)


def test_the_papers_widths_and_maps():
    with torch.device("meta"):
        net = SleepNet(PAPER)
        x = {name: torch.empty(2, c, 3000) for name, c in zip(PAPER.signals, PAPER.channels, strict=True)}
        assert net.maps(x).shape == (2, 3, 64, 24)
        assert [z.shape for z in net(x)] == [(2, 5)] * 3
    convs = [[m.out_channels for m in e.branches.modules() if _wide(m)] for e in net.extractors]
    assert convs == [[64, 128, 128, 128] * 2, [32, 64, 64, 64] * 2, [32, 64, 64, 64] * 2]
    assert [leave.encoder.self_attn.num_heads for leave in net.exits] == [3, 3, 6]
    assert [leave.head[1].in_features for leave in net.exits] == [1536, 3072, 4608]


def _wide(module):
    return isinstance(module, nn.Conv1d) and module.kernel_size[0] not in (1, 7)  # those are of attention


def test_an_exit_knows_nothing_of_later_signals():
    net = blank(TINY, 0).eval()
    x = signals(TINY)
    before = net(x)
    after = net(x | {"emg": torch.randn(3, 1, 3000)})
    assert torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
    assert not torch.equal(before[2], after[2])
    assert torch.equal(net.last(x), before[2])


def test_channel_attention_against_plain_arithmetic():
    module, x = ChannelAttention(16), torch.randn(2, 16, 9)
    inner, outer = (layer.weight.detach().numpy()[:, :, 0] for layer in (module.mlp[0], module.mlp[2]))
    mlp = lambda v: outer @ np.maximum(inner @ v, 0)  # noqa: E731
    for one, got in zip(x.numpy(), module(x).detach().numpy(), strict=True):
        factor = 1 / (1 + np.exp(-(mlp(one.max(axis=1)) + mlp(one.mean(axis=1)))))
        np.testing.assert_allclose(got, one * factor[:, None], rtol=1e-5, atol=1e-6)
    assert inner.shape == (2, 16)


def test_spatial_attention_against_plain_arithmetic():
    module, x = SpatialAttention(), torch.randn(1, 4, 11)
    weight, one = module.conv.weight.detach().numpy()[0], x[0].numpy()
    seen = np.pad(np.stack([one.max(axis=0), one.mean(axis=0)]), ((0, 0), (3, 3)))
    sums = np.array([(seen[:, t : t + 7] * weight).sum() for t in range(11)])
    np.testing.assert_allclose(module(x).detach()[0], one / (1 + np.exp(-sums)), rtol=1e-5, atol=1e-6)


def test_squeeze_and_excite_weighs_maps_and_the_way_around_it_stays():
    module, x = SqueezeExcite(3), torch.randn(2, 3, 4, 5)
    factor = module(x) / x
    torch.testing.assert_close(factor, factor[:, :, :1, :1].expand_as(factor))
    around = MapAttention(3).eval()
    nn.init.zeros_(around.mix[3].weight)
    torch.testing.assert_close(around(x), x.relu())


@pytest.mark.parametrize(
    ("changes", "absent"),
    [({"cbam": False}, (ChannelAttention, SpatialAttention)), ({"se": False}, (MapAttention, SqueezeExcite))],
)
def test_ablations_leave_attention_out(changes, absent):
    net = blank(SleepConfig(STAGES, (2, 1, 1), (1, 1, 1), features=8, feed_forward=16, **changes), 0)
    assert not [m for m in net.modules() if isinstance(m, absent)]
    assert [m for m in blank(TINY, 0).modules() if isinstance(m, absent)]
    assert [z.shape for z in net(signals(TINY))] == [(3, 5)] * 3


@pytest.mark.parametrize("channels", [(1,), (2, 1)])
def test_fewer_signals_make_fewer_exits(channels):
    config = SleepConfig(STAGES, channels, (1,) * len(channels), features=8, feed_forward=16)
    assert [z.shape for z in blank(config, 0)(signals(config))] == [(3, 5)] * len(channels)


def test_weights_depend_on_the_seed_alone():
    torch.rand(3)
    one, same, other = (blank(TINY, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)


def test_cost_of_the_papers_network():
    """Convolutions as their hooks count them; an encoder as its matrices, d = 96, n tokens, make it."""
    costs = stage_costs(PAPER)
    seen = []
    with torch.device("meta"):
        net = SleepNet(PAPER)
        for k, extract in enumerate(net.extractors):
            seen.append(0)
            for conv in (m for m in extract.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)):
                conv.register_forward_hook(lambda m, _, y: seen.append(seen.pop() + y.numel() * m.weight[0].numel()))
            extract(torch.empty(1, PAPER.channels[k], 3000))
    assert [c.extractor.macs for c in costs] == seen
    n = 16
    encoder = n * (4 * 96 * 96 + 2 * 96 * 2048) + 2 * n * n * 96
    assert costs[0].exit.macs == encoder + n * 96 * 32 + 32 * 5
    assert sum(c.extractor.parameters + c.exit.parameters for c in costs) == sum(p.numel() for p in net.parameters())


def test_work_per_epoch_follows_who_stays():
    costs = stage_costs(TINY)
    everything = sum(c.extractor.macs + c.exit.macs for c in costs)
    assert macs_per_epoch(costs, [1, 1, 1]) == everything
    assert macs_per_epoch(costs, [1, 1, 1], early=False) == everything - costs[0].exit.macs - costs[1].exit.macs
    first, second = (c.extractor.macs + c.exit.macs for c in costs[:2])
    assert macs_per_epoch(costs, [1, 0.25, 0]) == first + second / 4


def test_round_trip_of_a_checkpoint(tmp_path):
    net = blank(TINY, 3).eval()
    save_model(net, tmp_path / "model.safetensors", {"seed": 3})
    again, metadata = load_model(tmp_path / "model.safetensors", "sleep")
    assert again.config == TINY and metadata == {"seed": 3}
    x = signals(TINY)
    assert all(torch.equal(a, b) for a, b in zip(net(x), again(x), strict=True))
    with pytest.raises(ModelError, match="holds a network 'sleep', wanted 'ecg'"):
        load_model(tmp_path / "model.safetensors", "ecg")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (dict(channels=(2, 1)), "channels are .2, 1. and scales .1, 1, 1., wanted one of each for eeg, eog, emg"),
        (dict(classes=("W",)), "needs at least two"),
        (dict(features=12), "features are 12, wanted a multiple of 8"),
        (dict(heads=5), "heads are 5, wanted a divisor of 96"),
    ],
)
def test_what_makes_no_network(values, words):
    with pytest.raises(ModelError, match=words):
        SleepConfig(**(dict(classes=STAGES, channels=(2, 1, 1), scales=(1, 1, 1)) | values))
