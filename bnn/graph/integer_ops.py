"""Ops on integers that are not bits: gates, attention and what lies between them.

Values between such ops are int8 with a power of two as their unit, which is the lowering's affair: no op knows it.
"""

from dataclasses import dataclass

import numpy as np

from bnn.graph.node import Node, binary, check_signs, check_window, conv_length, numbers
from bnn.graph.types import TensorType, integers

INT8 = -128, 127

EXP_ONE = 1 << 14
"""What Attention's table begins with."""

ROOT_BITS, Q_BITS = 27, 10
"""Fraction bits of the reciprocal of a standard deviation, and of a value in units of it, in LayerNorm."""

MAX_NORM = 255
"""Channels that a LayerNorm takes, so that a value lies below 2**15 in units of 2**-10 standard deviations."""

MAX_TOKENS = 512
"""Time steps that an Attention takes, so that its sums fit 32 bits."""


def int8(shape: tuple[int, ...], lo: int = INT8[0], hi: int = INT8[1]) -> TensorType:
    return TensorType("int8", shape, lo, hi)


class _Conv(Node):
    """What the convolutions of integers share: x is 0 outside its map."""

    __slots__ = ()

    def reach(self, x: TensorType) -> tuple[int, int]:
        """Least and largest sum."""
        up, down = (np.maximum(s * self.w.astype(np.int64), 0).sum(axis=(1, 2)) for s in (1, -1))
        lo, hi = min(x.lo, 0), max(x.hi, 0)
        return int((up * lo - down * hi).min()), int((up * hi - down * lo).max())

    def infer_conv(self, x: TensorType) -> TensorType:
        (n_out, n_in, kernel), (channels, length) = self.w.shape, x.shape
        if channels != n_in:
            self.fail(f"weights are for {n_in} channels, but the input has {channels}")
        check_window(self, length, kernel, self.stride, self.pad)
        shape = (n_out, conv_length(length, kernel, self.stride, self.pad))
        return integers(shape, *self.reach(x), self.name)

    def macs(self, *types):
        return self.w.size * self.infer(*types).shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class SignConv(_Conv):
    """acc[o, t] = sum_ck w[o, c, k] * x[c, t * stride + k - pad]: binary weights, integers, 0 outside.

    x    int8 or int16 (n_in, length): raw samples, or values between ops; with kernel 1 a linear layer at each step
    w    (n_out, n_in, kernel) int8, -1 or +1
    acc  int16 or int32 (n_out, t)
    """

    w: np.ndarray = binary(rank=3)
    stride: int
    pad: int

    def infer(self, *types):
        self.expect(types, "int8|int16")
        check_signs(self, self.w, "weight")
        return self.infer_conv(types[0])


@dataclass(frozen=True, slots=True, eq=False)
class IntConv(_Conv):
    """The same with integer weights: the small layers that a gate or a classifier has.

    x    int8 (n_in, length)
    w    (n_out, n_in, kernel) int8
    acc  int16 or int32 (n_out, t)
    """

    w: np.ndarray = numbers(np.int8, rank=3)
    stride: int
    pad: int

    def infer(self, *types):
        self.expect(types, "int8")
        return self.infer_conv(types[0])


@dataclass(frozen=True, slots=True, eq=False)
class Scale(Node):
    """y[c, t] = round((m[c] * x[c, t] + b[c]) / 2**shift), held between lo and hi: batch norm, mean, ReLU.

    x       int (n, length)
    m, b    (n,) int16 and int32; shift 0 to 31
    lo, hi  within int8; lo = 0 is a ReLU
    y       int8 (n, length)
    """

    m: np.ndarray = numbers(np.int16)
    b: np.ndarray = numbers(np.int32)
    shift: int
    lo: int
    hi: int

    def infer(self, *types):
        self.expect(types, "int8|int16|int32")
        for spec in (self.m, self.b):
            if spec.shape != types[0].shape[:1]:
                self.fail(f"has {spec.size} factors or offsets for {types[0].shape[0]} channels")
        if not 0 <= self.shift <= 31:
            self.fail(f"shift is {self.shift}, wanted 0 to 31")
        if not INT8[0] <= self.lo < self.hi <= INT8[1]:
            self.fail(f"holds values between {self.lo} and {self.hi}, wanted a range within int8")
        return int8(types[0].shape, self.lo, self.hi)


@dataclass(frozen=True, slots=True, eq=False)
class Table(Node):
    """y = values[x + 128], as a sigmoid.   x, y int8 (n, length), values (256,) int8"""

    values: np.ndarray = numbers(np.int8)

    def infer(self, *types):
        self.expect(types, "int8")
        if self.values.shape != (256,):
            self.fail(f"has {self.values.size} entries, wanted 256, one for each int8")
        seen = self.values[types[0].lo + 128 : types[0].hi + 129]
        return int8(types[0].shape, int(seen.min()), int(seen.max()))


@dataclass(frozen=True, slots=True, eq=False)
class Multiply(Node):
    """y[c, t] = round(x[c, t] * g[c, t] / 2**shift), held within int8: what a gate lets through.

    x  int8 (n, length)
    g  int8 (n, length); (n, 1), the same at every step; or (1, length), the same in every channel
    y  int8 (n, length); shift 0 to 15
    """

    shift: int

    def infer(self, *types):
        self.expect(types, "int8", "int8")
        x, g = types
        if any(size not in (1, of) for size, of in zip(g.shape, x.shape, strict=True)):
            self.fail(f"{self.inputs[1]} is {g.shape}, which does not fit {self.inputs[0]} of {x.shape}")
        if not 0 <= self.shift <= 15:
            self.fail(f"shift is {self.shift}, wanted 0 to 15")
        ends = [(2 * a * b + (1 << self.shift)) >> (self.shift + 1) for a in (x.lo, x.hi) for b in (g.lo, g.hi)]
        return int8(x.shape, *(int(np.clip(end, *INT8)) for end in (min(ends), max(ends))))


@dataclass(frozen=True, slots=True, eq=False)
class Add(Node):
    """y = (a << left_a) + (b << left_b): a way around, in the finer unit of the two.

    a, b  int8 or int16 of one shape; left_a, left_b 0 to 15
    y     int16 or int32
    """

    left_a: int
    left_b: int

    def infer(self, *types):
        self.expect(types, "int8|int16", "int8|int16")
        a, b = types
        if a.shape != b.shape:
            self.fail(f"{self.inputs[0]} is {a.shape} and {self.inputs[1]} is {b.shape}; shapes must agree")
        if not (0 <= self.left_a <= 15 and 0 <= self.left_b <= 15):
            self.fail(f"shifts are {self.left_a} and {self.left_b}, wanted 0 to 15")
        lo, hi = ((getattr(a, end) << self.left_a) + (getattr(b, end) << self.left_b) for end in ("lo", "hi"))
        return integers(a.shape, lo, hi, self.name)


def check_axis(node: Node, axis: int) -> None:
    if axis not in (0, 1):
        node.fail(f"axis is {axis}, wanted 0, over channels, or 1, over time")


@dataclass(frozen=True, slots=True, eq=False)
class GlobalMax(Node):
    """The largest over channels, (1, length), for axis 0; over time, (n, 1), for axis 1.   x, y int8 (n, length)"""

    axis: int

    def infer(self, *types):
        self.expect(types, "int8")
        check_axis(self, self.axis)
        channels, length = types[0].shape
        return int8((channels, 1) if self.axis else (1, length), types[0].lo, types[0].hi)


@dataclass(frozen=True, slots=True, eq=False)
class GlobalSum(Node):
    """The sum over channels, (1, length), for axis 0; over time, (n, 1), for axis 1.   x int8 or int16, y int"""

    axis: int

    def infer(self, *types):
        self.expect(types, "int8|int16")
        check_axis(self, self.axis)
        channels, length = types[0].shape
        n = types[0].shape[self.axis]
        shape = (channels, 1) if self.axis else (1, length)
        return integers(shape, n * types[0].lo, n * types[0].hi, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Concat(Node):
    """Maps one after the other: their channels for axis 0, their time steps for axis 1.

    x  two or more, all bit or all int8, equal on the other axis
    y  of the same kind
    """

    axis: int

    def infer(self, *types):
        check_axis(self, self.axis)
        if len(types) < 2:
            self.fail(f"Concat joins two tensors or more, got {', '.join(self.inputs)}")
        first, other = types[0], 1 - self.axis
        for source, got in zip(self.inputs, types, strict=True):
            if got.kind not in ("bit", "int8") or len(got.shape) != 2 or got.kind != first.kind:
                self.fail(f"{source} is {got}, but Concat joins maps that are all bit or all int8")
            if got.shape[other] != first.shape[other]:
                self.fail(f"{source} is {got} and {self.inputs[0]} is {first}; they must agree on axis {other}")
        shape = list(first.shape)
        shape[self.axis] = sum(got.shape[self.axis] for got in types)
        return TensorType(first.kind, tuple(shape), min(t.lo for t in types), max(t.hi for t in types))


@dataclass(frozen=True, slots=True, eq=False)
class Reshape(Node):
    """The same values in the same order in memory, time step after time step, as a map of so many channels.

    x  bit or int8 (n, length), where `channels` divides n * length
    y  of the same kind (channels, n * length / channels): y[c, t] is value number t * channels + c of x, whose
       x[c, t] is number t * n + c
    """

    channels: int

    def infer(self, *types):
        self.expect(types, "bit|int8")
        x = types[0]
        if self.channels < 1 or x.size % self.channels:
            self.fail(f"{self.inputs[0]} has {x.size} values, which {self.channels} channels do not divide")
        return TensorType(x.kind, (self.channels, x.size // self.channels), x.lo, x.hi)


@dataclass(frozen=True, slots=True, eq=False)
class Attention(Node):
    """Softmax attention of `heads` heads over the time steps (tokens) of a map.

    q, k, v   int8 (d, n), n at most 512; head h has the channels h * d / heads and on
    s[i, j]   sum over a head's channels of q[c, i] * k[c, j]
    e[i, j]   exp[min(round((max_j s[i, j] - s[i, j]) * m / 2**shift), last entry)]
    y[c, i]   round(sum_j e[i, j] * v[c, j] * (2**30 // S) / 2**30), S = sum_j e[i, j]: int8 (d, n)
    exp       int16, from 2**14 down, never rising and never below 0, at most 1024
    m, shift  m 1 to 32767, shift 0 to 31: entries of exp for a unit of s
    """

    exp: np.ndarray = numbers(np.int16)
    heads: int
    m: int
    shift: int

    def infer(self, *types):
        self.expect(types, "int8", "int8", "int8")
        d, n = types[0].shape
        if any(t.shape != (d, n) for t in types) or n > MAX_TOKENS or self.heads < 1 or d % self.heads:
            shapes = ", ".join(str(t.shape) for t in types)
            self.fail(
                f"{self.heads} heads over {shapes}; wanted three of one shape, whose channels the heads divide, "
                f"and at most {MAX_TOKENS} steps"
            )
        if not 1 <= self.m < 1 << 15 or not 0 <= self.shift <= 31:
            self.fail(f"m is {self.m} and shift {self.shift}, wanted 1 to 32767 and 0 to 31")
        exp = self.exp.astype(np.int64)
        if exp[0] != EXP_ONE or (np.diff(exp) > 0).any() or exp[-1] < 0 or len(exp) > 1024:
            self.fail(
                f"exp has {len(exp)} entries from {exp[0]}, wanted at most 1024 that fall from {EXP_ONE}, never below 0"
            )
        return int8((d, n), min(types[2].lo, 0), max(types[2].hi, 0))

    def macs(self, *types):
        d, n = types[0].shape
        return 2 * d * n * n


@dataclass(frozen=True, slots=True, eq=False)
class LayerNorm(Node):
    """Layer norm of each time step (token) over its channels, of which there are n, at most 255.

    x         int8 or int16 (n, length)
    std       max(1, floor(sqrt(n * sum x**2 - (sum x)**2))): n standard deviations
    q         (n * x - sum x) * (2**27 // std) >> 17: standard deviations from the mean, in units of 2**-10
    y         round((m[c] * q + b[c]) / 2**shift), held within int8
    m, b      (n,) int16, and int32 of at most 2**30; shift 0 to 31
    """

    m: np.ndarray = numbers(np.int16)
    b: np.ndarray = numbers(np.int32)
    shift: int

    def infer(self, *types):
        self.expect(types, "int8|int16")
        n, _ = types[0].shape
        if n > MAX_NORM:
            self.fail(f"{self.inputs[0]} has {n} channels; a LayerNorm takes at most {MAX_NORM}")
        if self.m.shape != (n,) or self.b.shape != (n,):
            self.fail(f"has {self.m.size} factors and {self.b.size} offsets for {n} channels")
        if np.abs(self.b.astype(np.int64)).max() > 1 << 30 or not 0 <= self.shift <= 31:
            self.fail(f"offsets reach {self.b.max()} with shift {self.shift}, wanted at most 2**30 and 0 to 31")
        return int8(types[0].shape)


INTEGER_OPS = (
    SignConv,
    IntConv,
    Scale,
    Table,
    Multiply,
    Add,
    GlobalMax,
    GlobalSum,
    Concat,
    Reshape,
    Attention,
    LayerNorm,
)
