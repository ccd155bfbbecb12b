"""The ops of the integer graph: what each computes, on what, and in which range.

A node is one op with the name of the tensor it defines and the names of the tensors it reads.
`infer` checks the inputs' types and gives the output's. The simulator holds the arithmetic, one
function per op; docs/SPEC.md says the same in words. Bit 1 is +1, bit 0 is -1.

Two dialects: the *logical* one says what the trained network computes (MaxPool, then Interval);
the *target* one is what runs (Threshold, then OrPool). `LOGICAL_ONLY` names the ops that the
passes of bnn.lower remove.
"""

from dataclasses import dataclass

import numpy as np

from bnn.graph import gate
from bnn.graph.arith import NEVER, STATS_FRAC
from bnn.graph.integer_ops import INTEGER_OPS
from bnn.graph.node import (
    STATS,
    Node,
    binary,
    check_flip,
    check_signs,
    check_window,
    constants,
    conv_length,
    numbers,
)
from bnn.graph.types import TensorType, bits, integers


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Node):
    """y[c, t] = x[c, first + t], a part of a signal: its past, or what comes after.

    x  int16 (n, length of x), y int16 (n, length)
    """

    first: int
    length: int

    def infer(self, *types):
        self.expect(types, "int16")
        x = types[0]
        if self.first < 0 or self.length < 1 or self.first + self.length > x.shape[1]:
            self.fail(f"samples {self.first} to {self.first + self.length - 1} are not all among 0 to {x.shape[1] - 1}")
        return TensorType(x.kind, (x.shape[0], self.length), x.lo, x.hi)


@dataclass(frozen=True, slots=True, eq=False)
class WindowStats(Node):
    """y = [mean, std] of one signal's window, by arith.window_stats.

    x  int16 (1, length)
    y  int32 (2,), in units of 2**-frac ADC steps
    """

    frac: int = STATS_FRAC

    def infer(self, *types):
        self.expect(types, "int16")
        channels, length = types[0].shape
        if channels != 1:
            self.fail(f"{self.inputs[0]} has {channels} channels; statistics are taken of one channel at a time")
        if not 0 <= self.frac <= 8 or length > 1 << min(16, 17 - self.frac):
            self.fail(
                f"{length} samples with {self.frac} fraction bits overflow 64 bits; "
                "frac goes from 0 to 8, and the length to 2**min(16, 17 - frac)"
            )
        return TensorType("int32", (2,), -(1 << (15 + self.frac)), 1 << (15 + self.frac))


@dataclass(frozen=True, slots=True, eq=False)
class SignalConv(Node):
    """acc[o, t] = sum_k w[o, k] * d[t * stride + k - pad], the first layer on raw samples.

    d[i]   2**frac * x[i] - mean inside the window; std outside it, which is +1 after standardising
    x      int16 (1, length); stats int32 (2,) = [mean, std] of x or, where that is a Slice of a signal, of the Slice of
           the as many samples before it; frac as in the WindowStats that made it
    w      (n_out, kernel) int8, -1 or +1
    acc    int32 (n_out, t), std times the convolution of the standardised window
    """

    w: np.ndarray = binary(rank=2)
    stride: int
    pad: int
    frac: int = STATS_FRAC

    def infer(self, *types):
        self.expect(types, "int16", STATS)
        check_signs(self, self.w, "weight")
        (n_out, kernel), (channels, length) = self.w.shape, types[0].shape
        if channels != 1:
            self.fail(f"{self.inputs[0]} has {channels} channels; SignalConv reads one channel at a time")
        check_window(self, length, kernel, self.stride, self.pad)
        if not 0 <= self.frac <= 8:
            self.fail(f"{self.frac} fraction bits; statistics have 0 to 8")
        top = kernel << (16 + self.frac)
        shape = (n_out, conv_length(length, kernel, self.stride, self.pad))
        return integers(shape, -top, top, self.name)

    def macs(self, *types):
        return self.w.size * self.infer(*types).shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class BinaryConv(Node):
    """acc[o, t] = sum_ck w[o, c, k] * x[c, t * stride + k - pad], all factors -1 or +1.

    x    bit (n_in, length), continued by pad_value[c] on both sides
    w    (n_out, n_in, kernel) int8, -1 or +1
    acc  (n_out, t) in [-n, n] for n = n_in * kernel, always of the parity of n
    """

    w: np.ndarray = binary(rank=3)
    pad_value: np.ndarray = binary()
    stride: int
    pad: int

    def infer(self, *types):
        self.expect(types, "bit")
        check_signs(self, self.w, "weight")
        check_signs(self, self.pad_value, "pad_value")
        (n_out, n_in, kernel), (channels, length) = self.w.shape, types[0].shape
        if channels != n_in or self.pad_value.shape != (n_in,):
            self.fail(f"weights are for {n_in} channels, pads for {len(self.pad_value)}, but the input has {channels}")
        check_window(self, length, kernel, self.stride, self.pad)
        top = n_in * kernel
        if top >= NEVER:
            self.fail(f"{top} taps an output are more than a 16-bit threshold can tell apart; the limit is {NEVER - 1}")
        return integers((n_out, conv_length(length, kernel, self.stride, self.pad)), -top, top, self.name)

    def macs(self, *types):
        return self.w.size * self.infer(*types).shape[1]

    def storage_bits(self):
        """The pad value costs nothing while it is +1 everywhere."""
        return self.w.size + (0 if (self.pad_value == 1).all() else self.pad_value.size)


def check_bounds(node: Node, types: tuple[TensorType, ...], frac: int, *bounds: np.ndarray) -> None:
    """The bounds of Threshold and Interval: int16, one a channel; with statistics, fixed point of `frac` bits."""
    node.expect(types, *(("int8|int16|int32",) if len(types) == 1 else ("int32", STATS)))
    for bound in bounds:
        if bound.shape != types[0].shape[:1]:
            node.fail(f"bounds are {bound.shape}, wanted {types[0].shape[:1]}, one a channel")
    if not 0 <= frac <= 15 or (frac and len(types) == 1):
        node.fail(f"{frac} fraction bits; bounds have 0 to 15, and 0 where there are no statistics to scale by")


@dataclass(frozen=True, slots=True, eq=False)
class Threshold(Node):
    """y[c, t] = x[c, t] >= bound[c].

    x      int (n, length)
    t      (n,) int16. Without statistics bound = t. With statistics, the second input,
           bound = ceil(t * std / 2**frac); t = ALWAYS gives 1 and t = NEVER gives 0 whatever x is.
    y      bit (n, length)
    """

    t: np.ndarray = numbers(np.int16)
    frac: int = 0

    def infer(self, *types):
        check_bounds(self, types, self.frac, self.t)
        return bits(*types[0].shape)


@dataclass(frozen=True, slots=True, eq=False)
class Interval(Node):
    """y[c, t] = (lower[c] <= x[c, t] < upper[c]) xor flip[c]: what is left of sign(BatchNorm(PReLU(x))).

    lower, upper  (n,) int16, each turned into a bound as Threshold does
    flip          (n,) int8, -1 keeps, +1 inverts
    Logical only: threshold_before_pool turns it into thresholds.
    """

    lower: np.ndarray = numbers(np.int16)
    upper: np.ndarray = numbers(np.int16)
    flip: np.ndarray = binary()
    frac: int = 0

    def infer(self, *types):
        check_bounds(self, types, self.frac, self.lower, self.upper)
        check_flip(self, self.flip, types[0])
        return bits(*types[0].shape)


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool(Node):
    """y[c, t] = max_j x[c, t * stride + j], j < kernel.   x, y int (n, length)"""

    kernel: int
    stride: int

    def infer(self, *types):
        self.expect(types, "int8|int16|int32")
        x = types[0]
        check_window(self, x.shape[1], self.kernel, self.stride)
        return TensorType(x.kind, (x.shape[0], conv_length(x.shape[1], self.kernel, self.stride, 0)), x.lo, x.hi)


@dataclass(frozen=True, slots=True, eq=False)
class OrPool(Node):
    """y[c, t] = OR_j x[c, t * stride + j], j < kernel: MaxPool on bits.   x, y bit (n, length)"""

    kernel: int
    stride: int

    def infer(self, *types):
        self.expect(types, "bit")
        channels, length = types[0].shape
        check_window(self, length, self.kernel, self.stride)
        return bits(channels, conv_length(length, self.kernel, self.stride, 0))


@dataclass(frozen=True, slots=True, eq=False)
class AndNot(Node):
    """y = a and not b, bit by bit.   a, b, y bit of one shape"""

    def infer(self, *types):
        self.expect(types, "bit", "bit")
        if types[0].shape != types[1].shape:
            self.fail(
                f"{self.inputs[0]} is {types[0].shape} and {self.inputs[1]} is {types[1].shape}; shapes must agree"
            )
        return types[0]


@dataclass(frozen=True, slots=True, eq=False)
class Flip(Node):
    """y[c, t] = x[c, t] xor flip[c], flip -1 keeps, +1 inverts. Logical only: absorb_flip moves it into weights."""

    flip: np.ndarray = binary()

    def infer(self, *types):
        self.expect(types, "bit")
        check_flip(self, self.flip, types[0])
        return types[0]


@dataclass(frozen=True, slots=True, eq=False)
class PReluSum(Node):
    """y[c] = rise[c] * sum_t max(x[c, t], 0) + fall[c] * sum_t min(x[c, t], 0) + bias[c]: PReLU, BatchNorm, sum.

    x           int (n, length)
    rise, fall  (n,) int16, bias (n,) int32, all in units of 2**-frac
    y           int32 (n,), logits in units of 2**-frac
    """

    rise: np.ndarray = numbers(np.int16)
    fall: np.ndarray = numbers(np.int16)
    bias: np.ndarray = numbers(np.int32)
    frac: int

    def infer(self, *types):
        self.expect(types, "int16|int32")
        channels, length = types[0].shape
        for spec, array in constants(self):
            if array.shape != (channels,):
                self.fail(f"{spec.name} has {array.size} entries for {channels} channels")
        if not 0 <= self.frac <= 31:
            self.fail(f"{self.frac} fraction bits; logits have 0 to 31")
        up, down = length * max(types[0].hi, 0), length * min(types[0].lo, 0)
        rise, fall, bias = (a.astype(np.int64) for a in (self.rise, self.fall, self.bias))
        ends = [rise * up, fall * down, rise * up * 0]
        hi, lo = np.max(ends, axis=0) + bias, np.min(ends, axis=0) + bias
        out = integers((channels,), int(lo.min()), int(hi.max()), self.name)
        return TensorType("int32", out.shape, out.lo, out.hi)


@dataclass(frozen=True, slots=True, eq=False)
class ExitGate(Node):
    """y = [spread, full], whose quotient is the normalised entropy of softmax(x): how doubtful an exit is.

    x    int32 (n,), logits in units of 2**-frac, 2 to 32 classes
    exp  int16, exp(-i / 16) in units of 2**-14, from 1 down to 0, at most 1024
    log  (33,) int16, log(1 + i / 32) in units of 2**-14
    y    int32 (2,), in units of 2**-24: S log S + sum e d, and S log n. gate.leaves compares them with a speed.
    """

    exp: np.ndarray = numbers(np.int16)
    log: np.ndarray = numbers(np.int16)
    frac: int

    def infer(self, *types):
        if len(types) != 1 or types[0].kind != "int32" or len(types[0].shape) != 1:
            self.fail(f"ExitGate reads one vector of logits, int32 (classes,), got {', '.join(map(str, types))}")
        classes = types[0].shape[0]
        if not 2 <= classes <= gate.MAX_CLASSES or not 0 <= self.frac <= 31:
            self.fail(
                f"{classes} classes with {self.frac} fraction bits; a gate takes 2 to {gate.MAX_CLASSES} and 0 to 31"
            )
        exp, log = self.exp.astype(np.int64), self.log.astype(np.int64)
        if len(exp) < 2 or exp[0] != gate.ONE or exp[-1] != 0 or (np.diff(exp) > 0).any():
            self.fail(f"exp must fall from {gate.ONE} to 0 and never rise")
        if len(exp) > gate.MAX_EXP:
            self.fail(f"exp has {len(exp)} entries, wanted at most {gate.MAX_EXP}")
        if len(log) != gate.LOG_STEPS + 1 or log[0] != 0 or (np.diff(log) < 0).any():
            self.fail(f"log must be {gate.LOG_STEPS + 1} entries that rise from 0")
        full = gate.ONE * classes * int(gate.logarithm(np.array([gate.ONE * classes]), log)[0])
        if not full:
            self.fail(f"log gives 0 for {classes} classes, so nothing could be compared with a speed")
        doubt = (exp[:-1] * (np.arange(1, len(exp)) << gate.EXP_BITS)).max()
        out = integers((2,), 0, full + classes * int(doubt), self.name)
        return TensorType("int32", out.shape, out.lo, out.hi)


OPS = {
    op.__name__: op
    for op in (
        WindowStats,
        SignalConv,
        BinaryConv,
        Threshold,
        Interval,
        MaxPool,
        OrPool,
        AndNot,
        Flip,
        PReluSum,
        Slice,
        ExitGate,
        *INTEGER_OPS,
    )
}
"""Every op by the name it has in files."""

LOGICAL_ONLY = (Interval, Flip)
