"""Quantisers for Brevitas: to bits, and below to int8.

Bits are sign(x) forward, and backward a chosen estimate of its gradient.

The derivative of sign is zero almost everywhere, so training puts another slope in its place:

    ste         1 where |x| <= 1, else 0                        (Hubara et al., NIPS 2016)
    approxsign  max(0, 2 - 2 |x|)                               (Bi-Real Net, Liu et al., ECCV 2018)
    annealed    max(0, k (sqrt(3) t - 1.5 t^2 |x|)), where t goes from 1e-2 to 1e1 geometrically as
                training proceeds: wide at first, narrow at the end. Weights take k = max(1 / t, 1),
                activations k = 1 and t at least 1.              (Pu et al., arXiv 2304.01568)
"""

import math
from dataclasses import dataclass

import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.utils import StatelessBuffer
from brevitas.quant.base import SignedBinaryClampedConst
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from torch import Tensor, nn

from bnn.errors import ModelError

ESTIMATORS = ("annealed", "ste", "approxsign")
T_START, T_END = 1e-2, 1e1


def sign(x: Tensor) -> Tensor:
    """+1 where x >= 0, else -1: the sign that is never zero. -0.0 counts as 0."""
    return (x >= 0).to(x.dtype).mul_(2).sub_(1)  # six times as fast as torch.where with two scalars


@dataclass(frozen=True)
class Slope:
    """max(0, peak - fall |x|) where |x| <= reach: what stands for the derivative of sign."""

    peak: float
    fall: float
    reach: float

    def __call__(self, x: Tensor) -> Tensor:
        if self.fall == 0:
            return (x.abs() <= self.reach).to(x.dtype).mul_(self.peak)
        return x.abs().mul_(-self.fall).add_(self.peak).clamp_min_(0)  # already 0 beyond reach


def slope(estimator: str, progress: float, of_weights: bool) -> Slope:
    """The slope of `estimator` when the share `progress`, in [0, 1], of training is done.

    Raises ModelError for an unknown estimator.
    """
    if estimator == "ste":
        return Slope(1.0, 0.0, 1.0)
    if estimator == "approxsign":
        return Slope(2.0, 2.0, 1.0)
    if estimator == "annealed":
        t = T_START * (T_END / T_START) ** progress
        k = max(1 / t, 1.0) if of_weights else 1.0
        t = t if of_weights else max(t, 1.0)
        return Slope(k * math.sqrt(3) * t, k * 1.5 * t * t, math.sqrt(3) / (1.5 * t))
    raise ModelError(f"estimator {estimator!r} is unknown; choose one of {', '.join(ESTIMATORS)}")


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, estimate: Slope) -> Tensor:
        ctx.save_for_backward(x)
        ctx.estimate = estimate
        return sign(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return ctx.estimate(x).mul_(grad), None


class BinaryTensorQuant(nn.Module):
    """A Brevitas `tensor_quant`: x -> (sign(x), scale 1, zero point 0, bit width 1).

    The scale is the constant 1, so the product with it is left out. While `on` is False, values pass as they are.
    """

    def __init__(self, estimator: str, of_weights: bool):
        super().__init__()
        self.estimator = estimator
        self.of_weights = of_weights
        self.scale = StatelessBuffer(torch.tensor(1.0))
        self.zero_point = StatelessBuffer(torch.tensor(0.0))
        self.bit_width = BitWidthConst(1)
        self.on = True
        self.set_progress(0.0)

    def set_progress(self, progress: float) -> None:
        """Say how much of training is done, in [0, 1]; the annealed slope follows."""
        self.slope = slope(self.estimator, progress, self.of_weights)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        y = _Sign.apply(x, self.slope) if self.on else x
        return y, self.scale(), self.zero_point(), self.bit_width()


class BinaryWeight(SignedBinaryClampedConst, WeightQuantSolver):
    """`weight_quant` of a Brevitas layer; give the estimator as `weight_estimator`."""

    tensor_quant = BinaryTensorQuant
    scaling_const = 1.0
    of_weights = True


class BinaryActivation(SignedBinaryClampedConst, ActQuantSolver):
    """`act_quant` of a Brevitas activation; give the estimator as `estimator`."""

    tensor_quant = BinaryTensorQuant
    min_val = -1.0
    max_val = 1.0
    of_weights = False


def rounded(x: Tensor, frac: int) -> Tensor:
    """x to the nearest multiple of 2**-frac, as round_div rounds; the gradient passes."""
    return x + (torch.floor(x.detach() * 2.0**frac + 0.5) * 2.0**-frac - x.detach())


class _Fixed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, frac: int, lo: int) -> Tensor:
        steps = x * 2.0**frac
        ctx.save_for_backward((steps >= lo) & (steps <= 127))
        return torch.floor(steps + 0.5).clamp_(lo, 127) * 2.0**-frac

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        return grad * inside, None, None


class FixedTensorQuant(nn.Module):
    """A Brevitas `tensor_quant`: x -> (x in steps of 2**-frac, rounded as round_div does and held within int8, ...).

    lo  least step, -128 or 0, which makes it a ReLU. The gradient passes where nothing is held (Bengio et al.,
        arXiv 1308.3432).
    """

    def __init__(self, frac: int, lo: int):
        super().__init__()
        self.frac, self.lo = frac, lo
        self.scale = StatelessBuffer(torch.tensor(2.0**-frac))
        self.zero_point = StatelessBuffer(torch.tensor(0.0))
        self.bit_width = BitWidthConst(8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return _Fixed.apply(x, self.frac, self.lo), self.scale(), self.zero_point(), self.bit_width()


class FixedWeight(SignedBinaryClampedConst, WeightQuantSolver):
    """`weight_quant` of a Brevitas layer: int8 in steps of 2**-frac; give `weight_frac`."""

    tensor_quant = FixedTensorQuant
    scaling_const = 1.0
    lo = -128


class FixedActivation(SignedBinaryClampedConst, ActQuantSolver):
    """`act_quant` of a Brevitas activation: int8 in steps of 2**-frac; give `frac`, and `lo` = 0 for a ReLU."""

    tensor_quant = FixedTensorQuant
    min_val = -1.0
    max_val = 1.0
    lo = -128


def set_progress(model: nn.Module, progress: float) -> None:
    """Tell every binary quantiser in `model` how much of training is done, in [0, 1]."""
    for module in model.modules():
        if isinstance(module, BinaryTensorQuant):
            module.set_progress(progress)


def set_binary_weights(model: nn.Module, on: bool) -> None:
    """Switch the weight quantisers in `model` on or off, for the first of two stages; activations stay binary."""
    for module in model.modules():
        if isinstance(module, BinaryTensorQuant) and module.of_weights:
            module.on = on
