"""Changes to a training batch that leave its labels true."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """How far a training window may be changed.

    shift  turn each window circularly by a random number of samples
    gain   multiply each window by a number drawn evenly from [1 - gain, 1 + gain]
    noise  standard deviation of the white noise added, in standard deviations of the window

    Time is never reversed: the order of P, QRS and T is what the classes rest on.
    """

    shift: bool = True
    gain: float = 0.1
    noise: float = 0.02

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 1, N) float32 -> a changed copy of the same shape; `generator` makes every draw."""
        if self.shift:
            x = circular_shift(x, torch.randint(x.shape[-1], (len(x),), generator=generator))
        if self.gain:
            x = x * (1 + self.gain * (2 * torch.rand((len(x), 1, 1), generator=generator) - 1))
        if self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=generator)
        return x


def circular_shift(x: Tensor, start: Tensor) -> Tensor:
    """(B, 1, N) -> row b begins at sample start[b] of what it was; start (B,) int64 in [0, N)."""
    twice = torch.cat([x, x], dim=-1)  # slices of it are seven times as fast as a gather
    n = x.shape[-1]
    return torch.stack([row[:, s : s + n] for row, s in zip(twice, start.tolist(), strict=True)])
