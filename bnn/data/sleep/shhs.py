"""Sleep Heart Health Study, first visit: 5793 nights at home (Quan et al. 1997; National Sleep Research Resource).

NSRR gives the files on request, laid out as they are looked for below the folder `shhs`:

    polysomnography/edfs/shhs1/shhs1-200001.edf
    polysomnography/annotations-events-nsrr/shhs1/shhs1-200001-nsrr.xml

EEG and chin EMG have 125 Hz, the EOG 50 Hz.
"""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from bnn.data.sleep.edf import Wanted
from bnn.data.sleep.nights import Night, Source, require_nights
from bnn.data.sleep.stages import NSRR, UNSCORED, Mark, near_sleep, stages_of_marks
from bnn.errors import DataError

VISIT = "shhs1"
WANTED = {
    "eeg": Wanted((("EEG",), ("EEG(sec)", "EEG 2")), fs=125.0, gain=16.0),
    "eog": Wanted((("EOG(L)",), ("EOG(R)",)), fs=50.0, gain=16.0),
    "emg": Wanted((("EMG",),), fs=125.0, gain=16.0),
}


def find(folder: Path) -> list[Night]:
    """The nights of the first visit. Raises DataError for none, or one without annotations."""
    polysomnography = folder / "polysomnography"
    nights = []
    for path in sorted((polysomnography / "edfs" / VISIT).glob(f"{VISIT}-*.edf")):
        scoring = polysomnography / "annotations-events-nsrr" / VISIT / f"{path.stem}-nsrr.xml"
        if not scoring.is_file():
            raise DataError(f"{scoring}: no such file, wanted the annotations of {path.name}; fetch it from NSRR")
        nights.append(Night(path.stem, path.stem.removeprefix(f"{VISIT}-"), path, (scoring,)))
    return require_nights(nights, "shhs", folder, f"polysomnography/edfs/{VISIT}/{VISIT}-*.edf and their annotations")


def stages(night: Night, edf, n_epochs: int) -> np.ndarray:
    """R&K to AASM by the annotations, wake further than 30 minutes from sleep left out."""
    (path,) = night.scoring
    stage = stages_of_marks(read_scoring(path), NSRR, n_epochs, str(path))
    return np.where(near_sleep(stage), stage, UNSCORED)


def read_scoring(path: Path) -> list[Mark]:
    """The scored events of type Stages|Stages. Raises DataError if the file is no NSRR annotation or has none."""
    try:
        root = ElementTree.parse(path).getroot()
        events = [event for event in root.iter("ScoredEvent") if event.findtext("EventType") == "Stages|Stages"]
        marks = [
            (_number(event, "Start"), _number(event, "Duration"), _text(event, "EventConcept")) for event in events
        ]
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise DataError(f"{path}: damaged annotations ({error}); fetch the file again") from error
    if not marks:
        raise DataError(f"{path}: no event of type Stages|Stages, wanted NSRR's annotations; fetch the file again")
    return marks


def _text(event: ElementTree.Element, tag: str) -> str:
    text = event.findtext(tag)
    if text is None:
        raise ValueError(f"a stage without {tag}")
    return text.strip()


def _number(event: ElementTree.Element, tag: str) -> float:
    return float(_text(event, tag))


SHHS = Source("shhs", "shhs", find, WANTED, stages)
