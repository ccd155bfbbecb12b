"""From what scorers wrote to one AASM stage per 30-second epoch."""

from collections.abc import Iterable

import numpy as np

from bnn.data.sleep.epochs import EPOCH, STAGES
from bnn.errors import DataError

UNSCORED = -1
W, N1, N2, N3, REM = range(len(STAGES))

# R&K to AASM: stages 3 and 4 are N3; movement time and what was not scored have no AASM stage.
# (Iber et al. 2007, The AASM Manual for the Scoring of Sleep; Kemp 2013 for the texts of Sleep-EDF.)
SLEEP_EDF = {
    "Sleep stage W": W,
    "Sleep stage 1": N1,
    "Sleep stage 2": N2,
    "Sleep stage 3": N3,
    "Sleep stage 4": N3,
    "Sleep stage R": REM,
    "Sleep stage ?": UNSCORED,
    "Movement time": UNSCORED,
}
NSRR = {
    "Wake|0": W,
    "Stage 1 sleep|1": N1,
    "Stage 2 sleep|2": N2,
    "Stage 3 sleep|3": N3,
    "Stage 4 sleep|4": N3,
    "REM sleep|5": REM,
    "Movement|6": UNSCORED,
    "Unscored|9": UNSCORED,
}
ISRUC = {"0": W, "1": N1, "2": N2, "3": N3, "5": REM}
RECHTSCHAFFEN = np.array([W, REM, N1, N2, N3, N3])  # 0 wake, 1 REM, 2 to 5 stages 1 to 4, as UCDDB counts

Mark = tuple[float, float, str]
"""Onset and duration in seconds, and what the scorer wrote."""


def stages_of_marks(marks: Iterable[Mark], meaning: dict[str, int], n_epochs: int, source: str) -> np.ndarray:
    """(n_epochs,) int64: the stage of each epoch by the mark that covers it wholly, UNSCORED where none does.

    meaning  the stage of each text that a mark may have

    An epoch partly under one mark and partly under another stays unscored, and so do gaps between marks. What lies
    before the recording or after its last whole epoch is left out: hypnograms of Sleep-EDF go on for an hour.

    Raises DataError for a text without meaning, a time that is none, or two marks on the same time.
    """
    stage = np.full(n_epochs, UNSCORED, dtype=np.int64)
    before = (-np.inf, "")  # end and text of the mark before
    for onset, duration, text in sorted(marks):
        if text not in meaning:
            raise DataError(
                f"{source}: stage {text!r} at {onset:g} s is not known, wanted one of {', '.join(meaning)}; "
                "check that the file is this data set's"
            )
        if not (np.isfinite(onset) and 0 <= duration < np.inf):
            raise DataError(f"{source}: {text!r} at {onset:g} s lasts {duration:g} s, wanted finite times, 0 s or more")
        if onset < before[0]:
            raise DataError(
                f"{source}: {text!r} at {onset:g} s begins before {before[1]!r} ends at {before[0]:g} s, wanted one "
                "stage at a time; fetch the file again, or correct the scoring"
            )
        first, end = int(np.ceil(onset / EPOCH)), int((onset + duration) // EPOCH)
        stage[max(first, 0) : max(end, 0)] = meaning[text]
        before = (onset + duration, text)
    return stage


def agreed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The stage that both scorers gave, UNSCORED where they differ; as long as the shorter of the two."""
    n = min(len(one), len(other))
    return np.where(one[:n] == other[:n], one[:n], UNSCORED)


def near_sleep(stage: np.ndarray, minutes: float = 30) -> np.ndarray:
    """(n,) bool: False for wake further than `minutes` before the first or after the last epoch of sleep.

    A recording of 20 hours is mostly an evening's wake; 30 minutes on either side is the custom (Supratak et al. 2017,
    DeepSleepNet). All True where nobody sleeps.
    """
    asleep = np.flatnonzero((stage != W) & (stage != UNSCORED))
    keep = np.ones(len(stage), dtype=bool)
    if len(asleep):
        margin = round(minutes * 60 / EPOCH)
        keep[: max(asleep[0] - margin, 0)] = False
        keep[asleep[-1] + margin + 1 :] = False
    return keep
