"""What a network stores and computes, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.networks import NETWORKS


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, and multiply-accumulates for one epoch of 30 s. Sums and activations are not counted."""

    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class StageCost:
    """One stage: the extractor of its signal, and its exit."""

    signal: str
    extractor: Cost
    exit: Cost


@lru_cache(maxsize=8)
def stage_costs(config: SleepConfig | BinarySleepConfig) -> tuple[StageCost, ...]:
    """Each stage of the network. No weight is made for it, and attention is counted as it is written in matrices."""
    with torch.device("meta"):
        net = NETWORKS[type(config)](config).eval()
        costs = []
        for k, signal in enumerate(config.signals):
            x = torch.empty(1, config.channels[k], config.samples)
            maps = torch.empty(1, k + 1, config.features, config.steps)
            costs.append(StageCost(signal, _cost(net.extractors[k], x), _cost(net.exits[k], maps)))
    return tuple(costs)


def macs_per_epoch(costs: Sequence[StageCost], reached: Sequence[float], early: bool = True) -> float:
    """Multiply-accumulates per epoch where the share reached[k], in [0, 1], of the epochs runs stage k.

    early  False where no epoch may leave early, so that only the last exit runs
    """
    stages = zip(costs, reached, strict=True)
    return sum(
        share * (cost.extractor.macs + (cost.exit.macs if early or cost is costs[-1] else 0)) for cost, share in stages
    )


def _cost(module: nn.Module, x: Tensor) -> Cost:
    with FlopCounterMode(display=False) as counter:
        module(x)
    return Cost(sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2)
