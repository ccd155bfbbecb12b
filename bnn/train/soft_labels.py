"""What a teacher says of every epoch of a set, for a student to learn from."""

import numpy as np
import torch

from bnn.data.sleep.epochs import EpochSet
from bnn.models.mc2.net import Mc2Net
from bnn.models.sleep.net import SleepNet
from bnn.train.mc2.evaluate import probabilities
from bnn.train.sleep.evaluate import exit_logits


def soft_labels(teacher: Mc2Net | SleepNet, data: EpochSet) -> np.ndarray:
    """(n, classes) float32: the probabilities of each epoch of `data`, in its order, by the classifier that has the
    last word: the fused one of MC2SleepNet, the last exit of DynamicSleepNet.

    Raises ModelError for epochs that do not fit the teacher.
    """
    if isinstance(teacher, Mc2Net):
        return probabilities(teacher, data)[-1].astype(np.float32)
    return torch.from_numpy(exit_logits(teacher, data.x)[-1]).softmax(dim=1).numpy()
