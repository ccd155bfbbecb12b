"""The sets of nights by name."""

from collections.abc import Callable, Collection

import numpy as np

from bnn.data.sleep import stored
from bnn.data.sleep.cache import prepared
from bnn.data.sleep.epochs import EpochSet, join
from bnn.data.sleep.isruc import ISRUC_1, ISRUC_3
from bnn.data.sleep.nights import Source
from bnn.data.sleep.places import FETCHED, ON_REQUEST, at_hand, locate
from bnn.data.sleep.shhs import SHHS
from bnn.data.sleep.sleep_edf import SLEEP_EDF_20, SLEEP_EDF_78
from bnn.data.sleep.synthetic import synthetic_nights
from bnn.errors import DataError

SYNTHETIC = "sleep-synthetic"
SOURCES: dict[str, Source] = {source.name: source for source in (SLEEP_EDF_20, SLEEP_EDF_78, ISRUC_1, ISRUC_3, SHHS)}
LOADERS: dict[str, Callable[[], EpochSet]] = {
    SYNTHETIC: synthetic_nights,
    "ucddb": stored.load_ucddb,
    "sc4001": stored.load_sc4001,
}
NAMES = (*SOURCES, *LOADERS)


def load(name: str, subjects: Collection[str] | None = None) -> EpochSet:
    """The set of that name in NAMES, or those of its epochs that are the `subjects`'.

    A recorded night that is not asked for is not read: SHHS whole would not fit into memory.
    Raises DataError for another name, subjects that the set does not have, or recordings that cannot be had or read.
    """
    if name in LOADERS:
        epochs = LOADERS[name]()
        there = set(epochs.subject.tolist())
        _require(name, subjects, there)
        return epochs if subjects is None else epochs.subset(np.isin(epochs.subject, list(subjects)))
    if name not in SOURCES:
        raise DataError(f"{name}: no such set of nights, wanted one of {', '.join(NAMES)}")
    source = SOURCES[name]
    nights = source.find(locate(source))
    _require(name, subjects, {night.subject for night in nights})
    return join(name, [prepared(source, n) for n in nights if subjects is None or n.subject in subjects])


def _require(name: str, subjects: Collection[str] | None, there: set[str]) -> None:
    missing = sorted(set(subjects or ()) - there)
    if missing:
        raise DataError(
            f"{name}: no subject {', '.join(missing)}, the set has {len(there)}, {min(there)} to {max(there)}; "
            "check the subjects' names"
        )


def whereabouts(name: str) -> str:
    """For the screen: where the set comes from on this machine, or how to get it."""
    if name == SYNTHETIC:
        return "SYNTHETIC, computed here"
    if name in LOADERS:
        return str(stored.at_hand(name) or f"not at hand: {stored.FILES[name]} in the folder of BNN_DATA")
    if folder := at_hand(SOURCES[name]):
        return str(folder)
    if name in FETCHED:
        return f"not at hand; `bnn data fetch {name}` gets them ({FETCHED[name]})"
    return f"not at hand; from {ON_REQUEST[name]}"
