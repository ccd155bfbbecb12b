"""Figures of a network with exits: of each alone, or of those that were taken at a speed."""

from dataclasses import dataclass

import numpy as np

from bnn.cli.common import out, table
from bnn.data.sleep.epochs import EpochSet
from bnn.exits import SpeedPoint, Staged, speed_point
from bnn.metrics import Report, report


@dataclass(frozen=True, slots=True)
class Alone:
    """Each exit as if it answered every epoch."""

    staged: Staged
    reports: list[Report]

    def show(self) -> None:
        """Print a table; parameters and MACs are those of a network that is cut off there and has this exit alone."""
        classes = (f"F1 {name}" for name in self.staged.classes)
        shown = table("exit", numbers=("accuracy", "macro-F1", "kappa", *classes, "parameters", "MACs"))
        for k, figures in enumerate(self.reports):
            overall = f"{figures.accuracy:.2%}", f"{figures.macro_f1:.3f}", f"{figures.kappa:.3f}"
            f1 = ("-" if c.f1 is None else f"{c.f1:.3f}" for c in figures.classes)
            parameters, macs = self.staged.cut_off(k)
            shown.add_row(self.staged.names[k].upper(), *overall, *f1, f"{parameters:,}", f"{macs / 1e6:.2f} M")
        out.print("Each exit alone, on every epoch:")
        out.print(shown)

    def to_dict(self) -> dict:
        return {"exits": [self._entry(k) for k in range(len(self.reports))]}

    def _entry(self, k: int) -> dict:
        parameters, macs = self.staged.cut_off(k)
        head = {"name": self.staged.names[k], "parameters": parameters, "macs": macs}
        return head | self.reports[k].to_dict()


def alone(staged: Staged, epochs: EpochSet) -> tuple[np.ndarray, Alone]:
    """The last exit's logits, and every exit's figures."""
    logits = staged.logits(epochs.x)
    return logits[-1], Alone(staged, [report(epochs.y, z.argmax(axis=1), epochs.classes) for z in logits])


@dataclass(frozen=True, slots=True)
class Taken:
    """What left where at one speed."""

    point: SpeedPoint

    def show(self) -> None:
        shown = table("exit", numbers=("epochs that leave", "share", "right among them"))
        for e in self.point.exits:
            right = "-" if e.accuracy is None else f"{e.accuracy:.2%}"
            shown.add_row(e.name.upper(), str(e.epochs), f"{e.share:.1%}", right)
        out.print(f"At speed {self.point.speed:g}, {self.point.macs / 1e6:.2f} million multiply-accumulates per epoch:")
        out.print(shown)

    def to_dict(self) -> dict:
        return self.point.to_dict()


def taken(staged: Staged, epochs: EpochSet, speed: float) -> tuple[np.ndarray, Taken]:
    """Logits of the exits at which the epochs left, and figures of these; stages run only where they are needed."""
    answers = staged.answer(epochs.x, speed)
    return answers.logits, Taken(speed_point(staged, answers, epochs.y, speed))
