"""The binarised classifiers behind one signal."""

import torch
from torch import Tensor, nn

from bnn.models.sleep.binary.attention import Encoder, Linear, Mix
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.binary.layers import BitConv, Bits, Int8, IntConv, Norm
from bnn.models.sleep.config import D_MODEL
from bnn.models.sleep.exit import HIDDEN


class AttentionExit(nn.Module):
    """The maps so far (B, maps, features, steps), int8 -> logits (B, classes).

    Tokens follow one another in time: the values of a map are read step after step, those of several maps in turn.
    """

    def __init__(self, config: BinarySleepConfig, maps: int):
        super().__init__()
        self.gated = maps > 1
        self.mix = Mix(maps) if self.gated else nn.Identity()
        heads = config.heads if maps == len(config.channels) else config.student_heads
        self.encoder, self.product = Encoder(heads, config.feed_forward), Int8()
        self.hidden = Linear(maps * config.tokens * D_MODEL, HIDDEN, relu=True)
        self.answer = IntConv(HIDDEN, len(config.classes))
        self.bias = nn.Parameter(torch.zeros(len(config.classes)))

    def forward(self, maps: Tensor) -> Tensor:
        rows = self.mix(maps.transpose(2, 3).flatten(2))  # (B, maps, steps * features)
        tokens = rows.transpose(1, 2).reshape(len(maps), -1, D_MODEL).transpose(1, 2)
        encoded = self.encoder(tokens)
        if self.gated:
            encoded = self.product(encoded * tokens)
        flat = encoded.transpose(1, 2).reshape(len(maps), -1, 1)
        return self.answer(self.hidden(flat))[:, :, 0] + self.bias


class BitExit(nn.Module):
    """The maps so far (B, maps, features, steps) of -1 and +1 -> logits (B, classes): two layers, summed over time."""

    def __init__(self, config: BinarySleepConfig, maps: int):
        super().__init__()
        self.conv = BitConv(maps * config.features, config.hidden, kernel=3, pad=1)
        self.norm, self.sign = Norm(config.hidden), Bits()
        self.answer = BitConv(config.hidden, len(config.classes))
        self.factor = nn.Parameter(torch.full((len(config.classes),), 1 / config.hidden))
        self.bias = nn.Parameter(torch.zeros(len(config.classes)))

    def forward(self, maps: Tensor) -> Tensor:
        bits = self.sign(self.norm(self.conv(maps.flatten(1, 2))))
        return self.factor * self.answer(bits).sum(dim=2) + self.bias
