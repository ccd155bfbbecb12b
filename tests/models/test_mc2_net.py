"""MC2SleepNet: shapes, the spectrogram, what a masked or absent epoch can reach, cost."""

import math

import numpy as np
import pytest
import torch

from bnn.errors import ModelError
from bnn.models.checkpoint import load_model, save_model
from bnn.models.mc2.config import HEADS, Mc2Config
from bnn.models.mc2.cost import net_cost
from bnn.models.mc2.net import Mc2Net, blank
from bnn.models.mc2.position import sinusoids

STAGES = ("W", "N1", "N2", "N3", "REM")
PAPER = Mc2Config(STAGES, 512)
TINY = Mc2Config(
    STAGES, 512, sequence=6, width=16, cnn=8, spectrogram_layers=1, layers=2, heads=4, feed_forward=24, dropout=0.0
)
PRESENT = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])


@pytest.fixture(scope="module")
def net():
    return blank(TINY, 0).eval()


def views(seed=0):
    return torch.randn(2, 6, 2, 16, generator=torch.Generator().manual_seed(seed))


def offsets():
    return torch.arange(6).expand(2, 6) * PRESENT


def test_the_papers_shapes():
    with torch.device("meta"):
        net = Mc2Net(PAPER)
        x = torch.empty(4, 3000)
        assert net.spectrogram.spectrogram(x).shape == (4, 29, 129) == (4, PAPER.frames, PAPER.bins)
        assert net.signal.layers(x[:, None]).shape == (4, 128, 16)
        assert net.embed(x).shape == (4, 2, 128)
        sequence = torch.empty(3, 16, 2, 128), torch.zeros(3, 16, dtype=torch.long), torch.ones(3, 16, dtype=torch.bool)
        assert net(*sequence).shape == (len(HEADS), 3, 16, 5)
        assert net.fused(*sequence).shape == (3, 16, 5)
        assert net.rebuild(*sequence, torch.ones(3, 16, 2, dtype=torch.bool)).shape == (3, 16, 2, 128)
    assert [len(layers) for layers in net.encoders.views] == [4, 4]
    assert net.encoders.views[0][0].own.num_heads == 8 and net.masking.layers[0].own.num_heads == 4
    assert net.classifiers.fused.in_features == 256


def test_the_spectrogram_is_that_of_each_window():
    x = torch.randn(1, 3000, dtype=torch.float64).float()
    got = blank(TINY, 0).spectrogram.spectrogram(x)[0].numpy()
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(200) / 200)
    for frame in (0, 13, 28):
        window = x[0, 100 * frame : 100 * frame + 200].numpy() * hamming
        np.testing.assert_allclose(got[frame], np.log(np.abs(np.fft.rfft(window, 256)) + 1e-3), atol=1e-3)
    tone = torch.sin(2 * torch.pi * 12.5 * torch.arange(3000) / 100)[None]
    assert (net_spectrum(tone).argmax(dim=1) == 32).all()  # 12.5 Hz of 100 / 256 Hz a bin
    assert torch.isfinite(net_spectrum(torch.zeros(1, 3000))).all()


def net_spectrum(x):
    return blank(TINY, 0).spectrogram.spectrogram(x)[0]


def test_embeddings_are_standardised_and_of_each_epoch_alone(net):
    x = torch.randn(5, 3000)
    with torch.no_grad():
        embedded = net.embed(x)
        torch.testing.assert_close(net.embed(x[3:]), embedded[3:], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(embedded.mean(dim=-1), torch.zeros(5, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(embedded.var(dim=-1, correction=0), torch.ones(5, 2), atol=1e-2, rtol=0)


def test_positions():
    got = sinusoids(torch.tensor([[0, 7]]), 8)
    assert got.shape == (1, 2, 8)
    wanted = [f(7 / 10000 ** (2 * i / 8)) for f in (math.sin, math.cos) for i in range(4)]
    torch.testing.assert_close(got[0, 1], torch.tensor(wanted))


@pytest.mark.parametrize("view", [0, 1])
def test_a_masked_epoch_does_not_leak_into_what_is_rebuilt(view, net):
    """Whatever stands at the masked epochs of a view, the view is rebuilt alike; the other view does see them."""
    masked = torch.zeros(2, 6, 2, dtype=torch.bool)
    masked[0, 1, view] = masked[0, 4, view] = masked[1, 0, view] = True
    before = views()
    hidden, shown = before.clone(), before.clone()
    hidden[:, :, view][masked[:, :, view]] += 100 * torch.randn(3, 16)
    shown[0, 2, view] += 1
    with torch.no_grad():
        rebuilt = net.rebuild(before, offsets(), PRESENT, masked)
        assert torch.equal(net.rebuild(hidden, offsets(), PRESENT, masked)[:, :, view], rebuilt[:, :, view])
        other = net.rebuild(hidden, offsets(), PRESENT, masked)[:, :, 1 - view]
        assert not torch.allclose(other, rebuilt[:, :, 1 - view])
        assert not torch.allclose(net.rebuild(shown, offsets(), PRESENT, masked)[0, 1, view], rebuilt[0, 1, view])


def test_what_is_absent_is_of_no_meaning(net):
    before, after = views(), views()
    after[1, 4:] = 1e3
    with torch.no_grad():
        logits, other = (net(x, offsets(), PRESENT)[:, PRESENT] for x in (before, after))
        assert torch.equal(logits, other)
        short = net(before[1:, :4], offsets()[1:, :4], PRESENT[1:, :4])[:, 0]
        torch.testing.assert_close(short, logits[:, 6:], atol=1e-5, rtol=1e-4)
        masked = PRESENT[..., None] & torch.tensor([True, False])
        rebuilt = [net.rebuild(x, offsets(), PRESENT, masked)[PRESENT] for x in (before, after)]
    assert torch.equal(*rebuilt)


def test_a_view_alone_knows_nothing_of_the_other_and_all_know_their_neighbours(net):
    changed = views()
    changed[0, 3, 1] += 1
    with torch.no_grad():
        before, after = (net(x, offsets(), PRESENT)[:, 0] for x in (views(), changed))
        fused = net.fused(views(), offsets(), PRESENT)[0]
    same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert same == [True, False, False, False, False]
    assert not torch.allclose(before[1, 0], after[1, 0])
    torch.testing.assert_close(fused, before[4])


def test_a_hole_in_time_is_seen(net):
    with torch.no_grad():
        assert not torch.allclose(net(views(), offsets() * 3, PRESENT)[4, 0], net(views(), offsets(), PRESENT)[4, 0])


def test_the_cost_of_the_papers_network():
    """By hand: a Transformer layer has 4 w^2 + 2 w f a token and 2 w a pair of tokens; crossing adds an attention."""
    w, f, frames = 128, 1024, 29
    attention, inner = 4 * w * w, 2 * w * f
    pool = w * w + w
    cost = net_cost(PAPER)
    signal, spectrogram, sequence = cost.parts
    convolutions = 501 * 50 * w + (63 + 64 + 65) * 8 * w * w
    assert signal.macs == convolutions + 16 * (w * w + pool)
    assert spectrogram.macs == frames * (129 * w + 4 * (attention + inner + 2 * frames * w) + pool)
    assert sequence.macs == 2 * 4 * (2 * (attention + 2 * 16 * w) + inner) + 2 * w * 5
    assert cost.macs == signal.macs + spectrogram.macs + sequence.macs
    assert cost.macs_of_the_vote == cost.macs + 15 * sequence.macs
    net = blank(PAPER, 0)
    used = sum(p.numel() for name, p in net.named_parameters() if not name.startswith("masking"))
    assert cost.parameters == used


def test_a_network_is_saved_and_found_again(net, tmp_path):
    save_model(net, tmp_path / "model.safetensors", {"seed": 0})
    loaded, metadata = load_model(tmp_path / "model.safetensors", "mc2sleep")
    assert loaded.config == TINY and metadata == {"seed": 0}
    x = torch.randn(2, 3000)
    assert torch.equal(loaded.embed(x), net.embed(x))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(classes=("W",)), "a classifier needs at least two"),
        (dict(heads=3), "heads are 3, wanted a divisor of the width 16"),
        (dict(mask_heads=5), "mask_heads are 5, wanted a divisor of the width 16"),
        (dict(width=15, heads=1, mask_heads=1), "width is 15, wanted an even number"),
        (dict(gap=0), "gap is 0, wanted at least 1"),
        (dict(window=300), "window is 300 samples, wanted 2 to 256"),
    ],
)
def test_configs_that_make_no_network(changes, words):
    with pytest.raises(ModelError, match=words):
        Mc2Config(**(dict(classes=STAGES, scale=1, width=16, heads=4) | changes))
