"""Attention by which the network weighs channels, moments and maps."""

import torch
from torch import Tensor, nn

REDUCTION = 8  # of the channels inside CBAM's perceptron


class ChannelAttention(nn.Module):
    """x (B, C, T) -> x * sigmoid(mlp(max over t) + mlp(mean over t)) (Woo et al., arXiv 1807.06521, in 1-D)."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(channels // REDUCTION, 1)
        self.mlp = nn.Sequential(
            nn.Conv1d(channels, inner, 1, bias=False), nn.ReLU(), nn.Conv1d(inner, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        largest, mean = x.amax(dim=2, keepdim=True), x.mean(dim=2, keepdim=True)
        return x * torch.sigmoid(self.mlp(largest) + self.mlp(mean))


class SpatialAttention(nn.Module):
    """x (B, C, T) -> x * sigmoid(conv of [max over c, mean over c]), one factor a time step."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.conv(seen))


def cbam(channels: int) -> nn.Module:
    """CBAM: what matters among the channels, then when."""
    return nn.Sequential(ChannelAttention(channels), SpatialAttention())


class SqueezeExcite(nn.Module):
    """x (B, M, F, T) -> x * sigmoid(mlp(mean over f and t)), one factor a map (Hu et al., arXiv 1709.01507)."""

    def __init__(self, maps: int):
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv2d(maps, maps, 1, bias=False), nn.ReLU(), nn.Conv2d(maps, maps, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.mlp(x.mean(dim=(2, 3), keepdim=True)))


class MapAttention(nn.Module):
    """x (B, M, F, T) -> the same shape: two 1x1 convolutions, SqueezeExcite, and the way around them."""

    def __init__(self, maps: int):
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(maps, maps, 1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.Conv2d(maps, maps, 1, bias=False),
            nn.BatchNorm2d(maps),
            SqueezeExcite(maps),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.mix(x))
