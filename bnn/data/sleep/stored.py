"""Real epochs that come as arrays, not as nights: ucddb_eeg.npz and sc4001_epochs.npz in the folder of BNN_DATA."""

import os
import zipfile
from pathlib import Path

import numpy as np

from bnn.data.sleep.epochs import EpochSet, Signal
from bnn.data.sleep.sleep_edf import WANTED
from bnn.data.sleep.stages import RECHTSCHAFFEN
from bnn.errors import DataError

FILES = {"ucddb": "ucddb_eeg.npz", "sc4001": "sc4001_epochs.npz"}
SC4001_CHANNELS = {"eeg": (0, 1), "eog": (2,), "emg": (4,)}  # of Fpz-Cz, Pz-Oz, EOG, respiration, EMG, temperature


def at_hand(name: str) -> Path | None:
    """The file of the set `name`, or None where BNN_DATA is not set or has no such file."""
    root = os.environ.get("BNN_DATA")
    path = Path(root).expanduser() / FILES[name] if root else None
    return path if path and path.is_file() else None


def load_ucddb() -> EpochSet:
    """7400 epochs of one EEG channel, 128 Hz, of 25 nights, each another person's.

    From the UCD sleep apnea database (PhysioNet, ODC-By), nearly only wake and deep sleep; night 18 alone has N1, N2
    and REM. The samples are raw ADC steps of 1 / 511.875 of the source's unit, which it does not name. `resample` makes
    it the nets' 100 Hz.
    """
    arrays = _read("ucddb", "eeg", "stage", "night", "epoch")
    signal = Signal(arrays["eeg"][:, None, :], ("EEG",), fs=128.0, gain=511.875, unit="")
    night = np.array([f"ucddb{night:03d}" for night in arrays["night"].tolist()])
    stage = RECHTSCHAFFEN[arrays["stage"]]
    return EpochSet("ucddb", {"eeg": signal}, stage, night, night, arrays["epoch"].astype(np.int64))


def load_sc4001() -> EpochSet:
    """14 epochs of Sleep-EDF night SC4001, 100 Hz: two EEG, one EOG, one EMG channel at the gains of that set.

    The file holds microvolts, the EMG's envelope of 1 Hz interpolated to 100 Hz. It does not tell where the epochs
    stood in the night, so `position` only counts them.
    """
    arrays = _read("sc4001", "x", "stage")
    signals = {}
    for key, columns in SC4001_CHANNELS.items():
        names = tuple(channel[0] for channel in WANTED[key].channels)
        microvolts = arrays["x"][:, :, columns].swapaxes(1, 2).astype(np.float64)
        x = np.ascontiguousarray(np.rint(microvolts * WANTED[key].gain).astype(np.int16))
        signals[key] = Signal(x, names, 100.0, WANTED[key].gain)
    n = len(arrays["stage"])
    stage = arrays["stage"].astype(np.int64)
    return EpochSet("sc4001", signals, stage, np.full(n, "00"), np.full(n, "SC4001E"), np.arange(n, dtype=np.int64))


def _read(name: str, *keys: str) -> dict[str, np.ndarray]:
    path = at_hand(name)
    if path is None:
        raise DataError(f"{name}: {FILES[name]} is not at hand; set BNN_DATA to the folder that holds it")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in keys}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not the arrays {', '.join(keys)} ({error}); put the file there again") from error
