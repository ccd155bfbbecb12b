"""Figures of an MC2SleepNet's classifiers. Needs torch."""

from dataclasses import asdict, dataclass

import numpy as np

from bnn.cli.common import out, table
from bnn.data.sleep.epochs import EpochSet
from bnn.metrics import Report, report
from bnn.models.mc2.config import HEADS, Mc2Config
from bnn.models.mc2.cost import net_cost
from bnn.models.mc2.net import Mc2Net
from bnn.train.mc2.evaluate import probabilities


@dataclass(frozen=True, slots=True)
class Voted:
    """Each classifier as if it answered alone, by the vote of all sequences."""

    config: Mc2Config
    reports: list[Report]

    def show(self) -> None:
        """Print a table of the classifiers, and one of what the parts of the network cost."""
        classes = (f"F1 {name}" for name in self.config.classes)
        shown = table("classifier", numbers=("accuracy", "macro-F1", "kappa", *classes))
        for name, figures in zip(HEADS, self.reports, strict=True):
            overall = f"{figures.accuracy:.2%}", f"{figures.macro_f1:.3f}", f"{figures.kappa:.3f}"
            f1 = ("-" if c.f1 is None else f"{c.f1:.3f}" for c in figures.classes)
            shown.add_row(name, *overall, *f1)
        out.print(f"Each classifier, by the vote of all sequences of up to {self.config.sequence} epochs:")
        out.print(shown)
        out.print(self._costs())

    def _costs(self):
        cost = net_cost(self.config)
        shown = table("part", numbers=("parameters", "MACs an epoch"))
        for part in cost.parts:
            shown.add_row(part.name, f"{part.parameters:,}", _millions(part.macs))
        shown.add_row("all, one sequence", f"{cost.parameters:,}", _millions(cost.macs))
        shown.add_row(f"all, vote of {cost.votes} sequences", f"{cost.parameters:,}", _millions(cost.macs_of_the_vote))
        return shown

    def to_dict(self) -> dict:
        cost = net_cost(self.config)
        heads = [{"name": name} | r.to_dict() for name, r in zip(HEADS, self.reports, strict=True)]
        totals = {"parameters": cost.parameters, "macs": cost.macs, "macs_of_the_vote": cost.macs_of_the_vote}
        return {"heads": heads, "parts": [asdict(part) for part in cost.parts], **totals}


def voted(net: Mc2Net, epochs: EpochSet) -> tuple[np.ndarray, Voted]:
    """Log-probabilities of the fused classifier, which serve as its logits, and the figures of all five."""
    said = probabilities(net, epochs)
    reports = [report(epochs.y, p.argmax(axis=1), epochs.classes) for p in said]
    return np.log(np.maximum(said[-1], np.finfo(np.float64).tiny)), Voted(net.config, reports)


def _millions(macs: int) -> str:
    return f"{macs / 1e6:.2f} M"
