"""Write generated files, all of them or none."""

import os
import tempfile
from pathlib import Path

from bnn.errors import FileError
from bnn.files import refuse_existing


def write_folder(files: dict[str, str], out: Path, *, force: bool) -> list[Path]:
    """Write the texts by their names, which may begin with subfolders, into the folder `out`; return their paths.

    force  replace files of these names; others in the folder are never touched

    Raises FileError if `out` cannot be written or holds such files already; then nothing is written.
    """
    out = Path(out)
    for name in files:
        refuse_existing(out / name, force)
    try:
        _write(files, out)
    except OSError as error:
        raise FileError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    return [out / name for name in files]


def _write(files: dict[str, str], out: Path) -> None:
    """Write all in a temporary folder, then move it into place; into a folder that is there already, file by file."""
    fresh = not out.exists()
    base = out.parent if fresh else out  # the file system of `out`, so that moving is renaming
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix=".bnn-") as temporary:
        folder = Path(temporary) / "new"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        if fresh:
            os.rename(folder, out)
            return
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / name, out / name)
