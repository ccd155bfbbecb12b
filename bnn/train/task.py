"""What a task, a kind of recording with its network, brings to the one training loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import ModelError
from bnn.metrics import Report
from bnn.train.recipe import Recipe
from bnn.train.training import Training

KINDS = {WindowSet: "windows of an ECG", EpochSet: "nights of sleep"}


class Phase(ABC):
    """A stretch of training with a loop, an optimiser and checkpoints of its own."""

    name: str = ""
    """Of the folder of its checkpoints and logs within those of the run; empty for the only phase of a task."""

    @property
    @abstractmethod
    def epochs(self) -> int:
        """Passes over the training part, of all stages."""

    @abstractmethod
    def module(self, net: nn.Module, watched: tuple[str, ...]) -> Training:
        """`net` as Lightning trains it; `watched` as Training has it."""

    @abstractmethod
    def batches(self, epoch: Callable[[], int]) -> Iterable:
        """Training batches, as the module takes them; `epoch` tells the number of the epoch that begins."""

    @abstractmethod
    def loader(self, part: str) -> Iterable:
        """Batches (x, y) of the part "val" or "test", always the same."""


@dataclass(eq=False)
class Task(ABC):
    """A recipe on a split set, with the network whose answers are learned, if any.

    Raises ModelError for a set of another kind than the task `takes`.
    """

    recipe: Recipe
    data: WindowSet | EpochSet
    split: Split
    seed: int
    teacher: nn.Module | None = None

    takes: ClassVar[type]
    on_many_devices: ClassVar[bool] = False
    """Whether its phases may share their batches among devices: what they train must not change within a phase."""

    def __post_init__(self):
        if not isinstance(self.data, self.takes):
            raise ModelError(
                f"recipe {self.recipe.task}/{self.recipe.name} trains on {KINDS[self.takes]}, but {self.data.name} "
                f"holds {KINDS[type(self.data)]}; choose another --set, see `bnn data list`"
            )

    @abstractmethod
    def network(self) -> nn.Module:
        """The network to train, with weights that depend on the seed alone."""

    @abstractmethod
    def phases(self, net: nn.Module) -> tuple[Phase, ...]:
        """What `net` goes through, one after the other; each begins with the network that the one before has chosen."""

    @abstractmethod
    def figures(self, net: nn.Module) -> dict | None:
        """What `net` is worth on the test part, for run.json: at least the entries of `in_short`; None if it has not
        been taught to answer yet."""


class OnePhase(Task, Phase):
    """A task that is trained in one stretch."""

    @property
    def epochs(self) -> int:
        return self.recipe.epochs

    def phases(self, net: nn.Module) -> tuple[Phase, ...]:
        return (self,)


def in_short(figures: Report) -> dict:
    """The entries of a report that run.json keeps."""
    keys = ("accuracy", "interval", "macro_f1", "confusion")
    return {key: getattr(figures, key) for key in keys}


def in_full(figures: Report) -> dict:
    """The same of a report on nights, with kappa and the F1 of each stage, as papers on sleep give them."""
    return in_short(figures) | {"kappa": figures.kappa, "f1": {c.name: c.f1 for c in figures.classes}}
