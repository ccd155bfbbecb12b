"""What a sleep network says about epochs, at every exit or at the first that is sure enough."""

import numpy as np
import torch
from torch import Tensor

from bnn.exits import Answers, Signals, check_speed
from bnn.models.sleep.net import SleepNet
from bnn.train.sleep.batches import check_signals, scaled, to_network

BATCH = 256


def uncertainty(logits: Tensor) -> Tensor:
    """(n, classes) -> (n,): U = -sum p log p / log(classes), in [0, 1] (equation 15 of the paper)."""
    log_p = torch.log_softmax(logits.double(), dim=-1)
    return -(log_p.exp() * log_p).sum(dim=-1) / np.log(logits.shape[-1])


@torch.inference_mode()
def exit_logits(net: SleepNet, x: Signals) -> np.ndarray:
    """Raw epochs -> logits (exits, n, classes) float32 of every exit, in eval mode, on the network's device."""
    check_signals(net.config, x)
    device, n = next(net.parameters()).device, len(x[net.config.signals[0]])
    net.eval()
    parts = []
    for start in range(0, n, BATCH):
        batch = to_network(net.config, x, np.arange(start, min(start + BATCH, n)))
        parts.append(torch.stack(net({name: signal.to(device) for name, signal in batch.items()})).cpu())
    return torch.cat(parts, dim=1).numpy()


def first_sure(logits: np.ndarray, speed: float) -> Answers:
    """(exits, n, classes) -> for each epoch the first exit with uncertainty below `speed`, else the last.

    What `adaptive` would answer, computed from the logits of all exits. Raises ModelError for a speed outside [0, 1].
    """
    check_speed(speed)
    sure = (uncertainty(torch.from_numpy(logits)) < speed).numpy()
    sure[-1] = True
    chosen = sure.argmax(axis=0)
    return Answers(logits[chosen, np.arange(logits.shape[1])], chosen)


@torch.inference_mode()
def adaptive(net: SleepNet, x: Signals, speed: float) -> Answers:
    """Answer each epoch at the first exit whose uncertainty is below `speed`, else at the last, as a device would.

    A stage runs for the epochs that no exit before it has let go, and for no others. At speed 0 none can leave early,
    so only the last exit runs. Raises ModelError for a speed outside [0, 1].
    """
    check_speed(speed)
    check_signals(net.config, x)
    n = len(x[net.config.signals[0]])
    net.eval()
    answers = Answers(np.empty((n, len(net.config.classes)), np.float32), np.empty(n, np.int64))
    for start in range(0, n, BATCH):
        _answer(net, x, np.arange(start, min(start + BATCH, n)), speed, answers)
    return answers


def _answer(net: SleepNet, x: Signals, rows: np.ndarray, speed: float, answers: Answers) -> None:
    """Fill in the answers to the epochs `rows`."""
    config, device = net.config, next(net.parameters()).device
    maps = torch.empty(len(rows), 0, config.features, config.steps, device=device)
    for k, name in enumerate(config.signals):
        signal = scaled(config, name, x[name][rows]).to(device)
        maps = torch.cat([maps, net.extractors[k](signal)], dim=1)
        last = name == config.signals[-1]
        if not last and not speed:
            continue
        logits = net.exits[k](maps).cpu()
        leave = torch.ones(len(rows), dtype=torch.bool) if last else uncertainty(logits) < speed
        gone = rows[leave.numpy()]
        answers.logits[gone], answers.exit[gone] = logits[leave].numpy(), k
        rows, maps = rows[~leave.numpy()], maps[~leave.to(device)]
        if not len(rows):
            return
