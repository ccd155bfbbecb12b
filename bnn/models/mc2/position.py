"""Where something stands, as numbers that a Transformer can add."""

import math

import torch
from torch import Tensor


def sinusoids(position: Tensor, width: int) -> Tensor:
    """position (...) integers -> (..., width): sin and cos of position / 10000^(2i / width) (Vaswani et al. 2017)."""
    rate = torch.exp(torch.arange(0, width, 2, device=position.device) * (-math.log(10000.0) / width))
    angle = position[..., None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=-1)
