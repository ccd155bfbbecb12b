"""Compile a generated folder: to an image for a microcontroller, a program for this computer, or a shared library."""

import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError, ToolError
from bnn.files import write_atomic
from firmware.compilers import Compiler, find_compiler, run
from firmware.manifest import Manifest, read_manifest
from firmware.targets import HOST, Target, find_target

PORTS = Path(__file__).parent / "ports"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
SECTIONS = ("-ffunction-sections", "-fdata-sections")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")
BARE = ("-ffreestanding", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
# GCC would turn the loops of memory.c and of the start-up code into calls of memcpy and memset.
GCC_PORT = ("-fno-tree-loop-distribute-patterns",)


@dataclass(frozen=True, slots=True)
class Job:
    """One build: which sources go into `folder`, compiled how."""

    manifest: Manifest
    target: Target
    compiler: Compiler
    flags: tuple[str, ...]
    folder: Path


def build_image(
    generated: Path,
    target: str | Target,
    out: Path,
    *,
    traced: bool,
    opt: str = "-O2",
    compiler: Compiler | None = None,
    sanitize: bool = False,
    piece: int = 0,
) -> Path:
    """Link the model in `generated` with the bench for `target`; return the ELF file, which lies in the folder `out`.

    traced     with -DBNN_TRACE: the program also reports every tensor
    opt        -O0 to -O3, -Os or -Oz
    compiler   default: find_compiler(target)
    sanitize   with AddressSanitizer and UBSan; only for the host, with GCC or Clang
    piece      of a stream: samples that the bench pushes at once; 0: 1, 7 and 360 by turns

    The program reads windows from bench.in and writes records to bench.out (ports/bench.h).
    Raises ToolError if there is no compiler or it refuses the sources, FileError if `generated` or `out` is no good.
    """
    target = find_target(target)
    manifest = read_manifest(generated)
    compiler = compiler or find_compiler(target)
    path = Path(out) / f"{manifest.name}-{target.name}{'-trace' if traced else ''}{'-san' if sanitize else ''}.elf"
    extra = _sanitizers(target, compiler) if sanitize else ()
    with tempfile.TemporaryDirectory(prefix="bnn-build-") as folder:
        job = _job(manifest, target, compiler, traced, opt, Path(folder), extra, piece)
        sources = ["bench.c", "program.c", "stdio.c" if target.is_host else "semihosting.c", target.startup]
        objects = _compile(job, filter(None, sources))
        _link(job, objects, _host_link(job) if target.is_host else _bare_link(job))
        _keep(job.folder / "out", path)
    return path


def build_library(
    generated: Path, out: Path, *, traced: bool, opt: str = "-O2", compiler: Compiler | None = None
) -> Path:
    """The same for the host as a shared library, for HostRunner; return its path in the folder `out`."""
    manifest = read_manifest(generated)
    compiler = compiler or find_compiler(HOST)
    path = Path(out) / f"lib{manifest.name}{'-trace' if traced else ''}.so"
    with tempfile.TemporaryDirectory(prefix="bnn-build-") as folder:
        job = _job(manifest, HOST, compiler, traced, opt, Path(folder), ("-fPIC",))
        objects = _compile(job, ["bench.c", "library.c"])
        _link(job, objects, ["-shared"])
        _keep(job.folder / "out", path)
    return path


def _job(
    manifest: Manifest,
    target: Target,
    compiler: Compiler,
    traced: bool,
    opt: str,
    folder: Path,
    extra: tuple[str, ...],
    piece: int = 0,
) -> Job:
    if not re.fullmatch(r"-O[0-3sz]", opt):
        raise ToolError(f"optimisation {opt!r} is unknown; choose one of -O0 -O1 -O2 -O3 -Os -Oz")
    write_atomic(folder / "bench_model.h", _model_header(manifest, piece))
    flags = [*WARNINGS, *SECTIONS, opt, *_machine(target, compiler), *extra]
    if traced:
        flags.append("-DBNN_TRACE")
    if not target.is_host:
        flags += [*BARE, "-isystem", str(PORTS / "include")]
    flags += ["-I", str(manifest.folder.resolve()), "-I", str(PORTS), "-I", "."]
    return Job(manifest, target, compiler, tuple(flags), folder)


def _machine(target: Target, compiler: Compiler) -> tuple[str, ...]:
    if compiler.kind == "zig":
        return (*target.zig, "-fno-sanitize=all")  # zig adds UBSan traps of its own where -O is low
    return target.gcc_flags if compiler.kind == "gcc" else ()


def _sanitizers(target: Target, compiler: Compiler) -> tuple[str, ...]:
    if not target.is_host:
        raise ToolError(f"sanitizers run on the host only, not on {target.name}")
    if compiler.kind == "zig":
        raise ToolError("zig brings no AddressSanitizer; install gcc or clang for the sanitized build")
    return SANITIZERS


def _model_header(manifest: Manifest, piece: int) -> str:
    """What the bench needs to know of the model, as ports/bench.h asks."""
    name, upper = manifest.name, manifest.name.upper()
    return f"""\
/* Which model the bench runs; written for one build. */
#include "{name}.h"

#if {upper}_CLASSES != {len(manifest.classes)}
#error "{name}.h and {name}.json disagree on the number of classes; run bnn generate again"
#endif

#define BENCH_SAMPLES {manifest.values}
#define BENCH_CLASSES {len(manifest.classes)}
typedef {name}_context bench_context;
{_calls(manifest, piece)}
"""


def _calls(manifest: Manifest, piece: int) -> str:
    if manifest.is_stream:
        return _stream_calls(manifest, piece)
    return _stage_calls(manifest) if manifest.stages else _window_call(manifest)


def _starts(manifest: Manifest) -> dict[str, str]:
    """Of each signal, where it lies among a window's samples."""
    starts = [sum(s.values for s in manifest.signals[:i]) for i in range(len(manifest.signals))]
    return {signal.name: f"(samples) + {start}" for signal, start in zip(manifest.signals, starts, strict=True)}


def _window_call(manifest: Manifest) -> str:
    signals = ", ".join(_starts(manifest).values())
    return f"#define bench_classify(context, samples, logits) {manifest.name}_classify(context, {signals}, logits)"


def _stage_calls(manifest: Manifest) -> str:
    name, starts = manifest.name, _starts(manifest)
    lines = [f"#define BENCH_STAGES {len(manifest.stages)}", "#define BENCH_RUN_STAGE(k, context, samples, logits) \\"]
    for k, (stage, entry) in enumerate(zip(manifest.stages, manifest.entries, strict=True)):
        arguments = ", ".join(["context", *(starts[signal] for signal in stage.signals), "logits"])
        lines.append(f"    (k) == {k} ? {entry}({arguments}) : \\")
    return "\n".join([*lines, "    -1", f"#define bench_leaves(context, speed) {name}_leaves(context, speed)"])


def _stream_calls(manifest: Manifest, piece: int) -> str:
    name = manifest.name
    return f"""\
#define BENCH_STREAM 1
#define BENCH_PIECE {piece}
#define BENCH_RESTART {int(manifest.restart)}
#define bench_init(context) {name}_stream_init(context)
#define bench_push(context, samples, n) {name}_push(context, samples, n)
#define bench_class(context, logits) {name}_result(context, logits)"""


def _compile(job: Job, port_sources: Iterable[str]) -> list[str]:
    """Compile every source; return the objects, relative to the job's folder, as image.ld expects them."""
    objects = []
    for i, source in enumerate(job.manifest.sources):
        objects.append(_object(job, job.manifest.folder.resolve() / source, f"model/{i}_{Path(source).stem}.o"))
    for source in port_sources:
        objects.append(_object(job, PORTS / source, f"port/{Path(source).stem}.o"))
    if not job.target.is_host and job.compiler.kind == "gcc":
        objects.append(_object(job, PORTS / "memory.c", "helper/memory.o"))
    return objects


def _object(job: Job, source: Path, name: str) -> str:
    (job.folder / name).parent.mkdir(exist_ok=True)
    flags = list(job.flags)
    if job.compiler.kind == "gcc" and not name.startswith("model/"):
        flags += GCC_PORT
    what = f"{job.manifest.name} for {job.target.name}: {source.name}"
    run(job.compiler, [*flags, "-c", str(source), "-o", name], what=what, cwd=job.folder)
    return name


def _host_link(job: Job) -> list[str]:
    return [flag for flag in job.flags if flag.startswith("-fsanitize")]


def _bare_link(job: Job) -> list[str]:
    target = job.target
    memory = "\n".join(
        f"    {name} ({rights}) : ORIGIN = {region.origin:#x}, LENGTH = {region.size:#x}"
        for name, rights, region in (("FLASH", "rx", target.flash), ("RAM", "rw", target.ram))
    )
    script = (PORTS / "image.ld").read_text(encoding="utf-8")
    write_atomic(job.folder / "image.ld", f"MEMORY\n{{\n{memory}\n}}\n\n{script}")
    # With zig, -nostdlib would leave out its compiler_rt too; where there is no system it links no C library anyway.
    nostdlib = ["-nostdlib"] if job.compiler.kind == "gcc" else []
    flags = [*nostdlib, "-Wl,-T,image.ld", "-Wl,--gc-sections", "-Wl,-z,max-page-size=4"]
    return [*_machine(target, job.compiler), *flags]


def _link(job: Job, objects: list[str], flags: list[str]) -> None:
    helpers = ["-lgcc"] if not job.target.is_host and job.compiler.kind == "gcc" else []
    what = f"{job.manifest.name} for {job.target.name}: linking"
    run(job.compiler, [*flags, *objects, *helpers, "-o", "out"], what=what, cwd=job.folder)


def _keep(built: Path, path: Path) -> None:
    """Move a finished file to where the user wants it, in one step."""
    write_atomic(path, built.read_bytes())
    try:
        os.chmod(path, 0o755)
    except OSError as error:
        raise FileError(f"{path}: cannot be made executable ({error.strerror}); choose another folder") from error
