"""Windows of an ECG as a task of the training loop."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch.utils.data import DataLoader, TensorDataset

from bnn.data.recut import places
from bnn.data.windows import WindowSet
from bnn.metrics import report
from bnn.models.ecg import EcgConfig, EcgNet, blank
from bnn.train.ambulatory import ambulatory
from bnn.train.batches import Batches, Fixed, Recut, Source, to_network
from bnn.train.evaluate import predict
from bnn.train.module import EcgTraining
from bnn.train.task import OnePhase, in_short


class EcgTask(OnePhase):
    """An EcgRecipe on a split WindowSet."""

    takes = WindowSet

    @cached_property
    def config(self) -> EcgConfig:
        return self.recipe.config(self.data.classes, self.data.length)

    def network(self) -> EcgNet:
        return blank(self.config, self.seed)

    def module(self, net: EcgNet, watched: tuple[str, ...]) -> EcgTraining:
        return EcgTraining(net, self.recipe, self.seed, watched, self.teacher)

    def batches(self, epoch: Callable[[], int]) -> Batches:
        labels, recipe = torch.tensor(self.data.y)[self.split.train], self.recipe
        return Batches(self._source(), labels, recipe.batch, self.seed, epoch, recipe.augmentation(), recipe.balance)

    def loader(self, part: str) -> DataLoader:
        rows = getattr(self.split, part)
        x, y = to_network(self.config, self.data.x[rows]), torch.from_numpy(self.data.y[rows])
        return DataLoader(TensorDataset(x, y), batch_size=256)

    def figures(self, net: EcgNet) -> dict:
        rows = self.split.test
        return in_short(report(self.data.y[rows], predict(net, self.data.x[rows]), self.data.classes))

    def _source(self) -> Source:
        """Windows that come from no record (synthetic ones) stay as they are."""
        recipe, windows, train = self.recipe, self.data, self.split.train
        if windows.lead is None or not (recipe.recut or recipe.ambulatory):
            return Fixed(to_network(self.config, windows.x[train]))
        noise = ambulatory(recipe.ambulatory, recipe.worst_snr, windows, train) if recipe.ambulatory else None
        return Recut(places(windows, train), recipe.recut, self.config, noise)
