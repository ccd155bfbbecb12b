"""The binarised extractor of one signal."""

import torch
from torch import Tensor, nn

from bnn.models.sleep.binary.attention import ChannelGate, MapGate, TimeGate
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.binary.layers import BitConv, Bits, Int8, IntConv, Norm, Scaled, ShiftedBits, SignConv
from bnn.models.sleep.config import EEG_WIDTH, LARGE, SMALL, BranchShape


class Branch(nn.Module):
    """x (B, c_in, samples) -> (B, 2 c, steps), where c is the width of the first convolution.

    With attention the result is int8, else bits. Pools do not pad.
    """

    def __init__(self, config: BinarySleepConfig, shape: BranchShape, c_in: int, c: int):
        super().__init__()
        (kernel, pad), gated = (shape.conv[0], shape.conv[2]), config.attention
        self.first, self.value = SignConv(c_in, c, *shape.first), Scaled(c)
        self.gates = nn.ModuleList([ChannelGate(c), TimeGate()] if gated else [])
        self.pool, self.bits = nn.MaxPool1d(*shape.pool[:2]), ShiftedBits(c) if gated else Bits()
        self.convs = nn.ModuleList(BitConv(c_in, 2 * c, kernel, pad) for c_in in (c, 2 * c, 2 * c))
        self.norms = nn.ModuleList(Norm(2 * c) for _ in range(2))
        self.sign = Bits()
        self.last = Scaled(2 * c) if gated else nn.Sequential(Norm(2 * c), Bits())
        self.last_gates = nn.ModuleList([ChannelGate(2 * c), TimeGate()] if gated else [])
        self.last_pool = nn.MaxPool1d(*shape.last_pool[:2])

    def forward(self, x: Tensor) -> Tensor:
        x = self.value(self.first(x))
        for gate in self.gates:
            x = gate(x)
        x = self.bits(self.pool(x))
        for conv, norm in zip(self.convs[:2], self.norms, strict=True):
            x = self.sign(norm(conv(x)))
        x = self.last(self.convs[2](x))
        for gate in self.last_gates:
            x = gate(x)
        return self.last_pool(x)


class Fusion(nn.Module):
    """x (B, 2 F, T), whose channel 2 f + m is row f of map m -> one map (B, F, T), int8: x + MapGate(x), merged."""

    def __init__(self):
        super().__init__()
        self.gate, self.total = MapGate(EEG_WIDTH), Int8()
        self.merge, self.value = IntConv(EEG_WIDTH, 1), Scaled(1, relu=True)

    def forward(self, x: Tensor) -> Tensor:
        steps = x.shape[2]
        x = x.transpose(1, 2).reshape(len(x), -1, EEG_WIDTH).transpose(1, 2)
        x = self.value(self.merge(self.total(x + self.gate(x))))
        return x.reshape(len(x), steps, -1).transpose(1, 2)


class Extractor(nn.Module):
    """x (B, channels, samples) -> a map (B, 1, features, steps). With attention the EEG's begins as two maps."""

    def __init__(self, config: BinarySleepConfig, signal: int):
        super().__init__()
        wide = config.attention and not signal
        c = (EEG_WIDTH if wide else 1) * config.features // 2
        self.branches = nn.ModuleList(Branch(config, shape, config.channels[signal], c) for shape in (SMALL, LARGE))
        self.fuse = Fusion() if wide else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.fuse(torch.cat([branch(x) for branch in self.branches], dim=2)).unsqueeze(1)
