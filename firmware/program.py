"""Running windows in another process, with files in between."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bnn.errors import ToolError
from firmware.image import Image
from firmware.manifest import Manifest
from firmware.records import FAULT_ID, Result, check_windows, collect, split_records

SECONDS = 600  # one run may take
LAST_LINES = 12  # of a failed program's output, quoted in the error


def bench_input(windows: np.ndarray, manifest: Manifest, speed: int = 0) -> bytes:
    """What the bench program reads."""
    return (speed.to_bytes(4, "little") if manifest.stages else b"") + windows.tobytes()


class ProgramRunner:
    """A bench program (ports/program.c): reads bench.in, writes bench.out, where it is started.

    command      starts the program
    environment  added to this process's own
    """

    def __init__(
        self, command: Sequence[str], manifest: Manifest, *, traced: bool, environment: Mapping[str, str] | None = None
    ):
        self.command, self.manifest, self.traced = list(command), manifest, traced
        self.environment = {**os.environ, **(environment or {})}
        self.image: Image | None = None

    def run(self, windows: np.ndarray, speed: int = 0) -> Result:
        """Classify `windows` (n, samples) int16; see runners.Runner.

        Raises DataError for other windows, ToolError if the program fails.
        """
        windows = check_windows(windows, self.manifest)
        with tempfile.TemporaryDirectory(prefix="bnn-run-") as folder:
            (Path(folder) / "bench.in").write_bytes(bench_input(windows, self.manifest, speed))
            done = self._start(folder)
            output = Path(folder) / "bench.out"
            stream = output.read_bytes() if output.exists() else b""
        if done.returncode:
            raise ToolError(self._failure(done, stream))
        return collect(split_records(stream), len(windows), self.manifest, self.traced)

    def _start(self, folder: str) -> subprocess.CompletedProcess:
        try:
            return subprocess.run(
                self.command,
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{self.manifest.name}: {self.command[0]} did not end within {SECONDS} s") from error
        except OSError as error:
            raise ToolError(f"{self.manifest.name}: {self.command[0]} cannot be started ({error.strerror})") from error

    def _failure(self, done: subprocess.CompletedProcess, stream: bytes) -> str:
        """What a program said that ended with an error: the place of the fault if it reported one."""
        head = f"{self.manifest.name}: {Path(self.command[0]).name} left with code {done.returncode}"
        fault = stream[-12:]
        if len(fault) == 12 and int.from_bytes(fault[:4], "little") == FAULT_ID:
            pc = int.from_bytes(fault[8:], "little")
            return f"{head}: the core faulted at {self.image.place(pc) if self.image else hex(pc)}"
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[:LAST_LINES])
        return f"{head}; it said:\n{said or 'nothing'}"
