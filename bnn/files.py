"""Writing files so that a reader never sees half of one."""

import os
import sys
import tempfile
from pathlib import Path

from bnn.errors import FileError


def write_atomic(path: Path, content: bytes | str, *, force: bool = True) -> None:
    """Write `content` beside `path` under a temporary name, then move it into place.

    Raises FileError if the folder cannot be written to, or if `path` exists and `force` is False.
    """
    path = Path(path)
    refuse_existing(path, force)
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise FileError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def refuse_existing(path: Path, force: bool) -> None:
    """Raise FileError if `path` exists and may not be replaced."""
    if not force and Path(path).exists():
        raise FileError(f"{path}: exists already; pass --force to replace it, or choose another --out")


def cache_folder() -> Path:
    """Where what can be made again is kept: BNN_CACHE, or `bnn` in the system's folder for that. It need not exist."""
    if named := os.environ.get("BNN_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "bnn" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "bnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bnn"
