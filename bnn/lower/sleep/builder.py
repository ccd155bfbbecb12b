"""Puts nodes together and remembers the unit of every tensor."""

import math

import numpy as np
import torch

from bnn.errors import ModelError
from bnn.graph.arith import to_fixed
from bnn.graph.integer_ops import (
    Add,
    Concat,
    GlobalMax,
    GlobalSum,
    IntConv,
    Multiply,
    Reshape,
    Scale,
    SignConv,
    Table,
)
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv, Interval, MaxPool
from bnn.graph.types import TensorType
from bnn.lower.bounds import integer_bounds
from bnn.models.sleep.binary import layers

INT16, INT32 = 2**15 - 1, 2**31 - 1


class Builder:
    """The nodes of a stage in the making.

    types  of every tensor so far, those of earlier stages included
    fracs  fraction bits of every tensor of integers: value = integer * 2**-frac
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.fracs: dict[str, int] = {}

    def take_nodes(self) -> tuple[Node, ...]:
        """Those since the last call."""
        nodes, self.nodes = tuple(self.nodes), []
        return nodes

    def signal(self, name: str, channels: int, samples: int, scale: int) -> str:
        """Raw samples, of which `scale` ADC units enter the network as 1."""
        self.types[name] = TensorType("int16", (channels, samples), -32768, 32767)
        self.fracs[name] = int(math.log2(scale))
        return name

    def add(self, node: Node, frac: int = 0) -> str:
        self.types[node.name] = node.infer(*(self.types[source] for source in node.inputs))
        self.nodes.append(node)
        self.fracs[node.name] = frac
        return node.name

    def sign_conv(self, name: str, conv: layers.SignConv, x: str) -> str:
        (stride,), (pad,) = conv.stride, conv.padding
        return self.add(SignConv(name, (x,), _int8(conv), stride, pad), self.fracs[x])

    def int_conv(self, name: str, conv: layers.IntConv, x: str) -> str:
        (stride,), (pad,) = conv.stride, conv.padding
        return self.add(IntConv(name, (x,), _int8(conv), stride, pad), self.fracs[x] + layers.WEIGHT_FRAC)

    def bit_conv(self, name: str, conv: layers.BitConv, x: str) -> str:
        edge = np.ones(self.types[x].shape[0], np.int8)
        return self.add(BinaryConv(name, (x,), _int8(conv), edge, 1, conv.edge))

    def scale(self, name: str, x: str, factor, offset, frac: int, lo: int = -128) -> str:
        """int8 in units of 2**-frac of factor * x + offset, both (channels,) or numbers, real."""
        factor, offset = (np.broadcast_to(np.asarray(v, np.float64), self.types[x].shape[:1]) for v in (factor, offset))
        factor, offset = factor * 2.0 ** (frac - self.fracs[x]), offset * 2.0**frac
        shift = min(room(factor, INT16), room(offset, INT32))
        if shift < 0:
            raise ModelError(
                f"{name}: batch norm multiplies by {np.abs(factor).max():.3g} and adds {np.abs(offset).max():.3g}, "
                "which no Scale holds; a channel may have no variance, train longer"
            )
        m, b = to_fixed(factor, shift).astype(np.int16), to_fixed(offset, shift).astype(np.int32)
        return self.add(Scale(name, (x,), m, b, shift, lo, 127), frac)

    def scaled(self, name: str, module: layers.Scaled, x: str) -> str:
        norm, value = module
        return self.scale(name, x, *(v.numpy() for v in norm.affine_in_use()), value.frac, value.lo)

    def int8(self, name: str, module: layers.Int8, x: str, divisor: int = 1) -> str:
        """x / divisor as the module holds it."""
        return self.scale(name, x, 1 / divisor, 0.0, module.frac, module.lo)

    def mean(self, name: str, module: layers.Int8, x: str, axis: int) -> str:
        n = self.types[x].shape[axis]
        total = self.add(GlobalSum(f"{name}.sum", (x,), axis), self.fracs[x])
        return self.int8(name, module, total, n)

    def norm_bits(self, name: str, norm: layers.Norm, x: str, top: int) -> str:
        """sign(norm(x)) of a sum of `top` bits or the largest of some, tried on every value."""

        @torch.no_grad()
        def f(values: np.ndarray) -> np.ndarray:
            sums = torch.as_tensor(values, dtype=norm.weight.dtype).expand(1, norm.num_features, -1)
            return norm(sums)[0].numpy()

        return self.add(Interval(name, (x,), *integer_bounds(f, top)))

    def shifted_bits(self, name: str, x: str, shift: np.ndarray) -> str:
        """sign(x + shift), shift (channels,) real."""
        never = self.types[x].hi + 1
        lower = np.clip(np.ceil(-shift.astype(np.float64) * 2.0 ** self.fracs[x]), -INT16, never)
        ones = np.ones(len(lower), np.int8)
        return self.add(Interval(name, (x,), lower.astype(np.int16), np.full(len(lower), never, np.int16), -ones))

    def max_pool(self, name: str, pool: torch.nn.MaxPool1d, x: str) -> str:
        return self.add(MaxPool(name, (x,), pool.kernel_size, pool.stride), self.fracs[x])

    def global_max(self, name: str, x: str, axis: int) -> str:
        return self.add(GlobalMax(name, (x,), axis), self.fracs[x])

    def concat(self, name: str, xs: tuple[str, ...], axis: int) -> str:
        """Of tensors in one unit."""
        (frac,) = {self.fracs[x] for x in xs}
        return self.add(Concat(name, xs, axis), frac)

    def reshape(self, name: str, x: str, channels: int) -> str:
        return self.add(Reshape(name, (x,), channels), self.fracs[x])

    def sigmoid(self, name: str, x: str) -> str:
        """In units of 2**-GATE_FRAC."""
        values = to_fixed(1 / (1 + np.exp(-np.arange(-128, 128) * 2.0 ** -self.fracs[x])), layers.GATE_FRAC)
        return self.add(Table(name, (x,), np.minimum(values, 127).astype(np.int8)), layers.GATE_FRAC)

    def multiply(self, name: str, x: str, g: str, frac: int) -> str:
        return self.add(Multiply(name, (x, g), self.fracs[x] + self.fracs[g] - frac), frac)

    def plus(self, name: str, a: str, b: str) -> str:
        frac = max(self.fracs[a], self.fracs[b])
        return self.add(Add(name, (a, b), frac - self.fracs[a], frac - self.fracs[b]), frac)


def _int8(conv: layers.SignConv | layers.IntConv) -> np.ndarray:
    return conv.integer_weight().numpy().astype(np.int8)


def room(values: np.ndarray, top: int) -> int:
    """The largest shift, up to 31, at which all of `values` stay below `top`."""
    largest = np.abs(values).max()
    return 31 if largest == 0 else min(31, math.floor(math.log2((top - 0.5) / largest)))
