"""Epochs and sequences on their way into the network."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnn.data.sleep.epochs import EpochSet
from bnn.data.sleep.sequences import ABSENT, cut, offsets, padded
from bnn.models.mc2.config import VIEWS, Mc2Config
from bnn.models.mc2.net import Mc2Net
from bnn.train.batches import epoch_seed

CHUNK = 256


def to_network(config: Mc2Config, x: np.ndarray) -> Tensor:
    """Raw epochs (B, samples) int16 -> float32 in units of the network's scale, exactly."""
    return torch.from_numpy(x.astype(np.float32)) / config.scale


class Embeddings:
    """Both views of the epochs `rows` of x (n, samples) int16, as the backbones are when they are first asked for.

    They are kept, since the backbones do not change any more: a pass over sequences costs no pass over samples. Epochs
    go through in the order of `rows`, so that the same network gives the same numbers whoever asks first.
    """

    def __init__(self, net: Mc2Net, x: np.ndarray, rows: np.ndarray):
        self.net, self.x, self.rows = net, x, rows
        self.place = np.full(len(x) + 1, ABSENT)  # the last one is for ABSENT itself
        self.place[rows] = np.arange(len(rows))
        self.kept: Tensor | None = None

    def __call__(self, table: np.ndarray) -> Tensor:
        """(B, length) rows -> (B, length, 2, width) float32; what stands at ABSENT is of no meaning."""
        if self.kept is None:
            self.kept = self._embed()
        return self.kept[torch.from_numpy(self.place[table])]

    @torch.no_grad()
    def _embed(self) -> Tensor:
        backbones = self.net.signal, self.net.spectrogram
        training = [backbone.training for backbone in backbones]
        for backbone in backbones:
            backbone.eval()
        device = next(self.net.parameters()).device
        kept = [
            self.net.embed(to_network(self.net.config, self.x[self.rows[start : start + CHUNK]]).to(device)).cpu()
            for start in range(0, len(self.rows), CHUNK)
        ]
        for backbone, was in zip(backbones, training, strict=True):
            backbone.train(was)
        return torch.cat(kept)


class Sequences(NamedTuple):
    """What Mc2Net takes, and (B, L, 2) bool: the epochs to hide in each view, None to answer."""

    views: Tensor
    offset: Tensor
    present: Tensor
    masked: Tensor | None


class SequenceBatches:
    """Iterates over (Sequences, stages of their epochs, end to end) in an order of the seed and the epoch alone.

    Each run of a night is cut from a place that is drawn anew, so that every epoch comes once a pass, in other company.

    runs   of rows, as bnn.data.sleep.sequences.runs makes them
    size   sequences per batch
    mask   share of each sequence's epochs to hide in each view, at least one of them; 0 hides none
    epoch  tells the number of the epoch that begins; None: always the same sequences, cut from each run's beginning
    """

    def __init__(
        self,
        embeddings: Embeddings,
        epochs: EpochSet,
        runs: list[np.ndarray],
        size: int,
        mask: float,
        seed: int,
        epoch: Callable[[], int] | None,
    ):
        self.embeddings, self.epochs, self.runs = embeddings, epochs, runs
        self.size, self.mask, self.seed, self.epoch = size, mask, seed, epoch
        self.length = embeddings.net.config.sequence

    def __iter__(self) -> Iterator[tuple[Sequences, Tensor]]:
        rng = np.random.Generator(np.random.PCG64(epoch_seed(self.seed, self.epoch() if self.epoch else 0)))
        table = self._table(rng)
        for start in range(0, len(table), self.size):
            rows = table[start : start + self.size]
            present = rows != ABSENT
            masked = draw_masks(present, self.mask, rng)
            x = sequences(self.embeddings, self.epochs, rows, torch.from_numpy(masked))
            yield x, torch.from_numpy(self.epochs.stage[rows[present]])

    def _table(self, rng: np.random.Generator) -> np.ndarray:
        """(n, length) rows of all sequences."""
        firsts = rng.integers(1, self.length + 1, len(self.runs)) if self.epoch else [self.length] * len(self.runs)
        found = [s for run, first in zip(self.runs, firsts, strict=True) for s in cut(run, self.length, int(first))]
        table = padded(found, self.length)
        return rng.permutation(table) if self.epoch else table


def sequences(embeddings: Embeddings, epochs: EpochSet, rows: np.ndarray, masked: Tensor | None) -> Sequences:
    """The sequences `rows` (B, length) of a set."""
    offset, present = offsets(epochs, rows), rows != ABSENT
    return Sequences(embeddings(rows), torch.from_numpy(offset), torch.from_numpy(present), masked)


def draw_masks(present: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """present (B, L) bool -> (B, L, 2) bool: in each view on its own, round(share * present) epochs, but at least one.

    A share of 0 masks none.
    """
    count = np.maximum(np.rint(share * present.sum(axis=1)), 1) if share else np.zeros(len(present))
    order = np.where(present[..., None], rng.random((*present.shape, len(VIEWS))), np.inf)
    return order.argsort(axis=1).argsort(axis=1) < count[:, None, None]
