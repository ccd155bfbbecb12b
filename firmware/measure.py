"""What a model costs on a core: instructions, flash, RAM and stack.

These are counts, not times: no emulator here knows a core's cycles.

instructions   executed in generated code, runtime and compiler helpers for one window; start-up and bench are left
               out, and so is an instruction of a Thumb IT block whose condition fails.
per layer      the same, between one traced tensor and the next, in a traced image: each holds the handful of
               instructions that pass a tensor to the trace, so that their sum is a little more than the total.
per push       of a stream, to which each sample is pushed alone: those of the push that takes the most.
per stage      of a model of several stages, the same from the entry of one stage's function to that of the next, with
               the test whether the window leaves. What runs for a window that leaves early is their sum so far.
stack          bytes below the caller's stack pointer at the model's entry, found by painting; in QEMU, by
               watching stores.
flash, RAM     see image.Sizes.
"""

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from bnn.errors import DataError, ToolError
from firmware.build import build_image
from firmware.compilers import Compiler, find_compiler
from firmware.emulate import EmulatedRunner
from firmware.hooks import Counter
from firmware.image import Sizes, read_image
from firmware.machine import Machine
from firmware.manifest import Manifest, read_manifest
from firmware.records import check_windows
from firmware.steps import count_steps
from firmware.targets import Target, find_target

AFTER = "decision"  # the instructions after the last traced tensor: the class is chosen and returned


@dataclass(frozen=True)
class Measurement:
    """Costs of one model on one core; counts and bytes.

    instructions        of the slowest window; instructions_least of the fastest
    per_layer           traced tensor -> instructions up to it since the one before, in the slowest window
    per_stage           stage -> instructions of it in the slowest window; empty where there is one stage
    flash, ram          the model's own: Sizes.flash and Sizes.ram
    stack               of the deepest window
    largest_push        of a stream, instructions of the push of one sample that takes the most; else None
    """

    name: str
    target: str
    compiler: str
    opt: str
    windows: int
    instructions: int
    instructions_least: int
    per_layer: dict[str, int]
    per_stage: dict[str, int]
    flash: int
    ram: int
    stack: int
    largest_push: int | None
    sizes: Sizes

    def as_dict(self) -> dict:
        """For JSON: the fields, with those of `sizes` after them."""
        fields = asdict(self)
        return fields | fields.pop("sizes")


def measure(
    generated: Path,
    target: str | Target,
    windows: np.ndarray,
    *,
    opt: str = "-O2",
    compiler: Compiler | None = None,
) -> Measurement:
    """Build the model in `generated` for `target`, run `windows` (n >= 1, samples) int16, and count.

    Raises ToolError for a target that is not emulated and whatever build_image and the emulators raise,
    DataError for windows that do not fit.
    """
    target = find_target(target)
    if target.unicorn is None and not target.is_arm:
        raise ToolError(f"target {target.name} is not emulated, so nothing can be counted; choose a microcontroller")
    manifest = read_manifest(generated)
    windows = check_windows(windows, manifest)
    if not len(windows):
        raise DataError(f"{manifest.name}: no window was given, but measuring takes at least one")
    compiler = compiler or find_compiler(target)
    with tempfile.TemporaryDirectory(prefix="bnn-measure-") as folder:
        how = {"opt": opt, "compiler": compiler, "piece": 1}
        plain = build_image(generated, target, Path(folder), traced=False, **how)
        traced = build_image(generated, target, Path(folder), traced=True, **how)
        sizes = _sizes(plain, manifest)
        count, count_layers = (_count, _count_layers) if target.unicorn else (_count_steps, _count_layer_steps)
        counted = count(plain, manifest, target, windows)
        slowest = int(np.argmax(counted.windows))
        per_layer = count_layers(traced, manifest, target, windows[slowest])
    return Measurement(
        name=manifest.name,
        target=target.name,
        compiler=str(compiler),
        opt=opt,
        windows=len(windows),
        instructions=counted.windows[slowest],
        instructions_least=min(counted.windows),
        per_layer=per_layer,
        per_stage=_per_stage(manifest, counted.stages[slowest]) if manifest.stages else {},
        flash=sizes.flash,
        ram=sizes.ram,
        stack=counted.stack,
        largest_push=counted.largest_push,
        sizes=sizes,
    )


def count_model(machine: Machine) -> Counter:
    """A counter of the instructions in generated code, runtime and helpers. Make it before the first window."""
    first, end = (machine.image.address(f"model_text_{side}") for side in ("start", "end"))
    return Counter(machine.uc, first, end)


def _per_stage(manifest: Manifest, counts: list[int]) -> dict[str, int]:
    return {stage.name: count for stage, count in zip(manifest.stages, counts, strict=True)}


def _sizes(image: Path, manifest: Manifest) -> Sizes:
    """Samples that a stream keeps are no cost of it: a caller of the other form keeps them, too."""
    sizes = read_image(image).sizes()
    if not manifest.is_stream:
        return sizes
    return replace(sizes, context=sizes.context - manifest.kept_bytes, samples=manifest.kept_bytes)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Instructions of every window, and of its stages where it has some; the deepest stack of all; a stream's largest
    push."""

    windows: list[int]
    stages: list[list[int]]
    stack: int
    largest_push: int | None


def _count(image: Path, manifest: Manifest, target: Target, windows: np.ndarray) -> _Counted:
    runner = EmulatedRunner(image, manifest, target, traced=False)
    machine = runner.machine
    counter = count_model(machine)
    entries: list[tuple[int, int]] = []  # stack pointer, instructions so far
    # The counter has seen the first instruction of the function when the entry is noted.
    for entry in manifest.entries:
        machine.on_entry(entry, lambda: entries.append((machine.stack_pointer, counter.value - 1)))
    machine.paint_stack()
    counts, stages = [], []
    for window in windows:
        before, pushed = counter.value, len(entries)
        runner.run(window[None])
        if manifest.restart:  # what only gave statistics was work of the window before
            before = entries[pushed + manifest.values // 2][1]
        counts.append(counter.value - before)
        if manifest.stages:
            stages.append(np.diff([at for _, at in entries[pushed:]] + [counter.value]).tolist())
    stack = max(0, entries[0][0] - machine.deepest_stack())
    pushes = np.diff([before for _, before in entries] + [counter.value])
    return _Counted(counts, stages, stack, int(pushes.max()) if manifest.is_stream else None)


def _count_layers(image: Path, manifest: Manifest, target: Target, window: np.ndarray) -> dict[str, int]:
    """Instructions of one window, cut at every call of bnn_trace."""
    runner = EmulatedRunner(image, manifest, target, traced=True)
    counter = count_model(runner.machine)
    counts: list[int] = [0]
    pushes: list[int] = []
    runner.machine.on_entry("bnn_trace", lambda: counts.append(counter.value))
    if manifest.restart:
        runner.machine.on_entry(f"{manifest.name}_push", lambda: pushes.append(counter.value - 1))  # see _count
    runner.run(window[None])
    if manifest.restart:  # begin with the window, not with its past
        counts[0] = pushes[manifest.values // 2]
    counts.append(counter.value)
    per_layer: dict[str, int] = dict.fromkeys((trace.name for trace in manifest.traces), 0)
    for name, count in zip([*runner.trace_order(), AFTER], np.diff(counts).tolist(), strict=True):
        per_layer[name] = per_layer.get(name, 0) + count
    return per_layer


def _count_steps(image: Path, manifest: Manifest, target: Target, windows: np.ndarray) -> _Counted:
    """As _count, in QEMU."""
    found = count_steps(image, manifest, target, windows, ("bench_window", *manifest.entries))
    entries = [mark for mark in found.marks if mark.function in manifest.entries]
    pushes = np.diff([mark.count for mark in entries] + [found.count])
    begins = [mark.count for mark in found.marks if mark.function == "bench_window"]
    ends = begins[1:] + [found.count]
    if manifest.restart:  # what only gave statistics was work of the window before
        per_window = len(entries) // len(begins)
        begins = [mark.count for mark in entries[manifest.values // 2 :: per_window]]
    counts = [end - begin for begin, end in zip(begins, ends, strict=True)]
    stages = pushes.reshape(len(windows), -1).tolist() if manifest.stages else []
    stack = max(0, entries[0].stack - found.deepest)
    return _Counted(counts, stages, stack, int(pushes.max()) if manifest.is_stream else None)


def _count_layer_steps(image: Path, manifest: Manifest, target: Target, window: np.ndarray) -> dict[str, int]:
    """As _count_layers, in QEMU."""
    push = (f"{manifest.name}_push",) if manifest.restart else ()
    found = count_steps(image, manifest, target, window[None], ("bench_window", "bnn_trace", *push))
    pushes = [mark.count for mark in found.marks if mark.function in push]
    traces = [mark for mark in found.marks if mark.function == "bnn_trace"]
    begin = pushes[manifest.values // 2] if manifest.restart else found.marks[0].count
    names = {trace.id: trace.name for trace in manifest.traces}
    counts = np.diff([begin, *(mark.count for mark in traces), found.count]).tolist()
    per_layer: dict[str, int] = dict.fromkeys(names.values(), 0)
    for name, count in zip([*(names[mark.argument] for mark in traces), AFTER], counts, strict=True):
        per_layer[name] = per_layer.get(name, 0) + count
    return per_layer
