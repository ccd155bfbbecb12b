"""How well a graph agrees with the network it was lowered from: a rate, since float rounding may sit on a threshold."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from torch import nn

from bnn.cli.engine import by_signal
from bnn.graph import Graph
from bnn.models.sleep.net import SleepNet
from bnn.sim import simulate
from bnn.train.evaluate import predict
from bnn.train.sleep.evaluate import exit_logits

LEAST_SAME = 0.995
MOST_ACCURACY_CHANGE = 0.002


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `windows` windows: the share of equal predictions, and the accuracy of either side, in [0, 1]."""

    windows: int
    same: float
    trained_accuracy: float
    lowered_accuracy: float

    @property
    def holds(self) -> bool:
        """At least 99.5 % of the predictions are the same, and accuracy moved by at most 0.2 points."""
        change = abs(self.lowered_accuracy - self.trained_accuracy)
        return self.same >= LEAST_SAME and change <= MOST_ACCURACY_CHANGE

    def describe(self) -> str:
        """One line for the screen."""
        return (
            f"{self.same:.2%} of {self.windows} predictions are the same; accuracy over all windows, training windows "
            f"included: trained {self.trained_accuracy:.2%}, lowered {self.lowered_accuracy:.2%}"
        )

    def to_dict(self) -> dict:
        return {**asdict(self), "holds": self.holds}


def measure(net: nn.Module, graph: Graph, windows, progress: Callable[[int], None]) -> dict[str, Agreement]:
    """Compare the predictions of `net` and `graph` on every window, or epoch: an Agreement for each stage, by name."""
    logits = {stage.name: stage.logits for stage in graph.stages}
    lowered = simulate(graph, by_signal(graph, windows.x), keep=logits.values(), progress=progress).tensors
    trained = predictions(net, windows.x)
    answers = zip(logits, (lowered[name].argmax(axis=1) for name in logits.values()), trained, strict=True)
    return {name: _compare(got, wanted, windows.y) for name, got, wanted in answers}


def predictions(net: nn.Module, x) -> list[np.ndarray]:
    """The classes (n,) that each exit of a trained network says."""
    if isinstance(net, SleepNet):
        return list(exit_logits(net, x).argmax(axis=2))
    return [predict(net, x)]


def _compare(lowered: np.ndarray, trained: np.ndarray, y: np.ndarray) -> Agreement:
    return Agreement(
        windows=len(y),
        same=float(np.mean(trained == lowered)),
        trained_accuracy=float(np.mean(trained == y)),
        lowered_accuracy=float(np.mean(lowered == y)),
    )
