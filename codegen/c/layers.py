"""From the plan's steps to C data: constant arrays, descriptors and calls."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bnn.graph.integer_ops import INTEGER_OPS
from bnn.graph.ops import AndNot, BinaryConv, ExitGate, MaxPool, OrPool, PReluSum, SignalConv, Threshold
from codegen import lanes, taps
from codegen.c.integers import POINTERS, Writer, fields_of
from codegen.c.text import Names, pack, rows
from codegen.c.unrolled import PairCode, unrolled
from codegen.cost import Cost, costs
from codegen.files import KERNELS
from codegen.layout import Tensor
from codegen.limits import limits
from codegen.overlap import roots
from codegen.plan import Plan, scratch_name
from codegen.steps import ALIAS, Step

UNSCALED = ("signal_conv_threshold", "lanes_signal_threshold", "threshold32")
"""Kernels that take the statistics by which bounds are scaled, or NULL."""


@dataclass(frozen=True, slots=True)
class Array:
    """A constant array; `body` is its initialiser."""

    ctype: str
    name: str
    size: int
    body: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A constant struct, or an array of `size` pointers to such; `body` is its initialiser."""

    ctype: str
    name: str
    body: str
    size: int = 0

    @property
    def extent(self) -> str:
        """[size] behind an array's name, nothing behind a struct's."""
        return f"[{self.size}]" if self.size else ""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A place in the arena: a pointer called `name`, `offset` words in."""

    ctype: str
    name: str
    offset: int

    @property
    def place(self) -> str:
        place = f"context->arena + {self.offset}"
        return place if self.ctype == "uint32_t" else f"({self.ctype} *)({place})"


@dataclass(frozen=True, slots=True)
class Layer:
    """One step in C: its constants, its places in the arena, its call, and the tensor that it leaves for the trace.

    buffers  what the function of its stage has not named yet
    call     "" where the tensor is another by a second name
    number   of the tensor in the trace; None where it is a copy of one
    """

    comment: str
    arrays: tuple[Array, ...]
    code: tuple[PairCode, ...]
    descriptors: tuple[Descriptor, ...]
    buffers: tuple[Buffer, ...]
    call: str
    tensor: str
    tensor_bytes: int
    number: int | None


class Layers:
    """Turns steps into layers; remembers the names that it has given.

    parameters  signal -> the name of the pointer to its samples
    """

    def __init__(self, plan: Plan, names: Names, parameters: dict[str, str]):
        self._plan, self._names, self._signals = plan, names, set(parameters)
        self._maps: dict[str, str] = {}
        self._weights: dict[str, str] = {}
        self._pointers = parameters | {stage.logits: "logits" for stage in plan.graph.stages}
        self._pointers |= {gate.name: "context->doubt" for gate in plan.gates}
        self._outside = set(self._pointers)
        self._declared: set[str] = set()
        self._roots = roots(plan.steps)

    def all(self) -> list[list[Layer]]:
        """Of each stage."""
        numbers = {step.output: i for i, step in enumerate(self._plan.traced)}
        entries = {cost.name: cost for cost in costs(self._plan)}
        found = []
        for _, steps in self._plan.stages:
            self._declared = set()
            found.append([self._layer(step, entries[step.output], numbers.get(step.output)) for step in steps])
        return found

    def _layer(self, step: Step, cost: Cost, number: int | None) -> Layer:
        arrays: list[Array] = []
        code: list[PairCode] = []
        descriptors: list[Descriptor] = []
        y = self._plan.tensors[step.output]
        buffers = self._buffers(step)
        if len(y.type.shape) == 2 and step.kernel != ALIAS:
            self._map(y, arrays, descriptors)
        layer = ""
        if fields := self._fields(step, arrays, code, descriptors):
            layer = self._names.new(f"{step.output}_layer")
            descriptors.append(Descriptor(KERNELS[step.kernel][0], layer, initialiser(fields)))
        ops = " and ".join(type(node).__name__ for node in step.nodes)
        about = (
            f"{step.output}: {ops or step.kernel} -> {y.type}; {cost.constant_bytes} B of constants, {cost.macs} MACs"
        )
        call = self._call(step, layer, buffers) if layer or step.kernel != ALIAS else ""
        made = (tuple(items) for items in (arrays, code, descriptors, buffers))
        return Layer(about, *made, call, self._pointers[step.output], 4 * y.words, number)

    def _buffers(self, step: Step) -> list[Buffer]:
        """Of inputs that an earlier stage made and of the output, unless they have their places, and of the scratch, in
        this order. A second name has the pointer of the first."""
        buffers = []
        for name in dict.fromkeys(self._roots.get(name, name) for name in (*step.inputs, step.output)):
            if name in self._outside or name in self._declared:
                continue
            self._declared.add(name)
            kind = self._plan.tensors[name].type.kind
            ctype = f"{kind}_t" if kind in ("int8", "int32") else "uint32_t"
            if name not in self._pointers:
                self._pointers[name] = self._names.new(name)
            buffers.append(Buffer(ctype, self._pointers[name], self._plan.memory.offsets[name]))
        self._pointers[step.output] = self._pointers[self._roots.get(step.output, step.output)]
        if step.scratch:
            offset = self._plan.memory.offsets[scratch_name(step)]
            buffers.append(Buffer("uint32_t", self._names.new(f"{step.output}_scratch"), offset))
        return buffers

    def _map(self, tensor: Tensor, arrays: list[Array], descriptors: list[Descriptor]) -> None:
        name = self._maps[tensor.name] = self._names.new(f"{tensor.name}_map")
        fields = {"length": tensor.length, "channels": tensor.channels, "margin": tensor.margin}
        if tensor.pad is not None:
            fields["pad"] = self._array(arrays, f"{tensor.name}_pad", pack(tensor.pad))
        if tensor.in_lanes:
            full, longer = tensor.steps
            fields |= {"segment": tensor.segment, "row": tensor.row, "full": full, "longer": longer}
            fields |= {"zeros": int(tensor.zeros)}
        descriptors.append(Descriptor("bnn_lanes" if tensor.in_lanes else "bnn_map", name, initialiser(fields)))

    def _array(self, arrays: list[Array], wish: str, values: np.ndarray) -> str:
        name, ctype = self._names.new(wish), f"{values.dtype.name}_t"
        arrays.append(Array(ctype, name, values.size, rows(values, ctype)))
        return name

    def _weights_of(self, node: SignalConv | BinaryConv, arrays: list[Array]) -> str:
        """The packed rows, written once however many steps share them. (n_out, n_in, kernel) becomes time-major."""
        if node.name not in self._weights:
            bits = node.w > 0 if node.w.ndim == 2 else (node.w > 0).transpose(0, 2, 1)
            self._weights[node.name] = self._array(arrays, f"{node.name}_weights", pack(bits))
        return self._weights[node.name]

    def _bounds(self, node: Threshold, arrays: list[Array]) -> str:
        t = self._array(arrays, f"{node.name}_t", node.t)
        return f"{{.t = {t}, .scaled = {int(len(node.inputs) > 1)}, .frac = {node.frac}}}"

    def _limits(self, node: BinaryConv, threshold: Threshold, arrays: list[Array]) -> str:
        return self._array(arrays, f"{threshold.name}_limits", limits(node, threshold))

    def _map_of(self, name: str, arrays: list[Array], descriptors: list[Descriptor]) -> str:
        """A pointer to the shape of a map. That of a signal, or of a second name, is written at its first use."""
        if name not in self._maps:
            self._map(self._plan.tensors.get(name) or Tensor(name, self._plan.types[name]), arrays, descriptors)
        return f"&{self._maps[name]}"

    def _integers(self, step: Step, arrays: list[Array], descriptors: list[Descriptor]) -> dict[str, object]:
        """The fields of a kernel of bnn_integers.h."""

        def struct(ctype: str, wish: str, fields: dict[str, object]) -> str:
            descriptors.append(Descriptor(ctype, self._names.new(wish), initialiser(fields)))
            return descriptors[-1].name

        def pointers(ctype: str, wish: str, texts: list[str]) -> str:
            descriptors.append(Descriptor(ctype, self._names.new(wish), f"    {', '.join(texts)}", len(texts)))
            return descriptors[-1].name

        types = self._plan.types | {name: tensor.type for name, tensor in self._plan.tensors.items()}
        maps = partial(self._map_of, arrays=arrays, descriptors=descriptors)
        array = partial(self._array, arrays)
        return fields_of(step, Writer(types, self._signals, maps, array, struct, pointers))

    def _fields(
        self, step: Step, arrays: list[Array], code: list[PairCode], descriptors: list[Descriptor]
    ) -> dict[str, object]:
        """The descriptor's fields; none where the kernel needs no descriptor."""
        if step.kernel == ALIAS:
            return {}
        if isinstance(step.nodes[0] if step.nodes else None, INTEGER_OPS):
            return self._integers(step, arrays, descriptors)
        for name in (name for name in step.inputs if name not in self._signals):
            if len(self._plan.tensors[name].type.shape) == 2:
                self._map_of(name, arrays, descriptors)
        x, y = (f"&{self._maps[name]}" if name in self._maps else "" for name in (step.inputs[0], step.output))
        if step.copy:
            return {"map": x, "lanes": y} if self._plan.tensors[step.copy].in_lanes else {"map": y, "lanes": x}
        node, last = step.nodes[0], step.nodes[-1]
        match node:
            case BinaryConv() if step.in_lanes:
                return {"x": x, "y" if last is not node else "sums": y} | self._lanes_conv(step, arrays, code)
            case SignalConv():
                fields = {"y": y, "weights": self._weights_of(node, arrays)}
                fields |= {"bounds": self._bounds(last, arrays)} if last is not node else {}
                fields |= {
                    "samples": self._plan.types[node.inputs[0]].shape[1],
                    "kernel": node.w.shape[1],
                    "stride": node.stride,
                }
                return fields | {"pad": node.pad, "frac": node.frac}
            case BinaryConv():
                fields = {"x": x, "y": y, "weights": self._weights_of(node, arrays)}
                if last is not node:
                    fields["limits"] = self._limits(node, last, arrays)
                return fields | {"kernel": node.w.shape[2], "stride": node.stride, "pad": node.pad}
            case Threshold():
                return {"x": x, "y": y, "bounds": self._bounds(node, arrays)}
            case OrPool() | MaxPool():
                return {"x": x, "y": y, "kernel": node.kernel, "stride": node.stride}
            case AndNot():
                return {"a": x, "b": f"&{self._maps[step.inputs[1]]}", "y": y}
            case PReluSum():
                factors = {key: getattr(node, key) for key in ("rise", "fall", "bias")}
                named = {key: self._array(arrays, f"{node.name}_{key}", values) for key, values in factors.items()}
                return {"x": x} | named
            case ExitGate():
                tables = {key: self._array(arrays, f"{node.name}_{key}", getattr(node, key)) for key in ("exp", "log")}
                classes = self._plan.tensors[step.inputs[0]].channels
                return tables | {"entries": len(node.exp) - 1, "classes": classes, "frac": node.frac}
        return {}

    def _lanes_conv(self, step: Step, arrays: list[Array], code: list[PairCode]) -> dict[str, object]:
        node, x = step.nodes[0], self._plan.tensors[step.inputs[0]]
        fields = {}
        if step.taps == "unrolled":
            fields |= {"source": "bnn_unrolled_taps", "taps": self._pairs(arrays, node.name, taps.matched(node))}
            fields["pairs"] = self._unrolled(step, code)
        elif len(step.nodes) > 1:
            fields["limits"] = self._limits(node, step.nodes[1], arrays)
        if step.taps == "listed":
            pairs = taps.matched(node)
            lists = np.concatenate([taps.offsets(pair, x.channels, x.row) for pair in pairs])
            fields |= {"source": "bnn_listed_taps", "taps": self._pairs(arrays, node.name, pairs)}
            fields["lists"] = self._array(arrays, f"{step.output}_lists", lists)
        elif step.taps != "unrolled":
            fields |= {"source": "bnn_decode_taps", "weights": self._weights_of(node, arrays)}
            if step.taps == "matched":
                fields["order"] = self._array(arrays, f"{step.output}_order", taps.order(node))
        fields |= {"kernel": node.w.shape[2], "pad": node.pad, "pass": step.positions}
        if pool := lanes.pool_of(step):
            fields |= {"pool": pool.kernel, "stride": pool.stride, "crossing": (pool.kernel - 1) // pool.stride}
        return fields

    def _unrolled(self, step: Step, code: list[PairCode]) -> str:
        """Code of every pair; the name of the array of functions."""
        node, x, t = step.nodes[0], self._plan.tensors[step.inputs[0]], step.nodes[1].t
        functions = []
        for pair in taps.matched(node):
            name, bounds = self._names.new(f"{step.output}_pair"), tuple(int(t[o]) for o in pair.channels)
            functions.append(unrolled(name, pair, bounds, x.channels, x.row, node.w[0].size))
        code.append(PairCode(self._names.new(f"{step.output}_pairs"), tuple(functions)))
        return code[-1].name

    def _pairs(self, arrays: list[Array], name: str, pairs: list[taps.Pair]) -> str:
        texts = []
        for pair in pairs:
            numbers = (*pair.quads, pair.flip)
            fields = (_braces(pair.channels), *map(str, numbers), _braces(pair.balance))
            texts.append(f"    {_braces(fields)}")
        made = Array("bnn_taps", self._names.new(f"{name}_taps"), len(pairs), ",\n".join(texts))
        arrays.append(made)
        return made.name

    def _call(self, step: Step, layer: str, buffers: list[Buffer]) -> str:
        given = [self._pointers[name] for name in step.inputs]
        if step.kernel == "window_stats":
            given += [str(self._plan.types[step.inputs[0]].shape[1]), str(step.nodes[0].frac)]
        elif step.kernel in POINTERS:
            given = [f"&{layer}", f"({POINTERS[step.kernel]}){_braces(given)}"]
        else:
            given.insert(0, f"&{layer}")
        if step.kernel in UNSCALED and len(step.nodes[-1].inputs) == 1:
            given.append("NULL")
        given.append(self._pointers[step.output])
        if step.scratch:
            given.append(buffers[-1].name)
        return f"bnn_{step.kernel}({', '.join(given)})"


def _braces(values: Iterable) -> str:
    return f"{{{', '.join(map(str, values))}}}"


def initialiser(fields: dict[str, object]) -> str:
    """A struct's fields, designated, in lines of at most 100 columns, indented by four."""
    body = ", ".join(f".{key} = {value}" for key, value in fields.items())
    return textwrap.fill(body, 100, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
