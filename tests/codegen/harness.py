"""Generated models as shared libraries over one build of the runtime, with every traced tensor read back."""

import ctypes
import json
import subprocess
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

import numpy as np

from codegen.layout import words_of
from firmware.manifest import read_manifest
from firmware.records import RESULT_ID, Record, Result, collect
from tests.runtime.kernels import RUNTIME, STRICT, Buffer

TRACER = """
typedef void tracer(unsigned id, const void *data, unsigned long bytes);
tracer *bnn_tracer;
void bnn_trace(unsigned id, const void *data, unsigned long bytes) { bnn_tracer(id, data, bytes); }
"""
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_uint, ctypes.c_void_p, ctypes.c_ulong)


class Bench:
    """Compiles the runtime once, then models on top of it."""

    def __init__(self, folder: Path, compiler: list[str]):
        self._folder, self._compiler, self._count = folder, compiler, 0
        (folder / "tracer.c").write_text(TRACER)
        self._common = [self._object(source) for source in (*sorted(RUNTIME.glob("*.c")), folder / "tracer.c")]

    def _object(self, source: Path) -> str:
        target = self._folder / f"{source.stem}.o"
        self._compile("-O1", "-fPIC", "-DBNN_TRACE", "-c", str(source), "-o", str(target))
        return str(target)

    def _compile(self, *arguments: str) -> None:
        done = subprocess.run([*self._compiler, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def load(self, generated: Path) -> "Model | StreamModel":
        """Build `<name>.c` and the known-answer test of a folder; each load is a library of its own."""
        manifest = read_manifest(generated)
        self._count += 1
        library = self._folder / f"{manifest.name}{self._count}.so"
        sources = [str(generated / f"{manifest.name}{part}.c") for part in ("", "_kat")]
        flags = [*STRICT, "-O1", "-fPIC", "-shared", "-DBNN_TRACE", "-I", str(RUNTIME)]
        self._compile(*flags, *sources, *self._common, "-o", str(library))
        form = StreamModel if manifest.is_stream else Model
        return form(ctypes.CDLL(str(library)), manifest)


class Model:
    """One generated model, loaded."""

    def __init__(self, library: ctypes.CDLL, manifest):
        self._manifest, self._records = manifest, []
        self._context = ctypes.create_string_buffer(manifest.context_bytes)
        self._library = library
        self._known_answer = getattr(library, f"{manifest.name}_known_answer")
        self._trace = CALLBACK(self._note)
        ctypes.c_void_p.in_dll(library, "bnn_tracer").value = ctypes.cast(self._trace, ctypes.c_void_p).value

    def _note(self, number: int, data: int, size: int) -> None:
        self._records.append((number, ctypes.string_at(data, size)))

    def _function(self, part: str):
        return getattr(self._library, f"{self._manifest.name}_{part}")

    def run(self, windows: np.ndarray) -> Result:
        """Classify (n, samples) int16 and return classes, logits and every traced tensor."""
        records: list[Record] = []
        for window in np.ascontiguousarray(windows):
            self._records.clear()
            ctypes.memset(self._context, 0xA5, len(self._context))
            logits = np.full(len(self._manifest.classes), 0x5A5A5A5A, np.int32)
            winner = self._function("classify")(
                self._context, ctypes.c_void_p(window.ctypes.data), ctypes.c_void_p(logits.ctypes.data)
            )
            records += [*self._records, (RESULT_ID, np.array([winner, *logits], "<i4").tobytes())]
        return collect(records, len(windows), self._manifest, traced=True)

    def leaves(self, speed: int) -> bool:
        """Whether the last window leaves its exit at this speed."""
        return bool(self._function("leaves")(self._context, ctypes.c_uint32(speed)))

    def known_answer(self) -> int:
        return self._known_answer(self._context)


class StreamModel(Model):
    """One model that takes samples as they come. Its context has guard words around it."""

    def __init__(self, library: ctypes.CDLL, manifest):
        super().__init__(library, manifest)
        self._guarded = Buffer(words_of(8 * manifest.context_bytes))
        self._context = ctypes.c_void_p(self._guarded.address)

    def begin(self) -> None:
        self._function("stream_init")(self._context)
        self._records.clear()

    def push(self, samples: np.ndarray) -> int:
        """How many it took."""
        samples = np.ascontiguousarray(samples, np.int16)
        return self._function("push")(self._context, ctypes.c_void_p(samples.ctypes.data), len(samples))

    def result(self) -> tuple[int, np.ndarray]:
        logits = np.full(len(self._manifest.classes), 0x5A5A5A5A, np.int32)
        return self._function("result")(self._context, ctypes.c_void_p(logits.ctypes.data)), logits

    def run(self, windows: np.ndarray, pieces: Iterable[int] = (3600,), warm_up: int = 0) -> Result:
        """Push (n, samples) int16 one window after the other, in pieces of these sizes by turns that heed no window.

        warm_up  windows at the beginning that have no result
        """
        self.begin()
        samples, records, sizes = np.ravel(windows), [], cycle(pieces)
        while len(samples):
            piece = samples[: next(sizes)]
            while len(piece):
                taken = self.push(piece)
                assert 0 < taken <= len(piece)
                samples, piece = samples[taken:], piece[taken:]
                winner, logits = self.result()
                if winner >= 0:
                    records += [*self._records, (RESULT_ID, np.array([winner, *logits], "<i4").tobytes())]
                    self._records.clear()
                else:
                    assert (logits == 0x5A5A5A5A).all(), "logits without a class"
        self._guarded.close()
        return collect(records, len(windows) - warm_up, self._manifest, traced=True)


def manifest_of(generated: Path) -> dict:
    (path,) = generated.glob("*.json")
    return json.loads(path.read_text())
