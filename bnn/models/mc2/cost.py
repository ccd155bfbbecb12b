"""What the parts of a network store and compute."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bnn.models.mc2.config import VIEWS, Mc2Config
from bnn.models.mc2.net import Mc2Net


@dataclass(frozen=True, slots=True)
class PartCost:
    """A part of the network.

    macs  multiply-accumulates per epoch, by the fused classifier, where each epoch is in one sequence; sums,
          activations and the spectrogram's Fourier transforms are not counted
    """

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class NetCost:
    """A network that answers, without what only pre-training uses.

    votes  sequences that an epoch of a long run is in where all of them vote, so that the encoders run as often
    """

    parts: tuple[PartCost, ...]
    votes: int

    @property
    def parameters(self) -> int:
        return sum(part.parameters for part in self.parts)

    @property
    def macs(self) -> int:
        """Of an epoch in one sequence."""
        return sum(part.macs for part in self.parts)

    @property
    def macs_of_the_vote(self) -> int:
        """Of an epoch in `votes` sequences; its embeddings are made once."""
        return self.macs + (self.votes - 1) * self.parts[-1].macs


@lru_cache(maxsize=8)
def net_cost(config: Mc2Config) -> NetCost:
    """The two backbones, and the encoders with their classifiers. No weight is made for it."""
    with torch.device("meta"), torch.no_grad():
        net = Mc2Net(config).eval()
        x = torch.empty(1, config.samples)
        shape = 1, config.sequence
        sequence = torch.empty(*shape, len(VIEWS), config.width), torch.zeros(shape, dtype=torch.long)
        present = torch.ones(shape, dtype=torch.bool)
        parts = (
            PartCost("signal", _parameters(net.signal), _macs(net.signal, x)),
            PartCost("spectrogram", _parameters(net.spectrogram), _macs(net.spectrogram, x)),
            PartCost(
                "sequence",
                _parameters(net.encoders) + _parameters(net.classifiers),
                _macs(net.fused, *sequence, present) // config.sequence,
            ),
        )
    return NetCost(parts, config.sequence)


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _macs(run, *inputs) -> int:
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run(*inputs)
    return counter.get_total_flops() // 2
