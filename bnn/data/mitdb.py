"""Where the MIT-BIH Arrhythmia Database stands on this machine, and which records form which part of it."""

import os
from pathlib import Path

from bnn.errors import DataError

# De Chazal, O'Dwyer, Reilly 2004, "Automatic classification of heartbeats using ECG morphology and heartbeat
# interval features", table III: two halves of equal class mix with no patient in both.
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())
# ANSI/AAMI EC57 leaves records with paced beats out of the evaluation.
PACED = ("102", "104", "107", "217")
RECORDS = tuple(sorted(DS1 + DS2 + PACED))
SAMPLES = 650_000  # per record and lead: 30 minutes at 360 Hz


def locate(name: str = "mitdb") -> Path:
    """The folder that holds the database's records.

    That is the folder `name` in the one that the environment variable BNN_DATA names.
    """
    root = os.environ.get("BNN_DATA")
    if not root:
        raise DataError("BNN_DATA is not set; set it to the folder that holds mitdb/")
    folder = Path(root).expanduser() / name
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder, although BNN_DATA is {root}; put the {name} records there, or unset BNN_DATA"
        )
    return folder
