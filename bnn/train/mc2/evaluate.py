"""What a network says about every epoch of a set: the vote of all sequences that hold it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from bnn.data.sleep.epochs import EpochSet
from bnn.data.sleep.sequences import overlapping, padded, runs, vote
from bnn.errors import ModelError
from bnn.models.mc2.config import HEADS
from bnn.models.mc2.net import Mc2Net
from bnn.train.mc2.batches import Embeddings, sequences
from bnn.train.mc2.recipe import PHASES

BATCH = 64


def eeg(epochs: EpochSet, channel: int) -> np.ndarray:
    """(n, samples) int16: one channel of the set's EEG. Raises ModelError where there is none."""
    signal = epochs.signals.get("eeg")
    if signal is None or channel >= len(signal.channels):
        there = f"channels 0 to {len(signal.channels) - 1} of EEG" if signal else "no EEG"
        raise ModelError(f"{epochs.name} has {there}, wanted channel {channel}; choose another --set or channel")
    return signal.x[:, channel]


@torch.inference_mode()
def probabilities(net: Mc2Net, epochs: EpochSet) -> np.ndarray:
    """(5, n, classes) float64: the softmax of each classifier, in the order of HEADS, for every epoch of the set.

    Sequences of the network's length begin at every epoch of a run; what they say of an epoch is averaged. The network
    is put in eval mode and runs on its device.
    Raises ModelError for epochs of another length than the network takes.
    """
    x = eeg(epochs, net.config.channel)
    if x.shape[1] != net.config.samples:
        raise ModelError(
            f"the epochs have {x.shape[1]} samples, but the network takes {net.config.samples}; "
            "choose the set that it was trained on, at 100 Hz"
        )
    rows = np.arange(len(epochs))
    net.eval()
    length, classes = net.config.sequence, len(net.config.classes)
    table = padded([s for run in runs(epochs, rows, net.config.gap) for s in overlapping(run, length)], length)
    said = vote(_say(net, epochs, table, Embeddings(net, x, rows)), len(rows), len(HEADS) * classes)
    return said.reshape(len(rows), len(HEADS), classes).swapaxes(0, 1)


def require_tuned(name: str | Path, about: dict) -> None:
    """Raise ModelError for a network whose training, by its metadata `about`, ended before it was taught the stages."""
    phase = about["recipe"]["phase"]
    if phase in PHASES[:-1]:
        raise ModelError(
            f"{name}: ended with the phase {phase}, so it tells no stages yet; "
            "go on with `bnn train mc2sleep --with phase=tune --from RUN`"
        )


def _say(net: Mc2Net, epochs: EpochSet, table: np.ndarray, embeddings: Embeddings) -> Iterator:
    """Tables of sequences with what the classifiers say, one after the other, (B, length, 5 classes)."""
    device = next(net.parameters()).device
    for start in range(0, len(table), BATCH):
        some = table[start : start + BATCH]
        x = sequences(embeddings, epochs, some, None)
        logits = net(x.views.to(device), x.offset.to(device), x.present.to(device))
        yield some, logits.softmax(dim=-1).permute(1, 2, 0, 3).flatten(2).cpu().numpy()
