"""A progress bar over the whole training, one line, with the latest figures."""

import lightning.pytorch as pl
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class EpochProgress(pl.Callback):
    """Shows epochs done, time used and left, and the last epoch's loss and accuracy; `phase` is its name, if any."""

    def __init__(self, phase: str = ""):
        self.label = f"{phase} epoch".lstrip()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.bar = Progress(
            TextColumn(self.label),
            MofNCompleteColumn(),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self.task = self.bar.add_task("epoch", total=trainer.max_epochs, completed=trainer.current_epoch, figures="")
        self.bar.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._show(trainer)  # the figures of an epoch are complete only when the next one begins

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._show(trainer)
        self.bar.stop()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        self.bar.stop()

    def _show(self, trainer: pl.Trainer) -> None:
        shown = {k: float(v) for k, v in trainer.callback_metrics.items() if k.endswith(("loss", "accuracy"))}
        figures = "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in sorted(shown.items()))
        self.bar.update(self.task, completed=trainer.current_epoch, figures=figures)
