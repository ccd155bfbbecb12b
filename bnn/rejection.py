"""Leaving doubtful windows unanswered: confidence, what it costs and what it saves (NumPy alone).

The confidence of an answer is the probability that the network was trained to give it: the softmax of its logits times
the `logit_scale` of its training, at the winning class. It is computed from the integer logits outside the generated
code, which needs no exponential for it: a device may compare the margin between logits instead. It orders answers;
whether 0.9 means right nine times in ten is another question, which the risk-coverage curve answers for one data set.
"""

from dataclasses import asdict, dataclass

import numpy as np

from bnn.errors import DataError
from bnn.metrics import wilson


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is left when answers below the confidence `least` are withheld.

    answered  how many of `windows` are answered, the share of them is `coverage`
    accuracy  of the answered, with its 95 % `interval` (Wilson 1927); None where nothing is answered
    """

    least: float
    windows: int
    answered: int
    coverage: float
    accuracy: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict:
        return asdict(self)

    def describe(self) -> str:
        """One line for the screen."""
        head = f"with confidence of at least {self.least:g}, {self.answered} of {self.windows} windows are answered"
        if self.accuracy is None:
            return f"{head}, so there is no accuracy to give"
        low, high = self.interval
        return (
            f"{head} ({self.coverage:.1%}), {self.accuracy:.2%} of them right (95 % interval {low:.1%} to {high:.1%})"
        )


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """The share of wrong answers among the answered, as the threshold falls from the surest window to the last.

    threshold, coverage, risk  (m,) float64, one a distinct confidence; coverage rises to 1
    aurc                       area under the curve: the mean risk over coverages 1/n, 2/n ... 1 (Geifman, Uziel,
                               El-Yaniv 2019, arXiv 1805.08206, eq. 3); windows of equal confidence in random order
    """

    threshold: np.ndarray
    coverage: np.ndarray
    risk: np.ndarray
    aurc: float


def confidence(logits: np.ndarray, scale: float) -> np.ndarray:
    """(n, classes) logits in units of 1 -> (n,) float64 in [1 / classes, 1].

    scale  the factor on the logits in the loss of the training, above 0
    """
    z = np.asarray(logits, dtype=np.float64) * scale
    return 1 / np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)


def reject(confidences: np.ndarray, right: np.ndarray, least: float) -> Rejection:
    """Figures of the windows whose confidence is at least `least`, in [0, 1].

    confidences (n,) float, right (n,) bool, n > 0. Raises DataError for a threshold outside [0, 1].
    """
    check_threshold(least)
    answered = confidences >= least
    count, hits = int(answered.sum()), int(right[answered].sum())
    accuracy, interval = (hits / count, wilson(hits, count)) if count else (None, None)
    return Rejection(least, len(right), count, count / len(right), accuracy, interval)


def check_threshold(least: float) -> None:
    """Raise DataError unless `least` is a probability."""
    if not 0 <= least <= 1:
        raise DataError(f"--min-confidence is {least:g}, wanted a probability from 0 to 1, for example 0.9")


def risk_coverage(confidences: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """The curve of (n,) confidences and (n,) bool, n > 0."""
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences, wrong = confidences[order], np.cumsum(~right[order])
    last = np.flatnonzero(np.append(np.diff(sorted_confidences) != 0, True))  # of each group of equal confidence
    answered = last + 1
    every = np.arange(1, len(right) + 1)
    expected_wrong = np.interp(every, np.append(0, answered), np.append(0, wrong[last]))
    return RiskCoverage(
        threshold=sorted_confidences[last],
        coverage=answered / len(right),
        risk=wrong[last] / answered,
        aurc=float(np.mean(expected_wrong / every)),
    )
