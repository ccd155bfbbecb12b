"""Training a network by a recipe, with checkpoints and logs, so that it can be stopped and resumed."""

import logging
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader, TensorDataset

from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import ToolError
from bnn.metrics import report
from bnn.models.checkpoint import save_model
from bnn.models.ecg import EcgConfig, EcgNet, blank
from bnn.train import run_folder
from bnn.train.batches import Batches, to_network
from bnn.train.evaluate import predict
from bnn.train.module import EcgTraining
from bnn.train.progress import EpochProgress
from bnn.train.recipes import Recipe


def train(
    recipe: Recipe,
    windows: WindowSet,
    split: Split,
    out_dir: Path,
    *,
    seed: int = 0,
    accelerator: str = "auto",
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Train by `recipe` on the train part of `split`; the path of the finished model.safetensors.

    The network kept is that of the best validation accuracy where the split has a validation part, else that
    of the last epoch; the test part is looked at once, at the end, for the figures in run.json and the file.
    A run resumed after an interruption loses at most one epoch and ends with the same weights.

    Raises FileError if `out_dir` exists and neither `resume` nor `force` is given, ModelError if it holds
    another run than the one to resume or if the loss runs away, ToolError for an accelerator that is not here,
    and KeyboardInterrupt, with the epoch reached, after Ctrl-C.
    """
    out_dir = Path(out_dir)
    _check_accelerator(accelerator)
    run = run_folder.describe(recipe, windows, split, seed)
    last = run_folder.prepare(out_dir, run, resume=resume, force=force)
    net = blank(recipe.config(windows.classes, windows.length), seed)
    module = EcgTraining(net, recipe, seed)
    began = time.monotonic()
    with quiet():
        pl.seed_everything(seed, verbose=False)
        trainer = make_trainer(recipe, out_dir, accelerator, progress, validate=len(split.val) > 0)
        _fit(trainer, module, make_loaders(recipe, windows, split, seed, trainer), last, out_dir)
    _restore_best(net, trainer)
    test = report(windows.y[split.test], predict(net, windows.x[split.test]), windows.classes)
    run |= {
        "epochs_done": trainer.current_epoch,
        "seconds": round(time.monotonic() - began, 1),
        "resumed": last is not None,
        "test": {"accuracy": test.accuracy, "interval": test.interval, "macro_f1": test.macro_f1},
    }
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


def make_trainer(recipe: Recipe, out_dir: Path, accelerator: str, progress: bool, validate: bool) -> pl.Trainer:
    """A Lightning trainer with the callbacks and logs of a run; `validate` says that there is a validation part."""
    csv = CSVLogger(out_dir, name="logs")
    return pl.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=recipe.epochs,
        callbacks=_callbacks(recipe, out_dir, progress, validate),
        logger=[csv, TensorBoardLogger(out_dir, name="logs", version=f"version_{csv.version}")],
        log_every_n_steps=1_000_000,  # figures are logged per epoch
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out_dir,
    )


def _callbacks(recipe: Recipe, out_dir: Path, progress: bool, validate: bool) -> list[Callback]:
    keep = dict(dirpath=out_dir / "checkpoints", enable_version_counter=False, save_on_train_epoch_end=True)
    callbacks: list[Callback] = []
    if validate:
        callbacks.append(ModelCheckpoint(filename="best", monitor="val_accuracy", mode="max", **keep))
    callbacks.append(ModelCheckpoint(filename="last", **keep))  # after `best`, whose state it records
    if validate and recipe.patience:
        callbacks.append(EarlyStopping("val_accuracy", mode="max", patience=recipe.patience))
    if progress:
        callbacks.append(EpochProgress())
    return callbacks


def make_loaders(recipe: Recipe, windows: WindowSet, split: Split, seed: int, trainer: pl.Trainer) -> tuple:
    """The training batches, and the validation batches or None."""
    config = recipe.config(windows.classes, windows.length)
    x, y = _tensors(config, windows, split.train)
    batches = Batches(x, y, recipe.batch, seed, lambda: trainer.current_epoch, recipe.augmentation())
    if not len(split.val):
        return batches, None
    return batches, DataLoader(TensorDataset(*_tensors(config, windows, split.val)), batch_size=256)


def _tensors(config: EcgConfig, windows: WindowSet, rows) -> tuple[torch.Tensor, torch.Tensor]:
    return to_network(config, windows.x[rows]), torch.from_numpy(windows.y[rows])


def _restore_best(net: EcgNet, trainer: pl.Trainer) -> None:
    """Put the weights of best.ckpt into `net` where the run kept one."""
    for callback in trainer.checkpoint_callbacks:
        if callback.monitor and callback.best_model_path:
            state = torch.load(callback.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
            net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})


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
