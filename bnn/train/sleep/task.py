"""Nights of sleep as a task of the training loop."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bnn.data.sleep.epochs import EpochSet, Signal
from bnn.errors import ModelError
from bnn.metrics import report
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.config import SIGNALS, SleepConfig
from bnn.models.sleep.net import SleepNet
from bnn.models.sleep.networks import blank
from bnn.train.batches import Batches
from bnn.train.sleep.batches import Chosen, InOrder, check_signals, scale_of
from bnn.train.sleep.evaluate import exit_logits
from bnn.train.sleep.module import SleepTraining
from bnn.train.soft_labels import soft_labels
from bnn.train.task import OnePhase, in_full


class SleepTask(OnePhase):
    """A SleepRecipe on a split EpochSet of one rate."""

    takes = EpochSet

    @cached_property
    def config(self) -> SleepConfig | BinarySleepConfig:
        """The network for the set's signals, its scales those of the training part.

        Raises ModelError for a set without EEG or of epochs that fit no network.
        """
        recipe, signals = self.recipe, self._signals()
        config = recipe.config(
            classes=self.data.classes,
            channels=tuple(len(signal.channels) for signal in signals),
            scales=tuple(scale_of(signal.x, self.split.train) for signal in signals),
            samples=signals[0].x.shape[2],
        )
        check_signals(config, self.data.x)
        return config

    def _signals(self) -> list[Signal]:
        """Those to use: of EEG, EOG and EMG the first `recipe.exits`, as far as the set has them."""
        names = SIGNALS[: self.recipe.exits]
        absent = next((k for k, name in enumerate(names) if name not in self.data.signals), len(names))
        if not absent:
            raise ModelError(f"{self.data.name} has no EEG, with which the network begins; choose another --set")
        return [self.data.signals[name] for name in names[:absent]]

    @property
    def epochs(self) -> int:
        return self.recipe.epochs + (self.recipe.student_epochs if len(self.config.signals) > 1 else 0)

    def network(self) -> SleepNet:
        return blank(self.config, self.seed)

    def module(self, net: SleepNet, watched: tuple[str, ...]) -> SleepTraining:
        return SleepTraining(net, self.recipe, self.seed, watched)

    def batches(self, epoch: Callable[[], int]) -> Batches:
        train = self.split.train
        source, labels = Chosen(self.config, self.data.x, train), torch.from_numpy(self.data.y[train])
        lessons = self._lessons() if self.teacher else None
        return Batches(source, labels, self.recipe.batch, self.seed, epoch, augment=None, lessons=lessons)

    def _lessons(self) -> Tensor:
        """(epochs to train, classes): what the teacher says, once for all passes. A night's epochs are in one part, so
        a teacher of sequences is not told of the others."""
        p = soft_labels(self.teacher, self.data.subset(self.split.train))
        return torch.from_numpy(np.log(np.maximum(p, np.finfo(np.float32).tiny)))

    def loader(self, part: str) -> InOrder:
        return InOrder(self.config, self.data.x, self.data.y, getattr(self.split, part))

    def figures(self, net: SleepNet) -> dict:
        """Of the last exit, which has the last word, and of each exit as if it answered everything."""
        test = self.data.subset(self.split.test)
        reports = [report(test.y, z.argmax(axis=1), test.classes) for z in exit_logits(net, test.x)]
        named = zip(self.config.signals, reports, strict=True)
        return in_full(reports[-1]) | {"exits": {name: in_full(figures) for name, figures in named}}
