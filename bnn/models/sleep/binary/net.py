"""The binarised network."""

from torch import nn

from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.binary.exit import AttentionExit, BitExit
from bnn.models.sleep.binary.extractor import Extractor
from bnn.models.sleep.net import SleepNet


class BinarySleepNet(SleepNet):
    """SleepNet with binary weights, and bits or int8 between the layers; the same stages, the same calls."""

    def __init__(self, config: BinarySleepConfig):
        nn.Module.__init__(self)
        exit_of = AttentionExit if config.attention else BitExit
        self.config = config
        self.extractors = nn.ModuleList(Extractor(config, k) for k in range(len(config.channels)))
        self.exits = nn.ModuleList(exit_of(config, maps=k + 1) for k in range(len(config.channels)))
