"""The attention of bnn.models.sleep.attention, and a transformer layer, in int8."""

import math

import torch
from torch import Tensor, nn

from bnn.models import quant
from bnn.models.sleep.attention import REDUCTION
from bnn.models.sleep.binary.layers import GATE_FRAC, SCORE_FRAC, Int8, IntConv, Scaled, SignConv
from bnn.models.sleep.config import D_MODEL

EXP_FRAC = 5
EXP_STEPS = 2**EXP_FRAC
"""Entries a unit of the table that softmax is taken from."""


class Gate(nn.Module):
    """x (B, C, T), scores broadcast to it -> x * sigmoid(scores), each rounded as the graph rounds it."""

    def __init__(self):
        super().__init__()
        self.score, self.gate, self.product = Int8(SCORE_FRAC), Int8(GATE_FRAC), Int8()

    def forward(self, x: Tensor, scores: Tensor) -> Tensor:
        return self.product(x * self.gate(torch.sigmoid(self.score(scores))))


class ChannelGate(nn.Module):
    """x (B, C, T) -> x * sigmoid(mlp(max over t) + mlp(mean over t))."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(channels // REDUCTION, 1)
        self.mean = Int8()
        self.inner, self.hidden = IntConv(channels, inner), Int8(relu=True)
        self.outer, self.score = IntConv(inner, channels), Int8(SCORE_FRAC)
        self.gate = Gate()

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([x.amax(dim=2, keepdim=True), self.mean(x.mean(dim=2, keepdim=True))], dim=2)
        scores = self.score(self.outer(self.hidden(self.inner(both))))
        return self.gate(x, scores.sum(dim=2, keepdim=True))


class TimeGate(nn.Module):
    """x (B, C, T) -> x * sigmoid(conv of [max over c, mean over c]), one factor a time step."""

    def __init__(self):
        super().__init__()
        self.mean = Int8()
        self.conv = IntConv(2, 1, kernel=7, pad=3)
        self.gate = Gate()

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([x.amax(dim=1, keepdim=True), self.mean(x.mean(dim=1, keepdim=True))], dim=1)
        return self.gate(x, self.conv(seen))


class MapGate(nn.Module):
    """x (B, M, N) -> x * sigmoid(mlp(mean over n)), one factor a map."""

    def __init__(self, maps: int):
        super().__init__()
        self.mean = Int8()
        self.inner, self.hidden, self.outer = IntConv(maps, maps), Int8(relu=True), IntConv(maps, maps)
        self.gate = Gate()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(x, self.outer(self.hidden(self.inner(self.mean(x.mean(dim=2, keepdim=True))))))


class Mix(nn.Module):
    """x (B, M, N) -> the same shape: two 1x1 convolutions of the maps, MapGate, and the way around them."""

    def __init__(self, maps: int):
        super().__init__()
        self.first, self.hidden = IntConv(maps, maps), Scaled(maps, relu=True)
        self.second, self.value = IntConv(maps, maps), Scaled(maps)
        self.gate, self.total = MapGate(maps), Int8(relu=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.total(x + self.gate(self.value(self.second(self.hidden(self.first(x))))))


class Linear(nn.Sequential):
    """x (B, c_in, n) -> (B, c_out, n), int8: binary weights, and batch norm over all tokens."""

    def __init__(self, c_in: int, c_out: int, relu: bool = False):
        super().__init__(SignConv(c_in, c_out), Scaled(c_out, relu))


class LayerNorm(nn.Module):
    """x (B, D_MODEL, n) -> the same, int8, normed over the channels of each token."""

    def __init__(self):
        super().__init__()
        self.norm, self.value = nn.LayerNorm(D_MODEL), Int8()

    def forward(self, x: Tensor) -> Tensor:
        return self.value(self.norm(x.transpose(1, 2)).transpose(1, 2))


class Encoder(nn.Module):
    """A transformer layer, post-norm: tokens (B, D_MODEL, n) -> the same shape."""

    def __init__(self, heads: int, feed_forward: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (Linear(D_MODEL, D_MODEL) for _ in range(4))
        self.mixed, self.norm1, self.norm2 = Int8(), LayerNorm(), LayerNorm()
        self.up, self.down = Linear(D_MODEL, feed_forward, relu=True), Linear(feed_forward, D_MODEL)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.out(self.attend(x)))
        return self.norm2(x + self.down(self.up(x)))

    def attend(self, x: Tensor) -> Tensor:
        q, k, v = (part(x).unflatten(1, (self.heads, -1)) for part in (self.q, self.k, self.v))
        scores = q.transpose(2, 3) @ k / math.sqrt(q.shape[2])  # (B, heads, i, j)
        below = quant.rounded(scores.amax(dim=3, keepdim=True) - scores, EXP_FRAC)
        weights = torch.softmax(-below, dim=3)
        return self.mixed(v @ weights.transpose(2, 3)).flatten(1, 2)
