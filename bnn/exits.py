"""What the exits of a network buy: who leaves where at a speed, how right they are, and the work saved.

A network with exits is a `Staged`, whether torch runs it or the simulator.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bnn.errors import ModelError
from bnn.metrics import Report, report

Signals = dict[str, np.ndarray]
"""Raw epochs by signal, each (n, channels, samples) int16."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What n epochs were answered, and where.

    logits  (n, classes) float32, of the exit that answered
    exit    (n,) int64, its number, from 0
    """

    logits: np.ndarray
    exit: np.ndarray

    def reached(self, exits: int) -> list[float]:
        """The share of the epochs, in [0, 1], that each of the stages ran for."""
        return [float(np.mean(self.exit >= k)) for k in range(exits)]


class Staged(ABC):
    """A network of several stages, each of which ends in an exit.

    names    of the exits, in order
    classes  of the logits, in order
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]

    @abstractmethod
    def logits(self, x: Signals) -> np.ndarray:
        """(exits, n, classes) float32 of every exit, in units of 1."""

    @abstractmethod
    def answer(self, x: Signals, speed: float) -> Answers:
        """Each epoch at the first exit less uncertain than `speed`, in [0, 1]; no stage runs for those that left."""

    @abstractmethod
    def answers(self, x: Signals, speeds: Sequence[float]) -> Iterator[Answers]:
        """What `answer` would say at each speed, from one run of all exits."""

    @abstractmethod
    def cut_off(self, exit: int) -> tuple[int, int]:
        """(parameters, multiply-accumulates per epoch) of the network that ends with this exit and has no other."""

    @abstractmethod
    def macs(self, reached: Sequence[float], early: bool) -> float:
        """Per epoch, where the share reached[k] of the epochs runs stage k; `early`: whether any may leave early."""


@dataclass(frozen=True, slots=True)
class ExitShare:
    """An exit: the epochs that leave there, their share, in [0, 1], and the share of these that is right, if any."""

    name: str
    epochs: int
    share: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class SpeedPoint:
    """One speed. `macs` are the multiply-accumulates of the stages that run, per epoch."""

    speed: float
    figures: Report
    macs: float
    exits: tuple[ExitShare, ...]

    def to_dict(self) -> dict:
        """Plain values, for JSON; the report's are left to who prints it."""
        return {"speed": self.speed, "macs": self.macs, "exits": [asdict(e) for e in self.exits]}

    def per_epoch(self, stages: Sequence[float]) -> float:
        """What the stages that run cost per epoch, where stage k costs stages[k]."""
        reached = np.cumsum([e.share for e in self.exits][::-1])[::-1]
        return float(np.dot(reached, stages))


def check_speed(speed: float) -> None:
    """Raise ModelError unless `speed` is a number in [0, 1]."""
    if not 0 <= speed <= 1:
        raise ModelError(f"speed is {speed:g}, wanted 0 (no epoch leaves early) to 1")


def speed_point(staged: Staged, answers: Answers, y: np.ndarray, speed: float) -> SpeedPoint:
    """Figures of `answers` to epochs of the classes y (n,), given at `speed`."""
    predicted = answers.logits.argmax(axis=1)
    shares = tuple(_share(name, answers.exit == k, predicted == y) for k, name in enumerate(staged.names))
    macs = staged.macs(answers.reached(len(staged.names)), early=speed > 0)
    return SpeedPoint(speed, report(y, predicted, staged.classes), macs, shares)


def sweep(staged: Staged, x: Signals, y: np.ndarray, speeds: Sequence[float]) -> list[SpeedPoint]:
    """A point for each speed."""
    given = zip(staged.answers(x, speeds), speeds, strict=True)
    return [speed_point(staged, answers, y, speed) for answers, speed in given]


def _share(name: str, here: np.ndarray, right: np.ndarray) -> ExitShare:
    n = int(here.sum())
    return ExitShare(name, n, n / len(here), float(right[here].mean()) if n else None)
