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
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import nn

from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import ModelError, ToolError
from bnn.models.checkpoint import save_model
from bnn.train import run_folder
from bnn.train.ecg import EcgTask
from bnn.train.kept import best_on_test, checkpoint_callbacks, restore_chosen
from bnn.train.mc2.recipe import Mc2Recipe
from bnn.train.mc2.task import Mc2Task
from bnn.train.progress import EpochProgress
from bnn.train.recipe import Recipe
from bnn.train.recipes import EcgRecipe
from bnn.train.share import Share
from bnn.train.sleep.recipe import SleepRecipe
from bnn.train.sleep.task import SleepTask
from bnn.train.start import begin_from
from bnn.train.task import Phase, Task
from bnn.train.teacher import load_teacher
from bnn.train.training import Training

TASKS: dict[type[Recipe], type[Task]] = {EcgRecipe: EcgTask, SleepRecipe: SleepTask, Mc2Recipe: Mc2Task}
"""What a recipe of that class trains."""

ADVICE = (
    "many workers",
    "Checkpoint directory",
    "val_dataloader",
    "logging interval",
    "LeafSpec",
    "in eval mode",  # frozen parts
    "sync_dist",  # Training adds up the devices' sums itself
)
"""Of Lightning, that does not apply here."""


def train(
    recipe: Recipe,
    data: WindowSet | EpochSet,
    split: Split,
    out_dir: Path,
    *,
    seed: int = 0,
    teacher: Path | None = None,
    start: Path | None = None,
    accelerator: str = "auto",
    devices: int = 1,
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
    `teacher` is the model.safetensors of a network trained on the same split, for a recipe with `teaching`; `start`
    that of a run on the same split, for a recipe that `continues`.
    A run resumed after an interruption loses at most one epoch and ends with the same weights.
    With several `devices` Lightning starts this program once for each; the batches go to them in turn.

    Raises FileError if `out_dir` exists and neither `resume` nor `force` is given, ModelError if it holds another run
    than the one to resume, for a teacher or a start that does not fit or if the loss runs away, ToolError for an
    accelerator that is not here, and KeyboardInterrupt, with the epoch reached, after Ctrl-C.
    """
    out_dir = Path(out_dir)
    _check_accelerator(accelerator, devices)
    run = run_folder.describe(recipe, data, split, seed, teacher, start)
    task = TASKS[type(recipe)](recipe, data, split, seed, load_teacher(teacher, recipe, run))
    _check_devices(task, devices)
    net = task.network()
    begin_from(start, recipe, net, run)
    if is_first_process():
        run_folder.prepare(out_dir, run, resume=resume, force=force)
    run["resumed"] = run_folder.has_checkpoints(out_dir)
    began, watched, trainers = time.monotonic(), _watched(split), []
    for phase in task.phases(net):
        how = dict(phase=phase.name, devices=devices, clip=recipe.clip, mixed=recipe.mixed)
        with quiet():
            trainers.append(make_trainer(phase.epochs, out_dir, accelerator, progress, watched, **how))
            _train_phase(phase, net, trainers[-1], watched, seed, out_dir)
    run["epochs_done"] = sum(trainer.current_epoch for trainer in trainers)
    run["seconds"] = round(time.monotonic() - began, 1)
    if (figures := task.figures(net)) is not None:
        run |= {"test": figures} | best_on_test(trainers[-1])
    if is_first_process():
        save_model(net, out_dir / "model.safetensors", run)
        run_folder.write(out_dir, run)
    return out_dir / "model.safetensors"


def is_first_process() -> bool:
    """False in the processes that Lightning starts for further devices: they write nothing."""
    return rank_zero_only.rank == 0


def _check_accelerator(accelerator: str, devices: int) -> None:
    """Raise ToolError before anything is written if Lightning cannot run on it here."""
    try:
        with quiet():
            pl.Trainer(accelerator=accelerator, devices=devices, logger=False, enable_checkpointing=False)
    except (MisconfigurationException, ValueError) as error:
        several = f" with {devices} devices" if devices > 1 else ""
        raise ToolError(
            f"accelerator {accelerator!r}{several} cannot be used here ({str(error).rstrip('.')}); choose auto or cpu"
        ) from error


def _check_devices(task: Task, devices: int) -> None:
    if devices > 1 and not task.on_many_devices:
        raise ModelError(
            f"recipe {task.recipe.task}/{task.recipe.name} trains on one device, not {devices}; leave --devices out"
        )


def _train_phase(
    phase: Phase,
    net: nn.Module,
    trainer: pl.Trainer,
    watched: tuple[str, ...],
    seed: int,
    out_dir: Path,
) -> None:
    """Leave in `net` the network that the phase chooses. Of a phase that is over, only the choice is made again."""
    pl.seed_everything(seed, verbose=False)
    module = phase.module(net, watched)
    _fit(trainer, module, make_loaders(phase, trainer, watched), phase.name, out_dir)
    restore_chosen(net, trainer)


def _fit(trainer: pl.Trainer, module: Training, loaders: tuple, phase: str, out_dir: Path) -> None:
    last = run_folder.last_checkpoint(out_dir, phase)
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, *loaders, ckpt_path=last, weights_only=True)
    except SystemExit as stopped:  # what Lightning makes of Ctrl-C, which it also switches off
        signal.signal(signal.SIGINT, on_interrupt)
        where = f"{phase} epoch".lstrip()
        raise KeyboardInterrupt(
            f"{out_dir}: stopped in {where} {trainer.current_epoch + 1} of {trainer.max_epochs}; go on with --resume"
        ) from stopped


def _watched(split: Split) -> tuple[str, ...]:
    """The parts that are evaluated after each epoch."""
    validation = ("val",) if len(split.val) else ()
    return (*validation, "test") if split.protocol == "paper" else validation


def make_trainer(
    epochs: int,
    out_dir: Path,
    accelerator: str,
    progress: bool,
    watched: tuple[str, ...] = (),
    *,
    phase: str = "",
    devices: int = 1,
    clip: float | None = None,
    mixed: bool = False,
) -> pl.Trainer:
    """A Lightning trainer with the callbacks and logs of a run; `watched` as Training has it, `clip` and `mixed` as
    Recipe has them."""
    csv = CSVLogger(out_dir, name=str(Path("logs") / phase))
    shown: list[Callback] = [EpochProgress(phase)] if progress and is_first_process() else []
    gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return pl.Trainer(
        accelerator=accelerator,
        devices=devices,
        precision="bf16-mixed" if mixed and gpu else "32-true",
        gradient_clip_val=clip,
        max_epochs=epochs,
        callbacks=[*checkpoint_callbacks(run_folder.checkpoints(out_dir, phase), watched), *shown],
        logger=[csv, TensorBoardLogger(out_dir, name=csv.name, version=f"version_{csv.version}")],
        log_every_n_steps=1_000_000,  # figures are logged per epoch
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out_dir,
    )


def make_loaders(phase: Phase, trainer: pl.Trainer, watched: tuple[str, ...] = ()) -> tuple:
    """The training batches, and a loader for each part that is watched, None where none is."""
    batches = phase.batches(lambda: trainer.current_epoch)
    shared = Share(batches, trainer) if trainer.num_devices > 1 else batches
    return shared, [phase.loader(part) for part in watched] or None


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's ADVICE."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for about in ADVICE:
            warnings.filterwarnings("ignore", message=f".*{about}")
        yield
    log.setLevel(level)
