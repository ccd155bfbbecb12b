"""Where the MIT-BIH databases stand on this machine, and which arrhythmia records form which part of theirs.

mitdb  Arrhythmia Database, 48 records of two leads
nstdb  Noise Stress Test Database, of which the three records of noise are used (bnn.data.noise)
"""

import os
from pathlib import Path

import numpy as np

from bnn.data.download import fetch, read_manifest
from bnn.data.records import record_path
from bnn.errors import DataError

URLS = {
    "mitdb": "https://physionet.org/files/mitdb/1.0.0/",
    "nstdb": "https://physionet.org/files/nstdb/1.0.0/",
}

# De Chazal, O'Dwyer, Reilly 2004, "Automatic classification of heartbeats using ECG morphology and heartbeat
# interval features", table III: two halves of equal class mix. They share one patient, of records 201 and 202.
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())
# ANSI/AAMI EC57 leaves records with paced beats out of the evaluation.
PACED = ("102", "104", "107", "217")
RECORDS = tuple(sorted(DS1 + DS2 + PACED))
# By the comments in the header of 202: from the same analog tape as 201. All other records are of one person each.
SAME_PERSON = {"202": "201"}
SAMPLES = 650_000  # per record and lead: 30 minutes at 360 Hz


def persons(record: np.ndarray) -> np.ndarray:
    """(n,) str record names -> the name of one record of the same person."""
    return np.array([SAME_PERSON.get(name, name) for name in record.tolist()])


def locate(name: str = "mitdb") -> Path:
    """The folder that holds the records of the database `name`.

    That is the folder `name` inside the one that the environment variable BNN_DATA names, if it is set; else a
    folder in the user's cache, into which the records are fetched from PhysioNet first (once; mitdb 92 MB, nstdb 6 MB).

    Raises DataError if BNN_DATA has no such folder, the database is not known, or it cannot be fetched.
    """
    if folder := at_hand(name):
        return folder
    if name not in URLS:
        raise DataError(f"{name}: no such database to fetch, wanted {', '.join(URLS)}; or set BNN_DATA")
    folder = cache_folder() / name
    fetch(URLS[name], read_manifest(name), folder)
    return folder


def at_hand(name: str = "mitdb") -> Path | None:
    """The folder that `locate` would return, or None where the records would have to be fetched first.

    Raises DataError if BNN_DATA has no such folder.
    """
    root = os.environ.get("BNN_DATA")
    if root:
        folder = Path(root).expanduser() / name
        if not folder.is_dir():
            raise DataError(
                f"{folder}: no such folder, though BNN_DATA is {root}; put the {name} records there, or unset BNN_DATA"
            )
        return folder
    folder = cache_folder() / name
    there = name in URLS and all((folder / item.name).is_file() for item in read_manifest(name))
    return folder if there else None


def find_record(path_or_name: str | Path) -> Path:
    """Where the record stands: the path itself, or, for a bare name such as 100 with no such file here, in `locate`."""
    path = record_path(path_or_name)
    if str(path) in RECORDS and not Path(f"{path}.hea").exists():
        return locate() / path
    return path


def cache_folder() -> Path:
    """This project's folder in the user's cache ($XDG_CACHE_HOME, else ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bnn-wearables"
