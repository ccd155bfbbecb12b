"""The network: an extractor and an exit for each signal.

Stage k reads signal k and the maps of the signals before it; nothing of a later stage is needed to leave at its exit.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.exit import Exit
from bnn.models.sleep.extractor import extractor


class SleepNet(nn.Module):
    """Signals by name, each (B, channels, samples) float32 in units of the config's scales -> logits of every exit."""

    def __init__(self, config: SleepConfig):
        super().__init__()
        self.config = config
        self.extractors = nn.ModuleList(extractor(config, k) for k in range(len(config.channels)))
        self.exits = nn.ModuleList(Exit(config, maps=k + 1) for k in range(len(config.channels)))

    def forward(self, signals: Mapping[str, Tensor]) -> list[Tensor]:
        """Logits (B, classes) of each exit, in order."""
        maps = self.maps(signals)
        return [leave(maps[:, : k + 1]) for k, leave in enumerate(self.exits)]

    def last(self, signals: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, classes) of the last exit; those before it do not run."""
        return self.exits[-1](self.maps(signals))

    def maps(self, signals: Mapping[str, Tensor]) -> Tensor:
        """(B, signals, features, steps), one map a signal."""
        named = zip(self.config.signals, self.extractors, strict=True)
        return torch.cat([extract(signals[name]) for name, extract in named], dim=1)
