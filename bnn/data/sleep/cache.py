"""Prepared nights in the user's cache: reading a night's EDF takes seconds, its epochs a fraction of one."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from bnn.data.mitdb import cache_folder
from bnn.data.sleep.epochs import EpochSet, Signal
from bnn.data.sleep.nights import Night, Source, read_night
from bnn.files import write_atomic

VERSION = 1  # to be raised when the meaning of a prepared night changes


def prepared(source: Source, night: Night) -> EpochSet:
    """`read_night`, from the cache if the same files were read the same way before. Raises DataError as it does.

    The key is a hash of the files' contents, the channels, rates and gains, and VERSION: a changed file is read anew. A
    damaged file of the cache is replaced.
    """
    path = cache_folder() / "prepared" / f"{source.name}-{night.name}-{_key(source, night)[:16]}.npz"
    if (epochs := _load(path, source, night)) is not None:
        return epochs
    epochs = read_night(source, night)
    write_atomic(path, _packed(epochs))
    return epochs


def _key(source: Source, night: Night) -> str:
    settings = {key: [wanted.channels, wanted.fs, wanted.gain] for key, wanted in source.wanted.items()}
    text = json.dumps([VERSION, source.name, night.name, night.subject, settings], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for path in (night.signals, *night.scoring):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _packed(epochs: EpochSet) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, stage=epochs.stage, position=epochs.position, **{key: s.x for key, s in epochs.signals.items()})
    return buffer.getvalue()


def _load(path: Path, source: Source, night: Night) -> EpochSet | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    signals = {
        key: Signal(arrays[key], tuple(names[0] for names in wanted.channels), wanted.fs, wanted.gain)
        for key, wanted in source.wanted.items()
    }
    n = len(arrays["stage"])
    columns = np.full(n, night.subject), np.full(n, night.name)
    return EpochSet(source.name, signals, arrays["stage"], *columns, arrays["position"])
