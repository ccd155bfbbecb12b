"""What the tasks' Lightning modules share: figures that are summed up and logged once per epoch."""

import math
from abc import ABC, abstractmethod

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from bnn.errors import ModelError
from bnn.train.batches import epoch_seed
from bnn.train.recipe import Recipe


class Training(pl.LightningModule, ABC):
    """A network in training. What is learned, and from what, is said by `judge` of a subclass.

    Logged are lr, train_loss, train_accuracy and the like of each of `watched`, the parts whose loaders the trainer
    validates on ("val", "test"); the accuracy is the mean of the exits that are judged, and several are logged one by
    one as well. val_score, by which a network is chosen, is the accuracy; the lower loss decides between equals, and
    alone where no exit is judged.
    """

    judged: tuple[str, ...] = ("",)
    """Names of the exits that `judge` gives the logits of; none where a network learns without labels."""

    stages_done = 0
    """Stages of the training that are over. A network of a later stage is chosen before any of an earlier one."""

    def __init__(self, net: nn.Module, recipe: Recipe, seed: int, watched: tuple[str, ...] = ()):
        super().__init__()
        self.net = net
        self.recipe = recipe
        self.seed = seed
        self.watched = watched

    @abstractmethod
    def judge(self, x, y: Tensor, *lesson: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The loss of a batch, and the logits (B, classes) of each of `judged`; `lesson` as Batches has it."""

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(epoch_seed(self.seed, self.current_epoch) + 1)  # dropout: as if never interrupted
        self.log("lr", self.optimizers().param_groups[0]["lr"])
        self._train_sums = self._no_sums()

    def training_step(self, batch: tuple, _: int) -> Tensor:
        return self._count(batch, self._train_sums)

    def on_train_epoch_end(self) -> None:
        self._log("train", self._train_sums)

    def on_validation_epoch_start(self) -> None:
        self._watched_sums = [self._no_sums() for _ in self.watched]

    def validation_step(self, batch: tuple, _: int, dataloader_idx: int = 0) -> None:
        self._count(batch, self._watched_sums[dataloader_idx])

    def on_validation_epoch_end(self) -> None:
        for part, sums in zip(self.watched, self._watched_sums, strict=True):
            loss, accuracy = self._log(part, sums)
            if part == "val":
                score = -loss if accuracy is None else accuracy - 1e-4 * min(loss, 1.0)
                self.log("val_score", self.stages_done + score)

    def _count(self, batch: tuple, sums: Tensor) -> Tensor:
        x, y, *lesson = batch
        loss, logits = self.judge(x, y, *lesson)
        hits = [(z.detach().argmax(dim=1) == y).sum() for z in logits]
        sums += torch.stack([loss.detach() * len(y), loss.new_tensor(len(y)), *hits])
        return loss

    def _no_sums(self) -> Tensor:
        """Of losses, of windows, of hits of each exit."""
        return torch.zeros(2 + len(self.judged), device=self.device)

    def _log(self, part: str, sums: Tensor) -> tuple[float, float | None]:
        """Log and return the mean loss and the accuracy of a part, over all devices."""
        loss, count, *hits = self.trainer.strategy.reduce(sums, reduce_op="sum").tolist()
        if not math.isfinite(loss):
            raise ModelError(
                f"the {part} loss of epoch {self.current_epoch + 1} is {loss / count}: training has run away; "
                f"start over with a learning rate below {self.recipe.lr:g}"
            )
        self.log(f"{part}_loss", loss / count)
        if not hits:
            return loss / count, None
        accuracy = sum(hits) / len(hits) / count
        self.log(f"{part}_accuracy", accuracy)
        if len(hits) > 1:
            named = zip(self.judged, hits, strict=True)
            self.log_dict({f"{part}_accuracy_{name}": share / count for name, share in named})
        return loss / count, accuracy
