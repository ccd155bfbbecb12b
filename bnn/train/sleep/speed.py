"""What a speed buys: accuracy, how many epochs leave at which exit, and the work saved."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bnn.data.sleep.epochs import EpochSet
from bnn.metrics import Report, report
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.cost import macs_per_epoch, stage_costs
from bnn.models.sleep.net import SleepNet
from bnn.train.sleep.evaluate import Answers, exit_logits, first_sure


@dataclass(frozen=True, slots=True)
class ExitShare:
    """An exit: the epochs that leave there, their share, in [0, 1], and the share of these that is right, if any."""

    name: str
    epochs: int
    share: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class SpeedPoint:
    """One speed. `macs` are the multiply-accumulates of the stages that run, per epoch, as stage_costs counts them."""

    speed: float
    figures: Report
    macs: float
    exits: tuple[ExitShare, ...]

    def to_dict(self) -> dict:
        """Plain values, for JSON; the report's are left to who prints it."""
        return {"speed": self.speed, "macs": self.macs, "exits": [asdict(e) for e in self.exits]}


def speed_point(config: SleepConfig, answers: Answers, y: np.ndarray, speed: float) -> SpeedPoint:
    """Figures of `answers` to epochs of the stages y (n,), given at `speed`."""
    predicted = answers.logits.argmax(axis=1)
    shares = tuple(_share(name, answers.exit == k, predicted == y) for k, name in enumerate(config.signals))
    reached = answers.reached(len(config.signals))
    macs = macs_per_epoch(stage_costs(config), reached, early=speed > 0)
    return SpeedPoint(speed, report(y, predicted, config.classes), macs, shares)


def sweep(net: SleepNet, epochs: EpochSet, speeds: Sequence[float]) -> list[SpeedPoint]:
    """A point for each speed. Every exit runs once for every epoch; who would have left where follows from that."""
    logits = exit_logits(net, epochs.x)
    return [speed_point(net.config, first_sure(logits, speed), epochs.y, speed) for speed in speeds]


def _share(name: str, here: np.ndarray, right: np.ndarray) -> ExitShare:
    n = int(here.sum())
    return ExitShare(name, n, n / len(here), float(right[here].mean()) if n else None)
