"""The native engine for the tests: its kernels compiled once for each width of vector, models on top of them."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from codegen.c.native import emit_native
from firmware.manifest import read_manifest
from firmware.native import NativeRunner
from tests.runtime.kernels import RUNTIME

STRICT = ("-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-Wno-psabi")
SHARED = ("bnn_argmax.c", "bnn_bounds.c", "bnn_stats.c")


def compilers() -> list[list[str]]:
    """Those of this computer, or else zig."""
    found = [[name] for name in ("gcc", "clang") if shutil.which(name)]
    return found or [[sys.executable, "-m", "ziglang", "cc", "-fno-sanitize=all"]]


class NativeBench:
    """Runs graphs with vectors of `lanes` bits, compiled by `compiler` for any processor of this kind, or this one."""

    def __init__(self, folder: Path, lanes: int, compiler: list[str], *machine: str):
        self._folder, self._count = folder, 0
        includes = ["-I", str(RUNTIME), "-I", str(RUNTIME / "native")]
        self._command = [*compiler, *STRICT, "-O1", "-fPIC", *machine, f"-DBNN_NATIVE_LANES={lanes}", *includes]
        sources = [*(RUNTIME / name for name in SHARED), *sorted((RUNTIME / "native").glob("*.c"))]
        self._objects = [self._object(source) for source in sources]

    def _object(self, source: Path) -> str:
        target = self._folder / f"{source.stem}.o"
        self._compile("-c", str(source), "-o", str(target))
        return str(target)

    def _compile(self, *arguments: str) -> None:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def load(self, graph) -> NativeRunner:
        """Each load is a library of its own."""
        self._count += 1
        library = self._folder / f"{graph.name}{self._count}.so"
        with tempfile.TemporaryDirectory() as folder:
            files = emit_native(graph)
            for name in (f"{graph.name}.c", f"{graph.name}.json", *files):
                (Path(folder) / name).write_text(files[name])
            self._compile("-shared", str(Path(folder) / f"{graph.name}.c"), *self._objects, "-o", str(library))
            return NativeRunner(library, read_manifest(Path(folder)))
