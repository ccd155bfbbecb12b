"""What one MC2SleepNet is."""

from dataclasses import dataclass

from bnn.errors import ModelError

VIEWS = ("signal", "spectrogram")
HEADS = ("signal", "spectrogram", "signal-crossed", "spectrogram-crossed", "fused")
"""The classifiers, in order: each view alone, each with attention to the other, and both together."""


@dataclass(frozen=True)
class Mc2Config:
    """One MC2SleepNet (Na et al. 2025, arXiv 2502.17470).

    The paper gives the width, the sequence, the encoder and the masking module. Our own choices are the spectrogram
    (the customary one), the layers of both backbones, and how the masking module ends.

    classes               names of the logits, in order
    scale                 ADC units that enter the network as 1, a power of two
    samples               of an epoch; at 100 Hz 3000
    channel               of the set's EEG, from 0
    gap                   how many epochs of time lie at most between one epoch of a sequence and the next; 1: no holes
    window, hop, fft      of the spectrogram in samples: windows of 2 s (Hamming) every second, padded with zeros to fft
    sequence              most epochs that are encoded together
    width                 of an epoch's embedding, an even number
    cnn                   channels of the convolutions on the signal
    spectrogram_layers    of the Transformer on the frames of one spectrogram
    layers                of the encoder of each view over the epochs of a sequence
    heads, mask_heads     of the attention in all of these, and in the masking module; both divide the width
    feed_forward          width of the Transformers' inner layers
    dropout               in training alone, in [0, 1)

    Raises ModelError where these make no network.
    """

    classes: tuple[str, ...]
    scale: int
    samples: int = 3000
    channel: int = 0
    gap: int = 1
    window: int = 200
    hop: int = 100
    fft: int = 256
    sequence: int = 16
    width: int = 128
    cnn: int = 128
    spectrogram_layers: int = 4
    layers: int = 4
    heads: int = 8
    mask_heads: int = 4
    feed_forward: int = 1024
    dropout: float = 0.1

    def __post_init__(self):
        if len(self.classes) < 2:
            raise ModelError(f"classes are {self.classes}, but a classifier needs at least two")
        sizes = ("sequence", "width", "cnn", "spectrogram_layers", "layers", "heads", "mask_heads", "feed_forward")
        for field in ("scale", "gap", "hop", *sizes):
            if getattr(self, field) < 1:
                raise ModelError(f"{field} is {getattr(self, field)}, wanted at least 1")
        for field in ("heads", "mask_heads"):
            if self.width % getattr(self, field):
                raise ModelError(f"{field} are {getattr(self, field)}, wanted a divisor of the width {self.width}")
        if self.width % 2:
            raise ModelError(f"width is {self.width}, wanted an even number, for sines and cosines")
        if not 2 <= self.window <= min(self.fft, self.samples):
            raise ModelError(
                f"window is {self.window} samples, wanted 2 to {min(self.fft, self.samples)}: within the FFT of "
                f"{self.fft} and the epoch of {self.samples}"
            )

    @property
    def frames(self) -> int:
        """Windows of a spectrogram: 29 for 3000 samples."""
        return (self.samples - self.window) // self.hop + 1

    @property
    def bins(self) -> int:
        """Frequencies of a spectrogram: 129."""
        return self.fft // 2 + 1
