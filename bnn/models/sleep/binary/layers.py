"""Layers that the integer graph has an op for. A value between them is a multiple of a power of two within int8."""

import torch
from brevitas.nn import QuantConv1d, QuantIdentity
from torch import Tensor, nn
from torch.nn import functional

from bnn.models import quant

FRAC = 5
"""Fraction bits of values between layers, which so lie in [-4, 4)."""

WEIGHT_FRAC = 6
"""Of integer weights, in [-2, 2)."""

SCORE_FRAC = 4
"""Of what a sigmoid is taken of, in [-8, 8)."""

GATE_FRAC = 7
"""Of a gate, in [0, 1)."""


class SignConv(QuantConv1d):
    """Binary weights on integers, 0 outside.   (B, c_in, length) -> (B, c_out, length')"""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, pad: int = 0):
        how = dict(weight_quant=quant.BinaryWeight, weight_estimator="ste")
        super().__init__(c_in, c_out, kernel, stride=stride, padding=pad, bias=False, **how)

    def integer_weight(self) -> Tensor:
        """(c_out, c_in, kernel) of -1 and +1."""
        return quant.sign(self.weight.detach())


class BitConv(SignConv):
    """Binary weights on bits, +1 outside.   (B, c_in, length) of -1 and +1 -> (B, c_out, length')"""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, pad: int = 0):
        super().__init__(c_in, c_out, kernel)
        self.edge = pad

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.pad(x, (self.edge, self.edge), value=1.0))


class IntConv(QuantConv1d):
    """int8 weights on int8, 0 outside.   (B, c_in, length) -> (B, c_out, length')"""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, pad: int = 0):
        how = dict(weight_quant=quant.FixedWeight, weight_frac=WEIGHT_FRAC)
        super().__init__(c_in, c_out, kernel, padding=pad, bias=False, **how)

    def integer_weight(self) -> Tensor:
        """(c_out, c_in, kernel) in units of 2**-WEIGHT_FRAC."""
        return self.quant_weight().value.detach() * 2.0**WEIGHT_FRAC


class Int8(QuantIdentity):
    """Real values -> the nearest multiples of 2**-frac that int8 holds; `relu` holds them at 0 and above."""

    def __init__(self, frac: int = FRAC, relu: bool = False):
        super().__init__(act_quant=quant.FixedActivation, frac=frac, lo=0 if relu else -128)
        self.frac, self.lo = frac, 0 if relu else -128


class Norm(nn.BatchNorm1d):
    """Batch norm whose factors count by their size alone: a falling one would turn a comparison round."""

    def forward(self, x: Tensor) -> Tensor:
        training = self.training and x.numel() > x.shape[1]  # one value a channel has no variance
        if training:
            self.num_batches_tracked.add_(1)
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight.abs(), self.bias, training, self.momentum, self.eps
        )

    def affine_in_use(self) -> tuple[Tensor, Tensor]:
        """(factor, offset), each (channels,) float64, of this norm in use, after training."""
        factor = self.weight.detach().double().abs() / torch.sqrt(self.running_var.double() + self.eps)
        return factor, self.bias.detach().double() - factor * self.running_mean.double()


class Scaled(nn.Sequential):
    """Batch norm to int8: an accumulator's way back to values between layers."""

    def __init__(self, channels: int, relu: bool = False):
        super().__init__(Norm(channels), Int8(relu=relu))


class Bits(QuantIdentity):
    """x -> -1 or +1, the sign that is never zero."""

    def __init__(self):
        super().__init__(act_quant=quant.BinaryActivation, estimator="approxsign")


class ShiftedBits(nn.Module):
    """sign(x + shift), one shift a channel (Liu et al., arXiv 2003.03488): where no batch norm comes just before."""

    def __init__(self, channels: int):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels, 1))
        self.sign = Bits()

    def forward(self, x: Tensor) -> Tensor:
        return self.sign(x + self.shift)
