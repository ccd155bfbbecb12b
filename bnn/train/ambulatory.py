"""Noise of ambulatory recordings in training windows: baseline wander, electrode motion and muscle artefacts."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bnn.data.noise import KINDS, SNRS, add_noise, load_noise, signal_powers
from bnn.data.windows import WindowSet

CLEANEST = max(SNRS)  # dB


@dataclass(frozen=True, slots=True, eq=False)
class Ambulatory:
    """Mixes one kind of noise into each of some windows, at an SNR drawn evenly between `worst` and CLEANEST dB.

    share   of the windows that get noise, in [0, 1]
    worst   lowest SNR, dB; bnn.data.noise says what an SNR is of
    power   (n,) S of the n training windows' records
    noises  one (m,) record of each kind
    """

    share: float
    worst: float
    power: np.ndarray
    noises: tuple[np.ndarray, ...]

    def __call__(self, x: np.ndarray, rows: Tensor, generator: torch.Generator) -> np.ndarray:
        """Raw windows (B, N) int16, the training windows `rows` (B,) -> the same with noise; `generator` draws."""
        draws = torch.rand((4, len(rows)), generator=generator, dtype=torch.float64).numpy()
        kind = np.where(draws[0] < self.share, (draws[1] * len(self.noises)).astype(np.int64), -1)
        snr = self.worst + draws[2] * (CLEANEST - self.worst)
        noisy = x.copy()
        for number, noise in enumerate(self.noises):
            here = kind == number
            start = (draws[3][here] * (len(noise) - x.shape[1] + 1)).astype(np.int64)
            noisy[here] = add_noise(x[here], self.power[rows.numpy()[here]], noise, snr[here], start)
        return noisy


def ambulatory(share: float, worst: float, windows: WindowSet, train: np.ndarray) -> Ambulatory:
    """For the windows `train` (indices). The noise is noise2 of each record, which no evaluation uses."""
    power = signal_powers(windows.subset(train))
    return Ambulatory(share, worst, power, tuple(load_noise(kind, "noise2") for kind in KINDS))
