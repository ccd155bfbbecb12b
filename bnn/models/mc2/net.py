"""The network: a backbone for each view of an epoch, the encoders over a sequence, the classifiers."""

import torch
from torch import Tensor, nn

from bnn.models.mc2.backbone import SignalBackbone, SpectrogramBackbone
from bnn.models.mc2.config import VIEWS, Mc2Config
from bnn.models.mc2.encoder import Encoders, Masking
from bnn.models.mc2.position import sinusoids


class Classifiers(nn.Module):
    """Each view alone and with the other, (B, L, 2, width) both -> logits (5, B, L, classes) in the order of HEADS."""

    def __init__(self, config: Mc2Config):
        super().__init__()
        classes = len(config.classes)
        self.alone = nn.ModuleList(nn.Linear(config.width, classes) for _ in VIEWS)
        self.crossed = nn.ModuleList(nn.Linear(config.width, classes) for _ in VIEWS)
        self.fused = nn.Linear(len(VIEWS) * config.width, classes)

    def forward(self, alone: Tensor, crossed: Tensor) -> Tensor:
        by_view = zip((*self.alone, *self.crossed), (*alone.unbind(2), *crossed.unbind(2)), strict=True)
        return torch.stack([*(head(x) for head, x in by_view), self.fused(crossed.flatten(2))])


class Mc2Net(nn.Module):
    """Epochs -> embeddings (`embed`); a sequence of embeddings -> logits (`forward`), or itself rebuilt (`rebuild`).

    views    (B, L, 2, width) embeddings of the epochs of B sequences
    offset   (B, L) int64: how many epochs of time after the first of its sequence each stood
    present  (B, L) bool: False behind the end of a sequence
    """

    def __init__(self, config: Mc2Config):
        super().__init__()
        self.config = config
        self.signal = SignalBackbone(config)
        self.spectrogram = SpectrogramBackbone(config)
        self.encoders = Encoders(config)
        self.masking = Masking(config)
        self.classifiers = Classifiers(config)

    def embed(self, x: Tensor) -> Tensor:
        """Epochs (B, samples) float32, in units of the config's scale -> (B, 2, width), in the order of VIEWS."""
        return torch.stack([self.signal(x), self.spectrogram(x)], dim=1)

    def forward(self, views: Tensor, offset: Tensor, present: Tensor) -> Tensor:
        """Logits (5, B, L, classes), in the order of HEADS."""
        x = self._placed(views, offset)
        return self.classifiers(*(self.encoders(x, ~present, cross) for cross in (False, True)))

    def fused(self, views: Tensor, offset: Tensor, present: Tensor) -> Tensor:
        """Logits (B, L, classes) of the last of HEADS, without the passes of the views alone."""
        crossed = self.encoders(self._placed(views, offset), ~present, cross=True)
        return self.classifiers.fused(crossed.flatten(2))

    def rebuild(self, views: Tensor, offset: Tensor, present: Tensor, masked: Tensor) -> Tensor:
        """Embeddings (B, L, 2, width), each view made with its epochs `masked` (B, L, 2) hidden, the other whole."""
        rebuilt = []
        for view in range(len(VIEWS)):
            hidden = self._placed(self.masking.hide(views, view, masked[:, :, view]), offset)
            rebuilt.append(self.masking(self.encoders(hidden, ~present, cross=True), view, ~present))
        return torch.stack(rebuilt, dim=2)

    def _placed(self, views: Tensor, offset: Tensor) -> Tensor:
        return views + sinusoids(offset, self.config.width)[:, :, None]


def blank(config: Mc2Config, seed: int) -> Mc2Net:
    """A network with random weights that depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Mc2Net(config)
