"""Nights of sleep, in sequences, as a task of the training loop: three phases."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bnn.data.sleep.epochs import EpochSet
from bnn.data.sleep.sequences import runs
from bnn.metrics import report
from bnn.models.mc2.config import HEADS, Mc2Config
from bnn.models.mc2.net import Mc2Net, blank
from bnn.train.batches import Batches
from bnn.train.mc2.batches import Embeddings, SequenceBatches, to_network
from bnn.train.mc2.evaluate import eeg, probabilities
from bnn.train.mc2.module import AlignTraining, MaskTraining, PhaseTraining, TuneTraining
from bnn.train.sleep.batches import scale_of
from bnn.train.task import Phase, Task, in_full

TRAININGS: dict[str, type[PhaseTraining]] = {"align": AlignTraining, "mask": MaskTraining, "tune": TuneTraining}


class Mc2Task(Task):
    """An Mc2Recipe on a split EpochSet of one rate."""

    takes = EpochSet
    on_many_devices = True

    @cached_property
    def x(self) -> np.ndarray:
        """(n, samples) int16: the channel of EEG that is used."""
        return eeg(self.data, self.recipe.channel)

    @cached_property
    def config(self) -> Mc2Config:
        """The network, its scale that of the training part. Raises ModelError for a set without the EEG channel."""
        scale = scale_of(self.x[:, None], self.split.train)
        return self.recipe.config(self.data.classes, scale, self.x.shape[1])

    def network(self) -> Mc2Net:
        return blank(self.config, self.seed)

    def phases(self, net: Mc2Net) -> tuple[Phase, ...]:
        return tuple((OnEpochs if name == "align" else OnSequences)(self, net, name) for name in self.recipe.phases)

    def figures(self, net: Mc2Net) -> dict | None:
        """Of the fused classifier, which has the last word, and of each of the five."""
        if self.recipe.phases[-1] != "tune":
            return None
        test = self.data.subset(self.split.test)
        said = probabilities(net, test)
        reports = [report(test.y, p.argmax(axis=1), test.classes) for p in said]
        named = zip(HEADS, reports, strict=True)
        return in_full(reports[-1]) | {"heads": {name: in_full(figures) for name, figures in named}}


@dataclass(eq=False)
class Mc2Phase(Phase):
    """The phase of that name in Mc2Recipe."""

    task: Mc2Task
    net: Mc2Net
    name: str

    @property
    def epochs(self) -> int:
        return self.task.recipe.passes(self.name)

    def module(self, net: Mc2Net, watched: tuple[str, ...]) -> PhaseTraining:
        return TRAININGS[self.name](net, self.task.recipe, self.epochs, self.task.seed, watched)


class OnEpochs(Mc2Phase):
    """Single epochs, in any order."""

    def batches(self, epoch: Callable[[], int]) -> Batches:
        return self._batches(self.task.split.train, epoch)

    def loader(self, part: str) -> Batches:
        """Always in the same order, a drawn one: epochs that follow one another would be a harder contrast."""
        return self._batches(getattr(self.task.split, part), lambda: 0)

    def _batches(self, rows: np.ndarray, epoch: Callable[[], int]) -> Batches:
        task = self.task

        def source(chosen: Tensor, _: torch.Generator) -> Tensor:
            return to_network(task.config, task.x[rows[chosen.numpy()]])

        return Batches(source, torch.from_numpy(task.data.y[rows]), task.recipe.batch, task.seed, epoch, augment=None)


class OnSequences(Mc2Phase):
    """Sequences of epochs, as the frozen backbones embed them."""

    @cached_property
    def embeddings(self) -> Embeddings:
        split = self.task.split
        return Embeddings(self.net, self.task.x, np.concatenate([split.train, split.val]))

    def batches(self, epoch: Callable[[], int]) -> SequenceBatches:
        return self._batches("train", epoch)

    def loader(self, part: str) -> SequenceBatches:
        return self._batches(part, None)

    def _batches(self, part: str, epoch: Callable[[], int] | None) -> SequenceBatches:
        task, recipe = self.task, self.task.recipe
        found = runs(task.data, getattr(task.split, part), recipe.gap)
        mask = recipe.mask if self.name == "mask" else 0.0
        return SequenceBatches(self.embeddings, task.data, found, recipe.sequences, mask, task.seed, epoch)
