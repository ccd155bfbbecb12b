"""Print the plan of the host engine: one C file of data and calls, and its manifest."""

import json
from dataclasses import dataclass

import numpy as np

from bnn.graph import Graph
from bnn.graph.ops import AndNot, BinaryConv, PReluSum, SignalConv, Threshold
from codegen.c.emit import MANIFEST_FORMAT
from codegen.c.layers import Array, Descriptor, initialiser
from codegen.c.model import RUNTIME, runtime_abi
from codegen.c.text import Names, rows
from codegen.native import KERNELS, NativePlan, make_native
from codegen.printing import environment
from codegen.steps import Step

SHARED = ("bnn_runtime.h", "bnn_argmax.c", "bnn_bounds.c", "bnn_stats.c")
"""Of the runtime for microcontrollers, what this engine uses too."""

LANES = (64, 128, 256, 512)
"""Bits of a vector, and windows in a batch: any of them gives the same results."""


@dataclass(frozen=True, slots=True)
class Call:
    """One step: its data, its call, and the call that shows its tensor."""

    about: str
    arrays: tuple[Array, ...]
    descriptors: tuple[Descriptor, ...]
    text: str
    show: str


@dataclass(frozen=True, slots=True)
class Engine:
    """What the template prints."""

    name: str
    abi: int
    samples: int
    classes: int
    vectors: int
    calls: tuple[Call, ...]


def emit_native(graph: Graph) -> dict[str, str]:
    """File name -> text of all that the engine is built from; the same graph gives the same texts.

    Raises GraphError for a graph that the engine does not run.
    """
    native = make_native(graph)
    plan, name = native.plan, graph.name
    calls = tuple(_Calls(native).all())
    engine = Engine(name, runtime_abi(), plan.signal.length, len(graph.classes), native.memory.words, calls)
    folder = RUNTIME / "native"
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()}
    files |= {file: (RUNTIME / file).read_text(encoding="utf-8") for file in SHARED}
    files[f"{name}.c"] = environment(__file__).get_template("native.c.j2").render(engine=engine)
    return files | {f"{name}.json": _manifest(native, sorted(file for file in files if file.endswith(".c")))}


def _manifest(native: NativePlan, sources: list[str]) -> str:
    """The manifest of docs/SPEC.md, with the context of the widest vectors; a tensor is shown element by element."""
    plan, size = native.plan, native.memory.words * LANES[-1] // 8
    tensors = [plan.tensors[step.output] for step in plan.steps]
    content = {
        "format": MANIFEST_FORMAT,
        "form": "window",
        "name": plan.graph.name,
        "classes": plan.graph.classes,
        "signals": [{"name": plan.signal.name, "samples": plan.signal.length, "channels": plan.signal.channels}],
        "sources": sources,
        "arena_bytes": size,
        "context_bytes": size,
        "kept_bytes": 0,
        "restart": False,
        "trace": [{"id": i, "name": t.name, "type": t.type.kind, "shape": t.type.shape} for i, t in enumerate(tensors)],
    }
    return json.dumps(content, indent=1) + "\n"


class _Calls:
    """Turns steps into calls; remembers the names that it has given."""

    def __init__(self, native: NativePlan):
        self._native, self._plan = native, native.plan
        self._names = Names({"context", "samples", "logits", "first", "count", "shown"})
        self._maps: dict[str, str] = {}

    def all(self) -> list[Call]:
        return [self._call(number, step) for number, step in enumerate(self._plan.steps)]

    def _call(self, number: int, step: Step) -> Call:
        arrays: list[Array] = []
        descriptors: list[Descriptor] = []
        if step.output in self._native.shapes:
            self._map(step.output, arrays, descriptors)
        layer = ""
        if fields := self._fields(step, arrays):
            layer = self._names.new(f"{step.output}_layer")
            descriptors.append(Descriptor(KERNELS[step.kernel], layer, initialiser(fields)))
        ops = " and ".join(type(node).__name__ for node in step.nodes)
        about = f"{step.output}: {ops} -> {self._plan.types[step.output]}"
        return Call(about, tuple(arrays), tuple(descriptors), self._text(step, layer), self._show(number, step))

    def _map(self, name: str, arrays: list[Array], descriptors: list[Descriptor]) -> None:
        shape = self._native.shapes[name]
        tensor = shape.tensor
        fields = {"length": tensor.length, "channels": tensor.channels, "margin": tensor.margin}
        fields |= {"row": shape.row, "planes": shape.planes}
        if tensor.pad is not None:
            fields["pad"] = self._array(arrays, f"{name}_pad", np.packbits(tensor.pad, bitorder="little"))
        self._maps[name] = self._names.new(f"{name}_map")
        descriptors.append(Descriptor("bnn_native_map", self._maps[name], initialiser(fields)))

    def _array(self, arrays: list[Array], wish: str, values: np.ndarray) -> str:
        name, ctype = self._names.new(wish), f"{values.dtype.name}_t"
        arrays.append(Array(ctype, name, values.size, rows(values, ctype)))
        return name

    def _fields(self, step: Step, arrays: list[Array]) -> dict[str, object]:
        """The descriptor's fields; none where the kernel needs no descriptor."""
        node, last = step.nodes[0], step.nodes[-1]
        x, y = (f"&{self._maps[name]}" if name in self._maps else "" for name in (step.inputs[0], step.output))
        match node:
            case SignalConv():
                return self._signal(node, last, arrays)
            case BinaryConv():
                return self._conv(step, x, y, arrays)
            case Threshold():
                return {"x": x, "y": y, "t": self._array(arrays, f"{node.name}_t", node.t)}
            case AndNot():
                return {"a": x, "b": f"&{self._maps[step.inputs[1]]}", "y": y}
            case PReluSum():
                factors = {key: getattr(node, key) for key in ("rise", "fall", "bias")}
                return {"x": x} | {key: self._array(arrays, f"logits_{key}", v) for key, v in factors.items()}
        return {"x": x, "y": y, "kernel": node.kernel, "stride": node.stride} if x else {}

    def _signal(self, node: SignalConv, last: Threshold, arrays: list[Array]) -> dict[str, object]:
        kernel = node.w.shape[1]
        bits = np.pad(node.w > 0, ((0, 0), (0, -kernel % 4))).reshape(len(node.w), -1, 4)
        signs = (bits * [1, 2, 4, 8]).sum(axis=2).astype(np.uint8)
        t = self._array(arrays, f"{last.name}_t", last.t)
        bounds = f"{{.t = {t}, .scaled = {int(len(last.inputs) > 1)}, .frac = {last.frac}}}"
        fields = {"signs": self._array(arrays, f"{last.name}_signs", signs), "bounds": bounds}
        fields |= {"samples": self._plan.signal.length, "kernel": kernel, "stride": node.stride, "pad": node.pad}
        return fields | {"frac": node.frac}

    def _conv(self, step: Step, x: str, y: str, arrays: list[Array]) -> dict[str, object]:
        counting, node, name = self._native.counting[step.output], step.nodes[0], step.output
        pairs = self._names.new(f"{name}_pairs")
        body = "\n".join(f"    {{{p.both}, {p.first}, {p.second}, {p.flip}}}," for p in counting.pairs)
        fields = {"x": x, "y": y, "taps": self._array(arrays, f"{name}_taps", counting.taps), "pairs": pairs}
        fields |= {"bounds": self._array(arrays, f"{name}_bounds", counting.bounds.astype(np.uint16)), "pad": node.pad}
        arrays.append(Array("bnn_native_pair", pairs, len(counting.pairs), body))
        return fields | {"kernel": node.w.shape[2], "stride": node.stride, "planes": counting.planes}

    def _place(self, name: str) -> str:
        return f"context + {self._native.memory.offsets[name]}"

    def _stats(self, name: str) -> str:
        return f"(int32_t *)({self._place(name)})"

    def _text(self, step: Step, layer: str) -> str:
        """The call, as C."""
        kernel, node = f"bnn_native_{step.kernel}", step.nodes[0]
        if step.kernel == "window_stats":
            return f"{kernel}(samples, {self._plan.signal.length}, {node.frac}, count, {self._stats(step.output)})"
        if step.kernel == "signal_conv_threshold":
            stats = self._stats(step.nodes[0].inputs[1])
            given = [f"&{layer}", f"&{self._maps[step.output]}", "samples", "count", stats, self._place(step.output)]
            return f"{kernel}({', '.join([*given, self._place(f'{step.output} scratch')])})"
        given = [f"&{layer}", *map(self._place, step.inputs)]
        if step.output == self._plan.logits:
            return f"{kernel}({', '.join([*given, 'count', 'logits'])})"
        scratch = [self._place(f"{step.output} scratch")] if isinstance(node, BinaryConv) else []
        return f"{kernel}({', '.join([*given, self._place(step.output), *scratch])})"

    def _show(self, number: int, step: Step) -> str:
        kind, to = self._plan.types[step.output].kind, f"shown[{number}]"
        if step.output == self._plan.logits:
            return f"bnn_native_show_words(logits, first, count, {len(self._plan.graph.classes)}, {to})"
        if kind == "int32":
            return f"bnn_native_show_words({self._stats(step.output)}, first, count, 2, {to})"
        show = "bits" if kind == "bit" else "integers"
        return f"bnn_native_show_{show}(&{self._maps[step.output]}, {self._place(step.output)}, first, count, {to})"
