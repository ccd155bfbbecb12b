"""What augmentation may change, and what it may not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnn.data.recut import Places
from bnn.models.ecg import EcgConfig
from bnn.train.ambulatory import Ambulatory
from bnn.train.augment import Augmentation, circular_shift
from bnn.train.batches import Batches, Recut, epoch_seed, to_network


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 6), st.integers(1, 50), st.data())
def test_a_shift_is_numpys_roll(n_rows, length, data):
    start = data.draw(st.lists(st.integers(0, length - 1), min_size=n_rows, max_size=n_rows))
    x = torch.randn(n_rows, 1, length, generator=rng())
    expected = np.stack([np.roll(row, -s, axis=-1) for row, s in zip(x.numpy(), start, strict=True)])
    np.testing.assert_array_equal(circular_shift(x, torch.tensor(start)).numpy(), expected)


def test_a_shift_keeps_order_and_samples():
    x = torch.arange(100.0).repeat(64, 1)[:, None]
    y = Augmentation(shift=True, gain=0, noise=0)(x, rng())
    steps = torch.diff(y[:, 0], dim=1)
    assert torch.equal(y.sort(dim=-1).values, x)
    assert ((steps == 1).sum(dim=1) >= 98).all()  # time runs forward: at most one jump back, where the ends meet
    assert len(y[:, 0, 0].unique()) > 30


def test_gain_is_one_number_per_window_within_its_bounds():
    x = torch.randn(2000, 1, 20, generator=rng())
    ratio = (Augmentation(shift=False, gain=0.1, noise=0)(x, rng(1)) / x)[:, 0]
    assert (ratio.max(dim=1).values - ratio.min(dim=1).values).max() < 1e-5
    assert 0.9 <= ratio.min() < 0.91 and 1.09 < ratio.max() <= 1.1 + 1e-6
    assert abs(ratio.mean() - 1) < 0.005


def test_noise_has_the_deviation_asked_for():
    x = torch.zeros(50, 1, 3600)
    y = Augmentation(shift=False, gain=0, noise=0.02)(x, rng())
    assert abs(y.mean()) < 1e-3 and abs(y.std() - 0.02) < 2e-4


def test_the_generator_decides_every_draw_and_the_batch_is_left_alone():
    x = torch.randn(8, 1, 30, generator=rng())
    before = x.clone()
    augment = Augmentation()
    assert torch.equal(augment(x, rng(5)), augment(x, rng(5)))
    assert not torch.equal(augment(x, rng(5)), augment(x, rng(6)))
    assert torch.equal(x, before)


def batches(epoch=0, seed=1, augment=None, n=37):
    x = torch.arange(n, dtype=torch.float32).repeat_interleave(4).reshape(n, 1, 4)
    return Batches(lambda rows, _: x[rows], torch.arange(n), 8, seed, lambda: epoch, augment)


def test_an_epoch_visits_every_window_once_with_its_label():
    drawn = list(batches())
    assert len(drawn) == len(batches()) == 5
    assert sorted(y for _, labels in drawn for y in labels.tolist()) == list(range(37))
    assert all(torch.equal(x[:, 0, 0], y.float()) for x, y in drawn)


def test_seed_and_epoch_decide_the_batches():
    def flat(**how):
        return torch.cat([x for x, _ in batches(augment=Augmentation(), **how)])

    assert torch.equal(flat(epoch=3), flat(epoch=3))
    assert not torch.equal(flat(epoch=3), flat(epoch=4))
    assert not torch.equal(flat(epoch=3, seed=1), flat(epoch=3, seed=2))


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_balance_draws_the_rare_class_as_often_as_it_says(balance, share):
    """100 windows of one class and 900 of another: shares go with frequency ** (1 - balance)."""
    y = torch.cat([torch.zeros(100), torch.ones(900)]).long()
    drawn = torch.cat(
        [
            b
            for e in range(20)
            for _, b in Batches(lambda r, _: r[:, None, None], y, 64, 0, lambda e=e: e, None, balance)
        ]
    )
    assert len(drawn) == 20_000
    assert (drawn == 0).float().mean().item() == pytest.approx(share, abs=0.01)


def test_windows_are_cut_anew_as_often_as_asked_for():
    signal = np.random.default_rng(0).integers(-500, 500, 300).astype(np.int16)
    own, other = 10, 200
    config = EcgConfig(("a", "b"), samples=50)
    source = Recut(Places(signal, (np.array([own] + [other] * 99),), 50), 0.5, config)
    rows = torch.zeros(2000, dtype=torch.int64)
    x = source(rows, rng(3))
    at_home = (x == to_network(config, signal[None, own : own + 50])).all(dim=2)
    elsewhere = (x == to_network(config, signal[None, other : other + 50])).all(dim=2)
    assert (at_home | elsewhere).all()
    assert elsewhere.float().mean().item() == pytest.approx(0.5 * 0.99, abs=0.03)
    assert torch.equal(x, source(rows, rng(3)))


def test_ambulatory_noise_comes_at_the_share_and_ratios_asked_for():
    """S over the power of what was added, window by window, against the definition of the ratio."""
    flat = np.full((3000, 720), 1024, np.int16)
    rows, power = torch.arange(3000) % 10, np.linspace(2e4, 1e5, 10)
    track = np.sin(np.arange(20_000) * 2 * np.pi / 36)  # of the same power in any second
    noisy = Ambulatory(0.4, 6.0, power, (track, 3 * track, 0.1 * track))(flat, rows, rng(2))
    added = noisy.astype(float) - 1024
    touched = added.any(axis=1)
    assert touched.mean() == pytest.approx(0.4, abs=0.03)
    ratio = 10 * np.log10(power[rows.numpy()[touched]] / added[touched].var(axis=1))
    assert 5.9 < ratio.min() < 6.3 and 23.7 < ratio.max() < 24.3
    assert ratio.mean() == pytest.approx(15, abs=0.5)
    assert (flat == 1024).all()


def test_epoch_seeds_do_not_meet():
    assert len({epoch_seed(s, e) for s in range(30) for e in range(2000)}) == 60_000
