"""Seconds per training epoch: this project's loop beside plain torch, the same network on the same data, one thread.

    python benchmarks/training.py --json build/training.json

The plain side is written out here with nn.Conv1d, a sign with a straight-through gradient and a bare loop: no
Brevitas, no Lightning, no checkpoints, no logs. Both sides shuffle, augment and step with Adam alike, on a
synthetic 17-class set of the real one's size. The sides take turns, so that a busy machine slows both.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import lightning.pytorch as pl
import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from bnn.data.splits import split
from bnn.data.synthetic import synthetic_set
from bnn.files import write_atomic
from bnn.graph.arith import standardise
from bnn.models.ecg import blank
from bnn.train import loop
from bnn.train.ecg import EcgTask
from bnn.train.recipes import recipe

ALLOWED = 1.5
BATCH, LR, LOGIT_SCALE, DROPOUT = 64, 0.01, 0.25, 0.1
CHANNELS, STRIDES = (1, 8, 16, 32, 32, 64, 17), (2, 1, 1, 1, 1, 1)


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x.abs() <= 1)


class PlainBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, binary_input):
        super().__init__()
        self.binary_input = binary_input
        self.conv = nn.Conv1d(c_in, c_out, 7, stride, bias=False)
        self.prelu = nn.PReLU()
        self.norm = nn.BatchNorm1d(c_out)

    def forward(self, x):
        x = functional.pad(Sign.apply(x) if self.binary_input else x, (5, 5), value=1.0)
        x = functional.conv1d(x, Sign.apply(self.conv.weight), stride=self.conv.stride)
        return self.norm(self.prelu(functional.max_pool1d(x, 7, 2)))


class PlainNet(nn.Module):
    def __init__(self):
        super().__init__()
        shapes = zip(CHANNELS[:-1], CHANNELS[1:], STRIDES, strict=True)
        self.blocks = nn.Sequential(*(PlainBlock(a, b, s, i > 0) for i, (a, b, s) in enumerate(shapes)))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x):
        return self.dropout(self.blocks(x)).sum(dim=-1)


def plain_augment(x):
    rows = torch.arange(x.shape[-1]) + torch.randint(x.shape[-1], (len(x), 1, 1))
    x = x.gather(2, rows % x.shape[-1])
    return x * (0.9 + 0.2 * torch.rand(len(x), 1, 1)) + 0.02 * torch.randn_like(x)


def plain_epochs(x, y, epochs):
    """Seconds of each epoch of the plain loop."""
    net = PlainNet()
    adam = torch.optim.Adam(net.parameters(), LR)
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            adam.zero_grad()
            functional.cross_entropy(net(plain_augment(x[rows])) * LOGIT_SCALE, y[rows]).backward()
            adam.step()
        seconds.append(time.perf_counter() - began)
    return seconds


class Stopwatch(pl.Callback):
    """Seconds from one epoch's start to the next one's, so that checkpoints and logs count."""

    def __init__(self):
        self.starts = []

    def on_train_epoch_start(self, trainer, module):
        self.starts.append(time.perf_counter())

    def on_train_end(self, trainer, module):
        self.starts.append(time.perf_counter())


def our_epochs(windows, parts, epochs):
    """Seconds of each epoch of `bnn.train`, with every callback and logger that a user's run has."""
    chosen = recipe("ecg17", epochs=epochs, batch=BATCH, lr=LR, logit_scale=LOGIT_SCALE, dropout=DROPOUT)
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder, loop.quiet():
        trainer = loop.make_trainer(epochs, Path(folder), "cpu", progress=True)
        trainer.callbacks.append(stopwatch)
        task = EcgTask(chosen, windows, parts, seed=0)
        trainer.fit(task.module(task.network(), ()), *loop.make_loaders(task, trainer))
    return [b - a for a, b in zip(stopwatch.starts, stopwatch.starts[1:], strict=False)]


def check_same_network(windows, x):
    """The plain network computes what ours does, given the same weights."""
    ours, plain = blank(recipe("ecg17").config(windows.classes, windows.length), 0).eval(), PlainNet().eval()
    state = {k: v[:, :, 0] if k.endswith("conv.weight") else v for k, v in ours.state_dict().items()}
    plain.load_state_dict(state)  # ours has maps of height 1, the plain one torch's one-dimensional layers
    with torch.no_grad():
        torch.testing.assert_close(plain(x[:32]), ours(x[:32]))


def measure(rounds, epochs):
    """Both sides in turn; the first epoch of each round warms up and is left out."""
    windows = synthetic_set("ecg17", per_class=59, seed=0)
    parts = split(windows, "stratified", 0)
    x = torch.from_numpy(standardise(windows.x[parts.train]))[:, None]
    y = torch.from_numpy(windows.y[parts.train])
    check_same_network(windows, x)
    plain, ours = [], []
    for _ in range(rounds):
        plain += plain_epochs(x, y, epochs + 1)[1:]
        ours += our_epochs(windows, parts, epochs + 1)[1:]
    return {
        "windows": len(x),
        "epochs_timed": len(ours),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "plain_seconds_per_epoch": round(statistics.median(plain), 4),
        "bnn_seconds_per_epoch": round(statistics.median(ours), 4),
        "ratio": round(statistics.median(ours) / statistics.median(plain), 3),
        "allowed_ratio": ALLOWED,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="timed epochs per round and side")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    figures = measure(arguments.rounds, arguments.epochs)
    table = Table(title="Training, 17 classes, 1 thread")
    table.add_column("loop")
    table.add_column("seconds per epoch (median)", justify="right")
    table.add_row("plain torch", f"{figures['plain_seconds_per_epoch']:.3f}")
    table.add_row("bnn.train", f"{figures['bnn_seconds_per_epoch']:.3f}")
    table.add_row("ratio", f"{figures['ratio']:.2f} (allowed {ALLOWED})")
    Console().print(table)
    if arguments.json:
        write_atomic(arguments.json, json.dumps(figures, indent=2) + "\n")
    raise SystemExit(figures["ratio"] > ALLOWED)


if __name__ == "__main__":
    main()
