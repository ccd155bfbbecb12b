"""Training a network by a recipe, with checkpoints and logs, so that it can be stopped and resumed."""

import logging
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import ToolError
from bnn.models.checkpoint import save_model
from bnn.train import run_folder
from bnn.train.ecg import EcgTask
from bnn.train.kept import best_on_test, checkpoint_callbacks, restore_chosen
from bnn.train.progress import EpochProgress
from bnn.train.recipe import Recipe
from bnn.train.recipes import EcgRecipe
from bnn.train.sleep.recipe import SleepRecipe
from bnn.train.sleep.task import SleepTask
from bnn.train.task import Task
from bnn.train.teacher import load_teacher
from bnn.train.training import Training

TASKS: dict[type[Recipe], type[Task]] = {EcgRecipe: EcgTask, SleepRecipe: SleepTask}
"""What a recipe of that class trains."""


def train(
    recipe: Recipe,
    data: WindowSet | EpochSet,
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
    task = TASKS[type(recipe)](recipe, data, split, seed)
    run = run_folder.describe(recipe, data, split, seed, teacher)
    taught_by = load_teacher(teacher, recipe, run)
    net = task.network()
    last = run_folder.prepare(out_dir, run, resume=resume, force=force)
    watched = _watched(split)
    module = task.module(net, watched, taught_by)
    began = time.monotonic()
    with quiet():
        pl.seed_everything(seed, verbose=False)
        trainer = make_trainer(task.epochs, out_dir, accelerator, progress, watched)
        _fit(trainer, module, make_loaders(task, trainer, watched), last, out_dir)
    restore_chosen(net, trainer)
    run |= {
        "epochs_done": trainer.current_epoch,
        "seconds": round(time.monotonic() - began, 1),
        "resumed": last is not None,
        "test": task.figures(net),
    } | best_on_test(trainer)
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


def _fit(trainer: pl.Trainer, module: Training, loaders: tuple, last: Path | None, out_dir: Path) -> None:
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
    epochs: int, out_dir: Path, accelerator: str, progress: bool, watched: tuple[str, ...] = ()
) -> pl.Trainer:
    """A Lightning trainer with the callbacks and logs of a run; `watched` as Training has it."""
    csv = CSVLogger(out_dir, name="logs")
    shown: list[Callback] = [EpochProgress()] if progress else []
    return pl.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=epochs,
        callbacks=[*checkpoint_callbacks(out_dir / "checkpoints", watched), *shown],
        logger=[csv, TensorBoardLogger(out_dir, name="logs", version=f"version_{csv.version}")],
        log_every_n_steps=1_000_000,  # figures are logged per epoch
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out_dir,
    )


def make_loaders(task: Task, trainer: pl.Trainer, watched: tuple[str, ...] = ()) -> tuple:
    """The training batches, and a loader for each part that is watched, None where none is."""
    return task.batches(lambda: trainer.current_epoch), [task.loader(part) for part in watched] or None


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
