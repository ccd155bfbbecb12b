"""Figures of a network with exits: of each alone, or of those that were taken at a speed. Needs torch."""

from dataclasses import asdict, dataclass

import numpy as np

from bnn.cli.common import out, table
from bnn.data.sleep.epochs import EpochSet
from bnn.metrics import Report, report
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.cost import StageCost, stage_costs
from bnn.models.sleep.net import SleepNet
from bnn.train.sleep.evaluate import adaptive, exit_logits
from bnn.train.sleep.speed import SpeedPoint, speed_point


@dataclass(frozen=True, slots=True)
class Alone:
    """Each exit as if it answered every epoch."""

    config: SleepConfig
    reports: list[Report]

    def show(self) -> None:
        """Print a table; parameters and MACs are those of a network that is cut off there and has this exit alone."""
        classes = (f"F1 {name}" for name in self.config.classes)
        shown = table("exit", numbers=("accuracy", "macro-F1", "kappa", *classes, "parameters", "MACs"))
        costs = stage_costs(self.config)
        for k, figures in enumerate(self.reports):
            overall = f"{figures.accuracy:.2%}", f"{figures.macro_f1:.3f}", f"{figures.kappa:.3f}"
            f1 = ("-" if c.f1 is None else f"{c.f1:.3f}" for c in figures.classes)
            shown.add_row(costs[k].signal.upper(), *overall, *f1, *_cut_off(costs[: k + 1]))
        out.print("Each exit alone, on every epoch:")
        out.print(shown)

    def to_dict(self) -> dict:
        costs = stage_costs(self.config)
        exits = [asdict(cost) | figures.to_dict() for cost, figures in zip(costs, self.reports, strict=True)]
        return {"exits": exits}


def alone(net: SleepNet, epochs: EpochSet) -> tuple[np.ndarray, Alone]:
    """The last exit's logits, and every exit's figures."""
    logits = exit_logits(net, epochs.x)
    reports = [report(epochs.y, z.argmax(axis=1), epochs.classes) for z in logits]
    return logits[-1], Alone(net.config, reports)


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


def taken(net: SleepNet, epochs: EpochSet, speed: float) -> tuple[np.ndarray, Taken]:
    """Logits of the exits at which the epochs left, and figures of these; stages run only where they are needed."""
    answers = adaptive(net, epochs.x, speed)
    return answers.logits, Taken(speed_point(net.config, answers, epochs.y, speed))


def _cut_off(costs: tuple[StageCost, ...]) -> tuple[str, str]:
    parts = [*(stage.extractor for stage in costs), costs[-1].exit]
    return f"{sum(p.parameters for p in parts):,}", f"{sum(p.macs for p in parts) / 1e6:.2f} M"
