"""The exits of a trained sleep network."""

from collections.abc import Iterator, Sequence

import numpy as np

from bnn.exits import Answers, Signals, Staged
from bnn.models.sleep.cost import macs_per_epoch, stage_costs
from bnn.models.sleep.net import SleepNet
from bnn.train.sleep.evaluate import adaptive, exit_logits, first_sure


class NetExits(Staged):
    """A SleepNet, float or binarised, in torch; costs as stage_costs counts them."""

    def __init__(self, net: SleepNet):
        self.net = net
        self.names, self.classes = net.config.signals, net.config.classes

    def logits(self, x: Signals) -> np.ndarray:
        return exit_logits(self.net, x)

    def answer(self, x: Signals, speed: float) -> Answers:
        return adaptive(self.net, x, speed)

    def answers(self, x: Signals, speeds: Sequence[float]) -> Iterator[Answers]:
        logits = self.logits(x)
        return (first_sure(logits, speed) for speed in speeds)

    def cut_off(self, exit: int) -> tuple[int, int]:
        costs = stage_costs(self.net.config)[: exit + 1]
        parts = [*(stage.extractor for stage in costs), costs[-1].exit]
        return sum(p.parameters for p in parts), sum(p.macs for p in parts)

    def macs(self, reached: Sequence[float], early: bool) -> float:
        return macs_per_epoch(stage_costs(self.net.config), reached, early)
