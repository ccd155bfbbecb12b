"""What the C templates print: one frozen dataclass, made from the plan."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, GraphError
from bnn.graph import Graph, Signal, Stage
from codegen.c.layers import Layer, Layers
from codegen.c.targets import flags
from codegen.c.text import Names, rows, string
from codegen.files import on_integers, sources
from codegen.plan import Plan

RUNTIME = Path(__file__).resolve().parents[2] / "firmware" / "runtime"
HEADERS_OF_NAMES = ("bnn_gate.h", "bnn_integers.h", "bnn_runtime.h", "bnn_stream.h")
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
class Shared:
    """What the templates of every form name. Numbers that C reads are ints; text is ready to print."""

    name: str
    upper: str
    abi: int
    classes: tuple[ClassName, ...]
    logit_frac: int
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    kat_logits: str
    kat_class: int
    target: str
    target_cc: str
    target_ar: str
    target_flags: str


@dataclass(frozen=True, slots=True, eq=False)
class Common(Shared):
    """Of a network of one signal of one channel."""

    signal: Signal
    signal_parameter: str
    fs: str
    gain: str
    seconds: str
    statistics: str
    kat_size: str
    kat_samples: str


@dataclass(frozen=True, slots=True, eq=False)
class Model(Common):
    """A network that classifies a whole window at once."""

    arena_bytes: int
    gated: bool
    on_integers: bool
    layers: tuple[Layer, ...]

    @property
    def unrolled(self) -> bool:
        """Whether there is code for pairs of channels, which adds words itself."""
        return any(layer.code for layer in self.layers)


@dataclass(frozen=True, slots=True, eq=False)
class StagedSignal:
    """A signal of a staged network; `kat` is the array that holds its known window."""

    signal: Signal
    parameter: str
    upper: str
    fs: str
    gain: str
    seconds: str
    kat: str
    kat_samples: str


@dataclass(frozen=True, slots=True, eq=False)
class StageFunction:
    """The function of a stage: its declaration, calls of it, and in words what its caller has to have by then."""

    declaration: str
    call: str
    known_call: str
    example_call: str
    fetched: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StagedModel(Shared):
    """A network of several stages, signals or channels: a function a stage."""

    signals: tuple[StagedSignal, ...]
    arena_bytes: int
    gated: bool
    on_integers: bool
    last_leaves: str
    stages: tuple[StageFunction, ...]

    @property
    def unrolled(self) -> bool:
        """As of a Model."""
        return any(layer.code for stage in self.stages for layer in stage.layers)


def is_staged(graph: Graph) -> bool:
    """Whether a graph is written as a StagedModel."""
    return len(graph.stages) > 1 or len(graph.signals) > 1 or graph.signals[0].channels > 1


def make_model(plan: Plan, answer: KnownAnswer, target: str) -> Model | StagedModel:
    """Raises GraphError for names or targets that C cannot have, DataError for a known answer of another shape."""
    integers = any(on_integers(step) for step in plan.steps)
    optional = [*(["bnn_gate.h"] if plan.gates else []), *(["bnn_integers.h"] if integers else [])]
    headers = (*RUNTIME_HEADERS, *optional)
    memory = {"arena_bytes": plan.arena_bytes, "gated": bool(plan.gates), "on_integers": integers}
    if is_staged(plan.graph):
        return _staged(plan, answer, target, headers, memory)
    fields = common(plan.graph, plan.signal, sources(plan), headers, answer, target)
    parameter = fields["signal_parameter"]
    names = Names(reserved(plan.graph.name) | {parameter})
    (layers,) = Layers(plan, names, {plan.signal.name: parameter}).all()
    return Model(**fields, **memory, layers=tuple(layers))


def _staged(plan: Plan, answer: KnownAnswer, target: str, headers: Sequence[str], memory: dict) -> StagedModel:
    graph, name = plan.graph, plan.graph.name
    fields = shared(graph, sources(plan), headers, answer, target)
    taken = Names(reserved(name) | {stage_function(graph, stage) for stage in graph.stages})
    parameters = {signal.name: taken.new(signal.name) for signal in graph.signals}
    windows = _windows(graph, answer)
    signals = tuple(_staged_signal(s, name, parameters[s.name], windows[s.name]) for s in graph.signals)
    names = Names(reserved(name) | set(parameters.values()))
    layers = Layers(plan, names, parameters).all()
    by_name = {item.signal.name: item for item in signals}
    stages = [
        _stage_function(graph, stage, [by_name[key] for key in stage.signals], made)
        for stage, made in zip(graph.stages, layers, strict=True)
    ]
    last = graph.stages[-1]
    gated_last = any(gate.inputs == (last.logits,) for gate in plan.gates)
    last_leaves = (
        "" if gated_last else f"\n * Stage {last.name} has no gate: a window that has come so far leaves there."
    )
    return StagedModel(**fields, **memory, signals=signals, last_leaves=last_leaves, stages=tuple(stages))


def stage_function(graph: Graph, stage: Stage) -> str:
    """The name of a stage's function. Raises GraphError for one that C cannot have."""
    if len(graph.stages) == 1:
        return f"{graph.name}_classify"
    name = f"{graph.name}_{stage.name}"
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", stage.name) or name in declared(graph.name):
        raise GraphError(
            f"stage {stage.name!r}: its function would be called {name}, which C cannot have or the header declares "
            "already; give the stage another name, of lower-case letters, digits and '_'"
        )
    return name


def _stage_function(graph: Graph, stage: Stage, signals: list[StagedSignal], layers: list[Layer]) -> StageFunction:
    name = stage_function(graph, stage)

    def call(context: str, samples: list[str]) -> str:
        return f"{name}({', '.join([context, *samples, 'logits'])})"

    parameters = [f"{graph.name}_context *context", *(f"const int16_t *{s.parameter}" for s in signals)]
    return StageFunction(
        declaration=f"{name}({', '.join([*parameters, 'int32_t *logits'])})",
        call=call("&context", [s.parameter for s in signals]),
        known_call=call("context", [s.kat for s in signals]),
        example_call=call("&context", [s.kat for s in signals]),
        fetched=" and ".join(s.parameter for s in signals) or "nothing more",
        layers=tuple(layers),
    )


def _staged_signal(signal: Signal, name: str, parameter: str, window: np.ndarray) -> StagedSignal:
    return StagedSignal(
        signal=signal,
        parameter=parameter,
        upper=f"{name}_{parameter}".upper(),
        fs=f"{signal.fs:g}",
        gain=f"{signal.gain:g}",
        seconds=f"{signal.length / signal.fs:g}",
        kat=f"{name}_kat_{parameter}",
        kat_samples=rows(window.T, "int16_t"),
    )


def common(
    graph: Graph, signal: Signal, runtime: Sequence[str], headers: Sequence[str], answer: KnownAnswer, target: str
) -> dict[str, object]:
    """The fields of Common; `runtime` and `headers` are files of the runtime. Raises what make_model() raises."""
    fields = shared(graph, runtime, headers, answer, target)
    samples = _windows(graph, answer)[graph.signals[0].name].ravel()
    own = samples.size == signal.length
    return fields | dict(
        signal=signal,
        signal_parameter=Names(reserved(graph.name)).new(signal.name),
        fs=f"{signal.fs:g}",
        gain=f"{signal.gain:g}",
        seconds=f"{signal.length / signal.fs:g}",
        statistics="each window's own" if own else "the previous window's",
        kat_size=f"{graph.name.upper()}_SAMPLES" if own else f"2 * {graph.name.upper()}_SAMPLES",
        kat_samples=rows(samples, "int16_t"),
    )


def shared(
    graph: Graph, runtime: Sequence[str], headers: Sequence[str], answer: KnownAnswer, target: str
) -> dict[str, object]:
    """The fields of Shared."""
    name = graph.name
    _check_name(name)
    _check_answer(graph, answer)
    last = next(node for node in graph.nodes() if node.name == graph.stages[-1].logits)
    prefix = "" if target == "host" else "riscv64-unknown-elf-" if target.startswith("rv") else "arm-none-eabi-"
    options = flags(target)
    return dict(
        name=name,
        upper=name.upper(),
        abi=runtime_abi(),
        classes=_classes(graph.classes, name.upper()),
        logit_frac=getattr(last, "frac", 0),
        sources=(f"{name}.c", *runtime),
        headers=(f"{name}.h", f"{name}_kat.h", *headers),
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


def declared(name: str) -> set[str]:
    """What headers declare."""
    parts = ("context", "classify", "leaves", "known_answer", "stream_init", "push", "result")
    return {f"{name}_{part}" for part in parts}


def reserved(name: str) -> set[str]:
    """Identifiers that constants and pointers must not take: the runtime's, standard types, what headers declare."""
    texts = [(RUNTIME / header).read_text(encoding="utf-8") for header in HEADERS_OF_NAMES]
    taken = {word for text in texts for word in re.findall(r"\bbnn_\w+|\bu?int\d+_t", text)}
    return taken | declared(name) | {"context", "logits", "speed", "n", "layers", "stream", "start", "row"}


def _classes(names: tuple[str, ...], upper: str) -> tuple[ClassName, ...]:
    enumerators = Names({f"{upper}_CLASS_NAMES"})
    return tuple(ClassName(enumerators.new(f"{upper}_CLASS_{name.upper()}"), string(name)) for name in names)


def _windows(graph: Graph, answer: KnownAnswer) -> dict[str, np.ndarray]:
    """The known window of each signal, (channels, length) int16."""
    found = {}
    for signal in graph.signals:
        samples = np.asarray(answer.signals.get(signal.name, ()))
        if samples.dtype != np.int16 or samples.size != signal.channels * signal.length:
            shape = f"({signal.length},)" if signal.channels == 1 else f"({signal.channels}, {signal.length})"
            raise DataError(
                f"known answer: signal {signal.name} is {samples.dtype} {samples.shape}, "
                f"wanted int16 {shape}; take one window of the recording"
            )
        found[signal.name] = samples.reshape(signal.channels, signal.length)
    return found


def _check_answer(graph: Graph, answer: KnownAnswer) -> None:
    if len(answer.logits) != len(graph.classes) or int(np.argmax(answer.logits)) != answer.class_index:
        raise DataError(
            f"known answer: class {answer.class_index} is not the largest of {len(answer.logits)} logits for "
            f"{len(graph.classes)} classes; simulate the graph that is being generated"
        )
