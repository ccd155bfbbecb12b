"""What a teacher says of every epoch of a set, for a student to learn from."""

from pathlib import Path

import numpy as np

from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.models.checkpoint import load_model
from bnn.train.mc2.evaluate import probabilities, require_tuned
from bnn.train.run_folder import fingerprint
from bnn.train.teacher import require_same_split


def soft_labels(path: Path, data: EpochSet, split: Split) -> np.ndarray:
    """(n, classes) float32: the probabilities of the MC2SleepNet in `path` for each epoch of `data`, in its order.

    split  of the student's training. A sequence is of one night, and a night is in one part, so what is said of a part
           comes from that part alone.

    Raises ModelError for another kind of network, one that was not tuned, or one that was trained on another set or
    split: it would have seen subjects that the student is tested on.
    """
    teacher, about = load_model(path, "mc2sleep")
    require_tuned(path, about)
    require_same_split(path, about, fingerprint(data, split))
    return probabilities(teacher, data)[-1].astype(np.float32)
