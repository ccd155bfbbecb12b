"""What the C templates print: one frozen dataclass, made from the plan."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, GraphError
from bnn.graph import Signal
from codegen.c.layers import Layer, Layers
from codegen.c.targets import flags
from codegen.c.text import Names, rows, string
from codegen.files import sources
from codegen.plan import Plan

RUNTIME = Path(__file__).resolve().parents[2] / "firmware" / "runtime"
RUNTIME_HEADERS = ("bnn_bits.h", "bnn_lanes.h", "bnn_runtime.h")


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """One window and what the simulator makes of it.

    signals      the samples of every signal, int16 (channels, length) or (length,) for one channel
    logits       int32 (classes,)
    class_index  of the first largest logit
    """

    signals: dict[str, np.ndarray]
    logits: np.ndarray
    class_index: int


@dataclass(frozen=True, slots=True)
class ClassName:
    enumerator: str
    literal: str


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything that the templates name. Numbers that C reads are ints; text is ready to print."""

    name: str
    upper: str
    abi: int
    classes: tuple[ClassName, ...]
    signal: Signal
    signal_parameter: str
    fs: str
    gain: str
    seconds: str
    logit_frac: int
    arena_bytes: int
    layers: tuple[Layer, ...]
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    kat_samples: str
    kat_logits: str
    kat_class: int
    target: str
    target_cc: str
    target_ar: str
    target_flags: str


def make_model(plan: Plan, answer: KnownAnswer, target: str) -> Model:
    """Raises GraphError for names or targets that C cannot have, DataError for a known answer of another shape."""
    name, signal = plan.graph.name, plan.signal
    upper = name.upper()
    runtime = sources(plan)
    _check_name(name)
    samples = _samples(plan, answer)
    reserved = _reserved(name)
    parameter = Names(reserved).new(signal.name)
    last = next(node for node in plan.graph.nodes() if node.name == plan.logits)
    prefix = "" if target == "host" else "riscv64-unknown-elf-" if target.startswith("rv") else "arm-none-eabi-"
    options = flags(target)
    return Model(
        name=name,
        upper=upper,
        abi=runtime_abi(),
        classes=_classes(plan.graph.classes, upper),
        signal=signal,
        signal_parameter=parameter,
        fs=f"{signal.fs:g}",
        gain=f"{signal.gain:g}",
        seconds=f"{signal.length / signal.fs:g}",
        logit_frac=getattr(last, "frac", 0),
        arena_bytes=plan.arena_bytes,
        layers=tuple(Layers(plan, Names(reserved | {parameter}), parameter).all()),
        sources=(f"{name}.c", *runtime),
        headers=(f"{name}.h", f"{name}_kat.h", *RUNTIME_HEADERS),
        kat_samples=rows(samples, "int16_t"),
        kat_logits=rows(answer.logits, "int32_t"),
        kat_class=int(answer.class_index),
        target=target,
        target_cc=f"{prefix}gcc",
        target_ar=f"{prefix}ar",
        target_flags=f"{options} " if options else "",
    )


def runtime_abi() -> int:
    """The number that bnn_runtime.h states."""
    text = (RUNTIME / "bnn_runtime.h").read_text(encoding="utf-8")
    return int(re.search(r"#define BNN_RUNTIME_ABI (\d+)", text)[1])


def _check_name(name: str) -> None:
    taken = {path.stem for path in RUNTIME.iterdir()} | {"main"}
    if name in taken or f"{name}_kat" in taken or name.startswith("bnn_"):
        raise GraphError(
            f"graph name {name!r} would collide with the file {name}.c of the runtime or the example; rename the graph"
        )


def _reserved(name: str) -> set[str]:
    """Identifiers that constants and pointers must not take: the runtime's, the standard types, the parameters."""
    text = (RUNTIME / "bnn_runtime.h").read_text(encoding="utf-8")
    taken = set(re.findall(r"\bbnn_\w+|\bu?int\d+_t", text))
    return taken | {"context", "logits", f"{name}_context", f"{name}_classify"}


def _classes(names: tuple[str, ...], upper: str) -> tuple[ClassName, ...]:
    enumerators = Names({f"{upper}_CLASS_NAMES"})
    return tuple(ClassName(enumerators.new(f"{upper}_CLASS_{name.upper()}"), string(name)) for name in names)


def _samples(plan: Plan, answer: KnownAnswer) -> np.ndarray:
    samples = np.asarray(answer.signals.get(plan.signal.name, ()))
    if samples.dtype != np.int16 or samples.size != plan.signal.length:
        raise DataError(
            f"known answer: signal {plan.signal.name} is {samples.dtype} {samples.shape}, "
            f"wanted int16 ({plan.signal.length},); take one window of the recording"
        )
    if len(answer.logits) != len(plan.graph.classes) or int(np.argmax(answer.logits)) != answer.class_index:
        raise DataError(
            f"known answer: class {answer.class_index} is not the largest of {len(answer.logits)} logits for "
            f"{len(plan.graph.classes)} classes; simulate the graph that is being generated"
        )
    return samples.ravel()
