"""Running windows on this computer: the generated C as a shared library in this process."""

import ctypes
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from bnn.errors import ToolError
from firmware.manifest import Manifest
from firmware.records import Result, check_windows, collect, split_records


class HostRunner:
    """A library of build_library, loaded."""

    def __init__(self, library: Path, manifest: Manifest, *, traced: bool):
        self.manifest, self.traced = manifest, traced
        self._run = _load(Path(library)).bench_library_run
        self._run.argtypes = (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint64)
        self._run.restype = ctypes.c_uint64

    def run(self, windows: np.ndarray, speed: int = 0) -> Result:
        """Classify `windows` (n, samples) int16; see runners.Runner. Raises DataError for other windows.

        A model that writes where it must not can end this process: try doubtful code as a sanitized program.
        """
        windows = check_windows(windows, self.manifest)
        room = self._call(windows[:1], speed, np.empty(0, np.uint8)) * len(windows)
        records = np.empty(room, np.uint8)
        used = self._call(windows, speed, records)
        if used != room:
            raise ToolError(f"{self.manifest.name}: windows differ in what they trace ({used} bytes, not {room})")
        return collect(split_records(records.tobytes()), len(windows), self.manifest, self.traced)

    def _call(self, windows: np.ndarray, speed: int, records: np.ndarray) -> int:
        return self._run(windows.ctypes.data, len(windows), speed, records.ctypes.data, records.size)


def _load(library: Path) -> ctypes.CDLL:
    """Load a copy with a name of its own: the loader gives an older build back for a path that it has seen."""
    handle, copy = tempfile.mkstemp(suffix=library.suffix)
    os.close(handle)
    try:
        shutil.copyfile(library, copy)
        return ctypes.CDLL(copy)
    except OSError as error:
        raise ToolError(f"{library}: cannot be loaded ({error}); build it again on this computer") from error
    finally:
        os.unlink(copy)
