"""Many runs of one recipe under one protocol, summed up: over seeds, or over the folds of a cross-validation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from bnn.data.splits import FOLDS
from bnn.errors import ModelError
from bnn.metrics import Report, from_confusion
from bnn.train import run_folder
from bnn.train.recipes import recipe as find_recipe


@dataclass(frozen=True, slots=True)
class Summary:
    """Finished runs that differ in seed or fold alone.

    synthetic  whether signals were
    runs       run.json of each, in order of seed and fold
    pooled     figures over the test windows of all folds, each tested once; None where they are not all there
    """

    set: str
    recipe: str
    protocol: str
    synthetic: bool
    runs: tuple[dict, ...]
    pooled: Report | None

    @property
    def accuracies(self) -> list[float]:
        """Test accuracy of each run, in [0, 1], of the network chosen without a look at the test part."""
        return [run["test"]["accuracy"] for run in self.runs]

    @property
    def best_on_test(self) -> list[float]:
        """Accuracy of each run's best epoch on the test part, the paper's figure; empty under other protocols."""
        return [run["best_on_test"]["accuracy"] for run in self.runs if "best_on_test" in run]

    @property
    def macro_f1(self) -> list[float]:
        return [run["test"]["macro_f1"] for run in self.runs]

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        runs = [{key: run[key] for key in ("seed", "fold", "test", "seconds", "resumed")} for run in self.runs]
        for run, source in zip(runs, self.runs, strict=True):
            run |= {"best_on_test": source["best_on_test"]} if "best_on_test" in source else {}
        pooled = self.pooled.to_dict() if self.pooled else None
        of = {"set": self.set, "recipe": self.recipe, "protocol": self.protocol, "synthetic": self.synthetic}
        return of | {"runs": runs, "pooled": pooled}

    @property
    def minutes(self) -> float | None:
        """Mean training time of a run, on whatever machine it was; of a resumed one only its last part is known, so
        those do not count."""
        known = [run["seconds"] for run in self.runs if not run["resumed"]]
        return mean(known) / 60 if known else None


def spread(values: list[float], unit: float = 100, digits: int = 2) -> str:
    """ "96.10 +- 0.45": mean and sample standard deviation, or the one value that there is."""
    middle = f"{unit * mean(values):.{digits}f}"
    return middle if len(values) < 2 else f"{middle} +- {unit * stdev(values):.{digits}f}"


def summarise(folders: Iterable[Path]) -> list[Summary]:
    """One Summary for each set, recipe and protocol among the run folders, synthetic signals apart; unfinished runs are
    left out.

    Raises ModelError for a folder that holds no run.
    """
    groups = defaultdict(list)
    for run in map(run_folder.read, folders):
        if "test" in run:
            groups[run["data"]["name"], _name(run), run["protocol"], run["data"]["synthetic"]].append(run)
    return [_summary(*key, runs) for key, runs in sorted(groups.items())]


def _summary(set_name: str, recipe: str, protocol: str, synthetic: bool, runs: list[dict]) -> Summary:
    runs = sorted(runs, key=lambda run: (run["seed"], run["fold"]))
    return Summary(set_name, recipe, protocol, synthetic, tuple(runs), _pooled(runs))


def _pooled(runs: list[dict]) -> Report | None:
    folds = runs[0].get("folds", FOLDS if runs[0]["protocol"] == "kfold" else 1)  # older runs do not say
    whole = sorted(run["fold"] for run in runs) == list(range(folds)) and len({run["split_seed"] for run in runs}) == 1
    if folds == 1 or not whole:
        return None
    return from_confusion(np.sum([run["test"]["confusion"] for run in runs], axis=0), tuple(runs[0]["data"]["classes"]))


def _name(run: dict) -> str:
    """The recipe's name and the fields that the run changed, "best epochs=300"; with its task where the set has another
    name, "sleep/small"."""
    values = run["recipe"]
    name = values["name"] if values["task"] == run["data"]["name"] else f"{values['task']}/{values['name']}"
    try:
        known = find_recipe(values["task"], values["name"]).to_dict()
    except ModelError:
        return name
    changed = [f"{field}={value}" for field, value in values.items() if known.get(field) != value]
    return " ".join([name, *changed])
