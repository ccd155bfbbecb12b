"""Training a network by a recipe, with checkpoints and logs, so that it can be stopped and resumed."""

import logging
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader, TensorDataset

from bnn.data.recut import places
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import ToolError
from bnn.metrics import report
from bnn.models.checkpoint import save_model
from bnn.models.ecg import EcgConfig, EcgNet, blank
from bnn.train import run_folder
from bnn.train.ambulatory import ambulatory
from bnn.train.batches import Batches, Fixed, Recut, Source, to_network
from bnn.train.evaluate import predict
from bnn.train.module import EcgTraining
from bnn.train.progress import EpochProgress
from bnn.train.recipes import Recipe
from bnn.train.teacher import load_teacher


def train(
    recipe: Recipe,
    windows: WindowSet,
    split: Split,
    out_dir: Path,
    *,
    seed: int = 0,
    teacher: Path | None = None,
    accelerator: str = "auto",
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Train by `recipe` on the train part of `split`; the path of the finished model.safetensors.

    The network kept is that of the best validation accuracy among the epochs that `recipe.settled` admits where
    the split has a validation part, else that of the last epoch; the test part is looked at once, at the end, for
    the figures in run.json and the file.
    Under the protocol `paper` alone the test part is also watched, and the best epoch on it, by which the paper
    chose its network, is noted beside them as `best_on_test`; nothing else comes of it.
    `teacher` is the model.safetensors of a network trained on the same split, for a recipe with `teaching`.
    A run resumed after an interruption loses at most one epoch and ends with the same weights.

    Raises FileError if `out_dir` exists and neither `resume` nor `force` is given, ModelError if it holds another run
    than the one to resume, for a teacher that does not fit or if the loss runs away, ToolError for an accelerator that
    is not here, and KeyboardInterrupt, with the epoch reached, after Ctrl-C.
    """
    out_dir = Path(out_dir)
    _check_accelerator(accelerator)
    run = run_folder.describe(recipe, windows, split, seed, teacher)
    taught_by = load_teacher(teacher, recipe, run)
    last = run_folder.prepare(out_dir, run, resume=resume, force=force)
    net = blank(recipe.config(windows.classes, windows.length), seed)
    watched = _watched(split)
    module = EcgTraining(net, recipe, seed, watched, taught_by)
    began = time.monotonic()
    with quiet():
        pl.seed_everything(seed, verbose=False)
        trainer = make_trainer(recipe, out_dir, accelerator, progress, watched)
        _fit(trainer, module, make_loaders(recipe, windows, split, seed, trainer), last, out_dir)
    _restore_chosen(net, trainer)
    test = report(windows.y[split.test], predict(net, windows.x[split.test]), windows.classes)
    run |= {
        "epochs_done": trainer.current_epoch,
        "seconds": round(time.monotonic() - began, 1),
        "resumed": last is not None,
        "test": {
            "accuracy": test.accuracy,
            "interval": test.interval,
            "macro_f1": test.macro_f1,
            "confusion": test.confusion,
        },
    } | _best_on_test(trainer)
    save_model(net, out_dir / "model.safetensors", run)
    run_folder.write(out_dir, run)
    return out_dir / "model.safetensors"


def _check_accelerator(accelerator: str) -> None:
    """Raise ToolError before anything is written if Lightning cannot run on it here."""
    try:
        with quiet():
            pl.Trainer(accelerator=accelerator, devices=1, logger=False, enable_checkpointing=False)
    except (MisconfigurationException, ValueError) as error:
        raise ToolError(
            f"accelerator {accelerator!r} cannot be used here ({str(error).rstrip('.')}); choose auto or cpu"
        ) from error


def _fit(trainer: pl.Trainer, module: EcgTraining, loaders: tuple, last: Path | None, out_dir: Path) -> None:
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, *loaders, ckpt_path=last, weights_only=True)
    except SystemExit as stopped:  # what Lightning makes of Ctrl-C, which it also switches off
        signal.signal(signal.SIGINT, on_interrupt)
        raise KeyboardInterrupt(
            f"{out_dir}: stopped in epoch {trainer.current_epoch + 1} of {trainer.max_epochs}; go on with --resume"
        ) from stopped


def _watched(split: Split) -> tuple[str, ...]:
    """The parts that are evaluated after each epoch."""
    validation = ("val",) if len(split.val) else ()
    return (*validation, "test") if split.protocol == "paper" else validation


def make_trainer(
    recipe: Recipe, out_dir: Path, accelerator: str, progress: bool, watched: tuple[str, ...] = ()
) -> pl.Trainer:
    """A Lightning trainer with the callbacks and logs of a run; `watched` as EcgTraining has it."""
    csv = CSVLogger(out_dir, name="logs")
    return pl.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=recipe.epochs,
        callbacks=_callbacks(recipe, out_dir, progress, watched),
        logger=[csv, TensorBoardLogger(out_dir, name="logs", version=f"version_{csv.version}")],
        log_every_n_steps=1_000_000,  # figures are logged per epoch
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out_dir,
    )


def _callbacks(recipe: Recipe, out_dir: Path, progress: bool, watched: tuple[str, ...]) -> list[Callback]:
    keep = dict(dirpath=out_dir / "checkpoints", enable_version_counter=False, save_on_train_epoch_end=True)
    callbacks: list[Callback] = []
    if "val" in watched:
        callbacks.append(ModelCheckpoint(filename="best", monitor="val_score", mode="max", **keep))
    if "test" in watched:
        callbacks.append(ModelCheckpoint(filename="best-on-test", monitor="test_accuracy", mode="max", **keep))
    callbacks.append(ModelCheckpoint(filename="last", **keep))  # after the others, whose state it records
    if "val" in watched and recipe.patience:
        callbacks.append(EarlyStopping("val_accuracy", mode="max", patience=recipe.patience))
    if progress:
        callbacks.append(EpochProgress())
    return callbacks


def make_loaders(recipe: Recipe, windows: WindowSet, split: Split, seed: int, trainer: pl.Trainer) -> tuple:
    """The training batches, and a loader for each part that is watched, None where none is."""
    config, labels = recipe.config(windows.classes, windows.length), torch.tensor(windows.y)
    source = _source(recipe, config, windows, split)
    epoch = lambda: trainer.current_epoch  # noqa: E731
    batches = Batches(source, labels[split.train], recipe.batch, seed, epoch, recipe.augmentation(), recipe.balance)
    return batches, [_loader(config, windows, getattr(split, part)) for part in _watched(split)] or None


def _loader(config: EcgConfig, windows: WindowSet, rows: np.ndarray) -> DataLoader:
    x, y = to_network(config, windows.x[rows]), torch.from_numpy(windows.y[rows])
    return DataLoader(TensorDataset(x, y), batch_size=256)


def _source(recipe: Recipe, config: EcgConfig, windows: WindowSet, split: Split) -> Source:
    """Windows that come from no record (synthetic ones) stay as they are."""
    if windows.lead is None or not (recipe.recut or recipe.ambulatory):
        return Fixed(to_network(config, windows.x[split.train]))
    noise = ambulatory(recipe.ambulatory, recipe.worst_snr, windows, split.train) if recipe.ambulatory else None
    return Recut(places(windows, split.train), recipe.recut, config, noise)


def _checkpoint_of(trainer: pl.Trainer, monitor: str) -> ModelCheckpoint | None:
    """The callback that keeps the best epoch by `monitor`, if it has kept one."""
    found = (c for c in trainer.checkpoint_callbacks if c.monitor == monitor and c.best_model_path)
    return next(found, None)


def _restore_chosen(net: EcgNet, trainer: pl.Trainer) -> None:
    """Put the weights of best.ckpt, chosen on the validation part, into `net` where the run kept one."""
    if chosen := _checkpoint_of(trainer, "val_score"):
        state = torch.load(chosen.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
        net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})


def _best_on_test(trainer: pl.Trainer) -> dict:
    """The figure that the paper reports: the accuracy of the best epoch *on the test part*."""
    if not (best := _checkpoint_of(trainer, "test_accuracy")):
        return {}
    epoch = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["epoch"] + 1
    return {"best_on_test": {"accuracy": best.best_model_score.item(), "epoch": epoch}}


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's advice on loader workers, logging steps and folders that a resumed run finds again."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for about in ("many workers", "Checkpoint directory", "val_dataloader", "logging interval", "LeafSpec"):
            warnings.filterwarnings("ignore", message=f".*{about}")
        yield
    log.setLevel(level)
