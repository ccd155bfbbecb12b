"""Splitting a set of nights by subject: named protocols, each with a seed. All nights of a subject stay together.

The same set, protocol, seed and fold give the same split on every machine (NumPy's PCG64). The validation subjects are
taken out of the training part, so the test subjects never have a say in which model is chosen.
"""

import numpy as np

from bnn.data.sleep.epochs import STAGES, EpochSet
from bnn.data.splits import Split
from bnn.errors import DataError

PROTOCOLS = {
    "subjects": "10 folds by subject, a tenth of the other subjects for validation",
    "leave-one-out": "as many folds as subjects, each tests one; a tenth of the others for validation",
}
FOLDS = 10
VALIDATION_SHARE = 0.1


def folds_of(epochs: EpochSet, protocol: str) -> int:
    """How many folds the protocol makes of the set. In ucddb, a subject is a night: its folds leave nights out.

    Raises DataError for an unknown protocol, or fewer than three subjects: one each to train, validate and test.
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"{protocol}: no such protocol, wanted one of {', '.join(PROTOCOLS)}")
    n = len(np.unique(epochs.subject))
    if n < 3:
        raise DataError(
            f"split {protocol}: {epochs.name} has {n} subjects, wanted at least 3: to train, to validate and to test"
        )
    return n if protocol == "leave-one-out" else min(FOLDS, n)


def split(epochs: EpochSet, protocol: str = "subjects", seed: int = 0, fold: int = 0) -> Split:
    """Split a set of nights by one of PROTOCOLS; `fold` counts from 0. The notes name the fold and its subjects.

    Raises DataError for an unknown protocol, a fold out of range, a negative seed, or too few subjects.
    """
    folds = folds_of(epochs, protocol)
    if not 0 <= fold < folds:
        raise DataError(f"split {protocol}: fold {fold} is out of range, wanted 0 to {folds - 1}")
    if seed < 0:
        raise DataError(f"split {protocol}: seed {seed} is negative, wanted 0 or more")
    train, val, test = _subjects(epochs, protocol, seed, fold, folds)
    parts = [np.flatnonzero(np.isin(epochs.subject, group)) for group in (train, val, test)]
    notes = [f"fold {fold} of {folds} tests subject{'s' if len(test) > 1 else ''} {', '.join(sorted(test.tolist()))}"]
    notes += [_without(epochs, part, verb) for part, verb in ((parts[0], "trains"), (parts[2], "tests"))]
    result = Split(protocol, seed, fold, *parts, notes=tuple(note for note in notes if note), folds=folds)
    check_subjects(epochs, result)
    return result


def check_subjects(epochs: EpochSet, parts: Split) -> None:
    """Raise DataError if a subject has epochs in two parts of a split: the network would be tested on who it knows."""
    owner: dict[str, str] = {}
    for part in ("train", "val", "test"):
        for subject in np.unique(epochs.subject[getattr(parts, part)]).tolist():
            if owner.setdefault(subject, part) != part:
                raise DataError(
                    f"split {parts.protocol}: subject {subject} of {epochs.name} is in the {owner[subject]} and the "
                    f"{part} part, wanted all nights of a subject in one; split by subject"
                )


def _subjects(epochs: EpochSet, protocol: str, seed: int, fold: int, folds: int) -> list[np.ndarray]:
    """The subjects to train, to validate and to test; they are dealt out to the folds in turn, in the seed's order."""
    subjects = np.unique(epochs.subject)
    if protocol == "subjects":
        subjects = np.random.Generator(np.random.PCG64(seed)).permutation(subjects)
    fold_of = np.arange(len(subjects)) % folds
    test, rest = subjects[fold_of == fold], subjects[fold_of != fold]
    shuffled = np.random.Generator(np.random.PCG64([seed, fold])).permutation(rest)
    n_val = min(max(round(VALIDATION_SHARE * len(rest)), 1), len(rest) - 1)
    return [shuffled[n_val:], shuffled[:n_val], test]


def _without(epochs: EpochSet, part: np.ndarray, verb: str) -> str:
    present = np.bincount(epochs.stage[part], minlength=len(STAGES))
    missing = [name for name, n in zip(STAGES, present, strict=True) if not n]
    return f"it {verb} no epoch of stage {', '.join(missing)}" if missing else ""
