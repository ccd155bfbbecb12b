"""The effective feature extraction module (EFEM) of one signal: two branches, one map."""

import torch
from torch import Tensor, nn

from bnn.models.sleep.attention import SqueezeExcite, cbam
from bnn.models.sleep.config import EEG_WIDTH, LARGE, SMALL, BranchShape, SleepConfig


class Branch(nn.Module):
    """x (B, c_in, samples) -> (B, 2 c, steps), where c is the width of the first convolution."""

    def __init__(self, config: SleepConfig, shape: BranchShape, c_in: int, c: int):
        super().__init__()
        cbam_of = cbam if config.cbam else lambda channels: nn.Identity()
        self.layers = nn.Sequential(
            _conv(c_in, c, shape.first),
            cbam_of(c),
            nn.MaxPool1d(*shape.pool),
            nn.Dropout(config.dropout),
            _conv(c, 2 * c, shape.conv),
            _conv(2 * c, 2 * c, shape.conv),
            _conv(2 * c, 2 * c, shape.conv),
            cbam_of(2 * c),
            nn.MaxPool1d(*shape.last_pool),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Extractor(nn.Module):
    """x (B, channels, samples) -> a map (B, 1, features, steps). The EEG's is `width` 2: two maps, fused to one."""

    def __init__(self, config: SleepConfig, channels: int, width: int):
        super().__init__()
        self.features = config.features
        c = width * config.features // 2
        self.branches = nn.ModuleList(Branch(config, shape, channels, c) for shape in (SMALL, LARGE))
        self.dropout = nn.Dropout(config.dropout)
        self.fuse = nn.Identity() if width == 1 else Fusion(width, config.se)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(torch.cat([branch(x) for branch in self.branches], dim=2))
        return self.fuse(x.unflatten(1, (-1, self.features)))


class Fusion(nn.Module):
    """x (B, maps, F, T) -> one map (B, 1, F, T) of x + SqueezeExcite(x)."""

    def __init__(self, maps: int, attention: bool):
        super().__init__()
        self.attention = SqueezeExcite(maps) if attention else None
        self.merge = nn.Sequential(nn.Conv2d(maps, 1, 1, bias=False), nn.BatchNorm2d(1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x + self.attention(x) if self.attention else x)


def extractor(config: SleepConfig, signal: int) -> Extractor:
    """That of the signal with this number: 0 is the EEG."""
    return Extractor(config, config.channels[signal], width=1 if signal else EEG_WIDTH)


def _conv(c_in: int, c_out: int, shape: tuple[int, int, int]) -> nn.Module:
    kernel, stride, padding = shape
    conv = nn.Conv1d(c_in, c_out, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(c_out), nn.LeakyReLU())
