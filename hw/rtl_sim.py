"""Simulating a generated Verilog folder: a program of it, and runs over windows with all that its streams had."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, ToolError
from hw.cxxrtl import compile_cxxrtl, translate
from hw.rtl_tools import call, find_simulator

BENCH = Path(__file__).parent / "rtl_bench.cpp"
FORMAT = 2
"""Of manifests that are read."""

KINDS = {"bit": np.uint8, "int8": np.int8, "int16": np.int16, "int32": np.int32}


@dataclass(frozen=True, slots=True)
class Stalls:
    """Back-pressure: in how many of 256 cycles a sample is held back, and a result is not taken; which, `seed` says.

    reset_at  the cycle in which a reset falls into a run of other samples, before the windows come; 0 for none
    """

    held_in: int = 0
    held_out: int = 0
    seed: int = 1
    reset_at: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class RtlRun:
    """What a simulated top level made of n windows.

    classes  (n,) int64
    logits   (n, k) int32
    leaves   (n,) bool, whether it leaves at the exit; False where there is no gate
    tensors  by name, (n, *shape), in the order of the graph; empty where it was not traced
    first    (n,) cycle in which a window's first sample was taken
    done     (n,) cycle in which its result was taken
    """

    classes: np.ndarray
    logits: np.ndarray
    leaves: np.ndarray
    tensors: dict[str, np.ndarray]
    first: np.ndarray
    done: np.ndarray

    @property
    def cycles(self) -> int:
        """Between two results, the median; of one window, its latency."""
        return int(np.median(np.diff(self.done))) if len(self.done) > 1 else self.latency

    @property
    def latency(self) -> int:
        """From the first sample of the first window to its result."""
        return int(self.done[0] - self.first[0])


def read_manifest(folder: Path) -> dict:
    """The manifest of a folder that `bnn generate --target rtl` wrote. ToolError where there is none of this format."""
    for path in sorted(Path(folder).glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("backend") != "rtl":
            continue
        if content["format"] != FORMAT:
            raise ToolError(f"{path}: is of format {content['format']}, wanted {FORMAT}; generate the Verilog again")
        return content
    raise ToolError(f"{folder}: holds no generated Verilog; run `bnn generate GRAPH --target rtl --out {folder}`")


class RtlSimulation:
    """A program built from a generated folder.

    simulator  "verilator" or "cxxrtl"; Verilator where it is installed
    traced     whether every stream is recorded
    opt        how the C++ compiler optimises; short runs of small graphs are done sooner with -O0
    """

    def __init__(
        self, folder: Path, build: Path, *, simulator: str | None = None, traced: bool = True, opt: str = "-O1"
    ):
        self.manifest = read_manifest(folder)
        self.folder, self.build = Path(folder).resolve(), Path(build).resolve()
        self.simulator = find_simulator(simulator)
        self.traced, self.opt = traced, opt
        self.build.mkdir(parents=True, exist_ok=True)
        (self.build / "streams.h").write_text(self._streams_header(), encoding="utf-8")
        self.program = {"verilator": self._verilate, "cxxrtl": self._cxxrtl}[self.simulator]()

    def run(self, windows: np.ndarray, stalls: Stalls = Stalls(), speed: int = 0) -> RtlRun:
        """Send `windows`, (n, samples) int16, back to back, with the speed of the exit in units of 2**-15.

        Of several channels the samples of a step lie side by side.

        DataError for other windows, ToolError if it gets stuck.
        """
        windows = np.ascontiguousarray(windows)
        samples = self._samples
        if windows.dtype != np.int16 or windows.ndim != 2 or windows.shape[1] != samples or not len(windows):
            raise DataError(f"windows are {windows.dtype} {windows.shape}, wanted int16 (n, {samples})")
        patience = 40 * (self.manifest["cycles"] + 2 * samples) + 100_000
        numbers = (len(windows), stalls.seed, stalls.held_in, stalls.held_out, stalls.reset_at, patience, speed)
        with tempfile.TemporaryDirectory(prefix="bnn-") as temporary:
            source, result = Path(temporary) / "samples", Path(temporary) / "results"
            windows.astype("<i2").tofile(source)
            call([str(self.program), str(source), str(result), *map(str, numbers)], what="simulation", cwd=self.folder)
            return self._read(np.fromfile(result, "<u4"), len(windows))

    @property
    def _samples(self) -> int:
        """Of a window, all channels together."""
        signal = self.manifest["signals"][0]
        return signal["samples"] * signal["channels"]

    def _read(self, words: np.ndarray, n: int) -> RtlRun:
        k = len(self.manifest["classes"])
        head = words[: n * (k + 4)].reshape(n, k + 4).astype(np.int64)
        tensors, at = {}, head.size
        for stream in self.manifest["trace"] if self.traced else ():
            size = -(-stream["lanes"] * stream["width"] // 32)
            count = int(words[at])
            tensors[stream["name"]] = decode(stream, words[at + 1 : at + 1 + count * size].reshape(count, size), n)
            at += 1 + count * size
        logits = head[:, 1 : k + 1].astype(np.uint32).view(np.int32)
        return RtlRun(head[:, 0], logits, head[:, k + 1] > 0, tensors, head[:, k + 2], head[:, k + 3])

    def _streams_header(self) -> str:
        """What the bench has to know of the top level."""
        streams = self.manifest["trace"] if self.traced else []
        widths = ", ".join(str(stream["lanes"] * stream["width"]) for stream in streams)
        lines = [
            f"#define SAMPLES {self._samples}",
            f"#define CLASSES {len(self.manifest['classes'])}",
            f"#define GATED {int(self.manifest['gated'])}",
            f"#define STREAMS {len(streams)}",
        ]
        return "\n".join(lines) + (f"\nstatic const unsigned WIDTHS[STREAMS] = {{{widths}}};\n" if streams else "\n")

    def _sources(self) -> list[str]:
        return [str(self.folder / name) for name in self.manifest["sources"]]

    def _verilate(self) -> Path:
        flags = ["-DBNN_TRACE"] if self.traced else []
        command = ["verilator", "--cc", "--exe", "--build", "-O3", "--x-assign", "unique", "--x-initial", "unique"]
        command += ["-Wno-fatal", "--prefix", "Vtop", "--top-module", self.manifest["top"], "--Mdir", str(self.build)]
        command += [
            *flags,
            "-CFLAGS",
            f"{self.opt} -DBNN_VERILATOR -I{self.build}",
            "-o",
            "bench",
            *self._sources(),
            str(BENCH),
        ]
        call(command, what="Verilator", cwd=self.folder)
        return self.build / "bench"

    def _cxxrtl(self) -> Path:
        defines = ["BNN_TRACE"] if self.traced else []
        text = translate(self.folder, self.manifest["sources"], self.manifest["top"], defines=defines)
        (self.build / "top.cpp").write_text(text, encoding="utf-8")
        return compile_cxxrtl(BENCH, self.build / "bench", optimise=self.opt, options=[f"-I{self.build}"])


def decode(stream: dict, beats: np.ndarray, n: int) -> np.ndarray:
    """Beats of a stream, (beats, words) uint32, as its tensor of n windows.

    Raises ToolError where there are not as many beats as n windows have.
    """
    lanes, fold, steps, width = (stream[key] for key in ("lanes", "fold", "steps", "width"))
    if len(beats) != n * steps * fold:
        raise ToolError(f"{stream['name']}: {len(beats)} beats passed in {n} windows, wanted {n * steps * fold}")
    bits = np.unpackbits(np.ascontiguousarray(beats, "<u4").view(np.uint8), axis=1, bitorder="little")
    bits = bits[:, : lanes * width].reshape(n, steps, fold, lanes, width).astype(np.int64)
    weights = 1 << np.arange(width, dtype=np.int64)
    weights[-1] = -weights[-1] if stream["signed"] else weights[-1]
    values = (bits @ weights).reshape(n, steps, fold * lanes).transpose(0, 2, 1)
    return values.reshape(n, *stream["shape"]).astype(KINDS[stream["type"]])
