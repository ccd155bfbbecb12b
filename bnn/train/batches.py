"""Training batches from one tensor, in an order that depends on the seed and the epoch alone."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from bnn.data.recut import Places
from bnn.errors import ModelError
from bnn.graph.arith import standardise, standardise_past
from bnn.models.ecg import EcgConfig
from bnn.train.ambulatory import Ambulatory
from bnn.train.augment import Augmentation

Source = Callable[[Tensor, torch.Generator], Tensor]
STANDARDISE = {"window": standardise, "past": standardise_past}
"""By the name of a normalisation."""


def to_network(config: EcgConfig, x: np.ndarray) -> Tensor:
    """Raw windows (n, config.raw_samples) int16, standardised as the network was made for: (n, 1, samples) float32.

    Raises ModelError for windows of another length.
    """
    if x.ndim != 2 or x.shape[1] != config.raw_samples:
        past = ", half of them the past, as the set ecg5-past has them" if config.normalisation == "past" else ""
        raise ModelError(
            f"windows have shape {x.shape}, but the network takes (n, {config.raw_samples}); "
            f"cut them to {config.raw_samples} samples{past}"
        )
    return torch.from_numpy(STANDARDISE[config.normalisation](x))[:, None]


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed for one epoch, far from those of its neighbours and of other runs."""
    return (seed * 1_000_003 + epoch) * 2_654_435_761 % 2**63


class Fixed:
    """The windows as they are: x (n, 1, N) float32, standardised."""

    def __init__(self, x: Tensor):
        self.x = x

    def __call__(self, rows: Tensor, _: torch.Generator) -> Tensor:
        return self.x[rows]


class Recut:
    """Each window from a new place of its record with probability `share`, else from its own; then `noise`, if any."""

    def __init__(self, places: Places, share: float, config: EcgConfig, noise: Ambulatory | None = None):
        self.places, self.share, self.config, self.noise = places, share, config, noise

    def __call__(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        choices = torch.rand(len(rows), generator=generator, dtype=torch.float64)
        moves = torch.rand(len(rows), generator=generator) < self.share
        x = self.places.cut(rows.numpy(), (choices * moves).numpy())
        return to_network(self.config, self.noise(x, rows, generator) if self.noise else x)


class Batches:
    """Iterates over shuffled, augmented batches (x, y), or (x, y, lesson); the last one may be smaller.

    Nothing is kept from epoch to epoch, so a run resumed at epoch k draws what an uninterrupted one draws.

    source   (B,) rows, generator -> their windows (B, 1, N) float32, standardised; see Fixed and Recut
    y        (n,) int64
    batch    windows per batch
    seed     of the run
    epoch    tells the number of the epoch that begins
    augment  None leaves the windows as they are
    lessons  (n, classes) float32, what a teacher says of each window: logits
    balance  0: each window once an epoch; b > 0: as many, drawn with replacement, classes by their frequency ** (1 - b)
    """

    def __init__(
        self,
        source: Source,
        y: Tensor,
        batch: int,
        seed: int,
        epoch: Callable[[], int],
        augment: Augmentation | None,
        balance: float = 0.0,
        lessons: Tensor | None = None,
    ):
        self.source, self.told = source, (y,) if lessons is None else (y, lessons)
        self.batch, self.seed, self.epoch, self.augment = batch, seed, epoch, augment
        self.weight = (1.0 / torch.bincount(y)[y]) ** balance if balance else None

    def __len__(self) -> int:
        return -(-len(self.told[0]) // self.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, self.epoch()))
        for rows in self._order(generator).split(self.batch):
            x = self.source(rows, generator)
            yield (self.augment(x, generator) if self.augment else x), *(each[rows] for each in self.told)

    def _order(self, generator: torch.Generator) -> Tensor:
        if self.weight is None:
            return torch.randperm(len(self.told[0]), generator=generator)
        return torch.multinomial(self.weight, len(self.weight), replacement=True, generator=generator)
