"""What the C templates print: one frozen dataclass, made from the plan."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, GraphError
from bnn.graph import Graph, Signal
from codegen.c.layers import Layer, Layers
from codegen.c.targets import flags
from codegen.c.text import Names, rows, string
from codegen.files import sources
from codegen.plan import Plan

RUNTIME = Path(__file__).resolve().parents[2] / "firmware" / "runtime"
HEADERS_OF_NAMES = ("bnn_gate.h", "bnn_runtime.h", "bnn_stream.h")
RUNTIME_HEADERS = ("bnn_bits.h", "bnn_lanes.h", "bnn_lanes_adders.h", "bnn_lanes_vectors.h", "bnn_runtime.h")


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
class Common:
    """What the templates of every form name. Numbers that C reads are ints; text is ready to print."""

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
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    statistics: str
    kat_size: str
    kat_samples: str
    kat_logits: str
    kat_class: int
    target: str
    target_cc: str
    target_ar: str
    target_flags: str


@dataclass(frozen=True, slots=True, eq=False)
class Model(Common):
    """A network that classifies a whole window at once."""

    arena_bytes: int
    gated: bool
    layers: tuple[Layer, ...]

    @property
    def unrolled(self) -> bool:
        """Whether there is code for pairs of channels, which adds words itself."""
        return any(layer.code for layer in self.layers)


def make_model(plan: Plan, answer: KnownAnswer, target: str) -> Model:
    """Raises GraphError for names or targets that C cannot have, DataError for a known answer of another shape."""
    headers = (*RUNTIME_HEADERS, *(["bnn_gate.h"] if plan.gate else []))
    shared = common(plan.graph, plan.signal, sources(plan), headers, answer, target)
    parameter = shared["signal_parameter"]
    layers = Layers(plan, Names(reserved(plan.graph.name) | {parameter}), parameter).all()
    return Model(**shared, arena_bytes=plan.arena_bytes, gated=plan.gate is not None, layers=tuple(layers))


def common(
    graph: Graph, signal: Signal, runtime: Sequence[str], headers: Sequence[str], answer: KnownAnswer, target: str
) -> dict[str, object]:
    """The fields of Common; `runtime` and `headers` are files of the runtime. Raises what make_model() raises."""
    name = graph.name
    upper = name.upper()
    _check_name(name)
    samples = _samples(graph, answer)
    last = next(node for node in graph.nodes() if node.name == graph.stages[-1].logits)
    prefix = "" if target == "host" else "riscv64-unknown-elf-" if target.startswith("rv") else "arm-none-eabi-"
    options = flags(target)
    return dict(
        name=name,
        upper=upper,
        abi=runtime_abi(),
        classes=_classes(graph.classes, upper),
        signal=signal,
        signal_parameter=Names(reserved(name)).new(signal.name),
        fs=f"{signal.fs:g}",
        gain=f"{signal.gain:g}",
        seconds=f"{signal.length / signal.fs:g}",
        logit_frac=getattr(last, "frac", 0),
        sources=(f"{name}.c", *runtime),
        headers=(f"{name}.h", f"{name}_kat.h", *headers),
        statistics="each window's own" if samples.size == signal.length else "the previous window's",
        kat_size=f"{upper}_SAMPLES" if samples.size == signal.length else f"2 * {upper}_SAMPLES",
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


def reserved(name: str) -> set[str]:
    """Identifiers that constants and pointers must not take: the runtime's, standard types, what headers declare."""
    texts = [(RUNTIME / header).read_text(encoding="utf-8") for header in HEADERS_OF_NAMES]
    taken = {word for text in texts for word in re.findall(r"\bbnn_\w+|\bu?int\d+_t", text)}
    declared = {f"{name}_{part}" for part in ("context", "classify", "leaves", "stream_init", "push", "result")}
    return taken | declared | {"context", "logits", "speed", "n", "layers", "stream", "start", "row"}


def _classes(names: tuple[str, ...], upper: str) -> tuple[ClassName, ...]:
    enumerators = Names({f"{upper}_CLASS_NAMES"})
    return tuple(ClassName(enumerators.new(f"{upper}_CLASS_{name.upper()}"), string(name)) for name in names)


def _samples(graph: Graph, answer: KnownAnswer) -> np.ndarray:
    signal = graph.signals[0]
    samples = np.asarray(answer.signals.get(signal.name, ()))
    if samples.dtype != np.int16 or samples.size != signal.length:
        raise DataError(
            f"known answer: signal {signal.name} is {samples.dtype} {samples.shape}, "
            f"wanted int16 ({signal.length},); take one window of the recording"
        )
    if len(answer.logits) != len(graph.classes) or int(np.argmax(answer.logits)) != answer.class_index:
        raise DataError(
            f"known answer: class {answer.class_index} is not the largest of {len(answer.logits)} logits for "
            f"{len(graph.classes)} classes; simulate the graph that is being generated"
        )
    return samples.ravel()
