"""Descriptors of the kernels of bnn_integers.h: the fields of their structs, from the plan's steps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bnn.graph.integer_ops import (
    Add,
    Attention,
    Concat,
    GlobalMax,
    GlobalSum,
    IntConv,
    LayerNorm,
    Multiply,
    Reshape,
    Scale,
    SignConv,
    Table,
)
from bnn.graph.node import Node
from bnn.graph.types import TensorType
from codegen.c.text import pack
from codegen.signs import blocks_of
from codegen.steps import Step

INT32_MAX = (1 << 31) - 1
FORMATS = {"bit": "", "int8": "BNN_INT8", "int16": "BNN_INT16", "int32": "BNN_INT32"}
"""How a kind of map lies; bits have kernels of their own."""

POINTERS = {"concat_int8": "const int8_t *const[]", "concat_bits": "const uint32_t *const[]"}
"""Kernels that take their inputs as one array, and the array's type."""


def wide(node: Scale, x: TensorType) -> bool:
    """Whether m x + b + half a unit may exceed 32 bits."""
    m, b = node.m.astype(np.int64), node.b.astype(np.int64)
    half = (1 << node.shift) >> 1
    ends = np.concatenate([m * x.lo, m * x.hi])
    both = np.concatenate([b, b])
    return bool((np.abs(ends) + np.abs(both) + half > INT32_MAX).any())


@dataclass(frozen=True, slots=True)
class Writer:
    """What writes the constants that a struct points to, and gives their names.

    types     of every tensor
    signals   those tensors that are arrays of the caller
    maps      tensor -> a pointer to its shape
    array     name, values -> the name of a constant array
    struct    type, name, fields -> the name of a constant struct
    pointers  type, name, texts -> the name of a constant array of pointers
    """

    types: dict[str, TensorType]
    signals: set[str]
    maps: Callable[[str], str]
    array: Callable[[str, np.ndarray], str]
    struct: Callable[[str, str, dict], str]
    pointers: Callable[[str, str, list[str]], str]

    def form(self, name: str) -> str:
        """The format of a map."""
        return "BNN_SAMPLES" if name in self.signals else FORMATS[self.types[name].kind]

    def arrays(self, node: Node, *keys: str) -> dict[str, str]:
        """Constants of a node, by the names of their fields."""
        return {key: self.array(f"{node.name}_{key}", getattr(node, key)) for key in keys}

    def factors(self, scale: Scale, x: TensorType) -> dict[str, object]:
        """The fields of bnn_factors."""
        fields = {"shift": scale.shift, "wide": int(wide(scale, x)), "lo": scale.lo, "hi": scale.hi}
        return self.arrays(scale, "m", "b") | fields


def fields_of(step: Step, to: Writer) -> dict[str, object]:
    """The fields of a step's struct."""
    node, first = step.nodes[0], step.inputs[0]
    shape = {"x": to.maps(first), "y": to.maps(step.output)}
    x_format, y_format = {"x_format": to.form(first)}, {"y_format": to.form(step.output)}
    match node:
        case SignConv() | IntConv():
            return shape | _convolution(step, to) | x_format | y_format
        case Scale():
            inner = ", ".join(f".{key} = {value}" for key, value in to.factors(node, to.types[first]).items())
            return shape | {"factors": f"{{{inner}}}"} | x_format
        case Table():
            return shape | to.arrays(node, "values")
        case Multiply():
            return shape | {"g": to.maps(step.inputs[1]), "shift": node.shift}
        case Add():
            maps = {"a": shape["x"], "b": to.maps(step.inputs[1]), "y": shape["y"]}
            formats = {f"{key}_format": to.form(name) for key, name in zip("ab", step.inputs, strict=True)}
            return maps | {"left_a": node.left_a, "left_b": node.left_b} | formats | y_format
        case GlobalMax() | GlobalSum():
            return shape | {"axis": node.axis} | x_format | y_format
        case Concat() | Reshape():
            parts = to.pointers("bnn_map *const", f"{step.output}_parts", [to.maps(name) for name in step.inputs])
            axis = node.axis if isinstance(node, Concat) else 1
            return {"x": parts, "y": shape["y"], "parts": len(step.inputs), "axis": axis}
        case Attention():
            numbers = {"entries": len(node.exp), "heads": node.heads, "m": node.m, "shift": node.shift}
            return shape | to.arrays(node, "exp") | numbers
        case LayerNorm():
            return shape | to.arrays(node, "m", "b") | {"shift": node.shift} | x_format
    return node.fail(f"the C backend has no struct for {type(node).__name__}")


def _convolution(step: Step, to: Writer) -> dict[str, object]:
    """The fields of a convolution that neither its input nor its output decides."""
    node = step.nodes[0]
    fields = {"weights": to.array(f"{node.name}_weights", weights_of(node))}
    if len(step.nodes) > 1:
        factors = to.factors(step.nodes[1], to.types[node.name])
        fields["scale"] = f"&{to.struct('bnn_factors', f'{step.output}_factors', factors)}"
    fields |= {"kernel": node.w.shape[2], "stride": node.stride, "pad": node.pad}
    if isinstance(node, SignConv):
        cut = blocks_of(node)
        fields |= {"block": cut.block, "sums": cut.sums, "shared": int(cut.shared)}
    return fields


def weights_of(node: Node) -> np.ndarray:
    """Time-major, as a window lies in memory; of a SignConv packed, block by block."""
    ordered = node.w.transpose(0, 2, 1).reshape(len(node.w), -1)
    if isinstance(node, IntConv):
        return ordered
    block = blocks_of(node).block
    parts = [ordered[:, k : k + block] > 0 for k in range(0, ordered.shape[1], block)]
    words = [part[:, k : k + 32] for part in parts for k in range(0, part.shape[1], 32)]
    return np.concatenate([pack(row) for word in words for row in word])
