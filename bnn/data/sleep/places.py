"""Where the recorded nights stand on this machine, and how those that can be fetched are."""

import os
from pathlib import Path

from bnn.data.download import Item, fetch, read_manifest
from bnn.data.mitdb import cache_folder
from bnn.data.sleep.nights import Source
from bnn.data.sleep.sleep_edf import FIRST_20, SLEEP_EDF_78, files_folder, subject_of
from bnn.errors import DataError

URL = "https://physionet.org/files/sleep-edfx/1.0.0/sleep-cassette/"
ON_REQUEST = {
    "isruc-1": "https://sleeptight.isr.uc.pt (subgroup 1)",
    "isruc-3": "https://sleeptight.isr.uc.pt (subgroup 3)",
    "shhs": "https://sleepdata.org/datasets/shhs (on request)",
}
FETCHED = {"sleep-edf-20": "about 1.9 GB", "sleep-edf-78": "about 7.4 GB"}
"""What `locate` fetches by itself, and how much that is: nights of some 48 MB."""


def manifest(name: str) -> tuple[Item, ...]:
    """The files of sleep-edf-20 or sleep-edf-78; PhysioNet's SHA-1 sums, as MNE-Python 1.13 carries them.

    Raises DataError for a set without published checksums.
    """
    if name not in FETCHED:
        raise DataError(f"{name}: no checksums of it are published, wanted one of {', '.join(FETCHED)}")
    everything = read_manifest("sleep-edf")
    if name == SLEEP_EDF_78.name:
        return everything
    return tuple(item for item in everything if subject_of(item.name) in FIRST_20)


def at_hand(source: Source) -> Path | None:
    """The folder that holds the recordings, or None where there is none.

    That is source.folder inside the folder that BNN_DATA names, if it is set, else inside the user's cache.
    """
    folder = _root() / source.folder
    if not folder.is_dir():
        return None
    if os.environ.get("BNN_DATA") or source.name not in FETCHED:
        return folder
    there = all((files_folder(folder) / item.name).is_file() for item in manifest(source.name))
    return folder if there else None


def locate(source: Source) -> Path:
    """The folder that holds the recordings; Sleep-EDF is fetched from PhysioNet first, unless BNN_DATA is set.

    An interrupted fetch leaves whole nights only, and the next one goes on from there.
    Raises DataError where the recordings are not at hand and cannot be fetched, with the way to get them.
    """
    if folder := at_hand(source):
        return folder
    wanted = _root() / source.folder
    if source.name not in FETCHED:
        raise DataError(
            f"{wanted}: no such folder, wanted the recordings of {source.name}; get them from "
            f"{ON_REQUEST[source.name]} and put them there, or set BNN_DATA to the folder that holds {source.folder}"
        )
    if os.environ.get("BNN_DATA"):
        raise DataError(
            f"{wanted}: no such folder, though BNN_DATA is set; put the recordings of {source.name} there, or unset "
            f"BNN_DATA to have them fetched ({FETCHED[source.name]})"
        )
    fetch(URL, manifest(source.name), wanted)
    return wanted


def _root() -> Path:
    root = os.environ.get("BNN_DATA")
    return Path(root).expanduser() if root else cache_folder()
