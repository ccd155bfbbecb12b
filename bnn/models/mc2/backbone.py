"""From one epoch to its two embeddings, each of mean 0 and variance 1 over its numbers."""

import torch
from torch import Tensor, nn

from bnn.models.mc2.config import Mc2Config
from bnn.models.mc2.position import sinusoids

FLOOR = 1e-3  # added to magnitudes before the logarithm: below the noise of rounding to ADC units


class Pool(nn.Module):
    """x (B, T, width) -> (B, width): the mean over T, weighed by softmax of v tanh(W x) (Phan et al. 2022, 10.1109/
    TBME.2022.3147187), then standardised."""

    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm((x * self.score(x).softmax(dim=1)).sum(dim=1))


class SignalBackbone(nn.Module):
    """x (B, samples) float32, in units of the config's scale -> (B, width).

    The convolutions of TinySleepNet (Supratak and Guo 2020, 10.1109/EMBC44109.2020.9176741): kernels of half a second,
    then three times of 8; the embedding is a pool over the steps that are left, 16 for 3000 samples.
    """

    def __init__(self, config: Mc2Config):
        super().__init__()
        c = config.cnn
        self.layers = nn.Sequential(
            _conv(1, c, kernel=50, stride=6),
            nn.MaxPool1d(8),
            nn.Dropout(config.dropout),
            *(_conv(c, c, kernel=8) for _ in range(3)),
            nn.MaxPool1d(4),
            nn.Dropout(config.dropout),
        )
        self.project = nn.Linear(c, config.width)
        self.pool = Pool(config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.project(self.layers(x[:, None]).transpose(1, 2)))


class SpectrogramBackbone(nn.Module):
    """x (B, samples) float32, in units of the config's scale -> (B, width).

    A Transformer over the frames of the spectrogram, each frequency of which a batch norm standardises.
    """

    def __init__(self, config: Mc2Config):
        super().__init__()
        self.hop, self.fft = config.hop, config.fft
        self.register_buffer("window", torch.hamming_window(config.window), persistent=False)
        self.register_buffer("time", sinusoids(torch.arange(config.frames), config.width), persistent=False)
        self.norm = nn.BatchNorm1d(config.bins, affine=False)
        self.project = nn.Linear(config.bins, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.feed_forward, config.dropout, "gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.spectrogram_layers, enable_nested_tensor=False)
        self.pool = Pool(config.width)

    def forward(self, x: Tensor) -> Tensor:
        frames = self.norm(self.spectrogram(x).transpose(1, 2)).transpose(1, 2)
        return self.pool(self.encoder(self.project(frames) + self.time))

    def spectrogram(self, x: Tensor) -> Tensor:
        """(B, samples) -> (B, frames, bins): log magnitudes of the windows' Fourier transforms."""
        windows = x.unfold(1, len(self.window), self.hop) * self.window
        return (torch.fft.rfft(windows, self.fft).abs() + FLOOR).log()


def _conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Module:
    conv = nn.Conv1d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(c_out), nn.ReLU())
