"""ONNX: a graph in float32 and int64, which any ONNX runtime runs.

Bits become -1 and +1. Sums of the first layer and of binary convolutions are integers below 2^24, which a
float32 holds; statistics, bounds and logits are computed in int64. So logits equal the simulator's exactly, in every
runtime that follows the standard.
"""

from functools import singledispatchmethod

import numpy as np

from bnn.errors import ToolError
from bnn.graph import Graph, check, only_signal, ops, refuse_gate
from bnn.graph.arith import ALWAYS, NEVER

OPSET, IR_VERSION = 17, 9
"""Old enough for every runtime of the last years."""

CLASS = "class/index"
FLOAT_EXACT, INT64 = 1 << 24, 1 << 63


def to_onnx(graph: Graph) -> bytes:
    """The ONNX file of a graph of the target dialect with one signal.

    Its input is the signal, int16 (windows, channels, samples); its outputs are the logits under their own name,
    int32 (windows, classes), and `class/index`, int64 (windows,). Raises GraphError where float32 or int64 would
    not be exact, ToolError if the package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise ToolError(
            "onnx is not installed, and --format onnx needs it: pip install 'bnn-wearables[peers]'"
        ) from error
    types = check(graph, "target")
    only_signal(graph, "ONNX")
    refuse_gate(graph, "ONNX")
    writer = _Writer(onnx.helper, onnx.numpy_helper, types)
    for node in graph.nodes():
        writer.add(node)
    made = writer.model(graph)
    onnx.checker.check_model(made)
    return made.SerializeToString(deterministic=True)


class _Writer:
    """Writes nodes one after the other. Tensors keep their names; others get names with a slash, which none has."""

    def __init__(self, helper, numpy_helper, types):
        self._helper, self._numpy, self._types = helper, numpy_helper, types
        self._nodes: list = []
        self._constants: dict[str, np.ndarray] = {}

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes) -> str:
        out = out or f"op/{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def const(self, value, dtype=np.int64) -> str:
        name = f"constant/{len(self._constants)}"
        self._constants[name] = np.asarray(value, dtype)
        return name

    def cast(self, x: str, dtype, out: str | None = None) -> str:
        return self.op("Cast", x, to=self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), out=out)

    def floor_div(self, a: str, b: int) -> str:
        """floor(a / b) of int64; Div alone rounds towards zero."""
        divisor = self.const(b)
        return self.op("Div", self.op("Sub", a, self.op("Mod", a, divisor)), divisor)

    @singledispatchmethod
    def add(self, node: ops.Node) -> None:
        node.fail(f"{type(node).__name__} has no form in ONNX here; bnn.exchange.onnx would have to learn it")

    @add.register
    def _(self, node: ops.WindowStats):
        n = self._types[node.inputs[0]].shape[1]
        if n * n << (30 + 2 * node.frac) >= INT64:
            node.fail(f"{n} samples with {node.frac} fraction bits overflow int64 in ONNX; use fewer of either")
        x = self.cast(node.inputs[0], np.int64)
        axis = self.const([2])
        total = self.op("ReduceSum", x, axis, keepdims=1)
        squares = self.op("ReduceSum", self.op("Mul", x, x), axis, keepdims=1)
        scaled = self.op("Mul", total, self.const(2 << node.frac))
        mean = self.floor_div(self.op("Add", scaled, self.const(n)), 2 * n)
        spread = self.op("Sub", self.op("Mul", squares, self.const(n)), self.op("Mul", total, total))
        root = self._root(self.op("Mul", spread, self.const(4**node.frac)))
        std = self.op("Max", self.floor_div(root, n), self.const(1))
        self.op("Concat", mean, std, out=node.name, axis=1)  # (windows, 2, 1)

    def _root(self, v: str) -> str:
        """floor(sqrt(v)) of int64: the float64 root is off by one at most, and is put right."""
        guess = self.cast(self.op("Sqrt", self.cast(v, np.float64)), np.int64)
        above = self.cast(self.op("Greater", self.op("Mul", guess, guess), v), np.int64)
        guess = self.op("Sub", guess, above)
        more = self.op("Add", guess, self.const(1))
        return self.op("Add", guess, self.cast(self.op("LessOrEqual", self.op("Mul", more, more), v), np.int64))

    def _statistic(self, stats: str, index: int) -> str:
        """Mean or standard deviation, int64 (windows, 1, 1)."""
        return self.op("Slice", stats, self.const([index]), self.const([index + 1]), self.const([1]))

    @add.register
    def _(self, node: ops.SignalConv):
        if self._types[node.name].hi >= FLOAT_EXACT:
            top = self._types[node.name].hi
            node.fail(f"sums reach {top}, which no float32 holds exactly; use fewer taps or a lower frac")
        length = self._types[node.inputs[0]].shape[1]
        mean, std = (self._statistic(node.inputs[1], i) for i in (0, 1))
        scaled = self.op("Mul", self.cast(node.inputs[0], np.int64), self.const(1 << node.frac))
        d = self.cast(self.op("Sub", scaled, mean), np.float32)
        padded = self._pad(d, node.pad, 0)
        edge = np.ones(length + 2 * node.pad, np.float32)
        edge[node.pad : node.pad + length] = 0
        std = self.op("Mul", self.cast(std, np.float32), self.const(edge[None, None], np.float32))
        weights = self.const(node.w[:, None, :], np.float32)
        self.op("Conv", self.op("Add", padded, std), weights, out=node.name, strides=[node.stride])

    def _pad(self, x: str, pad: int, value: float) -> str:
        return self.op("Pad", x, self.const([0, 0, pad, 0, 0, pad]), self.const(value, np.float32))

    @add.register
    def _(self, node: ops.BinaryConv):
        x, flips = node.inputs[0], (node.pad_value < 0).any()
        signs = self.const(node.pad_value[None, :, None], np.float32) if flips else ""
        x = self._pad(self.op("Mul", x, signs) if flips else x, node.pad, 1)  # times the pad value, every pad is 1
        x = self.op("Mul", x, signs) if flips else x
        self.op("Conv", x, self.const(node.w, np.float32), out=node.name, strides=[node.stride])

    @add.register
    def _(self, node: ops.Threshold):
        bound = self.const(node.t.astype(np.int64)[None, :, None])
        if len(node.inputs) > 1:
            std = self._statistic(node.inputs[1], 1)
            negative = self.floor_div(self.op("Mul", self.op("Neg", bound), std), 1 << node.frac)
            bound = self.op("Neg", negative)
            for special, value in ((ALWAYS, -(2**31)), (NEVER, 2**31 - 1)):
                chosen = self.const((node.t == special)[None, :, None], np.bool_)
                bound = self.op("Where", chosen, self.const(value), bound)
        reached = self.op("GreaterOrEqual", self.cast(node.inputs[0], np.int64), bound)
        self.op("Where", reached, self.const(1, np.float32), self.const(-1, np.float32), out=node.name)

    @add.register(ops.MaxPool)
    @add.register(ops.OrPool)
    def _(self, node):
        self.op("MaxPool", node.inputs[0], out=node.name, kernel_shape=[node.kernel], strides=[node.stride])

    @add.register
    def _(self, node: ops.AndNot):
        self.op("Min", node.inputs[0], self.op("Neg", node.inputs[1]), out=node.name)

    @add.register
    def _(self, node: ops.PReluSum):
        x, zero = self.cast(node.inputs[0], np.int64), self.const(0)
        total = self.const(node.bias)
        for kind, factors in (("Max", node.rise), ("Min", node.fall)):
            part = self.op("ReduceSum", self.op(kind, x, zero), self.const([2]), keepdims=0)
            total = self.op("Add", total, self.op("Mul", part, self.const(factors)))
        self.cast(total, np.int32, out=node.name)

    def model(self, graph: Graph):
        helper, tensor = self._helper, self._helper.make_tensor_value_info
        kinds = {kind: helper.np_dtype_to_tensor_dtype(np.dtype(kind)) for kind in (np.int16, np.int32, np.int64)}
        signal, logits = graph.signals[0], graph.stages[-1].logits
        self.op("ArgMax", logits, out=CLASS, axis=1, keepdims=0)
        given = [tensor(signal.name, kinds[np.int16], ["windows", signal.channels, signal.length])]
        made = [
            tensor(logits, kinds[np.int32], ["windows", len(graph.classes)]),
            tensor(CLASS, kinds[np.int64], ["windows"]),
        ]
        constants = [self._numpy.from_array(value, name) for name, value in self._constants.items()]
        body = helper.make_graph(self._nodes, graph.name, given, made, constants)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(body, opset_imports=opset, ir_version=IR_VERSION, producer_name="bnn-wearables")
