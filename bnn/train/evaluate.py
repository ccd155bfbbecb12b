"""What a torch network, binary or float, says about windows."""

import numpy as np
import torch

from bnn.data.windows import WindowSet
from bnn.errors import ModelError
from bnn.models.ecg import EcgNet
from bnn.train.batches import to_network


def logits(model: EcgNet, x: np.ndarray, batch: int = 256) -> np.ndarray:
    """(n, raw_samples) int16 windows -> (n, classes) float32, in eval mode, on the model's device.

    Raises ModelError if the windows are not of the network's length.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    out = np.empty((len(x), len(model.config.classes)), np.float32)
    with torch.inference_mode():
        for start in range(0, len(x), batch):
            z = to_network(model.config, x[start : start + batch])
            out[start : start + batch] = model(z.to(device)).cpu().numpy()
    model.train(training)
    return out


def predict(model: EcgNet, x: np.ndarray, batch: int = 256) -> np.ndarray:
    """(n, raw_samples) int16 windows -> (n,) int64 classes, the first of equal logits."""
    return logits(model, x, batch).argmax(axis=1)


def check_classes(model: EcgNet, windows: WindowSet) -> None:
    """Raise ModelError unless the logits of `model` are the classes of `windows`, in the same order."""
    if tuple(model.config.classes) != tuple(windows.classes):
        raise ModelError(
            f"the network tells {len(model.config.classes)} classes ({' '.join(model.config.classes)}), but "
            f"{windows.name} has {len(windows.classes)} ({' '.join(windows.classes)}); "
            "choose the checkpoint that was trained on this set"
        )
