"""The streaming form in C: a table of layers, and the calls that make a row of each."""

from dataclasses import dataclass

import numpy as np

from bnn.graph.ops import AndNot, BinaryConv, MaxPool, OrPool, PReluSum, SignalConv, Threshold
from codegen.c.emit import Origin, manifest, render
from codegen.c.layers import Array, Descriptor, initialiser
from codegen.c.model import Common, KnownAnswer, common, reserved
from codegen.c.text import Names, pack, rows
from codegen.c.weights import aligned, columns, planes, signs
from codegen.files import KERNELS
from codegen.layout import words_of
from codegen.play import Line
from codegen.stream import StreamPlan

ROWS = {
    "signal_conv_threshold": ("bnn_row_signal", "bnn_stream_signal.c"),
    "signal_conv_sum": ("bnn_row_signal", "bnn_stream_signal.c"),
    "conv_threshold": ("bnn_row_conv", "bnn_stream_conv.c"),
    "conv_sum": ("bnn_row_conv_sums", "bnn_stream_conv.c"),
    "threshold32": (None, "bnn_stream_signal.c"),
    "prelu_sum16": ("bnn_prelu_sum", "bnn_stream_sum.c"),
    "prelu_sum32": ("bnn_prelu_sum", "bnn_stream_sum.c"),
}
"""Kernels that make one row, and the structs that describe them. Elsewhere the plain kernel takes a map of one row."""

HEADERS = ("bnn_bits.h", "bnn_runtime.h", "bnn_stream.h")
ENGINE = ("bnn_argmax.c", "bnn_bits.c", "bnn_bounds.c", "bnn_stats.c", "bnn_stream.c")


@dataclass(frozen=True, slots=True)
class Row:
    """One layer in C.

    entry   initialiser of its bnn_stream_layer
    start   call when the window's statistics are known, or ""
    call    that makes a row from `x` and `other`; "" for the signal
    """

    comment: str
    arrays: tuple[Array, ...]
    descriptors: tuple[Descriptor, ...]
    entry: str
    start: str
    call: str


@dataclass(frozen=True, slots=True, eq=False)
class StreamModel(Common):
    """A network that takes samples as they come."""

    past: bool
    state_bytes: int
    frac: int
    row_at: int
    view_at: int
    other_at: int
    logits_at: int
    rows: tuple[Row, ...]


def emit_stream(
    plan: StreamPlan, target: str, answer: KnownAnswer, command: str, graph_sha256: str, tool_version: str
) -> dict[str, str]:
    """File name -> text of everything that belongs to the folder; the same arguments give the same texts."""
    shared = common(plan.graph, plan.signal, _sources(plan), HEADERS, answer, target)
    made = Rows(plan, Names(reserved(plan.graph.name))).all()
    model = StreamModel(
        **shared,
        past=plan.past,
        state_bytes=plan.state_bytes,
        frac=plan.stats.frac,
        row_at=plan.row_at,
        view_at=plan.view_at,
        other_at=plan.other_at,
        logits_at=plan.logits.work,
        rows=made,
    )
    cost = f"{_constant_bytes(made)} B of constants, {plan.state_bytes} B of RAM"
    origin = Origin(plan.graph.name, f"bnn {tool_version}", graph_sha256, command, cost, str(plan))
    sizes = {
        "arena_bytes": plan.state_bytes,
        "context_bytes": -(-(plan.state_bytes + plan.kept_bytes) // 4) * 4,
        "kept_bytes": plan.kept_bytes,
        "restart": plan.past,
    }
    text = manifest(plan.graph, plan.graph.signals, model, origin, "stream", sizes, _traces(plan))
    return render(model, origin, "stream", text)


def _sources(plan: StreamPlan) -> list[str]:
    kernels = [line.step.kernel for line in plan.lines[1:]]
    push = "bnn_stream_past.c" if plan.past else "bnn_stream_kept.c"
    return sorted({*ENGINE, push}.union(*((ROWS if kernel in ROWS else KERNELS)[kernel][1:] for kernel in kernels)))


def _constant_bytes(made: tuple[Row, ...]) -> int:
    size = {"uint8_t": 1, "int16_t": 2, "int32_t": 4, "uint32_t": 4}
    return sum(array.size * size[array.ctype] for row in made for array in row.arrays)


def _traces(plan: StreamPlan) -> list[dict]:
    """Tensors by number of their layer; the statistics take that of the signal. Maps come row by row."""
    head = {"id": 0, "name": plan.stats.name, "type": "int32", "shape": (2,)}
    traces = [head]
    for i, line in enumerate(plan.lines[1:], 1):
        layout = {"layout": "rows"} if line.bits else {}
        traces.append({"id": i, "name": line.name, "type": line.type.kind, "shape": line.type.shape} | layout)
    return traces


class Rows:
    """Turns layers into C; remembers the names that it has given."""

    def __init__(self, plan: StreamPlan, names: Names):
        self._plan, self._names = plan, names
        self._weights: dict[str, str] = {}

    def all(self) -> tuple[Row, ...]:
        return tuple(self._row(line) for line in self._plan.lines)

    def _row(self, line: Line) -> Row:
        arrays: list[Array] = []
        descriptors: list[Descriptor] = []
        pad = "NULL" if line.pad is None else self._array(arrays, f"{line.name}_pad", pack(line.pad))
        entry = initialiser(_entry(line, pad))
        if line.step is None:
            return Row(f"{line.name}: centred samples", tuple(arrays), tuple(descriptors), entry, "", "")
        layer = ""
        if fields := self._fields(line, arrays, descriptors):
            ctype = (ROWS if line.step.kernel in ROWS else KERNELS)[line.step.kernel][0]
            layer = self._names.new(f"{line.name}_layer")
            descriptors.append(Descriptor(ctype, layer, initialiser(fields)))
        start = self._start(line, layer, arrays, descriptors)
        ops = " and ".join(type(node).__name__ for node in line.step.nodes)
        about = f"{line.name}: {ops} -> {line.type}; {line.rows} rows kept"
        return Row(about, tuple(arrays), tuple(descriptors), entry, start, _call(line, layer))

    def _array(self, arrays: list[Array], wish: str, values: np.ndarray) -> str:
        name, ctype = self._names.new(wish), f"{values.dtype.name}_t"
        arrays.append(Array(ctype, name, values.size, rows(values, ctype)))
        return name

    def _map(self, descriptors: list[Descriptor], wish: str, channels: int, length: int) -> str:
        name = self._names.new(wish)
        descriptors.append(Descriptor("bnn_map", name, initialiser({"length": length, "channels": channels})))
        return f"&{name}"

    def _signs(self, node: SignalConv, arrays: list[Array]) -> str:
        """Written once however many layers share them."""
        if node.name not in self._weights:
            self._weights[node.name] = self._array(arrays, f"{node.name}_weights", signs(node.w))
        return self._weights[node.name]

    def _fields(self, line: Line, arrays: list[Array], descriptors: list[Descriptor]) -> dict[str, object]:
        """The descriptor's fields; none where the kernel needs no descriptor."""
        node, last = line.step.nodes[0], line.step.nodes[-1]
        channels = self._plan.lines[line.reads[0].source].type.shape[0]
        match node:
            case SignalConv():
                return {"signs": self._signs(node, arrays), "kernel": node.w.shape[1], "channels": len(node.w)}
            case BinaryConv():
                values = aligned(node.w) if last is node else columns(node.w, last.t)
                taps = node.w[0].size
                more = {"words": words_of(taps)} if last is node else {"planes": planes(taps)}
                weights = self._array(arrays, f"{line.name}_weights", values)
                return {"weights": weights, "taps": taps, "channels": len(node.w)} | more
            case PReluSum():
                x = self._map(descriptors, f"{line.name}_rows", channels, 1)
                factors = {key: getattr(node, key) for key in ("rise", "fall", "bias")}
                return {"x": x} | {key: self._array(arrays, f"{line.name}_{key}", v) for key, v in factors.items()}
            case Threshold() if line.step.kernel == "threshold32":
                return {}
        x = self._map(descriptors, f"{line.name}_rows", channels, line.reads[0].kernel)
        y = self._map(descriptors, f"{line.name}_row", line.type.shape[0], 1)
        match node:
            case OrPool() | MaxPool():
                return {"x": x, "y": y, "kernel": node.kernel, "stride": node.stride}
            case Threshold():
                return {"x": x, "y": y, "bounds": self._bounds(node, arrays)}
            case AndNot():
                return {"a": x, "b": x, "y": y}
        return node.fail(f"{type(node).__name__} has no streaming form; generate without --stream")

    def _bounds(self, node: Threshold, arrays: list[Array]) -> str:
        t = self._array(arrays, f"{node.name}_t", node.t)
        return f"{{.t = {t}, .scaled = {int(len(node.inputs) > 1)}, .frac = {node.frac}}}"

    def _start(self, line: Line, layer: str, arrays: list[Array], descriptors: list[Descriptor]) -> str:
        last = line.step.nodes[-1]
        if isinstance(last, PReluSum):
            return f"bnn_row_bias(&{layer}, state + {line.work})"
        if not line.work_words:
            return ""
        bounds = self._names.new(f"{line.name}_bounds")
        descriptors.append(Descriptor("bnn_bounds", bounds, f"    {self._bounds(last, arrays)[1:-1]}"))
        return f"bnn_resolve_bounds(&{bounds}, {len(last.t)}, stats, (int32_t *)(state + {line.work}))"


def _entry(line: Line, pad: str) -> dict[str, object]:
    fields = {"length": line.length, "pad": pad, "margin": line.margin, "bits": line.bits, "rows": line.rows}
    if line.reads:
        one, other = line.reads[0], line.reads[-1]
        fields |= {"x": one.source, "first": one.first, "other": other.source, "other_first": other.first}
        fields |= {"stride": one.stride, "kernel": one.kernel}
    return fields | {"at": line.at, "skip": line.skip}


def _call(line: Line, layer: str) -> str:
    kernel, work = line.step.kernel, line.work
    match kernel:
        case "signal_conv_sum":
            return f"bnn_row_signal_sum(&{layer}, x, y)"
        case "signal_conv_threshold":
            sums = work + line.type.shape[0]
            return f"bnn_row_signal_threshold(&{layer}, x, state + {work}, state + {sums}, y)"
        case "conv_threshold" | "conv_sum":
            return f"bnn_row_{kernel}(&{layer}, x, y)"
        case "threshold32":
            return f"bnn_row_threshold32({line.type.shape[0]}, x, state + {work}, y)"
        case "prelu_sum16" | "prelu_sum32":
            return f"bnn_row_{kernel}(&{layer}, x, state + {work})"
        case "max_pool32":
            return f"bnn_max_pool32(&{layer}, (const int32_t *)x, (int32_t *)y)"
        case "and_not":
            return f"bnn_and_not(&{layer}, x, other, y)"
    return f"bnn_{kernel}(&{layer}, x, y)"
