"""C simulation: compile projects of HLS C++ for this computer and run windows through them."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, ToolError
from firmware.compilers import Compiler, run
from hw.cxx import find_ap_types, find_cxx
from hw.manifest import Manifest, Trace, read_manifest

HERE = Path(__file__).resolve().parent
OPTIONS = ("-std=c++14", "-w", "-DAP_INT_MAX_W=4096", "-D__AP_INT_SPECIAL_H__", "-D__AP_FIXED_SPECIAL_H__")
"""The last two leave out what ap_int.h says of std::complex, which the library of Clang and zig does not take."""
KINDS = {"bit": np.dtype("u1"), "int8": np.dtype("=i4"), "int16": np.dtype("=i4"), "int32": np.dtype("=i4")}
"""How a trace writes one element; integers are 32 bits whatever they are in the graph."""


@dataclass(frozen=True)
class Result:
    """What a run gave for n windows: classes (n,) and logits (n, k) int32; leaves (n,) bool, False without a gate;
    every traced tensor, (n, *shape)."""

    classes: np.ndarray
    logits: np.ndarray
    leaves: np.ndarray
    tensors: dict[str, np.ndarray]


def build(
    projects: Sequence[Path], out: Path, *, traced: bool, compiler: Compiler | None = None, opt: str = "-O1"
) -> Path:
    """Compile generated projects into one program in the folder `out`; it runs the project that it is told by name.

    traced  with every stream written to a file

    Raises ToolError where a compiler or ap_int.h is missing or compilation fails, FileError for a folder without a
    project.
    """
    manifests = [read_manifest(project) for project in projects]
    out.mkdir(parents=True, exist_ok=True)
    main = out / "main.cpp"
    main.write_text(_main(manifests, traced), encoding="utf-8")
    program = out / ("traced" if traced else "shipped")
    # Our own hls_stream.h comes before that of the package, whose licence is another than ap_int.h's.
    folders = [f"-I{folder}" for folder in (*(m.folder.resolve() / "src" for m in manifests), HERE / "csim")]
    options = [*OPTIONS, opt, *(["-DBNN_TRACE"] if traced else []), *folders, "-isystem", str(find_ap_types())]
    names = ", ".join(manifest.name for manifest in manifests)
    run(compiler or find_cxx(), [*options, str(main), "-o", str(program)], what=f"C simulation of {names}")
    return program


def simulate(program: Path, manifest: Manifest, windows: np.ndarray, *, traced: bool, speed: int = 0) -> Result:
    """Run `windows` (n, samples) int16 through a program of build(), all in one call, back to back, with the speed of
    the exit in units of 2**-15.

    Raises DataError for other windows, ToolError if the program fails or gives other tensors than the manifest says.
    """
    if windows.dtype != np.int16 or windows.ndim != 2 or windows.shape[1] != manifest.samples or not len(windows):
        raise DataError(
            f"{manifest.name}: got {windows.dtype} {windows.shape}, wanted int16 windows (n, {manifest.samples})"
        )
    with tempfile.TemporaryDirectory(prefix="bnn-") as name:
        folder = Path(name)
        windows.tofile(folder / "in.bin")
        command = [
            str(program.resolve()),
            manifest.name,
            str(folder / "in.bin"),
            str(folder / "out.bin"),
            name,
            str(speed),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip() or f"nothing, and left with code {done.returncode}"
            raise ToolError(f"{manifest.name}: C simulation failed; it said: {said}")
        results = np.fromfile(folder / "out.bin", "=i4").reshape(len(windows), -1)
        traces = manifest.traces if traced else ()
        tensors = {trace.name: _read(folder / f"{trace.id}.bin", trace, len(windows)) for trace in traces}
    k = len(manifest.classes)
    leaves = results[:, k + 1] > 0 if manifest.gated else np.zeros(len(windows), bool)
    return Result(results[:, k].copy(), results[:, :k].copy(), leaves, tensors)


def run_project(
    project: Path, out: Path, windows: np.ndarray, *, traced: bool, compiler: Compiler | None = None, speed: int = 0
) -> Result:
    """Build one project and run windows through it; raises what build() and simulate() raise."""
    program = build([project], out, traced=traced, compiler=compiler)
    return simulate(program, read_manifest(project), windows, traced=traced, speed=speed)


def _main(manifests: Sequence[Manifest], traced: bool) -> str:
    """A program for PROJECT SAMPLES RESULTS FOLDER SPEED, the middle three paths; projects share the headers."""
    lines = [f'#include "{manifest.name}.cpp"' for manifest in manifests]
    lines += ['#include "bnn_csim.h"', "#include <string>"] + ['#include "bnn_trace.h"'] * traced
    lines += ["int main(int, char **words)", "{", "    const std::string name = words[1];"]
    lines += ["    bnn::trace_folder() = words[4];"] * traced
    for m in manifests:
        sizes = f"{m.samples}, {len(m.classes) + 1 + m.gated}"
        speed = ", std::stoi(words[5])" if m.gated else ""
        lines.append(f'    if (name == "{m.name}")')
        lines.append(f"        return bnn::simulate({m.name}_top, {sizes}, words[2], words[3]{speed});")
    return "\n".join([*lines, "    return 2;", "}", ""])


def _read(path: Path, trace: Trace, n: int) -> np.ndarray:
    """A tensor of n windows, (n, *shape)."""
    count = n * int(np.prod(trace.shape))
    values = np.fromfile(path, KINDS[trace.type]) if path.is_file() else np.empty(0)
    if len(values) != count:
        raise ToolError(
            f"{trace.name}: {len(values)} values were traced, wanted {count} of {n} windows; generate again"
        )
    if len(trace.shape) == 1:
        return values.reshape(n, *trace.shape)
    channels, steps = trace.shape
    return np.ascontiguousarray(values.reshape(n, steps, channels).transpose(0, 2, 1))
