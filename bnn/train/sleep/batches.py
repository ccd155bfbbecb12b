"""Epochs of several signals on their way into the network."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from bnn.errors import ModelError
from bnn.exits import Signals
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.config import SleepConfig

AnyConfig = SleepConfig | BinarySleepConfig


def check_signals(config: AnyConfig, x: Signals) -> None:
    """Raise ModelError unless the network's signals are there with its channels and samples; others are not read."""
    for name, channels in zip(config.signals, config.channels, strict=True):
        got = x[name].shape[1:] if name in x else None
        if got != (channels, config.samples):
            raise ModelError(
                f"the epochs have {name} of shape {got or 'none'}, but the network takes ({channels}, "
                f"{config.samples}) (channels, samples); choose the set that it was trained on, at 100 Hz"
            )


def scaled(config: AnyConfig, name: str, x: np.ndarray) -> Tensor:
    """(n, channels, samples) int16 of the signal `name` -> float32, in units of the network's scale, exactly."""
    return torch.from_numpy(x.astype(np.float32)) / config.scales[config.signals.index(name)]


def to_network(config: AnyConfig, x: Signals, rows: np.ndarray) -> dict[str, Tensor]:
    """The epochs `rows` as the network takes them: each signal (len(rows), channels, samples) float32."""
    return {name: scaled(config, name, x[name][rows]) for name in config.signals}


def scale_of(x: np.ndarray, rows: np.ndarray, chunk: int = 1024) -> int:
    """The power of two nearest to the root mean square of the epochs `rows` of x (n, channels, samples), at least 1.

    The mean is part of it: the level of the chin's EMG tells stages apart, so no signal is centred or normalised.
    """
    squares = sum(float(np.square(x[some], dtype=np.float64).sum()) for some in _chunks(rows, chunk))
    rms = np.sqrt(squares / (len(rows) * x.shape[1] * x.shape[2]))
    return 2 ** max(round(float(np.log2(max(rms, 1.0)))), 0)


class Chosen:
    """A source of training batches: the epochs `rows` of x, one a training row."""

    def __init__(self, config: AnyConfig, x: Signals, rows: np.ndarray):
        self.config, self.x, self.rows = config, x, rows

    def __call__(self, rows: Tensor, _: torch.Generator) -> dict[str, Tensor]:
        return to_network(self.config, self.x, self.rows[rows.numpy()])


class InOrder:
    """Iterates over (signals, y) batches of the epochs `rows`, in their order; they are made float one at a time."""

    def __init__(self, config: AnyConfig, x: Signals, y: np.ndarray, rows: np.ndarray, batch: int = 256):
        self.config, self.x, self.y, self.rows, self.batch = config, x, y, rows, batch

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        for rows in _chunks(self.rows, self.batch):
            yield to_network(self.config, self.x, rows), torch.from_numpy(self.y[rows])


def _chunks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
