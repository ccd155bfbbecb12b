"""How well a graph agrees with the network it was lowered from: a rate, since float rounding may sit on a threshold."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from bnn.data.windows import WindowSet
from bnn.graph import Graph
from bnn.models.ecg import EcgNet
from bnn.sim import simulate
from bnn.train.evaluate import predict

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


def measure(model: EcgNet, graph: Graph, windows: WindowSet, progress: Callable[[int], None]) -> Agreement:
    """Compare the predictions of `model` and `graph` on every window."""
    trained = predict(model, windows.x)
    lowered = simulate(graph, {graph.signals[0].name: windows.x}, progress=progress).classes
    return Agreement(
        windows=len(windows),
        same=float(np.mean(trained == lowered)),
        trained_accuracy=float(np.mean(trained == windows.y)),
        lowered_accuracy=float(np.mean(lowered == windows.y)),
    )
