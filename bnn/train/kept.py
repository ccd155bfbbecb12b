"""The checkpoints of a run: which are kept, and finding the chosen one again."""

from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn


def checkpoint_callbacks(folder: Path, watched: tuple[str, ...]) -> list[ModelCheckpoint]:
    """last.ckpt after every epoch, best.ckpt by val_score, and best-on-test.ckpt, where these parts are watched."""
    keep = dict(dirpath=folder, enable_version_counter=False, save_on_train_epoch_end=True)
    callbacks = []
    if "val" in watched:
        callbacks.append(ModelCheckpoint(filename="best", monitor="val_score", mode="max", **keep))
    if "test" in watched:
        callbacks.append(ModelCheckpoint(filename="best-on-test", monitor="test_accuracy", mode="max", **keep))
    callbacks.append(ModelCheckpoint(filename="last", **keep))  # after the others, whose state it records
    return callbacks


def restore_chosen(net: nn.Module, trainer: pl.Trainer) -> None:
    """Put the weights of best.ckpt, chosen on the validation part, into `net` where the run has kept one."""
    if chosen := _checkpoint_of(trainer, "val_score"):
        state = torch.load(chosen.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
        net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})


def best_on_test(trainer: pl.Trainer) -> dict:
    """The figure that the paper on ECG reports: the accuracy of the best epoch *on the test part*."""
    if not (best := _checkpoint_of(trainer, "test_accuracy")):
        return {}
    epoch = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["epoch"] + 1
    return {"best_on_test": {"accuracy": best.best_model_score.item(), "epoch": epoch}}


def _checkpoint_of(trainer: pl.Trainer, monitor: str) -> ModelCheckpoint | None:
    """The callback that keeps the best epoch by `monitor`, if it has kept one."""
    found = (c for c in trainer.checkpoint_callbacks if c.monitor == monitor and c.best_model_path)
    return next(found, None)
