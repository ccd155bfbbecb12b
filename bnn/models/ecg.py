"""The six-block ECG network (Pu et al., arXiv 2304.01568), binary or float, from one definition.

block     channels       conv length   pooled length
  1        1 ->  8           1802           898       the standardised signal comes in as it is
  2        8 -> 16            902           448       sign of it from here on
  3       16 -> 32            452           223
  4       32 -> 32            227           111
  5       32 -> 64            115            55
  6       64 -> classes        59            27       then the sum over time

A network may read out the largest value over all positions instead (`readout="max"`, our own), for windows that are
named after single beats.
"""

from dataclasses import dataclass

import torch
from brevitas.nn import QuantConv2d, QuantIdentity
from torch import Tensor, nn

from bnn.errors import ModelError
from bnn.models import quant

NORMALISATIONS = ("window", "past")
READOUTS = ("sum", "max")


@dataclass(frozen=True)
class EcgConfig:
    """What one ECG network is. `classes` are the names of the logits, in order.

    `channels` are those between the blocks; the last block has one channel per class.
    `binary=False` is the float twin: real weights and no sign, all else equal.
    `dropout` and `logit_scale` matter in training alone.
    `normalisation` names the statistics that samples are standardised by: "window", its own; "past", those of as many
    samples before it, so that a device can begin with the first sample.
    `readout` says how the last block becomes logits: "sum" over its pooled positions; or "max", one pool over all.
    """

    classes: tuple[str, ...]
    channels: tuple[int, ...] = (8, 16, 32, 32, 64)
    kernel: int = 7
    strides: tuple[int, ...] = (2, 1, 1, 1, 1, 1)
    padding: int = 5
    pool: int = 7
    pool_stride: int = 2
    samples: int = 3600
    binary: bool = True
    dropout: float = 0.1
    logit_scale: float = 0.25
    weight_estimator: str = "annealed"
    activation_estimator: str = "annealed"
    normalisation: str = "window"
    readout: str = "sum"

    def __post_init__(self):
        if self.readout not in READOUTS:
            raise ModelError(f"readout is {self.readout!r}, wanted {' or '.join(READOUTS)}")
        if self.normalisation not in NORMALISATIONS:
            raise ModelError(f"normalisation is {self.normalisation!r}, wanted {' or '.join(NORMALISATIONS)}")
        if len(self.strides) != len(self.channels) + 1:
            raise ModelError(
                f"the network has {len(self.channels) + 1} blocks (channels {self.channels} and the classes), "
                f"but {len(self.strides)} strides were given; give one stride per block"
            )
        if len(self.classes) < 2:
            raise ModelError(f"classes are {self.classes}, but a classifier needs at least two")

    @property
    def raw_samples(self) -> int:
        """Samples that one window takes from a recording, its past included."""
        return self.samples * (2 if self.normalisation == "past" else 1)

    @property
    def pools(self) -> list[tuple[int, int]]:
        """Kernel and stride of each block's pool."""
        usual = self.pool, self.pool_stride
        if self.readout == "sum":
            return [usual] * len(self.strides)
        length = self.samples
        for stride in self.strides[:-1]:
            length = _steps(_steps(length, self.kernel, stride, self.padding), *usual)
        whole = _steps(length, self.kernel, self.strides[-1], self.padding)
        return [usual] * (len(self.strides) - 1) + [(whole, whole)]


def _steps(length: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Time steps that a convolution or pool leaves."""
    return (length + 2 * padding - kernel) // stride + 1


class Block(nn.Module):
    """sign -> pad with +1 -> conv -> max-pool -> PReLU -> batch norm, on maps of height 1.

    pool  kernel and stride
    x (B, c_in, 1, T), real in block 1 (`binary_input` False), else taken as its sign
    y (B, c_out, 1, T') with T' = ((T + 2 padding - kernel) // stride + 1 - pool[0]) // pool[1] + 1
    """

    def __init__(
        self, config: EcgConfig, c_in: int, c_out: int, stride: int, pool: tuple[int, int], binary_input: bool
    ):
        super().__init__()
        self.binary_input = binary_input
        self.sign = _activation(config) if binary_input else nn.Identity()
        self.pad = nn.ConstantPad2d((config.padding, config.padding, 0, 0), 1.0)
        self.conv = _conv(config, c_in, c_out, stride)
        self.pool = nn.MaxPool2d((1, pool[0]), (1, pool[1]))
        self.prelu = nn.PReLU()
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.prelu(self.pool(self.conv(self.pad(self.sign(x))))))

    def binary_weight(self) -> Tensor:
        """(c_out, c_in, kernel) of -1 and +1. Raises ModelError in the float twin."""
        if not isinstance(self.conv, QuantConv2d):
            raise ModelError("the float network has no binary weights; take a network with binary=True")
        return quant.sign(self.conv.weight.detach())[:, :, 0]


class EcgNet(nn.Module):
    """x (B, 1, samples) float32, standardised per window -> logits (B, classes)."""

    def __init__(self, config: EcgConfig):
        super().__init__()
        self.config = config
        widths = (1, *config.channels, len(config.classes))
        self.blocks = nn.ModuleList(
            Block(config, c_in, c_out, stride, pool, binary_input=config.binary and i > 0)
            for i, (c_in, c_out, stride, pool) in enumerate(
                zip(widths[:-1], widths[1:], config.strides, config.pools, strict=True)
            )
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(2)
        for block in self.blocks:
            x = block(x)
        return self.dropout(x).sum(dim=(2, 3))

    def set_progress(self, progress: float) -> None:
        """Move the annealed estimators to the share `progress`, in [0, 1], of training."""
        quant.set_progress(self, progress)


def _activation(config: EcgConfig) -> nn.Module:
    return QuantIdentity(act_quant=quant.BinaryActivation, estimator=config.activation_estimator)


def _conv(config: EcgConfig, c_in: int, c_out: int, stride: int) -> nn.Module:
    shape = dict(in_channels=c_in, out_channels=c_out, kernel_size=(1, config.kernel), stride=(1, stride), bias=False)
    if not config.binary:
        return nn.Conv2d(**shape)
    return QuantConv2d(**shape, weight_quant=quant.BinaryWeight, weight_estimator=config.weight_estimator)


def blank(config: EcgConfig, seed: int) -> EcgNet:
    """A network with random weights that depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EcgNet(config)
