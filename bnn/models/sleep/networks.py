"""The sleep networks by what they are made from."""

import torch

from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.binary.net import BinarySleepNet
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.net import SleepNet

NETWORKS = {SleepConfig: SleepNet, BinarySleepConfig: BinarySleepNet}


def blank(config: SleepConfig | BinarySleepConfig, seed: int) -> SleepNet:
    """A network with random weights that depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[type(config)](config)
