"""The host engine: generated C for many windows at once, built for this very computer, kept, and called in process."""

import ctypes
import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bnn.errors import FileError, ToolError
from bnn.files import cache_folder, write_atomic
from firmware.compilers import Compiler, find_compiler, run
from firmware.manifest import Manifest, read_manifest
from firmware.records import INTEGERS, Result, check_windows
from firmware.targets import HOST

FLAGS = ("-std=gnu11", "-O3", "-march=native", "-Wno-psabi", "-fPIC", "-shared")
ALIGNMENT = 64
LANES = (64, 128, 256, 512)


class NativeRunner:
    """A library of the engine, loaded. Not to be shared by threads: each needs one of its own.

    lanes  windows that it takes at once
    """

    def __init__(self, library: Path, manifest: Manifest):
        self.manifest = manifest
        try:
            loaded = ctypes.CDLL(str(library))
        except OSError as error:
            raise ToolError(f"{library}: cannot be loaded ({error}); delete it, and it is built again") from error
        self._run = loaded.bnn_native_run
        self._run.restype = None
        self._run.argtypes = (*[ctypes.c_void_p] * 2, ctypes.c_uint64, *[ctypes.c_void_p] * 3)
        loaded.bnn_native_context_bytes.restype = ctypes.c_uint64
        self.lanes = int(loaded.bnn_native_lanes())
        self._context = _aligned(loaded.bnn_native_context_bytes())

    def run(self, windows: np.ndarray, *, tensors: bool = False) -> Result:
        """Classify `windows` (n, samples) int16; with `tensors`, give every stored tensor too.

        Raises DataError for other windows.
        """
        windows = check_windows(windows, self.manifest)
        n = len(windows)
        classes, logits = np.empty(n, np.int32), np.empty((n, len(self.manifest.classes)), np.int32)
        traces = self.manifest.traces if tensors else ()
        shown = {t.name: np.empty((n, *t.shape), INTEGERS.get(t.type, np.uint8)) for t in traces}
        places = (ctypes.c_void_p * len(shown))(*(a.ctypes.data for a in shown.values())) if shown else None
        arrays = (windows.ctypes.data, n, logits.ctypes.data, classes.ctypes.data)
        self._run(self._context.ctypes.data, *arrays, places)
        return Result(classes, logits, np.zeros_like(classes), shown)


def _aligned(size: int) -> np.ndarray:
    """Bytes that begin at a multiple of ALIGNMENT."""
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    return memory[-memory.ctypes.data % ALIGNMENT :][:size]


def open_native(
    files: Mapping[str, str],
    *,
    compiler: Compiler | None = None,
    lanes: int | None = None,
    cache: Path | None = None,
    check: Callable[[NativeRunner], None] = lambda runner: None,
) -> NativeRunner:
    """The engine of generated files (name -> text), built unless the same files were built on this computer before.

    compiler  default: find_compiler(HOST)
    lanes     bits of a vector, one of LANES; default: the widest that this processor has
    cache     where libraries are kept; default: `native` in cache_folder()
    check     called with a library that is new, and kept only if that raises nothing

    A library is known by the SHA-256 of the files, the compiler with its version and flags, and the processor.
    Raises ToolError if there is no compiler, if it refuses the files, or if nothing can be kept.
    """
    compiler = compiler or find_compiler(HOST)
    flags = [*FLAGS, *(["-fno-sanitize=all"] if compiler.kind == "zig" else []), *_lanes_flag(lanes)]
    key = _key(files, compiler, flags)
    with tempfile.TemporaryDirectory(prefix="bnn-native-") as temporary:
        folder = Path(temporary)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        manifest = read_manifest(folder)
        kept = (cache or cache_folder() / "native") / f"{manifest.name}-{key[:32]}.so"
        if not kept.exists():
            what = f"{manifest.name} for the native engine"
            run(compiler, [*flags, *manifest.sources, "-o", "new.so"], what=what, cwd=folder)
            check(NativeRunner(folder / "new.so", manifest))
            _keep((folder / "new.so").read_bytes(), kept)
        return NativeRunner(kept, manifest)


def _lanes_flag(lanes: int | None) -> list[str]:
    if lanes is not None and lanes not in LANES:
        raise ToolError(f"vectors of {lanes} bits: the native engine has {', '.join(map(str, LANES))}")
    return [] if lanes is None else [f"-DBNN_NATIVE_LANES={lanes}"]


def _keep(library: bytes, path: Path) -> None:
    try:
        write_atomic(path, library)
    except FileError as error:
        raise ToolError(
            f"{path}: cannot be written, where the native engine is kept; let BNN_CACHE name a folder"
        ) from error


def _key(files: Mapping[str, str], compiler: Compiler, flags: list[str]) -> str:
    parts = [processor(), str(compiler), *compiler.command, *flags]
    parts += [part for name in sorted(files) for part in (name, files[name])]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part.encode())}:".encode() + part.encode())
    return digest.hexdigest()


def processor() -> str:
    """What -march=native depends on: the machine, and on Linux its first processor's name and features."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    kept = sorted(
        line for line in lines if line.split("\t")[0].strip() in ("model name", "flags", "Features", "CPU part")
    )
    return "\n".join([platform.system(), platform.machine(), platform.processor(), os.name, *kept])
