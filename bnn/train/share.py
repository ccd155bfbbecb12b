"""Training batches among several devices."""

from collections.abc import Iterable, Iterator

import lightning.pytorch as pl

from bnn.errors import ModelError


class Share:
    """What one device trains on: of every round of batches, one for each device, its own.

    A last round that is not full is left out, so that all devices take as many steps. Each process draws all batches,
    the same ones, since they depend on the seed and the epoch alone.
    Raises ModelError where there is no full round.
    """

    def __init__(self, batches: Iterable, trainer: pl.Trainer):
        self.batches, self.trainer = batches, trainer

    def __iter__(self) -> Iterator:
        devices, rank = self.trainer.world_size, self.trainer.global_rank
        number = -1
        for number, batch in enumerate(self.batches):
            if number % devices == rank:
                mine = batch
            if number % devices == devices - 1:
                yield mine
        if number + 1 < devices:
            raise ModelError(
                f"the training part makes {number + 1} batches an epoch, but there are {devices} devices; "
                "make the batches smaller, or use fewer devices"
            )
